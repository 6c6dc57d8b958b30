"""How many prototypes rows support, by splits that other rows judge."""

import math

import pytest
import torch
from sklearn.datasets import make_blobs

from sklearn_ddcl.training.quantization import MaskedRows, Rows, count_prototypes
from sklearn_ddcl.training.quantization.count import (
    Half,
    Mixture,
    deal,
    settle,
    split,
    widest,
)


def blobs(n_blobs, *, n=900, d=8, seed=0):
    X, _ = make_blobs(n, d, centers=n_blobs, random_state=seed)
    return torch.from_numpy(X)


def count(X, weights=None, **params):
    rows = Rows(X, weights, dtype=torch.float64)
    return count_prototypes(rows, **params).n_prototypes


@pytest.mark.parametrize("n_blobs", [1, 2, 5, 12, 20])
def test_round_clusters_that_are_apart_are_counted(n_blobs):
    assert count(blobs(n_blobs)) == n_blobs


def test_noise_alone_supports_one():
    generator = torch.Generator().manual_seed(3)
    X = torch.randn(1000, 10, generator=generator, dtype=torch.float64)

    assert count(X) == 1


def test_an_elongated_cluster_needs_several_round_ones():
    generator = torch.Generator().manual_seed(3)
    X = torch.randn(1000, 4, generator=generator, dtype=torch.float64)
    X[:, 0] *= 20

    assert count(X) > 3


@pytest.mark.parametrize("n", [1, 2, 3, 5, 8])
def test_a_few_rows_support_one(n):
    assert count(torch.arange(2.0 * n, dtype=torch.float64).reshape(n, 2)) == 1


def test_equal_rows_support_one():
    assert count(torch.ones(50, 3, dtype=torch.float64)) == 1


def test_no_more_are_found_than_are_asked_for():
    assert count(blobs(12), most=5) <= 5


def test_a_row_of_weight_two_counts_like_two_rows():
    X = blobs(6, n=300)
    weights = torch.randint(1, 4, (300,), generator=torch.Generator().manual_seed(0))

    weighted = Rows(X, weights.double(), dtype=torch.float64)
    repeated = Rows(X.repeat_interleave(weights, 0), dtype=torch.float64)

    one, other = map(count_prototypes, (weighted, repeated))
    assert one.n_prototypes == other.n_prototypes
    assert one.temperature == pytest.approx(other.temperature, rel=1e-9)


def test_neither_the_order_of_rows_nor_the_unit_of_weights_matters():
    X = blobs(7)
    order = torch.randperm(len(X), generator=torch.Generator().manual_seed(0))

    found = count_prototypes(Rows(X, dtype=torch.float64))
    weights = torch.full((len(X),), 0.25, dtype=torch.float64)
    other = count_prototypes(Rows(X[order], weights, dtype=torch.float64))

    assert other.n_prototypes == found.n_prototypes
    assert other.temperature == pytest.approx(found.temperature, rel=1e-9)


def test_long_tables_are_sampled_by_weight():
    X = blobs(4, n=20_000)
    weights = torch.ones(len(X), dtype=torch.float64)
    weights[: len(X) // 2] = 2.0

    assert count(X, weights) == 4
    assert len(Rows(X, weights).regular_sample(1000)) == 1000


def test_a_regular_sample_takes_heavy_rows_more_often():
    X = torch.arange(8.0)[:, None]
    weights = torch.tensor([1.0, 1, 1, 1, 4, 4, 4, 4])

    sample = Rows(X, weights).regular_sample(20)

    values = sample.values(torch.arange(20)) + sample.center
    assert torch.bincount(values[:, 0].long()).tolist() == [1, 1, 1, 1, 4, 4, 4, 4]


def test_rows_that_judge_are_equal_to_none_that_teach():
    X = blobs(3, n=200).round()
    learning, judging = deal(Rows(X, dtype=torch.float64))

    taught, asked = (
        {tuple((row + half.center).round().tolist()) for row in half.values(every)}
        for half, every in ((h, torch.arange(len(h))) for h in (learning, judging))
    )
    assert not taught & asked
    assert taught | asked == {tuple(row.tolist()) for row in X}
    assert len(taught) == pytest.approx(2 * len(asked), abs=2)


def test_missing_entries_do_not_hide_clusters():
    X = blobs(5)
    gone = torch.rand(X.shape, generator=torch.Generator().manual_seed(0)) < 0.1
    rows = MaskedRows(X.masked_fill(gone, torch.nan), dtype=torch.float64)

    assert count_prototypes(rows).n_prototypes == 5


def test_the_widest_direction_of_a_cell_by_hand():
    X = torch.tensor([[-3.0, 0], [3, 0], [9, 1], [9, -1]], dtype=torch.float64)
    own = Half(Rows(X, dtype=torch.float64, center=torch.zeros(2)))
    codes = torch.tensor([[0.0, 0], [9, 0]], dtype=torch.float64)

    variances, directions, mass = widest(own, codes, torch.tensor([0, 0, 1, 1]))

    assert variances.tolist() == pytest.approx([9.0, 1.0])
    assert directions.abs() == pytest.approx(torch.eye(2).numpy(), abs=1e-9)
    assert mass.tolist() == [0.5, 0.5]


def test_the_prototype_that_first_becomes_critical_splits():
    X = torch.tensor([[-3.0, 0], [3, 0], [9, 1], [9, -1]], dtype=torch.float64)
    own = Half(Rows(X, dtype=torch.float64, center=torch.zeros(2)))
    codes = torch.tensor([[0.0, 0], [9, 0]], dtype=torch.float64)
    mixture = Mixture(codes, torch.tensor([0.5, 0.5]).double().log(), 1.0)

    codes, log_mass, _ = split(own, mixture, 1)

    assert sorted(map(tuple, codes.round().tolist())) == [(-3, 0), (3, 0), (9, 0)]
    assert sorted(log_mass.exp().tolist()) == pytest.approx([0.25, 0.25, 0.5])


def test_settling_never_lowers_the_likelihood():
    own = Half(Rows(blobs(5), dtype=torch.float64))
    codes = blobs(5, n=7, seed=1)
    mixture = Mixture(codes, torch.full((7,), -math.log(7)).double(), 50.0)

    def log_likelihood(mixture):
        codes, log_mass, temperature = mixture
        exponents = log_mass - own.distances(codes) / temperature
        return exponents.logsumexp(1).mean() - 4 * math.log(math.pi * temperature)

    before = log_likelihood(mixture)
    for _ in range(10):
        mixture = settle(own, mixture, 1, 1e-9)
        after = log_likelihood(mixture)
        assert after >= before - 1e-9
        before = after
