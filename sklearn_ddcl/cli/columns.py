"""Columns of a table as labels and features."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from sklearn_ddcl.cli.messages import CommandError, count, listing, note, suggestion
from sklearn_ddcl.cli.tables import Table

# With more different fractions than this a target is a quantity, not a class.
_MOST_FRACTIONS = 20
# From this share of numbers on, a column of text looks like an accident.
_NEARLY_ALL = 0.9


def labels_of(table: Table, target: str) -> tuple[Table, np.ndarray]:
    """Return the rows that have a label, and the labels.

    Parameters
    ----------
    table : Table
        Rows; those without a label are left out with a note.
    target : str
        Column of the labels.

    Returns
    -------
    table : Table
        Rows that have a label.
    labels : ndarray of shape (n_rows,)
        Integers if all labels are written as such, else the text.

    Raises
    ------
    CommandError
        If the column is missing, continuous, or does not hold two classes.
    """
    table.require([target], "--target")
    present = table.cells[target].notna().to_numpy()
    if not present.all():
        note(
            f"left out {count(int((~present).sum()), 'row')} without a value of "
            f"{target!r} (empty, NA, nan, null, None, ...)"
        )
        table = table.take(np.flatnonzero(present))
    text = table.cells[target].to_numpy(dtype=object)
    classes, sizes = np.unique(text.astype(str), return_counts=True)
    if len(classes) < 2:
        found = "no value" if not len(classes) else f"only {str(classes[0])!r}"
        raise CommandError(
            f"--target {target}: expected at least two classes, got {found} in all "
            f"{count(len(present), 'row')}; choose another column"
        )
    labels = _as_labels(text, classes, target)
    single = classes[sizes == 1]
    if len(single) and len(single) < len(classes):
        noun = count(len(single), "class", "classes")
        note(f"{noun} with a single row, hard to learn from: {listing(single)}")
    return table, labels


def _as_labels(text: np.ndarray, classes: np.ndarray, target: str) -> np.ndarray:
    # Not "007" or "1.0", which would come back as another text.
    if all(_is_integer(value) for value in classes):
        return text.astype(np.int64)
    numbers = pd.to_numeric(pd.Series(classes), errors="coerce")
    if len(classes) > _MOST_FRACTIONS and numbers.notna().all():
        raise CommandError(
            f"--target {target}: expected classes, got {len(classes)} different "
            "fractional numbers; bin them first, this is no regression"
        )
    return text


def _is_integer(text: str) -> bool:
    return (
        len(text) < 18 and text.removeprefix("-").isdecimal() and str(int(text)) == text
    )


def features_of(
    table: Table, left_out: Sequence[str], categorical: Sequence[str]
) -> pd.DataFrame:
    """Return the columns to learn from: numbers where all cells are, else text.

    Parameters
    ----------
    table : Table
        Rows.
    left_out : sequence of str
        Columns that are not features.
    categorical : sequence of str
        Columns that stay text.

    Returns
    -------
    features : DataFrame
        Columns of float64, or of text with None where missing.

    Raises
    ------
    CommandError
        If a column does not exist, or none is left.
    """
    table.require(categorical, "--categorical")
    names = [str(name) for name in table.cells if name not in set(left_out)]
    if not names:
        raise CommandError(f"{table.path} has no column left to learn from")
    columns = {
        name: _as_text(table.cells[name])
        if name in set(categorical)
        else _numbers_or_text(table, name)
        for name in names
    }
    return pd.DataFrame(columns)


def _numbers_or_text(table: Table, name: str) -> pd.Series:
    cells = table.cells[name]
    numbers = pd.to_numeric(cells, errors="coerce").astype(np.float64)
    present = int(cells.notna().sum())
    odd = (cells.notna() & numbers.isna()).to_numpy()
    if not odd.any() and present:
        return numbers
    if 0 < odd.sum() <= (1 - _NEARLY_ALL) * present:
        row = int(odd.argmax())
        note(
            f"column {name!r} is taken as text, because of {cells[row]!r} in line "
            f"{table.lines[row]}; blank such cells to have numbers"
        )
    return _as_text(cells)


def _as_text(cells: pd.Series) -> pd.Series:
    return cells.astype(object).where(cells.notna(), None)


def rows_for_model(table: Table, model: Any) -> Any:
    """Return a table as a fitted model takes it, columns matched by name.

    Parameters
    ----------
    table : Table
        Columns in any order; further ones are left out with a note.
    model : estimator
        Fitted.

    Returns
    -------
    X : DataFrame or ndarray
        In the columns of the model. An array if the model knows no names: then the
        columns are matched by position.

    Raises
    ------
    CommandError
        If columns are missing, or hold text instead of numbers.
    """
    names = getattr(model, "feature_names_in_", None)
    known = list(table.cells.columns)
    if names is None:
        if len(known) != model.n_features_in_:
            raise CommandError(
                f"{table.path} has {count(len(known), 'column')}, but the model was "
                f"fitted on {model.n_features_in_} without names"
            )
        return _as_kinds(table, known, model).to_numpy(dtype=object)
    missing = [name for name in names if name not in known]
    if missing:
        raise CommandError(
            f"{table.path} lacks {count(len(missing), 'column')} that the model needs: "
            f"{listing(missing)}{suggestion(missing[0], known)}"
        )
    if extra := [name for name in known if name not in set(names)]:
        note(f"not used by the model: {listing(extra)}")
    return _as_kinds(table, list(names), model)


def _as_kinds(table: Table, names: list[str], model: Any) -> pd.DataFrame:
    """Return columns as the model learned them, whatever these rows look like."""
    columns = {}
    for name, kind in zip(names, model._fitted.table.kinds, strict=True):
        cells = table.cells[name]
        if kind != "number":
            columns[name] = _as_text(cells)
            continue
        numbers = pd.to_numeric(cells, errors="coerce").astype(np.float64)
        odd = (cells.notna() & numbers.isna()).to_numpy()
        if odd.any():
            row = int(odd.argmax())
            raise CommandError(
                f"{table.path}, line {table.lines[row]}: expected a number in column "
                f"{name!r}, got {cells[row]!r}; the model knows numbers only there"
            )
        columns[name] = numbers
    return pd.DataFrame(columns)
