"""The NASA break-up model: against the published formulas, term by term."""

import numpy as np
import pytest
from numpy.testing import assert_allclose
from scipy import stats

from sklearn_ddcl.datasets.breakup import (
    area_to_mass_mixture,
    collision_fragments,
    cross_section_m2,
    draw_area_to_mass,
    draw_lengths,
    draw_speeds,
    explosion_fragments,
    isotropic,
    small_area_to_mass,
)


def published_upper_stage(x):
    """Return (alpha, mu1, sigma1, mu2, sigma2) at x = log10 L as printed."""
    alpha = 1.0 if x <= -1.4 else 1 - 0.3571 * (x + 1.4) if x < 0 else 0.5
    mu1 = -0.45 if x <= -0.5 else -0.45 - 0.9 * (x + 0.5) if x < 0 else -0.9
    sigma2 = 0.28 if x <= -1 else 0.28 - 0.1636 * (x + 1) if x < 0.1 else 0.1
    return alpha, mu1, 0.55, -0.9, sigma2


def published_spacecraft(x):
    """Return (alpha, mu1, sigma1, mu2, sigma2) at x = log10 L as printed."""
    alpha = 0.0 if x <= -1.95 else 0.3 + 0.4 * (x + 1.2) if x < 0.55 else 1.0
    mu1 = -0.6 if x <= -1.1 else -0.6 - 0.318 * (x + 1.1) if x < 0 else -0.95
    sigma1 = 0.1 if x <= -1.3 else 0.1 + 0.2 * (x + 1.3) if x < -0.3 else 0.3
    mu2 = -1.2 if x <= -0.7 else -1.2 - 1.333 * (x + 0.7) if x < -0.1 else -2.0
    sigma2 = 0.5 if x <= -0.5 else 0.5 - (x + 0.5) if x < -0.3 else 0.3
    return alpha, mu1, sigma1, mu2, sigma2


LOG_LENGTHS = [-2.0, -1.7, -1.2, -1.05, -0.9, -0.6, -0.45, -0.4, -0.2, -0.05, 0.05, 0.6]


@pytest.mark.parametrize(
    ("rocket_body", "published"),
    [(True, published_upper_stage), (False, published_spacecraft)],
)
def test_the_mixture_is_the_published_one(rocket_body, published):
    mixture = area_to_mass_mixture(10.0 ** np.array(LOG_LENGTHS), rocket_body)

    # The printed slopes are rounded so that branches miss each other by < 1e-3.
    expected = np.array([published(x) for x in LOG_LENGTHS]).T
    assert_allclose(np.array(mixture), expected, atol=1.1e-3)


def test_each_fragment_gets_the_mixture_of_its_own_parent():
    both = area_to_mass_mixture([0.3, 0.3], [True, False])

    assert_allclose(
        both.mean_1, [-0.45 - 0.9 * 0, -0.6 - 0.318 * (np.log10(0.3) + 1.1)]
    )


def test_small_fragments_have_their_own_normal():
    mean, sd = small_area_to_mass([0.01, 10**-1.5, 0.07])

    # -0.3 until -1.75, then -1.4 per dex until -1.25; 0.2 + 0.1333 (lambda + 3.5)
    assert_allclose(mean, [-0.3, -0.3 - 1.4 * 0.25, -1.0])
    assert_allclose(sd[:2], [0.2 + 0.1333 * 1.5, 0.2 + 0.1333 * 2.0])


def test_fragments_are_counted_by_hand():
    # 6 * 0.1^-1.6 = 238.9; 0.1 * 880^0.75 * 0.1^-1.71 = 0.1 * 161.57 * 51.286
    assert_allclose(explosion_fragments(0.1), 238.86, atol=0.01)
    assert_allclose(explosion_fragments(0.1, scale=0.5), 119.43, atol=0.01)
    assert_allclose(collision_fragments(0.1, 880), 828.6, atol=0.2)


@pytest.mark.parametrize("exponent", [1.6, 1.71])
def test_lengths_follow_the_power_law(exponent):
    rng = np.random.default_rng(0)

    lengths = draw_lengths(np.full(40_000, 0.1), exponent, rng, maximum_m=1e9)

    assert lengths.min() >= 0.1
    # Maximum-likelihood estimate of the exponent, standard error 0.5 %.
    assert_allclose(1 / np.log(lengths / 0.1).mean(), exponent, rtol=0.02)


def test_no_fragment_outgrows_its_parent():
    rng = np.random.default_rng(0)
    lengths = draw_lengths(np.full(10_000, 0.1), 1.6, rng, maximum_m=0.2)
    assert lengths.min() >= 0.1
    assert lengths.max() <= 0.2
    # P(L > 0.15 | 0.1 < L < 0.2) of a power law cut at both ends.
    expected = (0.15**-1.6 - 0.2**-1.6) / (0.1**-1.6 - 0.2**-1.6)
    assert_allclose((lengths > 0.15).mean(), expected, atol=0.02)


@pytest.mark.parametrize("rocket_body", [True, False])
@pytest.mark.parametrize("log_length", [-0.9, -0.4, 0.3])
def test_area_to_mass_is_a_mixture_and_no_weighted_mean(rocket_body, log_length):
    rng = np.random.default_rng(0)
    published = published_upper_stage if rocket_body else published_spacecraft
    alpha, mu1, sigma1, mu2, sigma2 = published(log_length)
    length = np.full(20_000, 10.0**log_length)

    chi = np.log10(draw_area_to_mass(length, rocket_body, rng))

    def mixture_cdf(x):
        first, second = stats.norm(mu1, sigma1), stats.norm(mu2, sigma2)
        return alpha * first.cdf(x) + (1 - alpha) * second.cdf(x)

    assert stats.kstest(chi, mixture_cdf).statistic < 0.015


def test_fragments_between_8_and_11_cm_are_of_either_kind():
    rng = np.random.default_rng(0)
    n = 20_000

    def spread(length):
        return np.log10(draw_area_to_mass(np.full(n, length), False, rng)).mean()

    # Small kind below 8 cm: -1.0; large kind at 11 cm: 0.397 * -0.645 + 0.603 * -1.2
    assert_allclose(spread(0.0799), -1.0, atol=0.015)
    assert_allclose(spread(0.1101), -0.980, atol=0.015)
    chi = np.log10(draw_area_to_mass(np.full(n, 0.095), False, rng))
    alpha, mu1, sigma1, mu2, sigma2 = published_spacecraft(np.log10(0.095))
    sd = 0.2 + 0.1333 * (np.log10(0.095) + 3.5)
    assert (
        stats.kstest(
            chi,
            lambda x: (
                (
                    stats.norm(-1.0, sd).cdf(x)
                    + alpha * stats.norm(mu1, sigma1).cdf(x)
                    + (1 - alpha) * stats.norm(mu2, sigma2).cdf(x)
                )
                / 2
            ),
        ).statistic
        < 0.015
    )


def test_cross_sections_by_hand():
    # 0.556945 * 0.1^2.0047077 = 0.005509; below 1.67 mm a plain square.
    assert_allclose(cross_section_m2([0.1, 0.001]), [0.0055091, 5.40424e-7], rtol=1e-4)


@pytest.mark.parametrize(
    ("collision", "slope", "offset"), [(True, 0.9, 2.9), (False, 0.2, 1.85)]
)
def test_speeds_are_lognormal_around_the_published_line(collision, slope, offset):
    rng = np.random.default_rng(0)
    area_to_mass = np.repeat([0.01, 0.1, 1.0], 20_000)

    log_speed = np.log10(draw_speeds(area_to_mass, collision, rng)).reshape(3, -1)

    assert_allclose(
        log_speed.mean(1), slope * np.array([-2, -1, 0]) + offset, atol=0.012
    )
    assert_allclose(log_speed.std(1), 0.4, atol=0.01)


def test_directions_are_isotropic():
    vectors = isotropic(50_000, np.random.default_rng(0))

    assert_allclose(np.linalg.norm(vectors, axis=1), 1.0)
    assert_allclose(vectors.mean(0), 0, atol=0.01)
    assert_allclose(vectors.T @ vectors / len(vectors), np.eye(3) / 3, atol=0.01)
