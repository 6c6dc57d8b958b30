"""A dictionary of prototypes instead of a feed-forward part."""

import pytest
import torch
from torch.testing import assert_close

import sklearn_ddcl.functional as F
from sklearn_ddcl.layers import PrototypeFeedForward

D_TOKEN, K = 6, 4


@pytest.fixture
def make(generator):
    def build(**params):
        sizes = {"n_prototypes": K, "generator": generator}
        return PrototypeFeedForward(D_TOKEN, **sizes | params).double()

    return build


@pytest.fixture
def x(generator):
    return torch.randn(3, 5, D_TOKEN, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("values", [True, False])
def test_it_is_the_formula(make, x, values):
    layer = make(values=values, gate=0.7)
    z = torch.nn.functional.layer_norm(x, (D_TOKEN,))
    q = F.soft_assign(z, layer.prototypes, layer.temperature)
    said = layer.values if values else layer.prototypes

    assert_close(layer.assign(x), q)
    assert_close(layer(x), x + 0.7 * q @ said)


def test_without_values_what_is_added_stays_among_the_prototypes(make, x):
    layer = make(values=False, gate=1.0)
    added = layer(100 * x) - 100 * x
    inside = (
        layer.prototypes.min(0).values - 1e-9,
        layer.prototypes.max(0).values + 1e-9,
    )
    assert ((added >= inside[0]) & (added <= inside[1])).all()


def test_a_closed_gate_lets_tokens_pass(make, x):
    assert_close(make(gate=0.0)(x), x, rtol=0, atol=0)


def test_separation_is_the_smallest_distance(make):
    layer = make()
    expected = torch.pdist(layer.prototypes.detach()).min()
    assert_close(layer.separation(), expected)


@pytest.mark.parametrize(("values", "matrices"), [(True, 2), (False, 1)])
def test_the_number_of_weights(make, values, matrices):
    layer = make(values=values)
    # Besides the gate and the temperature.
    assert sum(p.numel() for p in layer.parameters()) == matrices * K * D_TOKEN + 2


def test_gradients_are_right(make, x):
    layer = make()
    names = [name for name, _ in layer.named_parameters()]

    def forward(x, *values):
        return torch.func.functional_call(
            layer, dict(zip(names, values, strict=True)), (x,)
        )

    inputs = (x[0, :2].requires_grad_(), *layer.parameters())
    assert torch.autograd.gradcheck(forward, inputs)


def test_a_dictionary_without_prototypes_is_refused():
    with pytest.raises(ValueError, match="n_prototypes must be at least 1"):
        PrototypeFeedForward(D_TOKEN, n_prototypes=0)
