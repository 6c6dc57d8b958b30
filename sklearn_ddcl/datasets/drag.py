"""What the thin upper air does to an orbit: its lifetime and its fitted BSTAR."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sklearn_ddcl.datasets.orbital_mechanics import (
    DAYS_PER_YEAR,
    EARTH_RADIUS_KM,
    MU,
    SECONDS_PER_DAY,
)

DRAG_COEFFICIENT = 2.2
BSTAR_PER_AREA_TO_MASS = 0.1727
"""BSTAR [1 / Earth radius] per C_D-weighted A/m of 1 m^2/kg, for C_D = 2.2."""

# Reference density of a quiet-to-moderate Sun, and the local scale height.
_HEIGHT_KM = np.array([150, 200, 250, 300, 350, 400, 450, 500, 600, 700, 800, 900, 1e3])
_LOG_DENSITY = np.log(
    [
        *(2.070e-9, 2.789e-10, 7.248e-11, 2.418e-11, 9.518e-12, 3.725e-12),
        *(1.585e-12, 6.967e-13, 1.454e-13, 3.614e-14, 1.170e-14, 5.245e-15, 3.019e-15),
    ]
)
_SCALE_KM = np.array(
    [22.5, 37.1, 45.5, 53.6, 53.3, 58.5, 60.8, 63.8, 71.8, 88.7, 124.6, 181.1, 268.0]
)


def drag_lifetime_years(
    perigee_km: ArrayLike, eccentricity: ArrayLike, area_to_mass: ArrayLike
) -> NDArray:
    r"""Estimate how long drag takes to bring an object down.

    A circular orbit loses one scale height :math:`H` of altitude in
    :math:`T_0 = H / (\rho \, C_D \frac{A}{m} \sqrt{\mu a})`. An eccentric one meets
    the dense air only near its perigee and has the height :math:`ae` to lose,

    .. math::
        T \approx T_0 \bigl[1 + \sqrt{2\pi} \, (a e / H)^{3/2}\bigr] .

    Parameters
    ----------
    perigee_km : array-like
        Height of the perigee [km].
    eccentricity : array-like
        Eccentricity, 0 <= e < 1.
    area_to_mass : array-like
        Mean cross-section over mass [m^2 / kg].

    Returns
    -------
    years : ndarray
        Right to a factor of a few, as the Sun's activity is not known.

    References
    ----------
    .. [1] D. King-Hele, "Satellite orbits in an atmosphere", Blackie, 1987.
    .. [2] D. Vallado, "Fundamentals of astrodynamics and applications", chapter 8
       (exponential model atmosphere).

    Examples
    --------
    >>> drag_lifetime_years([400, 600, 800], 0.0, 0.01).round(1)
    array([  0.4,  13.5, 286.8])
    """
    height = np.clip(np.asarray(perigee_km, dtype=float), _HEIGHT_KM[0], _HEIGHT_KM[-1])
    density = np.exp(np.interp(height, _HEIGHT_KM, _LOG_DENSITY))
    scale = np.interp(height, _HEIGHT_KM, _SCALE_KM)
    e = np.asarray(eccentricity, dtype=float)
    a = (np.asarray(perigee_km, dtype=float) + EARTH_RADIUS_KM) / (1 - e)

    ballistic = DRAG_COEFFICIENT * np.asarray(area_to_mass, dtype=float)
    # km and kg/m^3 meet here: the factor 1e3 turns 1/m into 1/km.
    fall_km_s = density * 1e3 * ballistic * np.sqrt(MU * a)
    circular = scale / fall_km_s / (SECONDS_PER_DAY * DAYS_PER_YEAR)
    return circular * (1 + np.sqrt(2 * np.pi) * (a * e / scale) ** 1.5)


def draw_bstar(
    area_to_mass: NDArray,
    perigee_km: NDArray,
    negative_probability: NDArray,
    rng: np.random.Generator,
) -> NDArray:
    r"""Draw the BSTAR that a tracking network would fit.

    :math:`\log_{10}` of its size is that of :math:`0.1727 \, A/m` shifted by -1.2
    (the reference density of the propagator is that of an active Sun), with a
    scatter of about 0.45 that is partly explained by the height: orbit fits load
    onto BSTAR what the density model misses. Where drag is negligible or the object
    maneuvers, the fit may turn negative.

    Parameters
    ----------
    area_to_mass : ndarray of shape (n,)
        In m^2 / kg.
    perigee_km : ndarray of shape (n,)
        In km.
    negative_probability : ndarray of shape (n,)
        How probable a value of at most zero is.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    bstar : ndarray of shape (n,)
        In units of one over the Earth's radius.
    """
    # What the density model misses grows downwards; far up the fit is noise again.
    missed = np.interp(perigee_km, [250, 700, 950, 1300], [0.85, 0.0, -0.45, 0.0])
    noisy = negative_probability > 0.1
    missed = np.where(negative_probability > 0.3, 0.0, missed)
    shift = (
        -1.2
        + missed
        + np.where(noisy, 0.55, 0.28) * rng.standard_normal(len(perigee_km))
    )
    size = BSTAR_PER_AREA_TO_MASS * area_to_mass * 10.0**shift

    draw = rng.random(len(perigee_km))
    sign = np.where(draw < negative_probability, -1.0, 1.0)
    return np.where(draw < 0.04 * negative_probability, 0.0, sign * size)
