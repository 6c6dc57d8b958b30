"""Several views of a row, each through layers of its own, in one projection."""

import pytest
import torch
from torch.testing import assert_close

from sklearn_ddcl.layers import Views


def make(generator, d_in=5, **changes):
    sizes = {"d_hidden": 7, "n_layers": 2, "n_views": 3, "d_token": 4, "dropout": 0.0}
    return Views(d_in, **{**sizes, **changes}, generator=generator).double()


def one_view(views, h, v):
    """Return view v of one row, as in the docstring."""
    for weight, bias in zip(views.weights, views.biases, strict=True):
        h = (weight[v].T @ h + bias[v]).clamp_min(0)
    return views.project.weight @ h


@pytest.fixture
def x(generator):
    """Return six rows of five numbers, in a form of its own for each of three views."""
    return torch.randn(6, 3, 5, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("n_layers", [0, 1, 3])
def test_each_view_is_that_of_the_formula(x, generator, n_layers):
    views = make(generator, n_layers=n_layers)
    for values in views.parameters():  # also those that start at a constant
        values.data.normal_(generator=generator)

    actual = views(x)

    expected = [[one_view(views, row[v], v) for v in range(3)] for row in x]
    assert_close(actual, torch.stack([torch.stack(row) for row in expected]))


def test_views_of_a_row_differ_from_the_start(x, generator):
    z = make(generator)(x[:, :1].expand(-1, 3, -1))

    for one, other in [(0, 1), (0, 2), (1, 2)]:
        assert (z[:, one] - z[:, other]).abs().amax(-1).min() > 0.01


def test_views_share_nothing_but_the_projection(x, generator):
    # What one view learns from a row must tell the others nothing of it.
    views = make(generator)
    x.requires_grad_()

    views(x)[:, 1].square().sum().backward()

    assert views.project.weight.grad.any(1).all()
    assert x.grad.abs().sum((0, 2)).bool().tolist() == [False, True, False]
    for values in [*views.weights, *views.biases]:
        felt = values.grad.flatten(1).abs().sum(1) > 0
        assert felt.tolist() == [False, True, False]


def test_equal_rows_have_equal_views_also_in_training(x, generator):
    views = make(generator, dropout=0.5).train()
    views.generator = generator

    z = views(torch.cat([x, x]))

    assert_close(z[:6], z[6:])


def test_every_view_does_without_units_of_its_own(x, generator):
    # With the same weights and the same form, only the units are left to differ.
    views = make(generator, dropout=0.5).train()
    views.generator = generator
    for values in views.weights:
        values.data[:] = values.data[0].clone()

    z = views(x[:, :1].expand(-1, 3, -1))

    for one, other in [(0, 1), (0, 2), (1, 2)]:
        assert not torch.allclose(z[:, one], z[:, other])


@pytest.mark.parametrize("n_layers", [0, 1, 2])
def test_a_row_is_rounded_alike_wherever_it_stands(generator, n_layers):
    sizes = {"n_layers": n_layers, "n_views": 5, "d_hidden": 48, "d_token": 13}
    views = make(generator, d_in=19, **sizes).float()
    x = torch.randn(37, 5, 19, generator=generator)

    z = views(x)

    assert z.shape == (37, 5, 13)
    for shift in range(1, 37):
        assert torch.equal(views(x.roll(shift, 0)), z.roll(shift, 0))


def test_a_view_costs_hidden_layers_of_its_own(generator):
    def n_parameters(n_views):
        views = make(generator, n_views=n_views)
        return sum(values.numel() for values in views.parameters())

    assert n_parameters(4) - n_parameters(3) == (5 * 7 + 7) + (7 * 7 + 7)


@pytest.mark.parametrize("n_layers", [1, 2, 3])
def test_a_step_is_that_of_masked_and_scaled_units(x, n_layers):
    sizes = {"n_layers": n_layers, "d_hidden": 8, "dropout": 0.25}
    views = make(torch.Generator().manual_seed(1), **sizes).train()
    views.generator = torch.Generator().manual_seed(2)

    actual = views(x)

    # The same draw once more: lots for all units, of which the highest six stay.
    lots = torch.empty(n_layers, 3, 8).uniform_(
        generator=torch.Generator().manual_seed(2)
    )
    masks = (lots.argsort().argsort() >= 2).double() * 8 / 6
    h = x
    for weight, bias, mask in zip(views.weights, views.biases, masks, strict=True):
        h = torch.stack([h[:, v] @ weight[v] for v in range(3)], 1) + bias
        h = h.clamp_min(0) * mask
    expected = h @ views.project.weight.T
    assert_close(actual, expected)
    both = [*views.weights, *views.biases, views.project.weight]
    wanted = torch.autograd.grad(expected.square().sum(), both)
    assert_close(torch.autograd.grad(actual.square().sum(), both), wanted)


@pytest.mark.parametrize(
    ("dropout", "n_kept"), [(0.0, 128), (0.25, 96), (0.5, 64), (0.999, 1)]
)
def test_a_share_of_the_units_is_left_out(generator, dropout, n_kept):
    views = make(generator, d_hidden=128, dropout=dropout)

    assert views.n_kept == n_kept
    assert f"n_kept={n_kept}" in repr(views)


@pytest.mark.parametrize("dropout", [1.0, -0.1, float("nan")])
def test_a_share_outside_of_its_range_is_refused(dropout):
    with pytest.raises(ValueError, match=r"dropout must be in \[0, 1\), got dropout="):
        make(None, dropout=dropout)


def test_hidden_units_are_silenced_in_training_only(x, generator):
    views = make(generator, dropout=0.5)
    views.generator = generator

    assert not torch.equal(views.train()(x), views(x))
    assert torch.equal(views.eval()(x), views(x))
