"""What a catalog records of its objects, and what it leaves blank."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sklearn_ddcl.datasets.catalog_schema import radar_size
from sklearn_ddcl.datasets.drag import draw_bstar
from sklearn_ddcl.datasets.launches import Launches, Population
from sklearn_ddcl.datasets.orbital_mechanics import mean_motion_revday

RCS_ENDED = 2017.6
"""Since then radar cross-sections are no longer published as numbers."""

# How often the size class is blank: by class, before and after the given years.
_BLANK_SIZE = {
    "PAYLOAD": ([2009, 2017, 2020], [0.06, 0.10, 0.44, 0.24]),
    "ROCKET BODY": ([2005, 2017, 2020], [0.16, 0.38, 0.50, 0.42]),
    "DEBRIS": ([2005, 2013, 2021], [0.13, 0.30, 0.42, 0.20]),
}


def observe(
    population: Population,
    target: NDArray,
    launches: Launches,
    rng: np.random.Generator,
) -> pd.DataFrame:
    """Return the catalog entries of a population, one row per object."""
    orbit, launch = population.orbit, population.launch
    rcs = np.clip(population.cross_section_m2, 1e-4, 400.0)
    size = radar_size(rcs)
    size[rng.random(len(rcs)) < _blank_size(target, population.cataloged)] = np.nan
    late = population.cataloged > RCS_ENDED
    rcs = np.where(late | (rng.random(len(rcs)) < 0.025), np.nan, rcs)
    return pd.DataFrame(
        {
            "mean_motion_revday": mean_motion_revday(orbit.semimajor_axis_km),
            "eccentricity": orbit.eccentricity,
            "inclination_deg": orbit.inclination_deg,
            "raan_deg": orbit.raan_deg,
            "argp_deg": orbit.argp_deg,
            "apogee_km": orbit.apogee_km,
            "perigee_km": orbit.perigee_km,
            "bstar": draw_bstar(
                population.area_to_mass, orbit.perigee_km, population.negative_drag, rng
            ),
            "launch_year": launches.date[launch].astype(int),
            "rcs_m2": rcs,
            "rcs_size": size,
            "owner": population.owner,
            "launch_site": launches.site[launch],
            "target": target,
            "group": launches.designator[launch],
        }
    )


def _blank_size(target: NDArray, cataloged: NDArray) -> NDArray:
    """Return how probable a blank size class is for every object."""
    probability = np.empty(len(target))
    for name, (years, levels) in _BLANK_SIZE.items():
        mine = target == name
        probability[mine] = np.array(levels)[np.searchsorted(years, cataloged[mine])]
    return probability
