"""The whole network: every encoder with every readout."""

import copy
import pickle

import pytest
import torch
from torch.testing import assert_close

from sklearn_ddcl.networks import (
    ENCODERS,
    READOUTS,
    AoTEncoder,
    INCRTEncoder,
    MLPEncoder,
    TableClassifier,
    TransformerEncoder,
)
from sklearn_ddcl.networks.table import TableSpec

N_ROWS, N_CLASSES = 12, 3
POOLED = ["pooled", "pooled-in-order"]
N_VIEWS = {
    "mlp": 3,
    "mlp-piecewise-linear": 3,
    "mlp-linear": MLPEncoder().n_views,
    "mlp-periodic": MLPEncoder().n_views,
}


@pytest.fixture(
    params=[*N_VIEWS, "transformer", "transformer-linear", "aot", "incrt", *POOLED]
)
def encoder(request):
    return request.param


@pytest.fixture(params=["ddcl", "mean", "cls"])
def readout(request):
    return request.param


@pytest.fixture
def network(make, encoder, readout):
    """Return a network whose random training steps draw from a generator."""
    network = make(encoder, readout)
    network.use_generator(torch.Generator().manual_seed(1))
    return network


def n_tokens(encoder, readout):
    """Return the number of views, or of columns and perhaps a class token."""
    return N_VIEWS.get(encoder, 5 + (readout == "cls"))


def test_the_names_here_are_all_there_are():
    assert ENCODERS == {
        "mlp": MLPEncoder,
        "transformer": TransformerEncoder,
        "aot": AoTEncoder,
        "incrt": INCRTEncoder,
    }
    assert list(READOUTS) == ["ddcl", "mean", "cls"]


def test_shapes(network, encoder, readout, numbers, codes):
    log_proba, tokens, log_assignments = network(numbers, codes)

    n_decisions = 1 if readout == "cls" else N_VIEWS.get(encoder, 1)
    assert network.n_decisions == n_decisions
    assert log_proba.shape == (N_ROWS, n_decisions, N_CLASSES)
    assert tokens.shape == (N_ROWS, n_tokens(encoder, readout), 8)
    if readout == "ddcl":
        assert log_assignments.shape == (*tokens.shape[:2], 5)
    else:
        assert log_assignments is None


def test_probabilities_of_every_view_sum_to_one(network, numbers, codes):
    log_proba, _, _ = network(numbers, codes)
    assert_close(log_proba.exp().sum(-1), torch.ones(log_proba.shape[:2]))


def test_tokens_are_normalized_without_learned_scales(network, numbers, codes):
    network.eval()
    raw = network.encoder(numbers, codes)

    tokens = network.tokens(numbers, codes)

    centered = raw - raw.mean(-1, keepdim=True)
    size = (centered.square().mean(-1, keepdim=True) + 1e-8).sqrt()
    assert_close(tokens, centered / size)
    assert not list(network.norm.parameters())


def test_the_tokens_returned_are_those_read_out(network, numbers, codes):
    network.eval()
    answer = network.predict(numbers, codes)

    log_proba, log_assignments = network.readout(answer.tokens)

    assert_close(answer.tokens, network.tokens(numbers, codes))
    assert_close(answer.log_proba, log_proba)
    assert_close(answer.log_assignments, log_assignments)


@pytest.mark.parametrize("rows", [slice(0, 1), slice(3, 8)])
def test_rows_do_not_see_each_other(network, numbers, codes, rows):
    network.double()
    for training in (False, True):
        network.train(training)
        network.use_generator(torch.Generator().manual_seed(1))
        together = network(numbers.double(), codes)[0]
        network.use_generator(torch.Generator().manual_seed(1))
        alone = network(numbers[rows].double(), codes[rows])[0]
        assert_close(alone, together[rows])


def test_every_column_matters(network, numbers, codes):
    network.eval()
    numbers = numbers.nan_to_num(0.5)
    before = network(numbers, codes)[0]
    for j in range(3):
        changed = numbers.clone()
        changed[:, j] = numbers[:, j].flip(0)
        assert not torch.allclose(network(changed, codes)[0], before), f"number {j}"
    for j in range(2):
        changed = codes.clone()
        changed[:, j] = (codes[:, j] + 1) % 3
        assert not torch.allclose(network(numbers, changed)[0], before), f"category {j}"


def test_a_missing_number_is_told_from_any_value(network, numbers, codes):
    network.eval()
    missing = numbers.clone()
    missing[:, 0] = float("nan")

    answer = network(missing, codes)[0]

    assert answer.isfinite().all()
    for value in (-1.0, 0.0, 1.0):
        filled = missing.clone()
        filled[:, 0] = value
        assert not torch.allclose(network(filled, codes)[0], answer)


def test_all_gradients_are_finite(network, readout, numbers, codes):
    log_proba, _, _ = network(numbers, codes)
    (-log_proba[..., 0].mean()).backward()

    for name, values in network.named_parameters():
        assert values.grad is not None, name
        assert values.grad.isfinite().all(), name
    if readout == "ddcl":
        assert network.bank.prototypes.grad.abs().max() > 0


def test_a_saved_state_gives_the_same_answers(network, make, encoder, readout, numbers):
    codes = torch.zeros(N_ROWS, 2, dtype=torch.int64)
    other = make(encoder, readout, seed=9)
    before = other.eval()(numbers, codes)[0]

    other.load_state_dict(network.state_dict())

    expected = network.eval()(numbers, codes)
    assert_close(other(numbers, codes), expected, rtol=0, atol=0)
    assert not torch.allclose(before, expected[0])


def test_it_runs_in_float64(network, numbers, codes):
    network.eval()
    single = network(numbers, codes)

    double = network.double()(numbers.double(), codes)

    assert {x.dtype for x in double if x is not None} == {torch.float64}
    assert_close(double[0].float(), single[0], rtol=1e-4, atol=1e-4)


def test_autocast_does_not_round_what_the_prototypes_decide(
    make, encoder, numbers, codes
):
    network = make(encoder).eval()

    with torch.autocast("cpu", dtype=torch.bfloat16):
        log_proba, _, log_q = network(numbers, codes)

    assert log_proba.dtype == log_q.dtype == torch.float32
    shares = log_q.exp().mean(1)
    expected = shares @ network.readout.votes.logits.softmax(-1)
    assert_close(log_proba.exp().mean(1), expected)


def test_copies_answer_alike(network, numbers, codes):
    expected = network.eval()(numbers, codes)[0]
    for twin in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        assert torch.equal(twin(numbers, codes)[0], expected)


def test_the_same_seed_gives_the_same_network(make, encoder, readout):
    before = torch.get_rng_state()
    first, second, other = (make(encoder, readout, seed=seed) for seed in (3, 3, 4))

    assert torch.equal(torch.get_rng_state(), before)
    assert_close(first.state_dict(), second.state_dict(), rtol=0, atol=0)
    ends = ("categories.weight", "category_tokenizer.weight")
    drawn = [name for name in first.state_dict() if name.endswith(ends)]
    assert drawn
    for name in drawn:
        assert not torch.equal(first.state_dict()[name], other.state_dict()[name])


def test_training_steps_draw_from_the_generator_alone(make, encoder, numbers, codes):
    network = make(encoder).train()

    def answer(seed):
        network.use_generator(torch.Generator().manual_seed(seed))
        return network(numbers, codes)[0]

    before = torch.get_rng_state()
    assert torch.equal(answer(3), answer(3))
    assert not torch.equal(answer(3), answer(4))
    assert torch.equal(torch.get_rng_state(), before)


def test_only_the_prototype_readout_has_a_bank(network, readout):
    if readout == "ddcl":
        assert network.bank is network.readout.bank
        assert network.bank.prototypes.shape == (5, 8)
    else:
        assert network.bank is None


@pytest.mark.parametrize("encoder", ["mlp", "transformer"])
@pytest.mark.parametrize("spec", [TableSpec(2, ()), TableSpec(0, (4,))])
def test_a_table_may_lack_numbers_or_categories(encoder, spec, generator):
    network = TableClassifier(
        spec, 2, ENCODERS[encoder](numerical="linear"), generator=generator
    ).eval()

    numbers = torch.zeros(5, spec.n_numbers)
    codes = torch.zeros(5, len(spec.cardinalities), dtype=torch.int64)

    assert network(numbers, codes)[0].isfinite().all()


def test_a_transformer_tells_columns_apart(make, codes):
    # Equal curves and embeddings: only the column's own vector is left to differ.
    network = make("transformer-linear").eval()
    tokenizer = network.encoder.tokenizer.numbers
    for values in tokenizer.parameters():
        values.data[:] = values[0]
    x = torch.tensor([[1.0, -1.0, 0.0]])

    tokens = network.tokens(x, codes[:1])
    swapped = network.tokens(x[:, [1, 0, 2]], codes[:1])

    assert not torch.allclose(swapped[:, [1, 0]], tokens[:, :2])


def test_the_class_token_of_a_transformer_stands_first(make, numbers, codes):
    network = make("transformer", "cls").eval()
    before = network.tokens(numbers, codes)

    network.encoder.cls.data += torch.linspace(-1, 2, 8).square()

    assert not torch.allclose(network.tokens(numbers, codes)[:, 0], before[:, 0])
    without_blocks = make("transformer", "cls").eval()
    without_blocks.encoder.blocks = torch.nn.ModuleList()
    tokens = without_blocks.tokens(numbers, codes)
    assert_close(tokens[:, 0], tokens[:1, 0].expand(N_ROWS, 8))


@pytest.mark.parametrize(
    ("encoder", "match"),
    [
        (MLPEncoder(numerical="spline"), r"'linear'\), got 'spline'"),
        (MLPEncoder(numerical="linear", dropout=1.0), r"dropout must be in \[0, 1\)"),
        (TransformerEncoder(numerical="linear", n_heads=5), "n_heads must divide"),
        (AoTEncoder(numerical="linear", n_heads=5), "n_heads must divide"),
    ],
)
def test_what_cannot_be_built(generator, encoder, match):
    with pytest.raises(ValueError, match=match):
        TableClassifier(TableSpec(2, ()), 2, encoder, generator=generator)


def test_mixed_views_read_numbers_in_two_ways(spec, generator):
    def tokenizers(n_views):
        encoder = MLPEncoder(numerical="mixed", n_views=n_views)
        network = TableClassifier(spec, 2, encoder, generator=generator)
        return [type(t.tokenizer).__name__ for t in network.encoder.number_tokenizers]

    both = ["PiecewiseLinearTokenizer", "PeriodicTokenizer"]
    assert tokenizers(1) == both[:1]
    assert tokenizers(2) == tokenizers(5) == both


@pytest.mark.parametrize(("n_columns", "width"), [(1, 8), (32, 8), (33, 4), (80, 4)])
def test_many_columns_enter_views_in_a_smaller_width(generator, n_columns, width):
    spec = TableSpec(n_columns - 1, (3,), (torch.arange(3.0),) * (n_columns - 1))

    def d_in(**params):
        network = TableClassifier(spec, 2, MLPEncoder(**params), generator=generator)
        return network.encoder.views.weights[0].shape[1]

    assert d_in() == n_columns * width
    assert d_in(d_column=5) == n_columns * 5


def test_every_view_sees_plain_numbers_unless_told_otherwise(
    spec, numbers, codes, generator
):
    def inputs_of_views(**params):
        encoder = MLPEncoder(n_views=3, d_column=6, **params)
        network = TableClassifier(spec, 2, encoder, generator=generator).encoder.eval()
        seen = []
        network.views.register_forward_hook(lambda module, args, out: seen.extend(args))
        network(numbers, codes)
        return seen[0][..., : 6 * spec.n_numbers].unflatten(2, (-1, 6))

    plain = numbers.nan_to_num(0)
    plain = plain / (1 + plain**2 / 9).sqrt()
    assert_close(inputs_of_views()[..., -1], plain[:, None].expand(-1, 3, -1))
    bent = inputs_of_views(plain_numbers=False)[..., -1]
    assert not torch.isclose(bent, plain[:, None]).all(0).any()


@pytest.mark.parametrize(
    ("n_views", "expected"), [(1, [1]), (2, [1, 1]), (3, [2, 1]), (7, [4, 3])]
)
def test_views_share_curves_of_their_kind_and_own_their_embeddings(
    spec, numbers, codes, generator, n_views, expected
):
    encoder = MLPEncoder(numerical="mixed", n_views=n_views, d_column=6)
    network = TableClassifier(spec, 2, encoder, generator=generator).encoder.eval()
    seen = []
    network.views.register_forward_hook(lambda module, inputs, out: seen.extend(inputs))

    network(numbers, codes)

    curves = [tokenize(numbers) for tokenize in network.number_tokenizers]
    embedded = network.category_tokenizer(codes).split(6, dim=2)
    kinds = [kind for kind, n in enumerate(expected) for _ in range(n)]
    own = [torch.cat([curves[k], embedded[v]], 1) for v, k in enumerate(kinds)]
    assert torch.equal(seen[0], torch.stack([part.flatten(1) for part in own], 1))


@pytest.mark.parametrize(
    "shape", [TableSpec(0, (4, 3)), TableSpec(2, (), (torch.arange(3.0),) * 2)]
)
def test_a_table_may_lack_a_kind_of_column(shape, generator):
    encoder = MLPEncoder(numerical="mixed", n_views=3)
    network = TableClassifier(shape, 2, encoder, generator=generator).eval()
    numbers = torch.zeros(5, shape.n_numbers)
    codes = torch.zeros(5, len(shape.cardinalities), dtype=torch.int64)

    assert network(numbers, codes)[0].shape == (5, 3, 2)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", N_VIEWS)
def test_a_view_may_encode_rows_of_its_own(make, numbers, codes, name, training):
    network = make(name).double().train(training)
    generator = torch.Generator().manual_seed(0)
    rows = torch.randint(0, N_ROWS, (7, N_VIEWS[name]), generator=generator)

    def tokens(*rows):
        network.use_generator(torch.Generator().manual_seed(1))
        return network.tokens(numbers.double(), codes, *rows)

    every, own = tokens(), tokens(rows)

    expected = [[every[row, v] for v, row in enumerate(mine)] for mine in rows.tolist()]
    assert_close(own, torch.stack([torch.stack(mine) for mine in expected]))
