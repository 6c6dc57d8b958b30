"""The attention block, beside that of torch."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from sklearn_ddcl.layers import AttentionBlock


@pytest.fixture
def block(generator):
    block = AttentionBlock(
        12, n_heads=3, d_hidden=20, dropout=0.0, generator=generator
    ).double()
    for values in block.parameters():  # also biases and norms that start constant
        values.data += 0.3 * torch.randn(
            values.shape, generator=generator, dtype=torch.float64
        )
    return block


@pytest.fixture
def x(generator):
    return torch.randn(4, 6, 12, generator=generator, dtype=torch.float64)


@pytest.fixture
def mask():
    return torch.arange(6) < torch.tensor([6, 4, 1, 3])[:, None]


def torch_twin(block):
    """Return torch's own pre-normalized layer with the weights of a block."""
    twin = nn.TransformerEncoderLayer(
        12, 3, 20, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
    ).double()
    pairs = {
        "norm1": block.norm_attention,
        "norm2": block.norm_hidden,
        "self_attn.out_proj": block.mix_heads,
        "linear1": block.expand,
        "linear2": block.contract,
    }
    state = {
        f"{name}.{key}": values
        for name, module in pairs.items()
        for key, values in module.state_dict().items()
    }
    state["self_attn.in_proj_weight"] = block.query_key_value.weight
    state["self_attn.in_proj_bias"] = block.query_key_value.bias
    twin.load_state_dict(state)
    return twin


@pytest.mark.usefixtures("torch_seed")
def test_it_is_the_pre_normalized_layer_of_torch(block, x):
    assert_close(block(x), torch_twin(block)(x))


@pytest.mark.usefixtures("torch_seed")
def test_masked_it_is_the_padded_layer_of_torch(block, x, mask):
    expected = torch_twin(block)(x, src_key_padding_mask=~mask)
    assert_close(block(x, mask)[mask], expected[mask])


def test_a_row_is_what_it_would_be_without_its_padding(block, x, mask):
    padded = block(x, mask)
    for row, present, answer in zip(x, mask, padded, strict=True):
        alone = block(row[present][None])[0]
        assert_close(answer[present], alone)


def test_what_stands_where_no_token_is_does_not_matter(block, x, mask):
    garbage = torch.where(mask[..., None], x, 1e6)
    assert torch.equal(block(garbage, mask)[mask], block(x, mask)[mask])


def test_a_row_without_tokens_stays_finite(block, x, mask):
    mask[2] = False
    x.requires_grad_()

    y = block(x, mask)
    y.sum().backward()

    assert y.isfinite().all()
    assert x.grad.isfinite().all()


def test_the_order_of_the_tokens_is_that_of_the_answers(block, x):
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    assert_close(block(x[:, order]), block(x)[:, order])


def test_rows_do_not_see_each_other(block, x):
    assert_close(block(x[1:2])[0], block(x)[1])


def test_both_branches_are_silenced_in_training_only(generator):
    block = AttentionBlock(8, n_heads=2, d_hidden=8, dropout=0.5, generator=generator)
    block.dropout.generator = generator
    x = torch.randn(2, 3, 8, generator=generator)

    assert not torch.equal(block.train()(x), block(x))
    assert torch.equal(block.eval()(x), block(x))


@pytest.mark.parametrize("n_heads", [0, -2, 5])
def test_heads_must_divide_the_width(n_heads):
    match = f"n_heads must divide d_token, got n_heads={n_heads} and d_token=12"
    with pytest.raises(ValueError, match=match):
        AttentionBlock(12, n_heads=n_heads, d_hidden=4)
