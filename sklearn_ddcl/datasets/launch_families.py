"""The kinds of launches that fill the catalog: who flies where, when, with what.

The table is a coarse portrait of the public catalog of 2023 (objects that make at
least three revolutions a day): shares, heights, inclinations and radar sizes were
rounded from summary statistics; no row of the catalog is reproduced.
"""

from typing import Any, NamedTuple

import numpy as np


class LaunchFamily(NamedTuple):
    """One kind of launch.

    Parameters
    ----------
    name : str
        For the reader only.
    operator : str
        Owner of most payloads; empty if it is the state that launches.
    sites : tuple of str
        Launch sites, equally likely (repeat a site to favor it).
    years : tuple of (int, int)
        First and last year. A family that still flies launches more and more.
    inclination_deg : tuple of (float, float)
        Mean and spread; a mean of NaN means sun-synchronous.
    perigee_km : tuple of (float, float)
        Mean and spread of the height of the perigee.
    log_eccentricity : tuple of (float, float)
        Mean log10 e of payloads and of rocket bodies.
    shares : tuple of (float, float, float)
        Weight among all payloads, rocket bodies and debris.
    payloads_per_launch : float
        Mean number of payloads still in orbit per launch that left any.
    log_rcs : tuple of (float, float)
        Mean log10 radar cross-section [m^2] of payloads and of rocket bodies.
    maneuvering : float, default=0.01
        Share of payloads whose station keeping turns a fitted BSTAR negative.
    foreign : float, default=0.05
        Share of payloads owned by someone else.
    cubesats : float, default=0.0
        Share of payloads that are hardly larger than a shoe box.
    """

    name: str
    operator: str
    sites: tuple[str, ...]
    years: tuple[int, int]
    inclination_deg: tuple[float, float]
    perigee_km: tuple[float, float]
    log_eccentricity: tuple[float, float]
    shares: tuple[float, float, float]
    payloads_per_launch: float
    log_rcs: tuple[float, float]
    maneuvering: float = 0.01
    foreign: float = 0.05
    cubesats: float = 0.0


SUN = (np.nan, 0.3)
"""Sun-synchronous: the inclination follows from the height."""

CHINA = ("TAISC", "TAISC", "TAISC", "JSC", "JSC", "XICLF", "WSC")

# fmt: off
_ROWS: list[tuple[Any, ...]] = [
    # Constellations of the last years: shells, dozens per launch.
    ("shell-53", "", ("AFETR",), (2019, 2022), (53.15, 0.08), (541, 4),
     (-3.7, -2.9), (0.39, 0.0, 0.0005), 50, (0.75, 0.4), 0.54, 0.0),
    ("shell-70", "", ("AFWTR",), (2021, 2022), (70.0, 0.02), (569, 2),
     (-3.55, -2.9), (0.008, 0.0, 0.0), 50, (0.75, 0.4), 0.58, 0.0),
    ("shell-97", "", ("AFWTR", "AFETR"), (2021, 2022), (97.65, 0.03), (560, 3),
     (-3.7, -2.9), (0.02, 0.0, 0.0), 46, (0.75, 0.4), 0.55, 0.02),
    ("polar-1200", "UK", ("VOSTO", "TYMSC", "FRGUI", "SRILR"), (2019, 2022),
     (87.9, 0.15), (1195, 60), (-3.65, -2.5), (0.055, 0.001, 0.0), 34, (0.35, 0.4),
     0.55, 0.0),
    ("iridium", "", ("AFWTR", "AFWTR", "TYMSC", "TAISC"), (1997, 2020),
     (86.4, 0.06), (745, 45), (-3.5, -1.9), (0.014, 0.002, 0.024), 6, (0.48, 0.9), 0.02,
     0.08),
    ("globalstar", "GLOB", ("TYMSC", "AFETR"), (1998, 2013), (52.0, 0.02),
     (1450, 90), (-3.7, -2.4), (0.011, 0.001, 0.0003), 4, (0.45, 0.7), 0.05, 0.0),
    ("orbcomm", "ORB", ("ERAS", "ERAS", "AFETR"), (1995, 2014), (45.6, 1.0),
     (760, 40), (-3.4, -2.1), (0.008, 0.003, 0.005), 6, (-0.2, -0.1), 0.0, 0.15),
    # Sun-synchronous launches.
    ("ride-share", "", ("AFETR", "AFWTR", "RLLB"), (2012, 2022), SUN, (505, 38),
     (-3.03, -2.5), (0.085, 0.006, 0.004), 14, (0.3, 0.3), 0.01, 0.4, 0.85),
    ("sun-west-old", "", ("AFWTR",), (1964, 2006), SUN, (790, 110),
     (-2.85, -2.35), (0.015, 0.03, 0.14), 1.2, (0.25, 0.3), 0.03, 0.1),
    ("sun-china", "", CHINA, (1988, 2008), SUN, (705, 90), (-3.1, -2.25),
     (0.025, 0.035, 0.28), 1.8, (0.4, 0.9), 0.02, 0.12, 0.15),
    ("sun-china-low", "", CHINA, (2010, 2022), SUN, (490, 35), (-2.98, -2.1),
     (0.05, 0.055, 0.01), 3.5, (0.3, 0.85), 0.01, 0.1, 0.4),
    ("sun-india-europe-japan", "", ("SRILR", "SRILR", "FRGUI", "TANSC"),
     (1988, 2022), SUN, (555, 130), (-3.2, -2.5), (0.06, 0.04, 0.01), 6, (0.35, 0.9),
     0.01, 0.75, 0.6),
    ("sun-russia", "", ("TYMSC", "DLS", "PLMSC", "VOSTO"), (1984, 2022), SUN,
     (600, 100), (-2.85, -2.1), (0.048, 0.032, 0.015), 6, (0.3, 0.75), 0.01, 0.75,
     0.65),
    # The Soviet and Russian workhorses.
    ("kosmos-74", "", ("PLMSC",), (1967, 1994), (74.04, 0.05), (745, 65),
     (-2.74, -2.7), (0.01, 0.065, 0.09), 1, (0.33, 0.64)),
    ("kosmos-74-high", "", ("PLMSC",), (1970, 1992), (74.02, 0.08),
     (1455, 35), (-2.55, -2.1), (0.053, 0.05, 0.02), 7, (-0.13, 0.75)),
    ("kosmos-83", "", ("PLMSC",), (1972, 2006), (82.94, 0.06), (953, 18),
     (-2.52, -2.55), (0.022, 0.13, 0.048), 1, (0.31, 0.65)),
    ("kosmos-82-low", "", ("PLMSC",), (1971, 2000), (82.5, 0.1), (590, 110),
     (-2.63, -2.5), (0.012, 0.08, 0.05), 1, (0.69, 0.69)),
    ("kosmos-82-high", "", ("PLMSC",), (1979, 2018), (82.57, 0.08),
     (1415, 70), (-2.95, -2.4), (0.03, 0.04, 0.01), 5, (0.04, 0.71)),
    ("kosmos-65", "", ("TYMSC",), (1968, 1995), (65.6, 0.6), (850, 130),
     (-2.4, -2.1), (0.008, 0.02, 0.047), 1.1, (0.06, 0.52)),
    ("zenit-71", "", ("TYMSC",), (1984, 2005), (71.0, 0.04), (838, 10),
     (-2.85, -3.0), (0.003, 0.02, 0.033), 1, (0.91, 1.01)),
    # The American pioneers.
    ("west-101", "", ("AFWTR",), (1965, 1978), (101.5, 0.6), (1330, 170),
     (-2.45, -2.35), (0.004, 0.02, 0.075), 1.2, (-0.4, 0.25)),
    ("west-90", "", ("AFWTR",), (1963, 1990), (90.0, 0.2), (1050, 130),
     (-2.35, -2.25), (0.01, 0.032, 0.033), 1.6, (-0.08, 0.0)),
    ("west-68", "", ("AFWTR", "AFETR"), (1960, 1980), (68.6, 1.5), (870, 90),
     (-2.75, -2.2), (0.007, 0.012, 0.035), 2.2, (-0.28, 0.3)),
    ("west-80", "", ("AFWTR",), (1961, 2012), (81.0, 2.5), (680, 200),
     (-2.4, -2.1), (0.016, 0.045, 0.02), 2, (0.1, 0.3), 0.02, 0.15),
    # Low inclinations, and what the station throws out.
    ("low-inclination", "", ("AFETR", "AFETR", "SRILR", "RLLB", "KSCUT"),
     (1962, 2022), (30.0, 7.0), (570, 110), (-2.9, -2.05), (0.026, 0.045, 0.012), 2.2,
     (0.2, 0.6), 0.02, 0.35, 0.45),
    ("china-mid", "", ("XICLF", "JSC"), (2013, 2022), (41.0, 9.0), (600, 130),
     (-2.95, -2.2), (0.02, 0.036, 0.005), 3, (0.4, 0.82), 0.08),
    ("station", "", ("WLPIS", "TYMSC", "AFETR"), (1998, 2022), (51.63, 0.01),
     (400, 15), (-3.2, -1.6), (0.01, 0.001, 0.002), 9, (0.5, 0.9), 0.0, 0.35, 0.7),
    # Medium and transfer orbits.
    ("medium", "O3B", ("FRGUI", "AFETR"), (2013, 2020), (0.5, 0.6), (8000, 60),
     (-3.2, -2.6), (0.004, 0.011, 0.0), 4, (1.0, 0.6), 0.9, 0.1),
    ("transfer-low", "", ("AFETR", "AFETR", "AFETR", "FRGUI", "XICLF"),
     (1963, 2022), (20.0, 9.0), (300, 120), (-0.36, -0.32), (0.003, 0.12, 0.012), 1.2,
     (0.3, 0.89), 0.05, 0.6),
    ("transfer-high", "", ("TYMSC", "TYMSC", "TYMSC", "AFWTR"), (1964, 2019),
     (58.0, 9.0), (520, 190), (-0.52, -0.42), (0.006, 0.08, 0.04), 1.2, (0.3, 0.1),
     0.05, 0.2),
]
# fmt: on

FAMILIES = tuple(LaunchFamily(*row) for row in _ROWS)

LAUNCHING_STATES = {
    **dict.fromkeys(["AFETR", "AFWTR", "WLPIS", "ERAS", "RLLB"], "US"),
    **dict.fromkeys(["PLMSC", "TYMSC", "DLS", "VOSTO"], "CIS"),
    **dict.fromkeys(["TAISC", "JSC", "XICLF", "WSC"], "PRC"),
    **dict.fromkeys(["TANSC", "KSCUT"], "JPN"),
    "FRGUI": "FR",
    "SRILR": "IND",
}
"""Who owns the rocket bodies and the debris of a launch, by its site."""

FOREIGN_OPERATORS = (
    *("US", "PRC", "JPN", "GER", "IND", "UK", "FR", "CA", "IT", "ARGN", "SPN"),
    *("SKOR", "FIN", "SWTZ", "ESA", "BRAZ", "ISRA", "AUS", "NZ", "TURK", "SAUD"),
)
"""Owners of guest payloads, the first ones the most frequent."""
