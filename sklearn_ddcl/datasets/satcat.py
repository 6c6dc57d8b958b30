"""Reading a satellite catalog from a file into the columns of the benchmark task."""

from os import PathLike

import pandas as pd
from sklearn.utils import Bunch

from sklearn_ddcl.datasets.catalog_schema import make_bunch
from sklearn_ddcl.datasets.csv_table import read_csv_table
from sklearn_ddcl.datasets.satcat_columns import (
    elsewhere,
    filled,
    find_columns,
    read_orbit,
    read_rest,
    schema_name,
)

_DESCR = """\
Catalog of objects in orbit, read from {path}
---------------------------------------------
Recognized as: {schema}.

Of {n_rows} rows {n_decayed} have decayed, {n_without_orbit} have no orbit around the
Earth on record and {n_unlabeled} of the others are of unknown type. Names and status
codes, which give the type away, are left out. The columns are those of
make_orbital_debris as far as the file has them. Split by ``groups``, the launch:
fragments of one break-up share an orbit.
"""


def read_satcat(
    path: str | PathLike[str],
    *,
    include_unlabeled: bool = False,
    include_decayed: bool = False,
    return_X_y: bool = False,
) -> Bunch | tuple[pd.DataFrame, pd.Series]:
    """Read a satellite catalog from a CSV file.

    The kind of catalog is recognized by its columns, in upper or lower case:
    CelesTrak's SATCAT, Space-Track's GP or SATCAT class, or a table with the columns
    of :func:`make_orbital_debris`. What the file lacks is derived where the laws of
    the two-body problem allow it.

    Parameters
    ----------
    path : str or path-like
        CSV file, plain or gzipped.
    include_unlabeled : bool, default=False
        If True, objects of unknown type are kept, with a missing ``target``.
        Otherwise they are dropped and only counted.
    include_decayed : bool, default=False
        If True, objects that have re-entered are kept, with their last orbit.
    return_X_y : bool, default=False
        If True, return ``(data, target)`` instead of the Bunch.

    Returns
    -------
    catalog : :class:`~sklearn.utils.Bunch`
        With the attributes

        data : DataFrame of shape (n_objects, n_features)
            Those of the columns of :func:`make_orbital_debris` that the file has or
            implies, in the same order.
        target : Series of shape (n_objects,)
            "DEBRIS", "PAYLOAD" or "ROCKET BODY".
        groups : Series of shape (n_objects,)
            The launch, ``YYYY-NNN``. An object without designator is its own group.
        frame : DataFrame
            The data with the columns ``target`` and ``group``.
        feature_names : list of str
            Names of the columns of ``data``.
        target_names : ndarray of shape (3,)
            Names of the classes.
        schema : str
            What the file was recognized as.
        n_decayed, n_without_orbit, n_unlabeled : int
            Rows with a decay date; of the remaining ones those without an orbit
            around the Earth, which are always dropped; of the rest those of unknown
            type.
        DESCR : str
            What was read and what was left out.
    (data, target) : tuple if ``return_X_y`` is True

    Raises
    ------
    TypeError
        If ``path`` is no path.
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is empty, ragged or of an unknown kind, if a value cannot be
        read (the message names column and line), or if no row is left.

    See Also
    --------
    fetch_satcat : Download the catalog first.

    Notes
    -----
    A period gives the mean motion and the heights of apogee and perigee give the
    eccentricity, not the other way round; ``rcs_size`` is ``rcs_m2`` cut at 0.1 and
    1 m^2 where the file has no sizes. Names and operational status codes are never
    features: they contain the answer.

    Examples
    --------
    >>> import tempfile
    >>> from sklearn_ddcl.datasets import make_orbital_debris, read_satcat
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     make_orbital_debris(50, random_state=0).frame.to_csv(folder + "/my.csv")
    ...     catalog = read_satcat(folder + "/my.csv")
    >>> catalog.data.shape
    (50, 13)
    """
    bunch = load_satcat(path, include_unlabeled, include_decayed)
    return (bunch.data, bunch.target) if return_X_y else bunch


def load_satcat(
    path: str | PathLike[str], include_unlabeled: bool, include_decayed: bool
) -> Bunch:
    """Return the Bunch of :func:`read_satcat`."""
    table = read_csv_table(path)
    names = find_columns(table)
    orbit = read_orbit(table, names)
    frame = pd.DataFrame({**orbit, **read_rest(table, names)})

    decayed = filled(table, names, "decay_date")
    no_orbit = frame["mean_motion_revday"].isna().to_numpy() | elsewhere(table, names)
    unlabeled = frame["target"].isna().to_numpy()
    keep = ~no_orbit & (include_decayed | ~decayed)
    counts = {
        "schema": schema_name(table),
        "n_decayed": int(decayed.sum()),
        "n_without_orbit": int((no_orbit & (include_decayed | ~decayed)).sum()),
        "n_unlabeled": int((unlabeled & keep).sum()),
    }
    keep &= include_unlabeled | ~unlabeled
    if not keep.any():
        raise ValueError(
            f"{table.path}: none of {len(keep)} rows is left ({counts}). Pass "
            "include_decayed=True or include_unlabeled=True to keep such rows."
        )
    frame = frame[keep].reset_index(drop=True)
    if frame["launch_year"].notna().all():
        frame["launch_year"] = frame["launch_year"].astype("int64")
    descr = _DESCR.format(path=table.path, n_rows=len(keep), **counts)
    return make_bunch(frame, descr, filename=str(table.path), **counts)
