"""What the columns of satellite catalogs mean, whoever publishes them."""

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sklearn_ddcl.datasets.catalog_schema import FEATURES, radar_size
from sklearn_ddcl.datasets.csv_table import CsvTable
from sklearn_ddcl.datasets.orbital_mechanics import (
    apogee_perigee_km,
    mean_motion_revday,
    period_min,
    semimajor_axis_km,
    shape_from_heights,
)

# What a column may be called, in lower case; our own name first.
_ALIASES = {
    "mean_motion_revday": ("mean_motion_revday", "mean_motion"),
    "period_min": ("period_min", "period"),
    "semimajor_axis_km": ("semimajor_axis_km", "semimajor_axis"),
    "eccentricity": ("eccentricity",),
    "inclination_deg": ("inclination_deg", "inclination"),
    "raan_deg": ("raan_deg", "ra_of_asc_node"),
    "argp_deg": ("argp_deg", "arg_of_pericenter"),
    "apogee_km": ("apogee_km", "apogee", "apoapsis"),
    "perigee_km": ("perigee_km", "perigee", "periapsis"),
    "bstar": ("bstar",),
    "rcs_m2": ("rcs_m2", "rcs", "rcsvalue"),
    "rcs_size": ("rcs_size",),
    "owner": ("owner", "country_code", "country"),
    "launch_site": ("launch_site", "site"),
    "launch_year": ("launch_year",),
    "launch_date": ("launch_date", "launch"),
    "decay_date": ("decay_date", "decay"),
    "designator": ("object_id", "intl_desg", "intldes"),
    "catalog_number": ("norad_cat_id", "norad_id"),
    "orbit_center": ("orbit_center",),
    "status": ("data_status_code", "orbit_status_code"),
    "group": ("group",),
    "target": ("target", "object_type"),
}

_LABELS = {
    "PAY": "PAYLOAD",
    "PAYLOAD": "PAYLOAD",
    "R/B": "ROCKET BODY",
    "ROCKET BODY": "ROCKET BODY",
    "DEB": "DEBRIS",
    "DEBRIS": "DEBRIS",
}
_UNLABELED = {"", "UNK", "UNKNOWN", "OTHER", "TBA", "TBA - TO BE ASSIGNED"}

_EXPECTED = """\
Expected one of
- CelesTrak SATCAT: OBJECT_ID, OBJECT_TYPE, PERIOD, INCLINATION, APOGEE, PERIGEE, ...
- Space-Track GP: OBJECT_ID, OBJECT_TYPE, MEAN_MOTION, ECCENTRICITY, INCLINATION, ...
- a table of make_orbital_debris: target, group, inclination_deg, ...
in upper or lower case."""


def find_columns(table: CsvTable) -> dict[str, str]:
    """Return which column of the table holds what, or raise."""
    names = {
        ours: alias
        for ours, aliases in _ALIASES.items()
        for alias in reversed(aliases)
        if alias in table.columns
    }
    lacking = [
        what
        for what, ways in {
            "the type of the object": [{"target"}],
            "the launch": [{"group"}, {"designator"}],
            "the inclination": [{"inclination_deg"}],
            "the size of the orbit": [
                {"mean_motion_revday"},
                {"period_min"},
                {"semimajor_axis_km"},
                {"apogee_km", "perigee_km"},
            ],
        }.items()
        if not any(way <= names.keys() for way in ways)
    ]
    if lacking:
        got = list(table.columns)
        shown = ", ".join(got[:40]) + (", ..." if len(got) > 40 else "")
        raise ValueError(
            f"{table.path}: unknown kind of catalog, no column for "
            f"{'; '.join(lacking)}.\n{_EXPECTED}\nGot {len(got)} columns: {shown[:600]}"
        )
    return names


def schema_name(table: CsvTable) -> str:
    """Return what to call the kind of table."""
    columns = table.columns.keys()
    if {"target", "group"} <= columns:
        return "table of features"
    if "mean_motion" in columns:
        return "GP elements"
    return "satellite catalog"


def read_orbit(table: CsvTable, names: dict[str, str]) -> dict[str, NDArray]:
    """Return all orbital columns, derived where the table has none or a blank."""
    blank = np.full(len(table.lines), np.nan)

    def column(name):
        return table.numbers(names[name]) if name in names else blank

    n, period, e = map(column, ("mean_motion_revday", "period_min", "eccentricity"))
    a, apogee, perigee = map(column, ("semimajor_axis_km", "apogee_km", "perigee_km"))
    impossible = np.flatnonzero((e < 0) | (e >= 1))
    if len(impossible):
        table.reject(names["eccentricity"], impossible[0], "a number in [0, 1)")
    # Old catalogs write -1 into all elements when there are none.
    apogee, perigee = (np.where(period <= 0, np.nan, x) for x in (apogee, perigee))
    apogee, perigee = np.where(apogee < perigee, [perigee, apogee], [apogee, perigee])
    n, period, a = (np.where(x > 0, x, np.nan) for x in (n, period, a))
    axis_of_heights, e_of_heights = shape_from_heights(apogee, perigee)
    for other in (period_min(period), mean_motion_revday(a)):
        n = np.where(np.isnan(n), other, n)
    n = np.where(np.isnan(n), mean_motion_revday(axis_of_heights), n)
    e = np.where(np.isnan(e), e_of_heights, e)
    top, bottom = apogee_perigee_km(semimajor_axis_km(n), e)
    orbit = {
        "mean_motion_revday": n,
        "eccentricity": e,
        "inclination_deg": column("inclination_deg"),
        "raan_deg": column("raan_deg"),
        "argp_deg": column("argp_deg"),
        "apogee_km": np.where(np.isnan(apogee), top, apogee),
        "perigee_km": np.where(np.isnan(perigee), bottom, perigee),
    }
    return {
        name: values
        for name, values in orbit.items()
        if name in names or name not in {"raan_deg", "argp_deg"}
    }


def read_rest(table: CsvTable, names: dict[str, str]) -> dict[str, Any]:
    """Return drag, radar, origin, label and launch, as far as the table has them."""
    rest: dict[str, Any] = {}
    if "bstar" in names:
        rest["bstar"] = table.numbers(names["bstar"])
    rest["launch_year"] = _read_launch_year(table, names)
    if "rcs_m2" in names:
        rcs = table.numbers(names["rcs_m2"])
        rest["rcs_m2"] = np.where(rcs > 0, rcs, np.nan)
    if "rcs_size" in names:
        rest["rcs_size"] = _missing_if_blank(table.text(names["rcs_size"]))
    elif "rcs_m2" in names:
        rest["rcs_size"] = radar_size(rest["rcs_m2"])
    for name in ("owner", "launch_site"):
        if name in names:
            rest[name] = _missing_if_blank(table.text(names[name]))
    rest = {name: rest[name] for name in FEATURES if name in rest}
    rest["target"] = _read_target(table, names["target"])
    rest["group"] = _read_group(table, names)
    return rest


def _missing_if_blank(text: NDArray) -> NDArray:
    return np.where(text == "", np.nan, text)


def filled(table: CsvTable, names: dict[str, str], name: str) -> NDArray:
    """Return where a column is not blank; nowhere if there is no such column."""
    if name not in names:
        return np.zeros(len(table.lines), dtype=bool)
    return np.array(table.text(names[name]) != "", dtype=bool)


def elsewhere(table: CsvTable, names: dict[str, str]) -> NDArray:
    """Return which objects circle something else than the Earth, or are docked."""
    away = np.zeros(len(table.lines), dtype=bool)
    if "orbit_center" in names:
        center = table.text(names["orbit_center"])
        away |= ~np.isin(np.char.upper(center.astype(str)), ["", "EA"])
    if "status" in names:  # the old code joins center and type, as in MO2
        code = table.text(names["status"])
        away |= [bool(re.fullmatch(r"(?!EA)[A-Z]{2}\d", text)) for text in code]
    return away


def _read_target(table: CsvTable, name: str) -> NDArray:
    target = np.empty(len(table.lines), dtype=object)
    for row, text in enumerate(table.text(name)):
        label = _LABELS.get(text.upper(), np.nan)
        if label is np.nan and text.upper() not in _UNLABELED:
            table.reject(name, row, f"one of {sorted(_LABELS)} or {sorted(_UNLABELED)}")
        target[row] = label
    return target


def _read_group(table: CsvTable, names: dict[str, str]) -> NDArray:
    """Return the launch part of the designators; blanks become groups of one."""
    if "group" in names:
        group = table.text(names["group"])
    else:
        name = names["designator"]
        group = table.text(name)
        for row, text in enumerate(group):
            match = re.fullmatch(r"(\d{4}-\d{3,})[A-Z]*", text.upper())
            if match:
                group[row] = match[1]
            elif text:
                table.reject(name, row, "an international designator like 1998-067A")
    number = (
        table.text(names["catalog_number"])
        if "catalog_number" in names
        else np.array([f"line-{line}" for line in table.lines], dtype=object)
    )
    return np.where(group == "", "object-" + number, group)


def _read_launch_year(table: CsvTable, names: dict[str, str]) -> NDArray:
    """Return the year from the first of: its own column, launch date, designator."""
    if "launch_year" in names:
        return table.numbers(names["launch_year"])
    source = names.get("launch_date", names.get("designator", names.get("group")))
    assert source is not None  # one of them is required
    year = np.full(len(table.lines), np.nan)
    for row, text in enumerate(table.text(source)):
        if re.match(r"\d{4}-", text):
            year[row] = int(text[:4])
        elif text:
            table.reject(source, row, "a date or designator that begins with the year")
    return year
