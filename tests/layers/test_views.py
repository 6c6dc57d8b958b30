"""Several views of a row through shared matrices."""

import pytest
import torch
from torch.testing import assert_close

from sklearn_ddcl.layers import Views


def make(generator, **changes):
    sizes = {"d_hidden": 7, "n_layers": 2, "n_views": 3, "d_token": 4, "dropout": 0.0}
    return Views(5, **{**sizes, **changes}, generator=generator).double()


def one_view(views, x, v):
    """Return view v of one row, as in the docstring."""
    h = views.input_scale[v] * x
    for linear, scale in zip(views.hidden, views.scales, strict=True):
        h = (scale[v] * (linear.weight @ h + linear.bias)).clamp_min(0)
    return views.project.weight @ h


@pytest.fixture
def x(generator):
    return torch.randn(6, 5, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("n_layers", [0, 1, 3])
def test_each_view_is_that_of_the_formula(x, generator, n_layers):
    views = make(generator, n_layers=n_layers)
    for values in views.parameters():  # also those that start at a constant
        values.data.normal_(generator=generator)

    actual = views(x)

    expected = [[one_view(views, row, v) for v in range(3)] for row in x]
    assert_close(actual, torch.stack([torch.stack(row) for row in expected]))


def test_views_of_a_row_differ_from_the_start(x, generator):
    z = make(generator)(x)
    assert (z[:, 0] - z[:, 1]).abs().amax(-1).min() > 0.01


def test_equal_rows_have_equal_views_also_in_training(x, generator):
    views = make(generator, dropout=0.5).train()
    views.dropout.generator = generator

    z = views(torch.cat([x, x]))

    assert_close(z[:6], z[6:])


def test_a_single_view_does_not_scale_its_input(generator):
    assert make(generator, n_views=1).input_scale.unique().tolist() == [1.0]


def test_a_view_costs_its_scales_only(generator):
    def n_parameters(n_views):
        views = make(generator, n_views=n_views)
        return sum(values.numel() for values in views.parameters())

    assert n_parameters(4) - n_parameters(3) == 5 + 2 * 7


def test_hidden_units_are_silenced_in_training_only(x, generator):
    views = make(generator, dropout=0.5)
    views.dropout.generator = generator

    assert not torch.equal(views.train()(x), views(x))
    assert torch.equal(views.eval()(x), views(x))
