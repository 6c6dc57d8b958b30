"""Columns as tokens that are pooled: what the order of the columns may change."""

import copy
import pickle

import pytest
import torch
from torch.testing import assert_close

from sklearn_ddcl.networks import AoTEncoder, TransformerEncoder
from sklearn_ddcl.networks.column_distances import column_distances
from sklearn_ddcl.networks.table import TableSpec, describe_table

N_NUMBERS, CARDINALITIES = 5, (3, 4)
MOVED = torch.tensor([3, 0, 4, 2, 1])
KINDS = ["index", "seriation", "correlation", "learned"]
kinds = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture
def numbers(generator):
    base = torch.randn(40, N_NUMBERS, generator=generator, dtype=torch.float64)
    mixing = torch.randn(N_NUMBERS, N_NUMBERS, generator=generator).double()
    return base @ mixing


@pytest.fixture
def codes(generator):
    columns = [torch.randint(0, n, (40,), generator=generator) for n in CARDINALITIES]
    return torch.stack(columns, 1)


def make(kind, numbers, codes, encoder=TransformerEncoder):
    params = encoder(
        2, d_token=8, n_heads=2, numerical="linear", dropout=0.0, context_pool=kind
    )
    spec = describe_table(params, numbers, codes, CARDINALITIES, torch.ones(40))
    generator = torch.Generator().manual_seed(0)
    network = params.build(spec, cls_token=True, generator=generator).double()
    for name, values in network.named_parameters():
        if name.startswith("pools") and "positions" not in name:
            # Sizes and weights would start out equal.
            noise = torch.randn(values.shape, generator=generator, dtype=values.dtype)
            values.data += 0.3 * noise
    return network.eval()


def give_weights(source, target, order):
    """Copy weights so that those of every column go with it."""
    state = copy.deepcopy(source.state_dict())
    whole = torch.cat([order, torch.arange(N_NUMBERS, N_NUMBERS + 2)])
    own = target.state_dict()
    for name, values in state.items():
        if name.startswith("tokenizer.numbers") and len(values) == N_NUMBERS:
            state[name] = values[order]
        elif name == "column" or name.endswith("positions"):
            state[name] = values[whole]
        elif name.endswith((".distances", ".order")):
            # These come from the table, not from a draw.
            state[name] = own[name]
    target.load_state_dict(state)


@pytest.mark.parametrize("encoder", [TransformerEncoder, AoTEncoder])
@kinds
def test_only_the_order_of_the_table_tells_columns_apart(numbers, codes, kind, encoder):
    network = make(kind, numbers, codes, encoder)
    other = make(kind, numbers[:, MOVED], codes, encoder)
    give_weights(network, other, MOVED)
    tokens = torch.cat([torch.tensor([0]), MOVED + 1, torch.tensor([6, 7])])
    expected = network(numbers, codes)[:, tokens]
    sizes = network.pool_sizes(numbers, codes)[..., tokens[1:] - 1]

    answer = other(numbers[:, MOVED], codes)

    alike = torch.allclose(answer, expected, rtol=0, atol=1e-10)
    assert alike == (kind != "index")
    if alike:
        moved = other.pool_sizes(numbers[:, MOVED], codes)
        assert_close(moved, sizes, rtol=0, atol=1e-10)


def test_seriation_is_the_same_order_wherever_columns_stand(numbers, codes):
    first = make("seriation", numbers, codes).column_order()
    second = make("seriation", numbers[:, MOVED], codes).column_order()

    whole = torch.cat([MOVED, torch.tensor([5, 6])])
    assert torch.equal(whole[second], first)


@kinds
def test_the_class_token_is_not_pooled(numbers, codes, kind):
    network = make(kind, numbers, codes)
    seen = []
    network.blocks[0].register_forward_pre_hook(lambda _, args: seen.append(args[0]))

    network(numbers, codes)

    assert torch.equal(seen[0][:, 0], network.cls[:, 0].expand(40, -1))


@pytest.mark.usefixtures("torch_seed")
@kinds
def test_a_state_fills_a_network_that_never_saw_the_table(numbers, codes, kind):
    network = make(kind, numbers, codes)
    params = TransformerEncoder(
        2, d_token=8, n_heads=2, numerical="linear", context_pool=kind
    )
    spec = describe_table(params, numbers, codes, CARDINALITIES, torch.ones(40))
    blank = TableSpec.from_state(spec.get_state())
    twin = params.build(blank, cls_token=True, generator=None).double().eval()

    twin.load_state_dict(network.state_dict())

    assert torch.equal(twin(numbers, codes), network(numbers, codes))


@kinds
def test_copies_share_positions_as_the_original_does(numbers, codes, kind):
    network = make(kind, numbers, codes)
    for twin in (copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        assert torch.equal(twin(numbers, codes), network(numbers, codes))
        first, second = twin.pools
        if kind == "learned":
            assert first.positions is second.positions


def test_a_map_starts_from_the_associations(numbers, codes):
    wanted = column_distances(numbers, codes, CARDINALITIES)

    found = make("learned", numbers, codes).column_distances()

    apart = ~torch.eye(7, dtype=torch.bool)
    pairs = torch.stack([found[apart].detach(), wanted[apart]])
    assert float(torch.corrcoef(pairs)[0, 1]) > 0.6


@kinds
def test_it_runs_in_reduced_precision(numbers, codes, kind):
    network = make(kind, numbers, codes).float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        tokens = network(numbers.float(), codes)
    assert tokens.isfinite().all()


def test_without_distances_the_error_says_where_they_come_from(generator):
    params = TransformerEncoder(context_pool="seriation", numerical="linear")
    with pytest.raises(ValueError, match="'seriation' needs to know how far"):
        params.build(TableSpec(2, ()), cls_token=False, generator=generator)


def test_an_unknown_kind_is_answered_by_the_known_ones(generator):
    params = TransformerEncoder(context_pool="nearest", numerical="linear")
    with pytest.raises(ValueError, match=r"one of .*'seriation'.* got 'nearest'"):
        params.build(TableSpec(2, ()), cls_token=False, generator=generator)
