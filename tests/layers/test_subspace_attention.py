"""Attention alone, beside the theory and beside torch."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close

import sklearn_ddcl.functional as F
from sklearn_ddcl.layers import AttentionBlock, SubspaceAttention

D_TOKEN, N_HEADS = 12, 3


@pytest.fixture
def make(generator):
    def build(**params):
        layer = SubspaceAttention(
            D_TOKEN, **{"n_heads": N_HEADS, "generator": generator} | params
        ).double()
        if layer.norm is not None:
            layer.norm.weight.data += 0.3 * torch.rand(D_TOKEN, generator=generator)
            layer.norm.bias.data += 0.3 * torch.rand(D_TOKEN, generator=generator)
        return layer

    return build


@pytest.fixture
def x(generator):
    return torch.randn(4, 6, D_TOKEN, generator=generator, dtype=torch.float64)


@pytest.fixture
def mask():
    return torch.arange(6) < torch.tensor([6, 4, 1, 3])[:, None]


KINDS = [
    {},
    {"output": "tied"},
    {"projection": "separate"},
    {"projection": "separate", "output": "tied"},
    {"norm": False},
    {"threshold": 0.2},
    {"d_head": 5},
]
kinds = pytest.mark.parametrize("kind", KINDS, ids=str)


@pytest.mark.parametrize("threshold", [None, 0.6])
def test_tied_and_without_norm_it_is_the_step_of_the_theory(make, x, threshold):
    layer = make(
        output="tied", norm=False, scale=1.0, step_size=0.1, threshold=threshold
    )
    bases = layer.bases.unflatten(0, (N_HEADS, -1)).transpose(1, 2)

    expected = F.denoising_step(x, bases, layer.step_size, threshold=threshold)

    assert_close(layer(x), expected, rtol=0, atol=1e-12)


@pytest.mark.usefixtures("torch_seed")
def test_it_is_the_attention_of_torch_with_one_projection_for_all(make, x):
    layer = make(step_size=1.0)
    twin = nn.MultiheadAttention(D_TOKEN, N_HEADS, batch_first=True).double()
    twin.load_state_dict(
        {
            "in_proj_weight": torch.cat([layer.bases] * 3),
            "in_proj_bias": torch.zeros(3 * D_TOKEN),
            "out_proj.weight": layer.output.weight,
            "out_proj.bias": layer.output.bias,
        }
    )
    normed = layer.norm(x)

    expected = x + twin(normed, normed, normed, need_weights=False)[0]

    assert_close(layer(x), expected, rtol=0, atol=1e-12)


@pytest.mark.usefixtures("torch_seed")
def test_tied_it_is_the_attention_of_torch_that_goes_back_the_same_way(make, x):
    layer = make(output="tied", norm=False)
    twin = nn.MultiheadAttention(D_TOKEN, N_HEADS, bias=False, batch_first=True)
    twin.double().load_state_dict(
        {
            "in_proj_weight": torch.cat([layer.bases] * 3),
            "out_proj.weight": layer.bases.T,
        }
    )
    w = layer.coordinates(x)
    fused = nn.functional.scaled_dot_product_attention(w, w, w)
    back = fused.transpose(1, 2).flatten(-2) @ layer.bases

    expected = x + twin(x, x, x, need_weights=False)[0]

    assert_close(layer(x), expected, rtol=0, atol=1e-12)
    assert_close(layer(x), x + back, rtol=0, atol=1e-12)


def snr_with_norm(noise, n_layers, **params):
    """Return the ratios of a mixture that passes through normalized tied blocks."""
    generator = torch.Generator().manual_seed(0)
    layer = SubspaceAttention(
        128, n_heads=4, output="tied", generator=generator, **params
    ).double()
    # Drawn in single precision.
    layer.bases.data = torch.linalg.qr(layer.bases.data.T).Q.T
    labels = torch.arange(100) % 4
    parts = torch.randn(100, 4, 32, generator=generator, dtype=torch.float64)
    parts[torch.arange(4) != labels[:, None]] *= noise
    x = (parts.flatten(1) @ layer.bases.data)[None]
    bases = layer.value_bases()
    path = []
    with torch.no_grad():
        for _ in range(n_layers + 1):
            path.append(F.subspace_snr(x[0], bases, labels).mean().item())
            x = layer(x)
    return torch.tensor(path, dtype=torch.float64)


def test_with_norm_and_softmax_the_ratio_only_grows():
    snr = snr_with_norm(0.5, 12, step_size=0.1)

    assert bool((snr.diff() > 0).all())
    assert float(snr[-1] / snr[0]) > 1.6


@pytest.mark.parametrize("noise", [0.2, 0.5])
def test_with_norm_the_theorem_becomes_a_straight_line(noise):
    eta, tau, d, p, n_subspaces = 0.05, 0.6, 128, 32, 4
    snr = snr_with_norm(noise, 12, step_size=eta, threshold=tau)

    layers = torch.arange(13, dtype=torch.float64)
    correlation = torch.corrcoef(torch.stack([layers, snr]))[0, 1]
    assert float(correlation**2) > 0.999
    middle = snr[6]
    predicted = eta * tau * d**0.5 / (noise * (p * (n_subspaces - 1)) ** 0.5)
    predicted *= middle / (1 + middle**2) ** 0.5
    assert_close(snr.diff().mean(), predicted, rtol=0.1, atol=0)


@kinds
@pytest.mark.parametrize("causal", [False, True])
def test_the_fused_attention_is_the_explicit_one(make, x, mask, kind, causal):
    if "threshold" in kind:
        pytest.skip("a threshold is never fused")
    layer = make(causal=causal, **kind)
    fused = layer(x, mask)

    heads = layer._heads(x)
    lower = torch.ones(6, 6).tril().bool() if causal else torch.ones(6, 6).bool()
    allowed = lower & mask[:, None, None, :]
    logits = layer.scale * heads[0] @ heads[1].mT
    weights = logits.masked_fill(~allowed, -torch.inf).softmax(-1)
    mixed = (weights @ heads[2]).transpose(1, 2).flatten(-2)
    out = mixed @ layer.bases[-mixed.shape[-1] :]
    step = out if layer.output is None else layer.output(mixed)

    assert_close(fused[mask], (x + layer.step_size * step)[mask], rtol=0, atol=1e-12)


@kinds
def test_a_row_is_what_it_would_be_without_its_padding(make, x, mask, kind):
    layer = make(**kind)
    padded = layer(x, mask)
    for row, present, answer in zip(x, mask, padded, strict=True):
        assert_close(answer[present], layer(row[present][None])[0], atol=1e-12, rtol=0)


@kinds
def test_the_order_of_the_tokens_is_that_of_the_answers(make, x, kind):
    layer = make(**kind)
    order = torch.tensor([3, 0, 5, 1, 4, 2])

    assert_close(layer(x[:, order]), layer(x)[:, order], rtol=0, atol=1e-12)


@kinds
def test_a_causal_token_does_not_see_what_comes_after(make, x, mask, kind):
    layer = make(causal=True, **kind)
    later = x.clone()
    later[:, 3:] += 1.0

    assert torch.equal(layer(later)[:, :3], layer(x)[:, :3])
    assert not torch.allclose(layer(later)[:, 3:], layer(x)[:, 3:])
    assert torch.equal(layer(later, mask)[:, :3], layer(x, mask)[:, :3])


@pytest.mark.parametrize(
    ("kind", "n_squares", "n_biases"),
    [
        ({"output": "tied"}, 1, 0),
        ({}, 2, 1),
        ({"projection": "separate"}, 4, 1),
        ({"projection": "separate", "output": "tied"}, 3, 0),
    ],
)
def test_the_number_of_weights(make, kind, n_squares, n_biases):
    layer = make(learn_step=False, **kind)

    n_weights = sum(values.numel() for values in layer.parameters())

    assert n_weights == n_squares * D_TOKEN**2 + (n_biases + 2) * D_TOKEN


@pytest.mark.usefixtures("torch_seed")
def test_a_block_with_a_feed_forward_part_has_six_times_as_many(make):
    block = AttentionBlock(D_TOKEN, n_heads=N_HEADS, d_hidden=4 * D_TOKEN)

    def matrices(module):
        return sum(w.numel() for w in module.parameters() if w.ndim == 2)

    assert matrices(block) == 12 * D_TOKEN**2 == 6 * matrices(make())


@pytest.mark.parametrize("projection", ["shared", "separate"])
def test_the_bases_of_values_span_what_heads_pass_on(make, x, projection):
    layer = make(projection=projection, output="tied", step_size=1.0)
    # Trained weights are orthonormal no longer.
    layer.bases.data += 0.3 * torch.randn(
        layer.bases.shape, generator=torch.Generator().manual_seed(0)
    )

    bases = layer.value_bases()

    p = layer.d_head
    assert_close(bases.mT @ bases, torch.eye(p).double().expand(N_HEADS, p, p))
    values = layer.bases[-N_HEADS * p :]
    for k, basis in enumerate(bases):
        rows = values[k * p : (k + 1) * p]
        assert_close(rows @ basis @ basis.T, rows)
    assert_close(layer.seen(x), layer.norm(x))
    assert make(norm=False).seen(x) is x


@kinds
def test_subspaces_are_orthonormal_at_the_start(make, kind):
    layer = make(**kind)
    for basis in layer.bases.detach().split(layer.d_head):
        assert_close(
            basis @ basis.T, torch.eye(layer.d_head).double(), rtol=0, atol=1e-6
        )


def test_all_subspaces_together_are_orthonormal_if_there_is_room(make):
    bases = make().bases.detach()

    assert_close(bases @ bases.T, torch.eye(D_TOKEN).double(), rtol=0, atol=1e-6)


@pytest.mark.parametrize("kind", KINDS[:5], ids=str)
def test_gradients_are_those_of_the_differences(make, x, kind):
    layer, x = make(**kind), x[:1, :3].requires_grad_()

    assert torch.autograd.gradcheck(layer, [x])


def test_the_step_is_learned_unless_it_is_fixed(make):
    assert "step_size" in dict(make().named_parameters())
    fixed = make(learn_step=False, step_size=0.25)
    assert "step_size" not in dict(fixed.named_parameters())
    assert float(fixed.step_size) == 0.25


@pytest.mark.parametrize(
    ("step_size", "low", "high"), [(1 / 12, -0.05, 0.05), (1, 0.25, 1)]
)
def test_small_steps_keep_the_tokens_of_a_deep_stack_apart(step_size, low, high):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(8, 32, 64, generator=generator)
    for _ in range(12):
        x = SubspaceAttention(
            64, n_heads=4, output="tied", step_size=step_size, generator=generator
        )(x)

    cosines = nn.functional.cosine_similarity(x[:, :, None], x[:, None], dim=-1)
    mean = (cosines.sum((1, 2)) - 32).mean() / (32 * 31)
    assert low <= mean.item() < high


def test_a_row_without_tokens_stays_finite(make, x, mask):
    mask[2] = False
    for threshold in (None, 0.3):
        assert make(threshold=threshold)(x, mask).isfinite().all()


def test_units_are_silenced_in_training_only(make, x, generator):
    layer = make(dropout=0.5)
    layer.dropout.generator = generator

    assert not torch.equal(layer.train()(x), layer(x))
    assert torch.equal(layer.eval()(x), layer(x))


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"n_heads": 5}, "n_heads must divide d_token unless d_head is given"),
        ({"n_heads": 0}, "n_heads must divide"),
        ({"d_head": 13}, "d_head must be between 1 and d_token=12, got 13"),
        ({"projection": "own"}, "projection must be one of .* got 'own'"),
        ({"output": "none"}, "output one of .* 'none'"),
    ],
)
def test_sizes_and_choices_are_checked(params, match):
    with pytest.raises(ValueError, match=match):
        SubspaceAttention(D_TOKEN, **{"n_heads": 3} | params)
