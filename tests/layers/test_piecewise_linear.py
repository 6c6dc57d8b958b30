"""Piecewise linear curves, and where their knots come from."""

import pytest
import torch
from torch.testing import assert_close

from sklearn_ddcl.layers import PiecewiseLinearTokenizer
from sklearn_ddcl.layers.piecewise_linear import quantile_knots

NAN, INFINITY = float("nan"), float("inf")


@pytest.fixture
def tokenizer(generator):
    """Return one curve per column, of two bins and of one, d_token 1, bias 10."""
    knots = [torch.tensor([0.0, 1.0, 5.0]), torch.tensor([-2.0, 2.0])]
    tokenizer = PiecewiseLinearTokenizer(knots, 1, generator=generator)
    tokenizer.weight.data = torch.tensor([[[2.0], [-8.0]], [[4.0], [100.0]]])
    tokenizer.bias.data.fill_(10.0)
    return tokenizer


@pytest.mark.parametrize(
    ("x", "expected"),
    [
        ([0.0, -2.0], [10.0, 10.0]),
        ([0.25, -1.0], [10.5, 11.0]),
        ([1.0, 0.0], [12.0, 12.0]),
        ([2.0, 1.0], [10.0, 13.0]),  # 2 up, then a quarter of 8 down
        ([5.0, 2.0], [4.0, 14.0]),
    ],
)
def test_curves_by_hand(tokenizer, x, expected):
    assert tokenizer(torch.tensor([x]))[0, :, 0].tolist() == expected


@pytest.mark.parametrize("far", [1e-3, 1.0, 1e30, INFINITY])
def test_beyond_the_outer_knots_a_curve_is_constant(tokenizer, far):
    below = tokenizer(torch.tensor([[0.0 - far, -2.0 - far]]))
    above = tokenizer(torch.tensor([[5.0 + far, 2.0 + far]]))

    assert below.flatten().tolist() == [10.0, 10.0]
    assert above.flatten().tolist() == [4.0, 14.0]


def test_negative_values_are_cut_off(tokenizer):
    tokenizer.bias.data.fill_(-3.0)
    tokenizer.missing.data = torch.tensor([[-1.0], [2.0]])

    assert tokenizer(torch.tensor([[5.0, 2.0]]))[0, :, 0].tolist() == [0.0, 1.0]
    assert tokenizer(torch.tensor([[NAN, NAN]]))[0, :, 0].tolist() == [0.0, 2.0]


def test_bins_that_a_column_does_not_have_are_never_used(tokenizer, generator):
    x = 10 * torch.randn(50, 2, generator=generator)

    tokenizer(x).sum().backward()

    assert tokenizer.weight.grad[0].abs().min() > 0
    assert tokenizer.weight.grad[1, 0] != 0
    assert tokenizer.weight.grad[1, 1] == 0


def test_a_curve_bends_at_its_knots_only(generator):
    knots = [torch.tensor([-1.0, 0.5, 2.0])]
    tokenizer = PiecewiseLinearTokenizer(knots, 4, generator=generator).double()
    tokenizer.bias.data += 9  # away from the ReLU
    x = torch.linspace(-3, 4, 141, dtype=torch.float64)

    bend = tokenizer(x[:, None])[:, 0].diff(dim=0).diff(dim=0).abs().amax(-1)

    assert_close(x[1:-1][bend > 1e-6], torch.tensor([-1.0, 0.5, 2.0]).double())


def test_knots_a_hair_apart_make_a_step(generator):
    # The inverse of their distance is beyond float32.
    knots = [torch.tensor([0.0, 1e-42])]
    tokenizer = PiecewiseLinearTokenizer(knots, 3, generator=generator)

    tokens = tokenizer(torch.tensor([[-1.0], [0.0], [1.0]]))[:, 0]

    assert_close(tokens[0], tokens[1])
    assert_close(tokens[2], (tokenizer.weight[0, 0] + tokenizer.bias[0]).relu())


def test_a_table_without_numbers(generator):
    tokenizer = PiecewiseLinearTokenizer([], 8, generator=generator)
    assert tokenizer(torch.zeros(5, 0)).shape == (5, 0, 8)


def test_knots_by_hand():
    # Five values at most; of 0, ..., 100 the quartiles.
    x = torch.arange(101.0).flip(0)[:, None]
    (knots,) = quantile_knots(x, n_bins=4)
    assert knots.tolist() == [0.0, 25.0, 50.0, 75.0, 100.0]


def test_few_distinct_values_get_a_knot_each_however_rare():
    x = torch.tensor([0.0] * 1000 + [0.5] + [2.0] * 1000 + [1.5])[:, None]
    (knots,) = quantile_knots(x, n_bins=3)
    assert knots.tolist() == [0.0, 0.5, 1.5, 2.0]


def test_one_value_too_many_is_one_knot_fewer():
    (knots,) = quantile_knots(torch.arange(5.0)[:, None], n_bins=3)
    assert len(knots) == 4
    assert (knots[0], knots[-1]) == (0, 4)


def test_a_frequent_value_takes_one_knot_and_leaves_the_others_to_the_rest():
    x = torch.cat([torch.zeros(900), torch.arange(1.0, 101.0)])[:, None]
    (knots,) = quantile_knots(x, n_bins=21)
    # Zero is one bin; twenty are left for a hundred values of one row each.
    assert knots.tolist() == list(range(0, 101, 5))


def test_two_frequent_values_take_one_knot_each():
    values = torch.cat([torch.full((500,), 3.0), torch.full((300,), 7.0)])
    (knots,) = quantile_knots(torch.cat([values, torch.arange(10.0)])[:, None], 6)
    # Ten rows for four bins: two and a half make one.
    assert {0.0, 3.0, 7.0, 9.0} <= set(knots.tolist())
    assert len(knots) == 7


@pytest.mark.parametrize("n_bins", [1, 2, 7, 48, 500])
def test_knots_increase_occur_and_hold_all_values(generator, n_bins):
    x = torch.randn(200, 3, generator=generator).round(decimals=1)

    for column, knots in zip(x.T, quantile_knots(x, n_bins), strict=True):
        assert 2 <= len(knots) <= n_bins + 1
        assert (knots.diff() > 0).all()
        assert set(knots.tolist()) <= set(column.tolist())
        assert (knots[0], knots[-1]) == (column.min(), column.max())


@pytest.mark.parametrize("unit", [1, 1.0, 0.1, 1 / 3])
@pytest.mark.parametrize("n_bins", [3, 10, 48])
def test_weights_are_repetitions_exactly(generator, n_bins, unit):
    x = torch.randn(300, 2, generator=generator)
    x[:, 1] = x[:, 1].round(decimals=1)
    x[torch.rand(300, 2, generator=generator) < 0.1] = NAN
    counts = torch.randint(0, 5, (300,), generator=generator)

    weighted = quantile_knots(x, n_bins, unit * counts.double())
    repeated = quantile_knots(x.repeat_interleave(counts, dim=0), n_bins)

    for actual, expected in zip(weighted, repeated, strict=True):
        assert actual.tolist() == expected.tolist()


def test_a_row_of_weight_zero_is_none():
    x = torch.tensor([[-100.0], [1.0], [2.0], [100.0]])
    (knots,) = quantile_knots(x, 8, torch.tensor([0.0, 1.0, 1.0, 0.0]))
    assert knots.tolist() == [1.0, 2.0]


def test_what_is_not_finite_is_left_out():
    x = torch.tensor([[NAN], [-INFINITY], [3.0], [7.0], [INFINITY]])
    (knots,) = quantile_knots(x, 8)
    assert knots.tolist() == [3.0, 7.0]


def test_an_empty_column_has_two_knots():
    (knots,) = quantile_knots(torch.full((3, 1), NAN), 8)
    assert knots.tolist() == [0.0, 1.0]


@pytest.mark.parametrize("value", [0.0, -0.3, 1e9, -1e9])
def test_a_constant_column_makes_finite_tokens(value, generator):
    x = torch.full((4, 1), value)

    knots = quantile_knots(x, 8)
    tokens = PiecewiseLinearTokenizer(knots, 4, generator=generator)(x)

    assert knots[0][0] == x[0, 0] < knots[0][1]
    assert tokens.isfinite().all()
