"""The prototype readout: by hand, masked, in any order, at linear cost."""

import math

import pytest
import torch
from torch.testing import assert_close
from torch.utils.flop_counter import FlopCounterMode

import sklearn_ddcl.functional as F
from sklearn_ddcl.layers import PrototypeReadout
from sklearn_ddcl.layers.prototype_readout import SUMMARIES

NAN = float("nan")


def make(summary, generator, temperature=1.0):
    return PrototypeReadout(
        4, 3, summary=summary, temperature=temperature, generator=generator
    ).double()


@pytest.fixture(params=SUMMARIES)
def readout(request, generator):
    return make(request.param, generator)


@pytest.fixture
def tokens(generator):
    return torch.randn(5, 6, 3, generator=generator, dtype=torch.float64)


@pytest.fixture
def mask():
    """Return a mask of 6, 4, 1, 3 and 5 tokens, not all at the front."""
    mask = torch.arange(6) < torch.tensor([6, 4, 1, 3, 5])[:, None]
    mask[3] = mask[3].flip(0)
    return mask


@pytest.mark.parametrize(
    ("summary", "expected"),
    [
        ("assignments", [0.5, 0.5]),
        ("reconstruction", [1.0]),  # of 0.5 and 1.5
        ("slots", [0.5, 1.5]),  # (0.75 * 0 + 0.25 * 2) / 1 and the other way round
        ("mean+assignments", [1.0, 0.5, 0.5]),
    ],
)
def test_summaries_by_hand(generator, summary, expected):
    # Prototypes and tokens at 0 and 2; the temperature makes the odds three to one.
    readout = PrototypeReadout(
        2, 1, summary=summary, temperature=4 / math.log(3), generator=generator
    )
    readout.prototypes.data = torch.tensor([[0.0], [2.0]])

    actual, assignments = readout(torch.tensor([[[0.0], [2.0]]]))

    assert_close(actual, torch.tensor([expected]))
    assert_close(assignments, torch.tensor([[[0.75, 0.25], [0.25, 0.75]]]))


@pytest.mark.parametrize(
    ("summary", "width"),
    [
        ("assignments", 4),
        ("reconstruction", 3),
        ("slots", 12),
        ("mean+assignments", 7),
    ],
)
def test_summaries_against_loops(tokens, mask, generator, summary, width):
    readout = make(summary, generator)
    prototypes = readout.prototypes

    actual, _ = readout(tokens, mask)

    assert actual.shape == (5, width)
    for row, present, answer in zip(tokens, mask, actual, strict=True):
        z = row[present]
        q = F.soft_assign(z, prototypes, 1.0)
        slots = [
            sum(q[t, k] * z[t] for t in range(len(z))) / q[:, k].sum() for k in range(4)
        ]
        expected = {
            "assignments": q.mean(0),
            "reconstruction": torch.stack(
                [q[t] @ prototypes for t in range(len(z))]
            ).mean(0),
            "slots": torch.cat(slots),
            "mean+assignments": torch.cat([z.mean(0), q.mean(0)]),
        }[summary]
        assert_close(answer, expected)


def test_assignments_are_those_of_the_competition_and_zero_elsewhere(
    readout, tokens, mask
):
    assignments = readout(tokens, mask).assignments

    expected = F.soft_assign(tokens, readout.prototypes, 1.0)
    assert_close(assignments[mask], expected[mask])
    assert assignments[~mask].abs().max() == 0
    assert_close(readout(tokens).assignments, expected)


def test_a_mask_of_all_tokens_changes_nothing(readout, tokens):
    everything = torch.ones(5, 6, dtype=torch.bool)
    assert_close(readout(tokens, everything), readout(tokens))


@pytest.mark.parametrize("garbage", [1e6, NAN, float("inf")])
def test_what_stands_where_no_token_is_does_not_matter(readout, tokens, mask, garbage):
    def answer(tokens):
        tokens = tokens.clone().requires_grad_()
        readout.zero_grad()
        summary, assignments = readout(tokens, mask)
        summary.square().sum().backward()
        return summary, assignments, tokens.grad, readout.prototypes.grad.clone()

    clean = answer(tokens)
    filled = answer(torch.where(mask[..., None], tokens, garbage))

    for expected, actual in zip(clean, filled, strict=True):
        assert torch.equal(actual, expected)
    assert clean[2][~mask].abs().max() == 0


def test_padding_a_row_changes_nothing(readout, tokens):
    padded = torch.cat([tokens, torch.zeros(5, 3, 3)], dim=1)
    mask = torch.arange(9).expand(5, 9) < 6
    assert_close(readout(padded, mask).summary, readout(tokens).summary)


def test_the_order_of_the_tokens_does_not_matter(readout, tokens, mask):
    order = torch.tensor([3, 0, 5, 1, 4, 2])

    shuffled = readout(tokens[:, order], mask[:, order]).summary

    assert_close(shuffled, readout(tokens, mask).summary)


def test_rows_do_not_see_each_other(readout, tokens):
    assert_close(readout(tokens[2:3]).summary[0], readout(tokens).summary[2])


def test_a_row_without_tokens_has_a_finite_summary(readout, tokens, mask):
    mask[2] = False
    # So far from zero that dividing by the smallest float would overflow.
    tokens = (100 * tokens).requires_grad_()

    summary, assignments = readout(tokens, mask)
    summary.sum().backward()

    assert summary[2].abs().max() == 0
    assert assignments[2].abs().max() == 0
    assert tokens.grad.isfinite().all()
    assert tokens.grad[2].abs().max() == 0
    assert readout.prototypes.grad.isfinite().all()


def test_cold_slots_stay_finite(tokens, generator):
    # Assignments underflow to exact zeros, also over all tokens of a row.
    readout = make("slots", generator, temperature=1e-4).float()
    tokens = tokens.float().requires_grad_()

    summary, assignments = readout(tokens)
    summary.sum().backward()

    assert assignments.sum(1).min() == 0
    assert summary.isfinite().all()
    assert tokens.grad.isfinite().all()
    assert readout.prototypes.grad.isfinite().all()


def test_gradient(readout, tokens, mask):
    def summarize(tokens, prototypes):
        state = {"prototypes": prototypes}
        return torch.func.functional_call(readout, state, (tokens, mask[:2])).summary

    inputs = (tokens[:2].requires_grad_(), readout.prototypes.detach().requires_grad_())
    assert torch.autograd.gradcheck(summarize, inputs)


def n_flops(readout, n_tokens):
    with FlopCounterMode(display=False) as counter:
        readout(torch.zeros(2, n_tokens, 3, dtype=torch.float64))
    return counter.get_total_flops()


def test_the_cost_is_linear_in_the_number_of_tokens(readout):
    one, two, three = (n_flops(readout, n * 50) for n in (1, 2, 3))

    assert one > 0
    assert three - two == two - one


def test_doubling_the_tokens_doubles_the_cost_of_assignments(generator):
    readout = make("assignments", generator)

    # One product of T x d by d x K for each of the two rows.
    assert n_flops(readout, 50) == 2 * 2 * 50 * 3 * 4
    assert n_flops(readout, 100) == 2 * n_flops(readout, 50)


def test_reconstructions_lie_in_the_hull_of_the_prototypes(tokens, generator):
    # Whatever the tokens, all are of rank K - 1 at most around the mean prototype.
    readout = PrototypeReadout(2, 3, summary="reconstruction", generator=generator)
    readout.double()

    summary = readout(tokens).summary - readout.prototypes.mean(0)

    assert torch.linalg.matrix_rank(summary) == 1


def test_the_default_temperature_is_a_quarter_of_the_width(generator):
    assert PrototypeReadout(4, 32, generator=generator).temperature.item() == 8.0


def test_the_temperature_is_state_but_no_parameter(readout):
    assert "temperature" in readout.state_dict()
    assert [name for name, _ in readout.named_parameters()] == ["prototypes"]


def test_a_new_temperature_takes_effect(readout, tokens):
    readout.temperature.fill_(0.1)
    expected = F.soft_assign(tokens, readout.prototypes, 0.1)
    assert_close(readout(tokens).assignments, expected)


def test_autocast_does_not_round_the_competition(generator):
    readout = PrototypeReadout(4, 3, temperature=0.05, generator=generator)
    tokens = torch.randn(5, 6, 3, generator=generator)

    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = readout.log_assign(tokens)

    assert torch.equal(inside, readout.log_assign(tokens))


def test_its_text_shows_sizes_summary_and_temperature(generator):
    text = repr(PrototypeReadout(4, 3, summary="slots", generator=generator))
    assert "4, 3, summary='slots', temperature=0.75" in text


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"n_prototypes": 0}, "at least 1, got n_prototypes=0 and d_token=3"),
        ({"d_token": 0}, "at least 1, got n_prototypes=4 and d_token=0"),
        ({"summary": "max"}, r"one of \('assignments', .*got 'max'"),
        ({"temperature": 0.0}, "temperature must be positive, got 0.0"),
        ({"temperature": NAN}, "temperature must be positive, got nan"),
    ],
)
def test_wrong_params(params, match):
    with pytest.raises(ValueError, match=match):
        PrototypeReadout(**{"n_prototypes": 4, "d_token": 3, **params})


@pytest.mark.parametrize(
    ("tokens_shape", "mask", "match"),
    [
        ((6, 3), None, r"shape \(batch, n_tokens, d_token\), got \(6, 3\)"),
        ((5, 6, 2), None, r"last dimension 3 .* shape \(5, 6, 2\)"),
        ((5, 6, 3), torch.ones(5, 6), r"boolean mask .*got torch.float32"),
        (
            (5, 6, 3),
            torch.ones(6, 5, dtype=torch.bool),
            r"of shape \(5, 6\), got torch.bool of shape \(6, 5\)",
        ),
    ],
)
def test_wrong_inputs(readout, tokens_shape, mask, match):
    with pytest.raises(ValueError, match=match):
        readout(torch.zeros(tokens_shape, dtype=torch.float64), mask)
