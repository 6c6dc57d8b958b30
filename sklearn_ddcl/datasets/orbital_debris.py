"""A synthetic catalog of objects in orbit: payloads, rocket bodies, debris."""

from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.utils import Bunch

from sklearn_ddcl.datasets.catalog_schema import make_bunch
from sklearn_ddcl.datasets.fragment_clouds import (
    draw_cloud_sizes,
    draw_clouds,
    draw_debris,
)
from sklearn_ddcl.datasets.launch_families import FAMILIES
from sklearn_ddcl.datasets.launches import (
    Launches,
    Population,
    draw_launches,
    draw_payloads,
    draw_rocket_bodies,
    spread_evenly,
)
from sklearn_ddcl.datasets.observation import observe
from sklearn_ddcl.datasets.orbital_mechanics import Orbit

CLASS_SHARES = {"PAYLOAD": 0.415, "ROCKET BODY": 0.062, "DEBRIS": 0.523}

DESCR = """\
Synthetic catalog of objects in orbit
-------------------------------------
Task: tell payloads, rocket bodies and debris apart. One row per object.

mean_motion_revday   revolutions per day, at least 3
eccentricity         0 for a circle
inclination_deg      tilt of the orbit against the equator
raan_deg, argp_deg   direction of the ascending node, and from there to the perigee
apogee_km, perigee_km  largest and smallest height above the equatorial radius
bstar                fitted drag term, 1 / Earth radius; at most zero where there is
                     no drag to fit or the object maneuvers
launch_year          year of the launch that the object stems from
rcs_m2               radar cross-section; blank for objects cataloged after mid-2017
rcs_size             the same cut at 0.1 and 1: SMALL, MEDIUM, LARGE, or blank
owner, launch_site   abbreviations as in the public catalog

Launches, orbits, break-ups (NASA standard break-up model), the drift of the planes
and the decay by drag are simulated; the mixture of launches is set so that the
distributions resemble those of the public catalog at the start of 2023.

Traps: the fragments of one break-up share an orbit, and a dozen break-ups hold more
than half of the debris. A random split therefore flatters; split by ``groups``, the
launch. Rocket bodies are few and fly where payloads fly: report balanced accuracy.
"""


def make_orbital_debris(
    n_samples: int = 4000,
    *,
    random_state: Any = None,
    as_frame: bool = True,
    return_X_y: bool = False,
) -> Bunch | tuple[Any, Any]:
    """Generate a catalog of orbiting objects to be told apart by their orbits.

    Every object is a payload, a rocket body or a piece of debris. Launches put
    payloads and rocket bodies into related orbits; some of these break up, and
    their fragments, drawn with the NASA standard break-up model, share an orbit
    and a launch with them. Shares, orbits, drag terms, radar cross-sections and
    missing values follow the public catalog of 2023 statistically; no entry of it
    is reproduced.

    Parameters
    ----------
    n_samples : int, default=4000
        Number of objects.
    random_state : int, RandomState, Generator or None, default=None
        Seed or source of randomness; an int gives the same catalog at each call.
        With None each call differs, and numpy's global state is left alone.
    as_frame : bool, default=True
        If False, ``data``, ``target`` and ``groups`` are object arrays and
        ``frame`` is None.
    return_X_y : bool, default=False
        If True, return ``(data, target)`` instead of the Bunch.

    Returns
    -------
    catalog : :class:`~sklearn.utils.Bunch`
        With the attributes

        data : DataFrame of shape (n_samples, 13)
            Ten numeric columns and three categorical ones (``rcs_size``,
            ``owner``, ``launch_site``); ``rcs_m2`` and ``rcs_size`` have blanks.
        target : Series of shape (n_samples,)
            "DEBRIS", "PAYLOAD" or "ROCKET BODY".
        groups : Series of shape (n_samples,)
            Launch designator ``YYYY-NNN``, for splits by launch.
        frame : DataFrame of shape (n_samples, 15)
            The data with the columns ``target`` and ``group``.
        feature_names : list of str
            Names of the columns of ``data``.
        target_names : ndarray of shape (3,)
            Names of the classes.
        DESCR : str
            What the columns mean, and the traps.
    (data, target) : tuple if ``return_X_y`` is True

    Raises
    ------
    TypeError
        If ``n_samples`` is no integer, or ``random_state`` no source of randomness.
    ValueError
        If ``n_samples`` is less than 1, or ``random_state`` is negative.

    See Also
    --------
    read_satcat : The same columns from a catalog file.
    fetch_satcat : The same columns from the public catalog.

    Notes
    -----
    The class counts are the shares 0.523, 0.415 and 0.062 of ``n_samples``,
    rounded; from 10 samples on every class is present. In each row

    - ``mean_motion_revday`` is 86400 / (2 pi) sqrt(mu / a^3),
    - ``apogee_km`` and ``perigee_km`` are a (1 + e) and a (1 - e) less 6378.137,

    with the semi-major axis a in km and mu = 398600.4418 km^3 / s^2.

    References
    ----------
    .. [1] N. L. Johnson, P. H. Krisko, J.-C. Liou and P. D. Anz-Meador, "NASA's new
       breakup model of EVOLVE 4.0", Advances in Space Research 28(9), 2001.

    Examples
    --------
    >>> from sklearn_ddcl.datasets import make_orbital_debris
    >>> catalog = make_orbital_debris(1000, random_state=0)
    >>> catalog.data.shape
    (1000, 13)
    >>> catalog.target.value_counts().to_dict()
    {'DEBRIS': 523, 'PAYLOAD': 415, 'ROCKET BODY': 62}
    """
    if isinstance(n_samples, bool) or not isinstance(n_samples, Integral):
        raise TypeError(
            f"n_samples must be an integer, got {n_samples!r} of type "
            f"{type(n_samples).__name__}."
        )
    if n_samples < 1:
        raise ValueError(f"n_samples must be at least 1, got {n_samples=}.")
    generator = _generator(random_state)
    n_samples = int(n_samples)

    counts = _class_counts(n_samples)
    launches, populations = _draw_catalog(counts, generator)
    target = np.repeat(np.array(list(counts), dtype=object), list(counts.values()))
    frame = observe(_join(populations), target, launches, generator)
    frame = frame.iloc[generator.permutation(n_samples)].reset_index(drop=True)

    bunch = make_bunch(frame, DESCR)
    if not as_frame:
        for name in ("data", "target", "groups"):
            bunch[name] = bunch[name].to_numpy(dtype=object)
        bunch.frame = None
    return (bunch.data, bunch.target) if return_X_y else bunch


def _generator(random_state: Any) -> np.random.Generator:
    """Return a private generator; numpy's global state is neither read nor set."""
    if isinstance(random_state, np.random.RandomState):
        return np.random.default_rng(random_state.randint(2**31 - 1))
    seed = isinstance(random_state, Integral) and not isinstance(random_state, bool)
    if not (
        seed or random_state is None or isinstance(random_state, np.random.Generator)
    ):
        raise TypeError(
            "random_state must be None, a non-negative integer, a RandomState or a "
            f"Generator, got {random_state!r} of type {type(random_state).__name__}."
        )
    if seed and random_state < 0:
        raise ValueError(f"random_state must not be negative, got {random_state=}.")
    return np.random.default_rng(random_state)


def _class_counts(n_samples: int) -> dict[str, int]:
    """Split ``n_samples`` by the class shares, the largest remainders rounded up."""
    exact = np.array(list(CLASS_SHARES.values())) * n_samples
    counts = np.floor(exact).astype(int)
    short = n_samples - counts.sum()
    counts[np.argsort(counts - exact, kind="stable")[:short]] += 1
    return dict(zip(CLASS_SHARES, counts.tolist(), strict=True))


def _draw_catalog(
    counts: dict[str, int], rng: np.random.Generator
) -> tuple[Launches, list[Population]]:
    """Draw launches, what they left in one piece, and what came apart."""
    shares = np.array([f.shares for f in FAMILIES])
    per_launch = np.array([f.payloads_per_launch for f in FAMILIES])
    n_payloads = spread_evenly(shares[:, 0], counts["PAYLOAD"], rng)
    n_bodies = spread_evenly(shares[:, 1], counts["ROCKET BODY"], rng)
    size, family = draw_cloud_sizes(counts["DEBRIS"], shares[:, 2], rng)
    n_clouds = np.bincount(family, minlength=len(FAMILIES))

    n_carriers = np.ceil(n_payloads / per_launch).astype(int)
    n_launches = np.maximum.reduce([n_carriers, n_bodies, n_clouds])
    launches = draw_launches(n_launches, rng)

    payload_of = _assign(n_launches, n_payloads, n_carriers, rng)
    body_of = _assign(n_launches, n_bodies, n_bodies, rng)
    cloud_of = np.empty(len(size), dtype=int)
    cloud_of[np.argsort(family, kind="stable")] = _assign(
        n_launches, n_clouds, n_clouds, rng
    )
    return launches, [
        draw_payloads(launches, payload_of, rng),
        draw_rocket_bodies(launches, body_of, rng),
        draw_debris(launches, draw_clouds(launches, cloud_of, size, rng), rng),
    ]


def _assign(
    n_launches: NDArray,
    n_objects: NDArray,
    n_carriers: NDArray,
    rng: np.random.Generator,
) -> NDArray:
    """Return the launch of every object, family by family.

    In each family ``n_carriers`` of the launches carry all objects; each carries at
    least one, some many more than others.
    """
    first = np.cumsum(n_launches) - n_launches
    chosen = []
    for start, total, objects, carriers in zip(
        first, n_launches, n_objects, n_carriers, strict=True
    ):
        if not objects:
            continue
        which = start + rng.permutation(total)[:carriers]
        popularity = rng.gamma(1.5, size=carriers)
        rest = rng.multinomial(objects - carriers, popularity / popularity.sum())
        chosen.append(np.repeat(which, 1 + rest))
    return np.concatenate(chosen) if chosen else np.empty(0, dtype=int)


def _join(populations: list[Population]) -> Population:
    """Return one population with the objects of all."""
    columns = dict(zip(Population._fields, zip(*populations, strict=True), strict=True))
    orbits = zip(*columns.pop("orbit"), strict=True)
    return Population(
        orbit=Orbit(*map(np.concatenate, orbits)),
        **{name: np.concatenate(parts) for name, parts in columns.items()},
    )
