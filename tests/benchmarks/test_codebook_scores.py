"""A codebook is scored by its codes alone, in float64."""

import numpy as np
import pytest

from benchmarks.harness.codebook_scores import count_distinct, nearest, score_codebook


def test_a_codebook_is_scored_by_hand():
    X = np.array([[0.0], [1.0], [10.0], [11.0]])
    codebook = np.array([[0.5], [10.0], [50.0], [50.0]])

    score = score_codebook(X, codebook)

    # 0.25 + 0.25 + 0 + 1
    assert score["inertia"] == pytest.approx(1.5)
    assert score["used"] == 2
    assert score["distinct"] == 3
    assert score["perplexity"] == pytest.approx(2.0)


def test_the_nearest_code_is_found_in_every_block():
    rng = np.random.default_rng(0)
    X, codebook = rng.normal(size=(5000, 3)), rng.normal(size=(7, 3))
    by_definition = np.linalg.norm(X[:, None] - codebook, axis=2).argmin(1)
    assert (nearest(X, codebook) == by_definition).all()


def test_a_common_offset_costs_no_digits():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(300, 4))
    near = score_codebook(X, X[:9])["inertia"]
    far = score_codebook(X + 1e8, X[:9] + 1e8)["inertia"]
    assert far == pytest.approx(near, rel=1e-5)


def test_rounded_codes_are_scored_in_double_precision():
    X = np.full((1000, 1), 0.1, dtype=np.float32)
    score = score_codebook(X, np.zeros((1, 1), dtype=np.float32))
    assert score["inertia"] == pytest.approx(1000 * float(np.float32(0.1)) ** 2)


@pytest.mark.parametrize(
    ("codes", "gap", "expected"),
    [
        ([0.0, 0.0, 1.0], 0.0, 2),
        ([0.0, 0.4, 1.0], 0.5, 2),
        # The second falls to the first, so that the third has nobody near.
        ([0.0, 0.4, 0.8], 0.5, 2),
        ([0.0, 1.0, 2.0], 0.5, 3),
    ],
)
def test_codes_closer_than_a_gap_are_one(codes, gap, expected):
    assert count_distinct(np.array(codes)[:, None], gap) == expected
