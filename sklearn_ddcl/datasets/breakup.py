r"""The NASA standard break-up model: how many fragments, how light, how fast.

Symbols
-------
L : characteristic length of a fragment [m]; lambda = log10 L
A/m : mean cross-section over mass [m^2 / kg]; chi = log10(A/m)
dv : speed relative to the parent [m/s]

References
----------
.. [1] N. L. Johnson, P. H. Krisko, J.-C. Liou and P. D. Anz-Meador, "NASA's new
   breakup model of EVOLVE 4.0", Advances in Space Research 28(9), 2001.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

EXPLOSION_EXPONENT = 1.6
COLLISION_EXPONENT = 1.71


class AreaToMassMixture(NamedTuple):
    """The two normals that log10(A/m) is drawn from; fields of one shape."""

    weight: NDArray  # of the first normal, the second has the rest
    mean_1: NDArray
    sd_1: NDArray
    mean_2: NDArray
    sd_2: NDArray


def explosion_fragments(length_m: ArrayLike, scale: float = 1.0) -> NDArray:
    """Return how many fragments of an explosion are longer than ``length_m``.

    Parameters
    ----------
    length_m : array-like
        Characteristic length [m].
    scale : float, default=1.0
        The model's factor S, 1 for a typical upper stage of 600 to 1000 kg.

    Returns
    -------
    count : ndarray
        Expected number, 6 S L^-1.6.

    Examples
    --------
    >>> float(explosion_fragments(0.1).round())
    239.0
    """
    return 6.0 * scale * np.asarray(length_m, dtype=float) ** -EXPLOSION_EXPONENT


def collision_fragments(length_m: ArrayLike, mass_kg: float) -> NDArray:
    """Return how many fragments of a collision are longer than ``length_m``.

    Parameters
    ----------
    length_m : array-like
        Characteristic length [m].
    mass_kg : float
        Mass of both bodies if the collision is catastrophic, else the mass of the
        smaller one times the square of the impact speed in km/s.

    Returns
    -------
    count : ndarray
        Expected number, 0.1 M^0.75 L^-1.71.

    Examples
    --------
    >>> float(collision_fragments(0.1, 880.0).round())
    829.0
    """
    length = np.asarray(length_m, dtype=float)
    return 0.1 * mass_kg**0.75 * length**-COLLISION_EXPONENT


def draw_lengths(
    minimum_m: ArrayLike,
    exponent: ArrayLike,
    rng: np.random.Generator,
    *,
    maximum_m: float = 5.0,
) -> NDArray:
    """Draw characteristic lengths from the power law N(> L) ~ L^-exponent.

    Parameters
    ----------
    minimum_m : array-like
        Shortest length [m]; its shape is the shape drawn.
    exponent : array-like
        1.6 for explosions, 1.71 for collisions; broadcast against ``minimum_m``.
    rng : numpy.random.Generator
        Source of randomness.
    maximum_m : float, default=5.0
        Longest length [m]: no fragment outgrows its parent.

    Returns
    -------
    length : ndarray
        In m, between ``minimum_m`` and ``maximum_m``.
    """
    minimum, exponent = np.broadcast_arrays(
        np.asarray(minimum_m, dtype=float), np.asarray(exponent, dtype=float)
    )
    beyond = (minimum / maximum_m) ** exponent
    survival = beyond + (1 - beyond) * (1 - rng.random(minimum.shape))
    return minimum * survival ** (-1 / exponent)


def area_to_mass_mixture(
    length_m: ArrayLike, rocket_body: ArrayLike
) -> AreaToMassMixture:
    """Return the distribution of log10(A/m) of fragments longer than 11 cm.

    Parameters
    ----------
    length_m : array-like of shape (n,)
        Characteristic length [m].
    rocket_body : array-like of bool of shape (n,)
        Whether the parent is an upper stage; a spacecraft otherwise.

    Returns
    -------
    mixture : AreaToMassMixture
        Fields of shape (n,); every parameter is piecewise linear in log10 L.
    """
    x = np.log10(np.asarray(length_m, dtype=float))

    # Each pair of lists: knots in log10 L, values there; constant outside.
    stage = AreaToMassMixture(
        weight=np.interp(x, [-1.4, 0.0], [1.0, 1 - 0.3571 * 1.4]),
        mean_1=np.interp(x, [-0.5, 0.0], [-0.45, -0.9]),
        sd_1=np.full_like(x, 0.55),
        mean_2=np.full_like(x, -0.9),
        sd_2=np.interp(x, [-1.0, 0.1], [0.28, 0.28 - 0.1636 * 1.1]),
    )
    spacecraft = AreaToMassMixture(
        weight=np.interp(x, [-1.95, 0.55], [0.0, 1.0]),
        mean_1=np.interp(x, [-1.1, 0.0], [-0.6, -0.6 - 0.318 * 1.1]),
        sd_1=np.interp(x, [-1.3, -0.3], [0.1, 0.3]),
        mean_2=np.interp(x, [-0.7, -0.1], [-1.2, -1.2 - 1.333 * 0.6]),
        sd_2=np.interp(x, [-0.5, -0.3], [0.5, 0.3]),
    )
    choose = np.asarray(rocket_body, dtype=bool)
    return AreaToMassMixture(
        *(np.where(choose, a, b) for a, b in zip(stage, spacecraft, strict=True))
    )


def small_area_to_mass(length_m: ArrayLike) -> tuple[NDArray, NDArray]:
    """Return mean and standard deviation of log10(A/m) for fragments below 8 cm."""
    x = np.log10(np.asarray(length_m, dtype=float))
    mean = np.interp(x, [-1.75, -1.25], [-0.3, -1.0])
    return mean, 0.2 + 0.1333 * np.maximum(x + 3.5, 0.0)


def draw_area_to_mass(
    length_m: ArrayLike, rocket_body: ArrayLike, rng: np.random.Generator
) -> NDArray:
    """Draw A/m [m^2 / kg] of fragments of the given lengths.

    Parameters
    ----------
    length_m : array-like of shape (n,)
        Characteristic length [m].
    rocket_body : array-like of bool of shape (n,)
        Whether the parent is an upper stage.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    area_to_mass : ndarray of shape (n,)
        Positive.

    Notes
    -----
    The model leaves open what happens between 8 and 11 cm. Here a fragment belongs
    to the small or the large kind with a probability linear in its length.
    """
    length = np.asarray(length_m, dtype=float)
    mixture = area_to_mass_mixture(length, rocket_body)
    first = rng.random(length.shape) < mixture.weight
    mean = np.where(first, mixture.mean_1, mixture.mean_2)
    sd = np.where(first, mixture.sd_1, mixture.sd_2)

    small_mean, small_sd = small_area_to_mass(length)
    large = rng.random(length.shape) < (length - 0.08) / 0.03
    chi = np.where(large, mean, small_mean) + rng.standard_normal(length.shape) * (
        np.where(large, sd, small_sd)
    )
    return 10.0**chi


def cross_section_m2(length_m: ArrayLike) -> NDArray:
    """Return the mean cross-section [m^2] of fragments of the given lengths.

    Examples
    --------
    >>> float(cross_section_m2(0.1).round(5))
    0.00551
    """
    length = np.asarray(length_m, dtype=float)
    return np.where(
        length < 0.00167, 0.540424 * length**2, 0.556945 * length**2.0047077
    )


def draw_speeds(
    area_to_mass: ArrayLike, collision: ArrayLike, rng: np.random.Generator
) -> NDArray:
    """Draw the speeds [m/s] at which fragments leave their parent.

    Parameters
    ----------
    area_to_mass : array-like of shape (n,)
        In m^2 / kg.
    collision : array-like of bool of shape (n,)
        Whether the parent collided; it exploded otherwise.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    speed : ndarray of shape (n,)
        log10 is normal with standard deviation 0.4 around 0.9 chi + 2.9 after a
        collision and 0.2 chi + 1.85 after an explosion.
    """
    chi = np.log10(np.asarray(area_to_mass, dtype=float))
    mean = np.where(np.asarray(collision, bool), 0.9 * chi + 2.9, 0.2 * chi + 1.85)
    return 10.0 ** (mean + 0.4 * rng.standard_normal(chi.shape))


def isotropic(n: int, rng: np.random.Generator) -> NDArray:
    """Return ``n`` unit vectors of random direction, shape (n, 3)."""
    vectors = rng.standard_normal((n, 3))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
