"""Two-body mechanics: shapes of orbits, states, and the slow drift of their planes.

Symbols
-------
a : semi-major axis [km]
e : eccentricity, 0 <= e < 1 for a closed orbit
n : mean motion [revolutions per day]
heights : distance from the center of the Earth minus its equatorial radius [km]

All functions work elementwise on arrays and scalars; angles are in degrees.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

MU = 398600.4418
"""Gravitational parameter of the Earth [km^3 / s^2]."""

EARTH_RADIUS_KM = 6378.137
"""Equatorial radius of the Earth [km]."""

J2 = 1.08262668e-3
"""Second zonal harmonic of the Earth's field: its flattening, dimensionless."""

SECONDS_PER_DAY = 86400.0
MINUTES_PER_DAY = 1440.0
DAYS_PER_YEAR = 365.2422


class Orbit(NamedTuple):
    """A set of Keplerian orbits; every field is an array of the same shape."""

    semimajor_axis_km: NDArray
    eccentricity: NDArray
    inclination_deg: NDArray
    raan_deg: NDArray
    argp_deg: NDArray

    def take(self, indices: NDArray) -> "Orbit":
        """Return the orbits at ``indices`` (integers or a boolean mask)."""
        return Orbit(*(field[indices] for field in self))

    @property
    def perigee_km(self) -> NDArray:
        """Height of the lowest point [km]."""
        return apogee_perigee_km(self.semimajor_axis_km, self.eccentricity)[1]

    @property
    def apogee_km(self) -> NDArray:
        """Height of the highest point [km]."""
        return apogee_perigee_km(self.semimajor_axis_km, self.eccentricity)[0]


def mean_motion_revday(semimajor_axis_km: ArrayLike) -> NDArray:
    r"""Return the mean motion :math:`n = \frac{86400}{2\pi}\sqrt{\mu / a^3}`.

    Parameters
    ----------
    semimajor_axis_km : array-like
        Semi-major axis :math:`a > 0` in km.

    Returns
    -------
    mean_motion : ndarray
        Revolutions per day.

    Examples
    --------
    >>> float(mean_motion_revday(42164.17).round(4))  # geostationary
    1.0027
    """
    a = np.asarray(semimajor_axis_km, dtype=float)
    return SECONDS_PER_DAY / (2 * np.pi) * np.sqrt(MU / a**3)


def semimajor_axis_km(mean_motion_revday: ArrayLike) -> NDArray:
    r"""Return :math:`a = (\mu / \omega^2)^{1/3}` of a mean motion in rev/day.

    Examples
    --------
    >>> float(semimajor_axis_km(15.5).round(1))  # a space station
    6794.9
    """
    omega = 2 * np.pi * np.asarray(mean_motion_revday, dtype=float) / SECONDS_PER_DAY
    return np.cbrt(MU / omega**2)


def period_min(mean_motion_revday: ArrayLike) -> NDArray:
    """Return the period in minutes, 1440 over the mean motion in rev/day."""
    return MINUTES_PER_DAY / np.asarray(mean_motion_revday, dtype=float)


def apogee_perigee_km(
    semimajor_axis_km: ArrayLike, eccentricity: ArrayLike
) -> tuple[NDArray, NDArray]:
    r"""Return the heights :math:`a(1 \pm e) - R`, apogee first.

    Examples
    --------
    >>> apogee, perigee = apogee_perigee_km(7000.0, 0.01)
    >>> float(apogee.round(3)), float(perigee.round(3))
    (691.863, 551.863)
    """
    a, e = np.asarray(semimajor_axis_km, float), np.asarray(eccentricity, float)
    return a * (1 + e) - EARTH_RADIUS_KM, a * (1 - e) - EARTH_RADIUS_KM


def shape_from_heights(
    apogee_km: ArrayLike, perigee_km: ArrayLike
) -> tuple[NDArray, NDArray]:
    """Return semi-major axis [km] and eccentricity of the given heights [km].

    Examples
    --------
    >>> a, e = shape_from_heights(35786.0, 250.0)
    >>> float(a.round(3)), float(e.round(4))
    (24396.137, 0.7283)
    """
    r_apogee = np.asarray(apogee_km, dtype=float) + EARTH_RADIUS_KM
    r_perigee = np.asarray(perigee_km, dtype=float) + EARTH_RADIUS_KM
    total = r_apogee + r_perigee
    return total / 2, (r_apogee - r_perigee) / total


def true_anomaly_deg(mean_anomaly_deg: ArrayLike, eccentricity: ArrayLike) -> NDArray:
    r"""Solve Kepler's equation :math:`M = E - e \sin E`; return the true anomaly.

    Parameters
    ----------
    mean_anomaly_deg : array-like
        Mean anomaly :math:`M` in degrees, any number of turns.
    eccentricity : array-like
        Eccentricity, 0 <= e < 1.

    Returns
    -------
    true_anomaly : ndarray
        In degrees, between 0 and 360.
    """
    mean = np.radians(np.mod(np.asarray(mean_anomaly_deg, dtype=float), 360.0))
    e = np.asarray(eccentricity, dtype=float)
    # From pi Newton's iteration converges for every e < 1 and every mean anomaly.
    eccentric = np.full(np.broadcast(mean, e).shape, np.pi)
    for _ in range(60):
        step = (eccentric - e * np.sin(eccentric) - mean) / (1 - e * np.cos(eccentric))
        eccentric = eccentric - step
        if np.all(np.abs(step) < 1e-14):
            break
    half = np.arctan2(
        np.sqrt(1 + e) * np.sin(eccentric / 2), np.sqrt(1 - e) * np.cos(eccentric / 2)
    )
    return np.mod(np.degrees(2 * half), 360.0)


def _orbital_frame(inclination_deg, raan_deg):
    """Return unit vectors to the node and, in the plane, 90 degrees ahead of it."""
    i, raan = np.radians(inclination_deg), np.radians(raan_deg)
    zero = np.zeros(np.broadcast(i, raan).shape)
    node = np.stack([np.cos(raan) + zero, np.sin(raan) + zero, zero], axis=-1)
    ahead = np.stack(
        [-np.sin(raan) * np.cos(i), np.cos(raan) * np.cos(i), np.sin(i) + zero], axis=-1
    )
    return node, ahead


def state_from_orbit(
    orbit: Orbit, true_anomaly_deg: ArrayLike
) -> tuple[NDArray, NDArray]:
    """Return position [km] and velocity [km/s] at the given true anomaly.

    Parameters
    ----------
    orbit : Orbit
        Fields of shape (n,).
    true_anomaly_deg : array-like of shape (n,)
        Angle from perigee.

    Returns
    -------
    position, velocity : ndarrays of shape (n, 3)
        In the inertial frame of the elements.
    """
    a, e, inclination, raan, argp = (np.asarray(x, dtype=float) for x in orbit)
    anomaly = np.radians(np.asarray(true_anomaly_deg, dtype=float))
    latitude_argument = anomaly + np.radians(argp)
    node, ahead = _orbital_frame(inclination, raan)

    def in_plane(x, y):
        return x[..., None] * node + y[..., None] * ahead

    parameter = a * (1 - e**2)
    radius = parameter / (1 + e * np.cos(anomaly))
    position = in_plane(
        radius * np.cos(latitude_argument), radius * np.sin(latitude_argument)
    )
    speed = np.sqrt(MU / parameter)
    velocity = in_plane(
        -speed * (np.sin(latitude_argument) + e * np.sin(np.radians(argp))),
        speed * (np.cos(latitude_argument) + e * np.cos(np.radians(argp))),
    )
    return position, velocity


def orbit_from_state(position: NDArray, velocity: NDArray) -> tuple[Orbit, NDArray]:
    """Return the orbit through a state and the true anomaly of that state.

    Parameters
    ----------
    position, velocity : ndarrays of shape (n, 3)
        In km and km/s.

    Returns
    -------
    orbit : Orbit
        Fields of shape (n,). An escaping state has a negative or infinite
        semi-major axis and an eccentricity of at least one. The node of an
        equatorial orbit is put at 0, the perigee of a circular one at its node.
    true_anomaly : ndarray of shape (n,)
        In degrees, between 0 and 360.
    """
    radius = np.linalg.norm(position, axis=-1)
    momentum = np.cross(position, velocity)
    sideways = np.hypot(momentum[..., 0], momentum[..., 1])
    inclination = np.degrees(np.arctan2(sideways, momentum[..., 2]))
    raan = np.degrees(np.arctan2(momentum[..., 0], -momentum[..., 1]))
    raan = np.where(sideways > 0, np.mod(raan, 360.0), 0.0)

    energy = np.square(velocity).sum(-1) / 2 - MU / radius
    with np.errstate(divide="ignore"):
        a = -MU / (2 * energy)
    to_perigee = np.cross(velocity, momentum) / MU - position / radius[..., None]
    e = np.linalg.norm(to_perigee, axis=-1)

    node, ahead = _orbital_frame(inclination, raan)

    def angle(vector):
        x, y = (vector * node).sum(-1), (vector * ahead).sum(-1)
        return np.degrees(np.arctan2(y, x))

    argp = np.where(e > 1e-14, np.mod(angle(to_perigee), 360.0), 0.0)
    anomaly = np.mod(angle(position) - argp, 360.0)
    return Orbit(a, e, inclination, raan, argp), anomaly


def precess(orbit: Orbit, years: ArrayLike) -> Orbit:
    r"""Let the flattening of the Earth turn node and perigee for some years.

    To first order in :math:`J_2`, with :math:`k = \frac32 J_2 (R / p)^2 n` and
    :math:`p = a(1 - e^2)`,

    .. math::
        \dot\Omega = -k \cos i, \qquad
        \dot\omega = k \, (2 - \tfrac52 \sin^2 i) .

    Parameters
    ----------
    orbit : Orbit
        Fields of shape (n,).
    years : array-like of shape (n,)
        How long.

    Returns
    -------
    orbit : Orbit
        The same shapes and inclinations, other nodes and perigees.
    """
    a, e, inclination, raan, argp = orbit
    i = np.radians(inclination)
    rate = 1.5 * J2 * (EARTH_RADIUS_KM / (a * (1 - e**2))) ** 2
    degrees = 360.0 * rate * mean_motion_revday(a) * DAYS_PER_YEAR * np.asarray(years)
    return orbit._replace(
        raan_deg=np.mod(raan - degrees * np.cos(i), 360.0),
        argp_deg=np.mod(argp + degrees * (2 - 2.5 * np.sin(i) ** 2), 360.0),
    )


def sun_synchronous_inclination_deg(
    semimajor_axis_km: ArrayLike, eccentricity: ArrayLike = 0.0
) -> NDArray:
    """Return the inclination whose node turns once a year, with the Sun.

    Examples
    --------
    >>> float(sun_synchronous_inclination_deg(6378.137 + 800).round(2))
    98.6
    """
    a, e = np.asarray(semimajor_axis_km, float), np.asarray(eccentricity, float)
    rate = 1.5 * J2 * (EARTH_RADIUS_KM / (a * (1 - e**2))) ** 2
    turns_per_year = rate * mean_motion_revday(a) * DAYS_PER_YEAR
    return np.degrees(np.arccos(np.clip(-1.0 / turns_per_year, -1.0, 1.0)))
