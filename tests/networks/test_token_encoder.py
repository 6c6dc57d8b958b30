"""Tokens of a group see each other, and nobody else."""

import pytest
import torch
from torch.testing import assert_close

from sklearn_ddcl.networks import DOCUMENT_ENCODERS
from sklearn_ddcl.networks.token_encoder import TokenEncoder

BOUNDS = torch.tensor([0, 1, 4, 9])


def draw(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, dtype=torch.float64, generator=generator)


def make(name="transformer", *, longest=100, scale=1.0, **params):
    """Return an encoder of tokens of width three that changes them."""
    params = DOCUMENT_ENCODERS[name](**{"d_token": 8, "dropout": 0.0} | params)
    generator = torch.Generator().manual_seed(1)
    encoder = TokenEncoder(params, 3, longest, scale=scale, generator=generator)
    with torch.no_grad():
        encoder.up.weight.normal_(generator=generator)
    return encoder.double()


@pytest.fixture(params=DOCUMENT_ENCODERS)
def encoder(request):
    return make(request.param)


@pytest.mark.parametrize("name", DOCUMENT_ENCODERS)
def test_tokens_start_as_they_are(name):
    params = DOCUMENT_ENCODERS[name](d_token=8)
    tokens = draw(9, 3)

    generator = torch.Generator().manual_seed(1)
    encoder = TokenEncoder(params, 3, 100, generator=generator).eval().double()

    assert torch.equal(encoder(tokens, BOUNDS), tokens)
    encoder.train()
    for module in encoder.modules():
        module.generator = generator
    assert torch.equal(encoder(tokens, BOUNDS), tokens)


def test_padded_windows_and_windows_of_one_length_give_the_same(encoder):
    tokens = draw(9, 3)

    padded = encoder.train()(tokens, BOUNDS)

    assert_close(padded, encoder.eval()(tokens, BOUNDS), rtol=1e-12, atol=1e-12)
    assert (padded - tokens).abs().min() > 1e-4


def test_a_block_is_applied_to_every_group_by_itself(encoder):
    tokens = draw(9, 3)

    encoded = encoder.eval()(tokens, BOUNDS)

    for start, end in ((0, 1), (1, 4), (4, 9)):
        own = (tokens[start:end] @ encoder.down.weight.T)[None]
        for block in encoder.blocks:
            own = block(own)
        expected = tokens[start:end] + own[0] @ encoder.up.weight.T
        assert_close(encoded[start:end], expected)


def test_the_order_of_tokens_does_not_matter(encoder):
    tokens = draw(5, 3)
    order = torch.tensor([3, 0, 4, 1, 2])
    bounds = torch.tensor([0, 5])

    assert_close(encoder(tokens[order], bounds), encoder(tokens, bounds)[order])


def test_long_groups_are_cut_into_windows(encoder):
    tokens = draw(9, 3)
    encoder.longest = 3

    encoded = encoder(tokens, torch.tensor([0, 2, 9]))

    assert_close(encoded, encoder(tokens, torch.tensor([0, 2, 4, 6, 9])))


def test_tokens_that_are_left_out_are_not_attended_to(encoder):
    tokens = draw(9, 3)
    kept = torch.tensor([1, 1, 0, 1, 1, 1, 0, 0, 1]).bool()

    encoded = encoder(tokens, BOUNDS, kept)[kept]

    assert_close(encoded, encoder(tokens[kept], torch.tensor([0, 1, 3, 6])))


def test_who_is_left_without_company_keeps_it(encoder):
    tokens = draw(9, 3)
    kept = torch.tensor([0, 0, 0, 0, 1, 1, 1, 1, 1]).bool()

    assert_close(encoder(tokens, BOUNDS, kept), encoder(tokens, BOUNDS))


@pytest.mark.parametrize("name", DOCUMENT_ENCODERS)
def test_the_unit_of_the_tokens_does_not_matter(name):
    tokens = draw(9, 3)

    wide = make(name, scale=1000.0)(1000.0 * tokens, BOUNDS)

    assert_close(wide, 1000.0 * make(name)(tokens, BOUNDS))


def test_some_windows_are_enough_to_look_at():
    encoder, tokens = make(longest=4), draw(9, 3)

    few = encoder.run_together(tokens, BOUNDS, most=2)

    assert few.shape == (4, 8)
    assert_close(few, encoder.run_together(tokens, BOUNDS)[:4])


@pytest.mark.parametrize(("name", "rule"), [("incrt", True), ("aot", False)])
def test_only_what_can_grow_has_a_rule(name, rule):
    assert (make(name).growth_rule is not None) == rule
    assert make("incrt", grow=False).growth_rule is None


def test_blocks_have_their_own_number_of_heads():
    encoder = make("incrt", n_heads=(2, 3), d_head=4)

    assert [block.attention.n_heads for block in encoder.blocks] == [2, 3]
