"""What a network knows of a table, and the tokenizer that follows."""

import pytest
import torch

from sklearn_ddcl import layers
from sklearn_ddcl.networks import table
from sklearn_ddcl.networks.table import (
    TableSpec,
    choose_bins,
    choose_knots,
    choose_width,
    make_tokenizer,
)


def test_every_column_becomes_a_token():
    assert TableSpec(3, (4, 7)).n_columns == 5


def test_knots_come_from_the_training_rows():
    numbers = torch.tensor([[0.0, 5.0], [1.0, 5.0], [2.0, 7.0]])

    first, second = choose_knots(numbers, n_bins=8)

    assert first.tolist() == [0.0, 1.0, 2.0]
    assert second.tolist() == [5.0, 7.0]


def test_rows_without_weight_make_no_knots():
    numbers = torch.tensor([[0.0], [1.0], [2.0]])
    (knots,) = choose_knots(numbers, n_bins=8, weights=torch.tensor([1.0, 0.0, 1.0]))
    assert knots.tolist() == [0.0, 2.0]


def test_of_many_rows_a_regular_subset_is_looked_at(monkeypatch):
    monkeypatch.setattr(table, "_ROWS_FOR_KNOTS", 10)
    numbers = torch.arange(40.0)[:, None]
    weights = (numbers[:, 0] != 8).double()  # the third row of the subset

    (knots,) = choose_knots(numbers, n_bins=100, weights=weights)

    assert knots.tolist() == [0.0, 4.0, *range(12, 40, 4)]


@pytest.mark.parametrize(
    ("n_rows", "n_columns", "n_bins"),
    [(1, 1, 16), (810, 77, 16), (1514, 56, 27), (2250, 5, 48), (60_000, 3, 48)],
)
def test_there_are_as_many_bins_as_rows_per_column(n_rows, n_columns, n_bins):
    numbers = torch.arange(float(n_rows))[:, None].expand(-1, n_columns)

    assert choose_bins(numbers, torch.ones(n_rows)) == n_bins


def test_rows_that_recur_or_do_not_count_make_no_bins(generator):
    numbers = torch.randn(400, 10, generator=generator)
    numbers[::3, 0] = float("nan")
    twice, ones = numbers.repeat(2, 1), torch.ones(400)

    assert choose_bins(numbers, ones) == 40
    assert choose_bins(twice, torch.ones(800)) == 40
    assert choose_bins(twice, torch.cat([ones, 0 * ones])) == 40
    assert choose_bins(numbers, (torch.arange(400) < 305).double()) == 30


def test_bins_of_many_rows_are_counted_on_a_regular_subset(monkeypatch):
    monkeypatch.setattr(table, "_ROWS_FOR_KNOTS", 40)
    numbers = torch.arange(120.0)[:, None].expand(-1, 2)

    assert choose_bins(numbers, torch.ones(120)) == 20


def test_a_table_without_numbers_has_the_fewest_bins():
    assert choose_bins(torch.zeros(5000, 0), torch.ones(5000)) == 16


def test_many_distinct_rows_make_hidden_layers_wide(generator):
    numbers = torch.randn(3001, 2, generator=generator)
    codes = torch.zeros(3001, 1, dtype=torch.int64)
    ones = torch.ones(3001)

    assert choose_width(numbers, codes, ones) == 256
    assert choose_width(numbers[:3000], codes[:3000], ones[:3000]) == 128


def test_rows_that_recur_or_do_not_count_make_nothing_wide(generator):
    numbers = torch.randn(3000, 2, generator=generator).repeat(2, 1)
    codes = torch.zeros(6000, 1, dtype=torch.int64)
    ones = torch.ones(6000)
    assert choose_width(numbers, codes, ones) == 128

    codes[3000:] = 1  # the same numbers of another category are other rows
    assert choose_width(numbers, codes, ones) == 256
    assert choose_width(numbers, codes, (torch.arange(6000) < 3000).double()) == 128
    assert choose_width(numbers[:, :0], codes, ones) == 128


@pytest.mark.parametrize(
    ("numerical", "tokenizer_class"),
    [
        ("piecewise_linear", layers.PiecewiseLinearTokenizer),
        ("periodic", layers.PeriodicTokenizer),
        ("linear", layers.LinearTokenizer),
        ("mixed", layers.MixedTokenizer),
    ],
)
def test_tokenizers_go_by_name(generator, spec, numerical, tokenizer_class):
    tokenizer = make_tokenizer(spec, numerical, 8, generator)

    assert type(tokenizer.numbers) is tokenizer_class
    assert len(tokenizer.categories.weight) == 7


def test_an_unknown_name_is_answered_by_the_known_ones(spec):
    with pytest.raises(ValueError, match=r"'mixed', .*'linear'.* got 'spline'"):
        make_tokenizer(spec, "spline", 8)


@pytest.mark.parametrize(("n_bins", "n_frequencies"), [(1, 1), (5, 2), (16, 8)])
def test_mixed_numbers_have_half_as_many_waves_as_intervals(
    generator, n_bins, n_frequencies
):
    knots = choose_knots(torch.arange(100.0)[:, None], n_bins)
    tokenizer = make_tokenizer(TableSpec(1, (), knots), "mixed", 8, generator).numbers

    assert tokenizer.waves.frequencies.shape == (1, n_frequencies)


def test_a_table_without_numbers_needs_none(generator):
    tokenizer = make_tokenizer(TableSpec(0, (3,)), "mixed", 8, generator).eval()
    codes = torch.tensor([[0], [2]])

    assert tokenizer(torch.zeros(2, 0), codes).shape == (2, 1, 8)
