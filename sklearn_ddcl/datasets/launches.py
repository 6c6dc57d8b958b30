"""Launches, and what they leave behind in one piece: payloads and rocket bodies."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sklearn_ddcl.datasets.launch_families import (
    FAMILIES,
    FOREIGN_OPERATORS,
    LAUNCHING_STATES,
    LaunchFamily,
)
from sklearn_ddcl.datasets.orbital_mechanics import (
    EARTH_RADIUS_KM,
    Orbit,
    precess,
    semimajor_axis_km,
    sun_synchronous_inclination_deg,
)

EPOCH = 2023.0
"""The year the catalog is written."""

MIN_MEAN_MOTION = 3.0
"""The catalog lists objects with at least this many revolutions per day."""

MIN_PERIGEE_KM = 160.0
"""Below this height an object is about to re-enter, and is not listed."""

LARGEST_AXIS_KM = float(semimajor_axis_km(MIN_MEAN_MOTION))


class Launches(NamedTuple):
    """Launches of all families; every field has shape (n_launches,)."""

    family: NDArray
    date: NDArray  # in years
    site: NDArray
    perigee_km: NDArray
    inclination_deg: NDArray
    raan_deg: NDArray

    @property
    def state(self) -> NDArray:
        """Who launched, and owns what is left of the rocket."""
        return np.array([LAUNCHING_STATES[site] for site in self.site], dtype=object)

    @property
    def designator(self) -> NDArray:
        """``YYYY-NNN``, numbered within each year by date."""
        year = self.date.astype(int)
        order = np.argsort(self.date, kind="stable")
        _, first, inverse = np.unique(
            year[order], return_index=True, return_inverse=True
        )
        number = np.empty(len(order), dtype=int)
        number[order] = np.arange(len(order)) - first[inverse] + 1
        names = [f"{y}-{k:03d}" for y, k in zip(year, number, strict=True)]
        return np.array(names, dtype=object)


class Population(NamedTuple):
    """Objects in orbit; every field has shape (n_objects,)."""

    launch: NDArray  # index into the launches
    orbit: Orbit
    owner: NDArray
    area_to_mass: NDArray  # m^2 / kg
    cross_section_m2: NDArray
    negative_drag: NDArray  # probability that a fitted BSTAR is <= 0
    cataloged: NDArray  # when the object entered the catalog, in years


def spread_evenly(weights: NDArray, n: int, rng: np.random.Generator) -> NDArray:
    """Return integer counts that sum to ``n``, each within one of its expectation.

    Systematic sampling: ``n`` equidistant marks with one random offset fall on the
    cumulated weights, so expectations are exact and nothing rare is rounded away.
    """
    edges = np.cumsum(weights) / np.sum(weights)
    marks = (np.arange(n) + rng.random()) / max(n, 1)
    which = np.minimum(np.searchsorted(edges, marks, side="right"), len(weights) - 1)
    return np.bincount(which, minlength=len(weights))


def draw_launches(counts: NDArray, rng: np.random.Generator) -> Launches:
    """Draw ``counts[k]`` launches of every family k."""
    family = np.repeat(np.arange(len(FAMILIES)), counts)
    n = len(family)

    def column(getter):
        return np.array([getter(f) for f in FAMILIES], dtype=float)[family]

    first, last = column(lambda f: f.years[0]), column(lambda f: f.years[1] + 1)
    # Square root: density rising linearly, for the families that still fly.
    elapsed = rng.random(n) ** np.where(last >= EPOCH, 0.5, 1.0)
    date = np.clip(first + (last - first) * elapsed, None, np.nextafter(EPOCH, 0))

    mean, sd = (column(lambda f, k=k: f.perigee_km[k]) for k in (0, 1))
    perigee = np.maximum(mean + sd * rng.standard_normal(n), 200.0)

    mean, sd = (column(lambda f, k=k: f.inclination_deg[k]) for k in (0, 1))
    circular = sun_synchronous_inclination_deg(perigee + EARTH_RADIUS_KM)
    inclination = np.where(np.isnan(mean), circular, mean) + sd * rng.standard_normal(n)
    # A draw below the equator is the same tilt with the node half a turn on.
    inclination = np.abs(inclination)

    site = np.concatenate(
        [rng.choice(f.sites, size=k) for f, k in zip(FAMILIES, counts, strict=True)]
    ).astype(object)
    return Launches(family, date, site, perigee, inclination, 360.0 * rng.random(n))


def release(
    launches: Launches,
    index: NDArray,
    log_eccentricity: NDArray,
    spread_km: NDArray,
    plane_deg: NDArray,
    rng: np.random.Generator,
) -> Orbit:
    """Put one object of each launch in ``index`` near the orbit of that launch."""
    n = len(index)
    perigee = launches.perigee_km[index] + spread_km * rng.standard_normal(n)
    perigee = np.maximum(perigee, MIN_PERIGEE_KM + 40.0 * rng.random(n))
    # Circular orbits scatter by a factor of two, transfers by far less.
    spread = np.where(log_eccentricity < -1.0, 0.3, 0.2)
    e = 10.0 ** (log_eccentricity + spread * rng.standard_normal(n))
    # No orbit reaches beyond the slowest mean motion listed.
    e = np.minimum(
        e,
        (1 - (perigee + EARTH_RADIUS_KM) / LARGEST_AXIS_KM)
        * (0.9 + 0.1 * rng.random(n)),
    )
    return Orbit(
        (perigee + EARTH_RADIUS_KM) / (1 - e),
        e,
        np.abs(launches.inclination_deg[index] + 0.03 * rng.standard_normal(n)),
        np.mod(launches.raan_deg[index] + plane_deg * rng.standard_normal(n), 360.0),
        360.0 * rng.random(n),
    )


def negative_drag_probability(perigee_km: NDArray, ceiling: float) -> NDArray:
    """Return how often a fitted BSTAR is not positive where the air ends."""
    return ceiling / (1 + np.exp(-(perigee_km - 1050.0) / 100.0)) + 0.003


def draw_payloads(
    launches: Launches, index: NDArray, rng: np.random.Generator
) -> Population:
    """Draw one payload for every launch in ``index``."""
    families = [FAMILIES[k] for k in launches.family[index]]
    n = len(index)
    fleet = np.array([f.payloads_per_launch > 30 for f in families], dtype=bool)
    log_e = np.array([f.log_eccentricity[0] for f in families], dtype=float)
    orbit = release(
        launches, index, log_e, np.where(fleet, 3.0, 8.0), np.where(fleet, 12, 0.5), rng
    )
    # One satellite in nine of a fleet is on its way up or down.
    moving = fleet & (rng.random(n) < 0.11)
    lower = rng.uniform(0, 0.4, n) * moving * orbit.perigee_km
    orbit = orbit._replace(semimajor_axis_km=orbit.semimajor_axis_km - lower)

    maneuvering = np.array([f.maneuvering for f in families], dtype=float)
    log_rcs = np.array([f.log_rcs[0] for f in families], dtype=float)
    cubesat = rng.random(n) < np.array([f.cubesats for f in families], dtype=float)
    log_rcs = np.where(cubesat, -0.75, log_rcs)
    return Population(
        index,
        precess(orbit, EPOCH - launches.date[index]),
        _payload_owners(families, launches.state[index], rng),
        10.0 ** (-1.67 + 0.42 * rng.standard_normal(n)),
        10.0 ** (log_rcs + 0.30 * rng.standard_normal(n)),
        np.maximum(maneuvering, negative_drag_probability(orbit.perigee_km, 0.42)),
        launches.date[index],
    )


def _payload_owners(
    families: list[LaunchFamily], state: NDArray, rng: np.random.Generator
) -> NDArray:
    """Return a guest, the operator of the family or, where it has none, the state."""
    weights = 1.0 / np.arange(2, len(FOREIGN_OPERATORS) + 2)
    guests = rng.choice(
        FOREIGN_OPERATORS, size=len(families), p=weights / weights.sum()
    )
    is_guest = rng.random(len(families)) < np.array(
        [f.foreign for f in families], dtype=float
    )
    operators = np.array([f.operator for f in families], dtype=object)
    operators = np.where(operators == "", state, operators)
    return np.where(is_guest, guests.astype(object), operators)


def draw_rocket_bodies(
    launches: Launches, index: NDArray, rng: np.random.Generator
) -> Population:
    """Draw one rocket body for every launch in ``index``."""
    families = [FAMILIES[k] for k in launches.family[index]]
    n = len(index)
    log_e = np.array([f.log_eccentricity[1] for f in families], dtype=float)
    orbit = release(launches, index, log_e, np.full(n, 25.0), np.full(n, 1.0), rng)
    log_rcs = np.array([f.log_rcs[1] for f in families], dtype=float)
    return Population(
        index,
        precess(orbit, EPOCH - launches.date[index]),
        launches.state[index],
        10.0 ** (-2.01 + 0.22 * rng.standard_normal(n)),
        10.0 ** (log_rcs + 0.18 * rng.standard_normal(n)),
        negative_drag_probability(orbit.perigee_km, 0.50),
        launches.date[index],
    )
