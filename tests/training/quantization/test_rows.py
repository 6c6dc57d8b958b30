"""Rows and their distances, with weights and with gaps."""

import numpy as np
import pytest
import torch

from sklearn_ddcl.training.quantization.passes import all_distances
from sklearn_ddcl.training.quantization.rows import MaskedRows, Rows, block_height


def codes_for(rows, values, n=7):
    return values[:n].nan_to_num(100.0).to(rows.dtype) + 0.5


@pytest.mark.parametrize("keep", [True, False])
@pytest.mark.parametrize("kind", [Rows, MaskedRows])
def test_distances_are_those_of_the_long_way(values, long_way, kind, keep):
    rows = kind(values, dtype=torch.float64, keep=keep)
    codes = codes_for(rows, values)

    found = all_distances(rows, codes - rows.center)

    np.testing.assert_allclose(found, long_way(values, codes), rtol=1e-9)


def test_missing_entries_count_for_nothing(gappy, long_way):
    rows = MaskedRows(gappy, dtype=torch.float64)
    codes = codes_for(rows, gappy)

    found = all_distances(rows, codes - rows.center)

    np.testing.assert_allclose(found, long_way(gappy, codes), rtol=1e-9, atol=1e-12)
    assert (found[7] == 0).all()


def test_masked_rows_without_gaps_have_the_centroids_of_plain_ones(values, generator):
    shares = torch.rand(4, 300, generator=generator, dtype=torch.float64)
    codes = values[:4]
    found = []
    for kind in (Rows, MaskedRows):
        rows = kind(values, dtype=torch.float64)
        block = torch.cat([block for _, block in rows.blocks(4)])
        sums, mass = shares @ block, shares.sum(1)
        found.append(rows.centroids(sums, mass, codes - rows.center) + rows.center)

    np.testing.assert_allclose(found[0], found[1], rtol=1e-12)
    np.testing.assert_allclose(
        found[0], (shares @ values) / shares.sum(1, keepdim=True), rtol=1e-12
    )


def test_the_center_is_the_weighted_mean(values, gappy, weights):
    plain = Rows(values, weights, dtype=torch.float64).center
    masked = MaskedRows(gappy, weights, dtype=torch.float64).center

    np.testing.assert_allclose(
        plain, np.average(values, axis=0, weights=weights), rtol=1e-12
    )
    present = np.ma.masked_invalid(gappy.numpy())
    np.testing.assert_allclose(
        masked, np.ma.average(present, axis=0, weights=weights), rtol=1e-12
    )


def test_far_from_the_origin_single_precision_is_enough(values, long_way):
    far = values + 10_000
    rows = Rows(far, dtype=torch.float32)
    codes = far[:7]

    found = all_distances(rows, (codes - rows.center).float())

    np.testing.assert_allclose(found, long_way(far, codes), rtol=2e-2, atol=2e-4)


def test_nearly_equal_rows_have_an_accurate_distance(values):
    rows = Rows(values, dtype=torch.float64)
    codes = values[:3] + 1e-7

    found = all_distances(rows, codes - rows.center)

    np.testing.assert_allclose(found.diagonal(), 5e-14, rtol=1e-3)


def test_the_order_depends_on_the_values_alone(values, generator):
    shuffled = torch.randperm(300, generator=generator)
    rows, others = Rows(values), Rows(values[shuffled])

    np.testing.assert_array_equal(values[rows.order], values[shuffled][others.order])


@pytest.mark.parametrize("kind", [Rows, MaskedRows])
def test_a_sample_stands_for_all_rows(values, gappy, weights, kind):
    values = gappy if kind is MaskedRows else values
    rows = kind(values, weights, dtype=torch.float64)

    sample = rows.sample(5000)

    assert len(sample) == 5000
    assert sample.total_weight == pytest.approx(rows.total_weight, rel=1e-2)
    np.testing.assert_allclose(sample.center, rows.center, rtol=1e-3)
    code = (values[3:4].nan_to_num(100.0) - rows.center, rows.center)
    sums = [
        float(some.weights @ all_distances(some, code[0] + code[1] - some.center)[:, 0])
        for some in (rows, sample)
    ]
    assert sums[1] == pytest.approx(sums[0], rel=1e-2)


def test_a_sample_holds_the_rows_of_a_long_tail(generator):
    values = torch.randn(20_000, 2, generator=generator)
    values[:20] *= 1000

    sample = Rows(values).sample(1000)

    found = (sample._values.norm(dim=1) > 100).sum()
    assert found > 100


def test_gaps_give_the_covariance_around_the_codes(values, weights):
    rows = Rows(values, weights, dtype=torch.float64)
    labels = torch.zeros(300, dtype=torch.int64)

    gaps = rows.gaps(torch.zeros(1, 5, dtype=torch.float64), labels)

    covariance = np.cov(values.T, aweights=weights, ddof=0)
    np.testing.assert_allclose(gaps.T @ gaps, covariance, rtol=1e-9)


def test_large_tables_are_never_copied(monkeypatch, values):
    monkeypatch.setattr("sklearn_ddcl.training.quantization.rows._KEPT_ENTRIES", 100)

    assert Rows(values)._kept is None
    assert Rows(values[:20])._kept is not None


def test_blocks_hold_a_bounded_number_of_entries():
    heights = [block_height(n) for n in (1, 8, 64, 512, 4096)]

    assert heights == sorted(heights, reverse=True)
    assert heights[0] == 8192
    assert heights[-1] == 256


def test_padded_blocks_have_one_height(values):
    rows = Rows(values, keep=False)
    parts, blocks = zip(*rows.blocks(1000, pad=True), strict=True)

    assert {len(block) for block in blocks} == {256}
    assert [(part.start, part.stop) for part in parts] == [(0, 256), (256, 300)]
    assert (blocks[1][44:] == 0).all()
