"""Every layer with random weights draws them from the generator that it is given."""

import pytest
import torch

from sklearn_ddcl import layers

KNOTS = [torch.tensor([0.0, 1.0, 4.0]), torch.tensor([-1.0, 1.0])]

FACTORIES = {
    "AttentionBlock": lambda g: layers.AttentionBlock(
        8, n_heads=2, d_hidden=6, generator=g
    ),
    "CategoryTokenizer": lambda g: layers.CategoryTokenizer([3, 2], 8, generator=g),
    "Codebook": lambda g: layers.Codebook(2, 4, 3, generator=g),
    "ContextPool": lambda g: layers.ContextPool(8, generator=g),
    "ContextPool2d": lambda g: layers.ContextPool2d(8, generator=g),
    "GrowingAttention": lambda g: layers.GrowingAttention(
        8, n_heads=2, d_head=3, generator=g
    ),
    "Linear": lambda g: layers.Linear(3, 4, generator=g),
    "LinearTokenizer": lambda g: layers.LinearTokenizer(3, 8, generator=g),
    "MixedTokenizer": lambda g: layers.MixedTokenizer(KNOTS, 8, generator=g),
    "PeriodicTokenizer": lambda g: layers.PeriodicTokenizer(3, 8, generator=g),
    "PiecewiseLinearTokenizer": lambda g: layers.PiecewiseLinearTokenizer(
        KNOTS, 8, generator=g
    ),
    "PrototypeFeedForward": lambda g: layers.PrototypeFeedForward(8, generator=g),
    "PrototypeReadout": lambda g: layers.PrototypeReadout(4, 8, generator=g),
    "SubspaceAttention": lambda g: layers.SubspaceAttention(8, n_heads=2, generator=g),
    "Views": lambda g: layers.Views(
        3, d_hidden=5, n_layers=2, n_views=4, d_token=8, generator=g
    ),
}
WITHOUT_WEIGHTS_TO_DRAW = {
    "ClassVotes",
    "ClsPooling",
    "KnotIntervals",
    "MeanPooling",
    "DocumentTokens",
    "Quantized",
    "Readout",
    "SlotPooling",
    "Slots",
    "StepDropout",
    "TableTokenizer",
    "WithPlainNumbers",
    "document_vectors",
}


@pytest.fixture(params=FACTORIES)
def make(request):
    return FACTORIES[request.param]


def equal_parameters(first, second):
    return [
        torch.equal(a, b)
        for a, b in zip(first.parameters(), second.parameters(), strict=True)
    ]


def test_no_layer_is_forgotten_here():
    assert FACTORIES.keys() | WITHOUT_WEIGHTS_TO_DRAW == set(layers.__all__)


def test_the_same_seed_gives_the_same_weights(make):
    first, second = (make(torch.Generator().manual_seed(7)) for _ in range(2))
    assert all(equal_parameters(first, second))


def test_another_seed_gives_other_weights(make):
    first, second = (make(torch.Generator().manual_seed(seed)) for seed in (7, 8))
    # Biases and scales may start at a constant.
    drawn = [p for p in first.parameters() if p.unique().numel() > 1]
    assert drawn
    assert sum(equal_parameters(first, second)) == len(list(first.parameters())) - len(
        drawn
    )


def test_the_global_generator_is_left_alone(make):
    before = torch.get_rng_state()
    make(torch.Generator())
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.usefixtures("torch_seed")
def test_without_a_generator_the_global_one_serves(make):
    state = torch.get_rng_state()
    first = make(None)
    torch.set_rng_state(state)
    second = make(None)

    assert all(equal_parameters(first, second))
    assert not torch.equal(torch.get_rng_state(), state)


def test_state_dicts_travel(make):
    source, target = (make(torch.Generator().manual_seed(seed)) for seed in (7, 8))
    target.load_state_dict(source.state_dict())
    assert all(equal_parameters(source, target))
