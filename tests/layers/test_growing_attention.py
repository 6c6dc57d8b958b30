"""Heads come without a change, and go with a bounded one."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from sklearn_ddcl.layers import GrowingAttention

D_TOKEN = 12


@pytest.fixture
def make(generator):
    def build(**params):
        layer = GrowingAttention(
            D_TOKEN, **{"n_heads": 3, "d_head": 4, "generator": generator} | params
        ).double()
        for values in (layer.norm.weight, layer.norm.bias, layer.bias):
            values.data += 0.3 * torch.rand(D_TOKEN, generator=generator)
        return layer

    return build


@pytest.fixture
def x(generator):
    return torch.randn(4, 6, D_TOKEN, generator=generator, dtype=torch.float64)


@pytest.fixture
def mask():
    return torch.arange(6) < torch.tensor([6, 4, 1, 3])[:, None]


def by_hand(layer, x, mask):
    """Return the layer's answer in loops."""
    y = []
    for row, exists in zip(x, mask, strict=True):
        z = nn.functional.layer_norm(
            row, (D_TOKEN,), layer.norm.weight, layer.norm.bias
        )
        out = row + layer.bias
        for h in range(layer.n_heads):
            query, key, value = (z @ layer.bases[part, h].T for part in range(3))
            for i in range(len(row)):
                logits = torch.stack([query[i] @ k for k in key]) / layer.d_head**0.5
                logits[~exists] = -torch.inf
                mixed = logits.softmax(0) @ value
                out[i] = out[i] + mixed @ layer.output[h]
        y.append(out)
    return torch.stack(y)


def test_it_is_multi_head_attention(make, x, mask):
    layer = make()
    with torch.no_grad():
        assert_close(layer(x, mask), by_hand(layer, x, mask), rtol=0, atol=1e-12)


def test_contributions_and_attention_are_parts_of_it(make, x, mask):
    layer = make()
    parts = layer.contributions(x, mask)
    assert_close(layer(x, mask), x + parts.sum(0) + layer.bias)
    attention = layer.attention(x, mask)
    assert attention.shape == (3, 4, 6, 6)
    value = layer.norm(x) @ layer.bases[2, 1].T
    assert_close(attention[1] @ value @ layer.output[1], parts[1])


def test_a_new_head_changes_nothing(make, x, generator):
    layer = make()
    before = layer(x)
    layer.grow(generator=generator)
    layer.grow(torch.randn(3, D_TOKEN, generator=generator), generator)
    assert layer.n_heads == 5
    assert (layer(x) - before).abs().max() < 1e-12


def test_a_new_head_learns(make, x, generator):
    layer = make()
    layer.grow(generator=generator)
    layer(x).square().sum().backward()
    assert layer.output.grad[-1].abs().max() > 0


def test_the_first_head_can_come_to_a_layer_without_any(make, x, generator):
    layer = make(n_heads=0)
    assert_close(layer(x), x + layer.bias)
    layer.grow(generator=generator)
    assert_close(layer(x), x + layer.bias)


def test_a_head_that_goes_changes_no_more_than_the_bound(make, generator):
    layer = make()
    x = 10 * torch.randn(500, 6, D_TOKEN, generator=generator, dtype=torch.float64)
    bounds = layer.removal_bounds()
    for head in range(3):
        smaller = make()
        smaller.load_state_dict(layer.state_dict())
        said = smaller.prune(head)
        change = (smaller(x) - layer(x)).norm(dim=-1).max()
        assert said == pytest.approx(float(bounds[head]))
        assert smaller.n_heads == 2
        # Not so loose either that it would say nothing.
        assert 0.2 * said < change <= said


def test_what_is_the_same_for_all_tokens_stays_when_a_head_goes(make, x):
    layer = make()
    # A head whose values do not depend on the token.
    layer.bases.data[2, 1] *= 0
    layer.norm.bias.data += 1
    before = layer(x)
    assert layer.prune(1) < 1e-12
    assert_close(layer(x), before)


def test_a_state_of_any_number_of_heads_can_be_loaded(make, x, generator):
    layer = make()
    layer.grow(generator=generator)
    for n_heads in (0, 1, 4, 7):
        other = make(n_heads=n_heads)
        other.load_state_dict(layer.state_dict())
        assert_close(other(x), layer(x), rtol=0, atol=0)


def test_states_of_other_widths_are_refused(make):
    with pytest.raises(RuntimeError, match="size mismatch"):
        make(d_head=3).load_state_dict(make(n_heads=2).state_dict())


def test_order_of_tokens_does_not_matter(make, x, generator):
    layer, order = make(), torch.randperm(6, generator=generator)
    assert_close(layer(x[:, order]), layer(x)[:, order])


def test_tokens_that_do_not_exist_are_not_seen(make, x, mask):
    layer = make()
    changed = torch.where(mask[..., None], x, 7.0)
    assert_close(layer(x, mask)[mask], layer(changed, mask)[mask])


def test_gradients_are_right(make, x):
    layer = make(n_heads=2)
    params = tuple(layer.parameters())

    def forward(x, *values):
        names = [name for name, _ in layer.named_parameters()]
        return torch.func.functional_call(
            layer, dict(zip(names, values, strict=True)), (x,)
        )

    assert torch.autograd.gradcheck(forward, (x[:1, :3].requires_grad_(), *params))


def test_a_new_head_looks_along_its_directions(make, generator):
    layer = make()
    directions = torch.randn(3, D_TOKEN, generator=generator, dtype=torch.float64)
    layer.grow(directions, generator)
    rows = layer.bases[:, -1].detach()
    along = torch.nn.functional.cosine_similarity(rows[:, 0], directions)
    assert_close(along, torch.ones(3).double())
    # Logits of a standard deviation of one, the other rows well below it.
    product = rows[0, 0].norm() * rows[1, 0].norm() / layer.d_head**0.5
    assert float(product) == pytest.approx(1)
    assert (rows[:2, 1:].norm(dim=-1) < 0.6).all()


def test_the_number_of_weights_is_four_widths_per_head(make):
    layer = make()
    assert layer.bases.numel() + layer.output.numel() == 3 * 4 * 4 * D_TOKEN


@pytest.mark.parametrize(
    "wrong", [{"n_heads": -1}, {"d_head": 0}, {"d_head": D_TOKEN + 1}]
)
def test_sizes_that_do_not_fit_are_refused(wrong):
    with pytest.raises(ValueError, match="n_heads must be at least 0 and d_head"):
        GrowingAttention(D_TOKEN, **wrong)
