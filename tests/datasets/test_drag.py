"""Drag: the lifetime of a circular orbit by hand, trends, and the fitted BSTAR."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

from sklearn_ddcl.datasets.drag import drag_lifetime_years, draw_bstar


def test_the_lifetime_at_400_km_by_hand():
    # Density 3.725e-12 kg/m^3, scale height 58.5 km, C_D A/m = 2.2 * 0.01 m^2/kg,
    # a = 6778137 m, mu = 3.986004418e14 m^3/s^2.
    fall_m_s = 3.725e-12 * 0.022 * np.sqrt(3.986004418e14 * 6778137)
    years = 58500 / fall_m_s / (365.2422 * 86400)

    assert_allclose(drag_lifetime_years(400, 0, 0.01), years, rtol=1e-6)


def test_light_things_fall_sooner_and_high_or_eccentric_orbits_last():
    lifetime = drag_lifetime_years(500, 0.0, 0.01)

    assert_allclose(drag_lifetime_years(500, 0.0, 0.1), lifetime / 10)
    assert drag_lifetime_years(600, 0.0, 0.01) > 3 * lifetime
    assert drag_lifetime_years(500, 0.05, 0.01) > 10 * lifetime


def test_bstar_follows_area_to_mass():
    rng = np.random.default_rng(0)
    area_to_mass = np.full(20_000, 0.02)

    bstar = draw_bstar(area_to_mass, np.full(20_000, 700.0), np.zeros(20_000), rng)

    # log10(0.1727 * 0.02) - 1.2
    assert_allclose(np.log10(bstar).mean(), -2.4617 - 1.2, atol=0.01)


@pytest.mark.parametrize("probability", [0.0, 0.2, 0.6])
def test_bstar_is_at_most_zero_as_often_as_asked(probability):
    rng = np.random.default_rng(0)
    n = 20_000

    bstar = draw_bstar(
        np.full(n, 0.02), np.full(n, 500.0), np.full(n, probability), rng
    )

    assert_allclose((bstar <= 0).mean(), probability, atol=0.015)
    assert (bstar == 0).any() == (probability > 0)
