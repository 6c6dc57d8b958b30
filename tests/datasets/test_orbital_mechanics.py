"""Two-body mechanics: by hand, there and back, and against known rates of drift."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklearn_ddcl.datasets.orbital_mechanics import (
    Orbit,
    apogee_perigee_km,
    mean_motion_revday,
    orbit_from_state,
    period_min,
    precess,
    semimajor_axis_km,
    shape_from_heights,
    state_from_orbit,
    sun_synchronous_inclination_deg,
    true_anomaly_deg,
)

GM = 398600.4418


def orbit_of(a, e, inclination=0.0, raan=0.0, argp=0.0):
    return Orbit(*(np.atleast_1d(float(x)) for x in (a, e, inclination, raan, argp)))


@pytest.fixture
def orbits():
    rng = np.random.default_rng(0)
    n = 200
    return Orbit(
        rng.uniform(6600, 42000, n),
        rng.uniform(0.001, 0.8, n),
        rng.uniform(0.5, 179.5, n),
        rng.uniform(0, 360, n),
        rng.uniform(0, 360, n),
    )


def test_a_geostationary_orbit_turns_once_per_sidereal_day():
    assert_allclose(period_min(mean_motion_revday(42164.1696)), 86164.0905 / 60)


def test_the_shape_of_the_station_orbit_by_hand():
    # 15.5 turns a day: T = 5574.1935 s, a = (mu T^2 / (4 pi^2))^(1/3) = 6794.863 km.
    a = semimajor_axis_km(15.5)
    apogee, perigee = apogee_perigee_km(a, 0.0005)

    assert_allclose(a, 6794.863, atol=2e-3)
    # 6794.863 * (1 +- 0.0005) - 6378.137
    assert_allclose([apogee, perigee], [420.123, 413.329], atol=2e-3)


def test_mean_motion_and_semimajor_axis_undo_each_other():
    a = np.geomspace(6500, 60000, 50)
    assert_allclose(semimajor_axis_km(mean_motion_revday(a)), a, rtol=1e-14)


def test_heights_and_shape_undo_each_other():
    a, e = shape_from_heights(*apogee_perigee_km(8000.0, 0.1))
    assert_allclose([a, e], [8000.0, 0.1], rtol=1e-13)


def test_kepler_equation_holds():
    mean, e = np.meshgrid(np.linspace(0, 720, 41), [0.0, 0.01, 0.5, 0.9, 0.99])

    true = np.radians(true_anomaly_deg(mean, e))

    # Independent way back: the eccentric anomaly from its sine and cosine.
    eccentric = np.arctan2(
        np.sqrt(1 - e**2) * np.sin(true) / (1 + e * np.cos(true)),
        (e + np.cos(true)) / (1 + e * np.cos(true)),
    )
    back = np.degrees(eccentric - e * np.sin(eccentric))
    assert_allclose(np.cos(np.radians(back - mean)), 1.0, atol=1e-12)


def test_the_state_of_a_circular_equatorial_orbit_by_hand():
    # v = sqrt(398600.4418 / 7000) = 7.546053 km/s, straight ahead.
    position, velocity = state_from_orbit(orbit_of(7000, 0), [0.0])

    assert_allclose(position, [[7000, 0, 0]], atol=1e-9)
    assert_allclose(velocity, [[0, 7.546053, 0]], atol=1e-6)


def test_a_polar_orbit_crosses_its_node_northwards():
    position, velocity = state_from_orbit(orbit_of(7000, 0, 90, 90), [0.0])

    assert_allclose(position, [[0, 7000, 0]], atol=1e-9)
    assert_allclose(velocity, [[0, 0, 7.546053]], atol=1e-6)


def test_speed_obeys_the_vis_viva_equation(orbits):
    position, velocity = state_from_orbit(orbits, np.linspace(0, 359, 200))

    radius = np.linalg.norm(position, axis=1)
    expected = GM * (2 / radius - 1 / orbits.semimajor_axis_km)
    assert_allclose((velocity**2).sum(1), expected, rtol=1e-12)


def test_orbit_to_state_and_back(orbits):
    anomaly = np.linspace(0, 359, 200)

    back, anomaly_back = orbit_from_state(*state_from_orbit(orbits, anomaly))

    assert_allclose(back.semimajor_axis_km, orbits.semimajor_axis_km, rtol=1e-10)
    assert_allclose(back.eccentricity, orbits.eccentricity, atol=1e-10)
    assert_allclose(back.inclination_deg, orbits.inclination_deg, atol=1e-9)
    for actual, expected in [
        (back.raan_deg, orbits.raan_deg),
        (back.argp_deg, orbits.argp_deg),
        (anomaly_back, anomaly),
    ]:
        turned = (actual - expected + 180) % 360 - 180
        assert_allclose(turned, 0, atol=1e-6)


def test_degenerate_orbits_have_a_conventional_node_and_perigee():
    position = np.array([[0.0, 7000.0, 0.0]])
    velocity = np.array([[-np.sqrt(GM / 7000), 0.0, 0.0]])

    orbit, anomaly = orbit_from_state(position, velocity)

    assert orbit.inclination_deg == orbit.raan_deg == 0
    assert_allclose(orbit.eccentricity, 0, atol=1e-12)
    assert_allclose(orbit.argp_deg + anomaly, 90)


def test_an_escaping_state_is_told_by_its_elements():
    position = np.array([[7000.0, 0.0, 0.0]])
    escape = np.array([[0.0, 1.001 * np.sqrt(2 * GM / 7000), 0.0]])

    orbit, _ = orbit_from_state(position, escape)

    assert orbit.semimajor_axis_km < 0
    assert orbit.eccentricity > 1


def test_the_node_of_a_sun_synchronous_orbit_is_back_after_a_year():
    inclination = sun_synchronous_inclination_deg(7178.137)
    year = precess(orbit_of(7178.137, 0, inclination, raan=123), [1.0])
    quarter = precess(orbit_of(7178.137, 0, inclination, raan=123), [0.25])

    assert_allclose(year.raan_deg, 123, atol=1e-6)
    assert_allclose(quarter.raan_deg, 123 + 90, atol=1e-6)


def test_the_node_of_the_station_drifts_five_degrees_west_a_day():
    drift = precess(orbit_of(6795, 0.0005, 51.64, raan=10), [1 / 365.2422]).raan_deg

    assert_allclose(drift, 10 - 5.0, atol=0.05)


def test_the_perigee_rests_at_the_critical_inclination():
    # sin^2 i = 4/5
    critical = np.degrees(np.arcsin(np.sqrt(0.8)))
    later = precess(orbit_of(26560, 0.7, critical, argp=270), [10.0])

    assert_allclose(later.argp_deg, 270, atol=1e-6)


def test_take_selects_from_every_field(orbits):
    taken = orbits.take(np.array([5, 0]))
    assert [field.shape for field in taken] == [(2,)] * 5
    assert taken.raan_deg[1] == orbits.raan_deg[0]
