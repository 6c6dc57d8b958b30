"""Debris: break-up clouds and the small parts that launches shed."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sklearn_ddcl.datasets.breakup import (
    COLLISION_EXPONENT,
    EXPLOSION_EXPONENT,
    cross_section_m2,
    draw_area_to_mass,
    draw_lengths,
    draw_speeds,
    isotropic,
)
from sklearn_ddcl.datasets.drag import drag_lifetime_years
from sklearn_ddcl.datasets.launch_families import FAMILIES
from sklearn_ddcl.datasets.launches import (
    EPOCH,
    LARGEST_AXIS_KM,
    MIN_PERIGEE_KM,
    Launches,
    Population,
    negative_drag_probability,
    release,
    spread_evenly,
)
from sklearn_ddcl.datasets.orbital_mechanics import (
    Orbit,
    orbit_from_state,
    precess,
    state_from_orbit,
    true_anomaly_deg,
)

MAX_DRAWS = 40
BREAKUP_SIZE = 6
"""Launches with fewer pieces shed them; with more, something broke up."""


class Clouds(NamedTuple):
    """Sources of debris; every field has shape (n_clouds,)."""

    launch: NDArray  # index into the launches
    size: NDArray  # fragments still in orbit
    orbit: Orbit  # of the parent when it happened
    date: NDArray  # when it happened, in years
    rocket_body: NDArray  # whether the parent is one
    collision: NDArray
    shed: NDArray  # parts released gently, no break-up


def draw_cloud_sizes(
    n: int, shares: NDArray, rng: np.random.Generator
) -> tuple[NDArray, NDArray]:
    """Split ``n`` fragments into clouds and the clouds over families.

    Sizes follow a power law of the rank, so a dozen clouds hold more than half.
    Every family ends with its share, because large clouds go first and only to
    families that have room for them.

    Returns
    -------
    size, family : ndarrays of shape (n_clouds,)
        Sizes sum to ``n``.
    """
    rank = np.arange(1, max(int(0.07 * n), 1) + 1)
    wanted = rank**-1.15 / np.sum(rank**-1.15) * n
    room = spread_evenly(shares, n, rng)
    sizes, families = [], []
    for wish in np.maximum(wanted.round().astype(int), 1).tolist():
        size = min(wish, int(room.max()))
        if size == 0:
            break
        fits = np.where(room >= size, room, 0)
        family = rng.choice(len(room), p=fits / fits.sum())
        room[family] -= size
        sizes.append(size)
        families.append(family)
    for family in np.flatnonzero(
        room
    ).tolist():  # what is left over: launches with a few parts
        few = np.minimum(rng.integers(1, 4, room[family]).cumsum(), room[family])
        parts = np.diff(np.unique(few), prepend=0)
        sizes.extend(parts)
        families.extend([family] * len(parts))
    return np.array(sizes, dtype=int), np.array(families, dtype=int)


def draw_clouds(
    launches: Launches, index: NDArray, size: NDArray, rng: np.random.Generator
) -> Clouds:
    """Let something of every launch in ``index`` come apart into ``size`` pieces."""
    n = len(index)
    families = [FAMILIES[k] for k in launches.family[index]]
    rocket_body = rng.random(n) < 0.45
    log_e = np.array([f.log_eccentricity for f in families], dtype=float).reshape(n, 2)
    orbit = release(
        launches,
        index,
        np.where(rocket_body, log_e[:, 1], log_e[:, 0]),
        np.full(n, 20.0),
        np.full(n, 1.0),
        rng,
    )
    shed = size < BREAKUP_SIZE
    # Parts are shed on arrival; residual propellant can wait for decades.
    age = EPOCH - launches.date[index]
    age = np.maximum(
        age - rng.exponential(np.where(shed, 0.1, 5.0)), age * rng.random(n)
    )
    # Of a cloud this old at this height nothing would be left to list.
    lifetime = drag_lifetime_years(orbit.perigee_km, orbit.eccentricity, 0.025)
    age = np.where(age > lifetime, lifetime * rng.random(n), age)
    largest = size == size.max(initial=0)
    return Clouds(
        index,
        size,
        precess(orbit, EPOCH - age - launches.date[index]),
        EPOCH - age,
        rocket_body & ~largest,
        ~shed & (largest | (rng.random(n) < 0.12)),
        shed,
    )


def draw_debris(
    launches: Launches, clouds: Clouds, rng: np.random.Generator
) -> Population:
    """Draw the surviving fragments of all clouds.

    Fragments are drawn until ``clouds.size`` of them are bound, clear of the
    atmosphere, and have outlived the drag since the event. One that fails
    ``MAX_DRAWS`` times stays with its parent's orbit.
    """
    cloud = np.repeat(np.arange(len(clouds.size)), clouds.size)
    orbit = clouds.orbit.take(cloud)
    length, area_to_mass = _draw_bodies(clouds, cloud, rng)
    pending = np.arange(len(cloud))
    for _ in range(MAX_DRAWS):
        if not len(pending):
            break
        now = cloud[pending]
        length[pending], area_to_mass[pending] = _draw_bodies(clouds, now, rng)
        candidate = _fling(clouds, now, area_to_mass[pending], rng)
        alive = _survives(candidate, area_to_mass[pending], EPOCH - clouds.date[now])
        for field, values in zip(orbit, candidate, strict=True):
            field[pending[alive]] = values[alive]
        pending = pending[~alive]

    launch = clouds.launch[cloud]
    fluctuation = 10.0 ** (0.25 * rng.standard_normal(len(cloud)))
    return Population(
        launch,
        precess(orbit, EPOCH - clouds.date[cloud]),
        launches.state[launch],
        area_to_mass,
        cross_section_m2(length) * fluctuation,
        negative_drag_probability(orbit.perigee_km, 0.17),
        # Tracking takes a while to tell the pieces of a break-up apart.
        np.minimum(clouds.date[cloud] + rng.exponential(0.7, len(cloud)), EPOCH),
    )


def _draw_bodies(
    clouds: Clouds, cloud: NDArray, rng: np.random.Generator
) -> tuple[NDArray, NDArray]:
    """Return lengths [m] and A/m [m^2 / kg] of one piece of each given cloud."""
    shed = clouds.shed[cloud]
    exponent = np.where(clouds.collision[cloud], COLLISION_EXPONENT, EXPLOSION_EXPONENT)
    # Radars see ten centimeters in low orbits, not in the apogee of a transfer.
    seen = np.where(clouds.orbit.eccentricity[cloud] > 0.1, 0.2, 0.095)
    length = draw_lengths(seen, exponent, rng)
    covers = 10.0 ** (-0.5 + 0.35 * rng.standard_normal(len(cloud)))
    length = np.where(shed, np.maximum(covers, seen), length)
    return length, draw_area_to_mass(length, clouds.rocket_body[cloud], rng)


def _fling(
    clouds: Clouds, cloud: NDArray, area_to_mass: NDArray, rng: np.random.Generator
) -> Orbit:
    """Return the orbit of one piece of each given cloud right after the event."""
    parent = clouds.orbit.take(cloud)
    anomaly = true_anomaly_deg(360.0 * rng.random(len(clouds.size)), 0.0)[cloud]
    anomaly = true_anomaly_deg(anomaly, parent.eccentricity)
    position, velocity = state_from_orbit(parent, anomaly)
    speed_m_s = draw_speeds(area_to_mass, clouds.collision[cloud], rng)
    gentle = 10.0 ** (0.6 + 0.4 * rng.standard_normal(len(cloud)))
    speed_km_s = np.where(clouds.shed[cloud], gentle, speed_m_s) / 1000.0
    kick = speed_km_s[:, None] * isotropic(len(cloud), rng)
    return orbit_from_state(position, velocity + kick)[0]


def _survives(orbit: Orbit, area_to_mass: NDArray, age_years: NDArray) -> NDArray:
    """Return which pieces are bound, listed, and not yet brought down by drag."""
    a, e = orbit.semimajor_axis_km, orbit.eccentricity
    bound = (a > 0) & (a <= LARGEST_AXIS_KM) & (e < 1)
    a, e = np.where(bound, a, LARGEST_AXIS_KM), np.where(bound, e, 0.0)
    perigee = Orbit(a, e, *orbit[2:]).perigee_km
    lifetime = drag_lifetime_years(perigee, e, area_to_mass)
    return bound & (perigee > MIN_PERIGEE_KM) & (lifetime > age_years)
