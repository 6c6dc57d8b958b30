"""Context pooling as a layer: what it predicts, and what it must not see."""

import pytest
import torch
from torch.testing import assert_close

from sklearn_ddcl.layers import ContextPool

D_TOKEN = 6


@pytest.fixture
def make(generator):
    def build(**params):
        layer = ContextPool(D_TOKEN, generator=generator, **params).double()
        for values in layer.parameters():  # also those that start at zero
            values.data += 0.3 * torch.randn(
                values.shape, generator=generator, dtype=torch.float64
            )
        return layer

    return build


@pytest.fixture
def x(generator):
    return torch.randn(3, 12, D_TOKEN, generator=generator, dtype=torch.float64)


@pytest.fixture
def distances(generator):
    places = torch.randn(12, 2, generator=generator, dtype=torch.float64)
    return (places[:, None] - places).square().sum(-1)


ORDER = torch.randperm(12, generator=torch.Generator().manual_seed(3))
MASK = torch.arange(12) < torch.tensor([12, 7, 3])[:, None]
SEQUENCES = [{}, {"window": 4}, {"kernel": 1}, {"causal": True}]
sequences = pytest.mark.parametrize("kind", SEQUENCES, ids=str)


def permuted(distances, order):
    return distances[order][:, order]


def test_a_new_layer_weighs_all_tokens_alike_at_half_the_reach(generator):
    layer = ContextPool(D_TOKEN, reach=0.2, min_size=0.3, generator=generator)
    x = torch.randn(2, 50, D_TOKEN, generator=generator)

    logits, sizes = layer.predict(x)

    assert bool((logits == 0).all())
    assert_close(sizes, torch.full_like(sizes, 0.3 + 0.2 * 50 / 2))


@sequences
def test_a_row_is_what_it_would_be_without_its_padding(make, x, kind):
    layer = make(**kind)
    padded = layer(x, MASK)
    for row, present, answer in zip(x, MASK, padded, strict=True):
        alone = layer(row[present][None])[0]
        assert_close(answer[present], alone, rtol=0, atol=1e-12)


@sequences
def test_what_stands_where_no_token_is_does_not_matter(make, x, kind):
    layer = make(**kind)
    garbage = x.masked_fill(~MASK[..., None], torch.nan)

    assert torch.equal(layer(garbage, MASK)[MASK], layer(x, MASK)[MASK])


def test_columns_in_another_order_are_pooled_alike(make, x, distances):
    layer = make(distances=distances)
    order = torch.randperm(12, generator=torch.Generator().manual_seed(0))
    before = layer(x)

    layer.distances = permuted(distances, order)

    assert_close(layer(x[:, order]), before[:, order], rtol=0, atol=1e-12)


def test_columns_on_a_learned_map_are_pooled_alike_in_another_order(make, x, distances):
    layer = make(positions=distances[:, :2])
    before = layer(x)

    layer.positions.data = layer.positions.data[ORDER]

    assert_close(layer(x[:, ORDER]), before[:, ORDER], rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", [{}, {"causal": True}, {"window": 2}], ids=str)
def test_an_order_is_that_of_the_sequence(make, x, kind):
    layer = make(order=ORDER, **kind)
    sequence = make(**kind)
    sequence.load_state_dict(layer.state_dict(), strict=False)

    answer, mask = layer(x, MASK), MASK[:, ORDER]

    expected = sequence(x[:, ORDER], mask)
    assert_close(answer[:, ORDER][mask], expected[mask], rtol=0, atol=0)
    for found, wanted in zip(
        layer.predict(x), sequence.predict(x[:, ORDER]), strict=True
    ):
        assert_close(found[:, ORDER], wanted, rtol=0, atol=0)


def test_positions_are_where_the_layer_starts(make, generator, distances):
    layer = ContextPool(D_TOKEN, positions=distances[:, :2], generator=generator)
    places = distances[:, :2].numpy()
    places = (places - places.mean(0)) / places.std(0, ddof=0).dot(
        places.std(0, ddof=0)
    ) ** 0.5
    expected = ((places[:, None] - places) ** 2).sum(-1)

    found = layer.squared_distances().detach()

    assert_close(found, torch.from_numpy(expected))
    assert_close(found.mean(), torch.tensor(2.0, dtype=torch.float64))


@pytest.mark.parametrize("change", [lambda p: 7 * p, lambda p: p + 5])
def test_where_a_map_lies_and_how_large_it_is_does_not_matter(
    make, x, distances, change
):
    layer = make(positions=distances[:, :2])
    before = layer(x)

    layer.positions.data = change(layer.positions.data)

    assert_close(layer(x), before, rtol=0, atol=1e-10)


def test_positions_are_learned(make, x, distances):
    layer = make(positions=distances[:, :3])

    layer(x).square().sum().backward()

    assert layer.positions.grad.isfinite().all()
    assert bool((layer.positions.grad.abs() > 1e-6).all())
    assert all(layer.positions is not p for p in (distances, distances[:, :3]))


def test_layers_can_share_positions(generator, distances):
    shared = torch.nn.Parameter(distances[:, :2])
    layers = torch.nn.ModuleList(
        ContextPool(D_TOKEN, positions=shared, generator=generator) for _ in range(2)
    )
    assert layers[0].positions is layers[1].positions is shared
    assert "0.positions" in layers.state_dict()


@pytest.mark.parametrize("kind", ["distances", "positions"])
@pytest.mark.parametrize("n_tokens", [1, 4])
def test_tokens_in_one_place_are_averaged(generator, kind, n_tokens):
    where = torch.zeros(n_tokens, n_tokens)
    layer = ContextPool(D_TOKEN, **{kind: where}, generator=generator)
    x = torch.randn(2, n_tokens, D_TOKEN, generator=generator)

    pooled = layer(x)
    pooled.square().sum().backward()

    assert_close(pooled, x.mean(1, keepdim=True).expand_as(x))
    assert all(p.grad.isfinite().all() for p in layer.parameters())


@sequences
def test_a_sequence_in_another_order_is_not(make, x, kind):
    layer = make(**kind)
    order = torch.randperm(12, generator=torch.Generator().manual_seed(0))

    assert not torch.allclose(layer(x[:, order]), layer(x)[:, order])


@pytest.mark.parametrize("window", [None, 3])
def test_a_causal_token_does_not_see_what_comes_after(make, x, window):
    layer = make(causal=True, window=window, reach=0.3)
    later = x.clone()
    later[:, 7:] += 1.0

    assert torch.equal(layer(later)[:, :7], layer(x)[:, :7])
    assert not torch.allclose(layer(later)[:, 7:], layer(x)[:, 7:])


def test_a_grid_has_neighbors_above_and_below(generator, x):
    layer = ContextPool(D_TOKEN, grid=(3, 4), reach=0.1, generator=generator)
    layer = layer.double()
    touched = x.clone()
    touched[:, 5] += 10.0  # second row, second column

    moved = (layer(touched) - layer(x)).abs().sum(-1).mean(0).reshape(3, 4)

    above, beside, beyond = moved[0, 1].item(), moved[1, 2].item(), moved[1, 3].item()
    assert above > 2 * beyond
    assert beside > 2 * beyond
    assert float(layer.distances[0, 11]) == 2**2 + 3**2


def test_prediction_on_a_grid_is_a_convolution_of_two_layers(make, x):
    layer = make(grid=(3, 4))
    image = x.transpose(1, 2).unflatten(2, (3, 4))
    look = layer.look.weight.unflatten(1, (D_TOKEN, 3, 3))
    blend = layer.blend.weight.unflatten(1, (-1, 3, 3))
    convolve = torch.nn.functional.conv2d
    hidden = convolve(image, look, layer.look.bias, padding=1).relu()
    expected = convolve(hidden, blend, layer.blend.bias, padding=1).flatten(2)

    logits, sizes = layer.predict(x)

    assert_close(logits, expected[:, 0], rtol=0, atol=1e-12)
    extent, reach = 4, 0.75
    wide = layer.min_size + reach * extent * expected[:, 1].sigmoid()
    assert_close(sizes, wide, rtol=0, atol=1e-12)


@pytest.mark.parametrize(
    "kind",
    [
        *SEQUENCES,
        {"grid": (3, 4)},
        {"order": ORDER},
        {"distances": None},
        {"positions": None},
    ],
    ids=str,
)
def test_gradients_are_those_of_the_differences(make, x, distances, kind):
    if None in kind.values():
        kind = dict.fromkeys(kind, distances)
    layer = make(**kind)
    x = x[:1].requires_grad_()

    def pooled(x, *values):
        named = dict(zip(dict(layer.named_parameters()), values, strict=True))
        return torch.func.functional_call(layer, named, (x,))

    assert torch.autograd.gradcheck(pooled, [x, *layer.parameters()])


@pytest.mark.parametrize("n_tokens", [2, 8, 60])
def test_sizes_can_be_learned_from_the_start(generator, n_tokens):
    layer = ContextPool(D_TOKEN, generator=generator)
    x = torch.randn(2, n_tokens, D_TOKEN, generator=generator)

    layer(x).square().sum().backward()

    # Of the second output, the size.
    assert float(layer.blend.bias.grad[1].abs()) > 1e-3


def test_equal_tokens_stay_what_they_are(make, x):
    same = x[:, :1].expand(-1, 12, -1)
    assert_close(make()(same), same, rtol=0, atol=1e-12)


def test_a_row_without_tokens_stays_finite(make, x, distances):
    mask = MASK.clone()
    mask[1] = False
    others = [{"order": ORDER}, {"distances": distances}, {"positions": distances}]
    for kind in (*SEQUENCES, *others):
        assert make(**kind)(x, mask)[mask].isfinite().all()


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"grid": (2, 2), "distances": torch.zeros(4, 4)}, "grid or distances, not b"),
        ({"grid": (2, 2), "positions": torch.zeros(4, 2)}, "grid or positions, not b"),
        ({"positions": torch.zeros(4, 2), "order": torch.arange(4)}, "need a sequence"),
        ({"order": torch.tensor([0, 2, 2])}, r"places once, got \[0, 2, 2\]"),
        ({"positions": torch.zeros(4)}, r"row per token, got shape \(4,\)"),
        ({"grid": (2, 2), "causal": True}, "need a sequence"),
        ({"distances": torch.zeros(4, 4), "window": 2}, "need a sequence"),
        ({"distances": torch.zeros(4, 3)}, r"square, got shape \(4, 3\)"),
        ({"kernel": 2}, "odd and positive, got 2"),
        ({"window": 0}, "window must be at least 1, got 0"),
    ],
)
def test_options_that_exclude_each_other_are_refused(params, match):
    with pytest.raises(ValueError, match=match):
        ContextPool(D_TOKEN, **params)
