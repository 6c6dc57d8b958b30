"""Dead and duplicate prototypes are found and placed anew, by hand."""

import pytest
import torch

from sklearn_ddcl.training.callbacks.revive import (
    RevivePrototypes,
    farthest_token,
    find_idle,
)
from sklearn_ddcl.training.probe import measure

TOKENS = [0.0, 0.5, 10.0, 10.5]


def test_a_bank_in_use_has_no_idle_prototype(state_of):
    assert find_idle(*state_of(TOKENS, [0.2, 10.3])).tolist() == []


def test_a_prototype_that_answers_for_nothing_is_idle(state_of):
    assert find_idle(*state_of(TOKENS, [0.2, 99.0, 10.3])).tolist() == [1]


def test_of_two_duplicates_the_lighter_one_is_idle(state_of):
    # The pair shares the tokens 0 and 0.5, whose mean is nearer to the second one.
    idle = find_idle(*state_of(TOKENS, [0.2, 0.2001, 10.3], temperature=1.0))

    assert idle.tolist() == [0]


def test_of_equal_duplicates_one_stays(state_of):
    assert len(find_idle(*state_of(TOKENS, [0.2, 0.2, 0.2, 10.3]))) == 2


def test_near_prototypes_are_no_duplicates_where_tokens_are_as_near(state_of):
    # Tokens are 0.01 from their prototypes, which are 0.02 apart.
    tokens = [0.0, 0.02, 0.04]

    assert find_idle(*state_of(tokens, [0.01, 0.03], 1e-5)).tolist() == []


def test_the_least_useful_come_first(state_of):
    idle = find_idle(*state_of(TOKENS, [0.2, 17.0, 10.3, 15.0], temperature=2.0))

    assert idle.tolist() == [1, 3]


def test_never_are_all_idle(state_of):
    assert len(find_idle(*state_of(TOKENS, [5.0] * 6))) == 5
    assert find_idle(*state_of(TOKENS, [1e3])).tolist() == []


def test_rows_of_weight_zero_keep_no_prototype_alive(state_of):
    weights = [1.0, 1.0, 0.0, 0.0]

    assert find_idle(*state_of(TOKENS, [0.2, 10.3], weights=weights)).tolist() == [1]


def test_the_farthest_token_by_hand(state_of):
    prototypes, state = state_of([0.0, 3.0, 5.0, 11.0], [1.0, 10.0])

    # Gaps to the nearest prototype: 1, 2, 4 and 1.
    assert farthest_token(prototypes, state) == (2, 0)


def test_the_farthest_token_knows_row_and_position():
    tokens = torch.tensor([[[0.0], [1.0], [2.0]], [[0.5], [7.0], [1.0]]])
    q = torch.ones(2, 3, 1)
    state = measure(tokens, q, torch.zeros(2, dtype=torch.int64), torch.ones(2))

    assert farthest_token(torch.zeros(1, 1), state) == (1, 1)


@pytest.mark.parametrize("encoder", ["mlp", "transformer"])
def test_a_dead_prototype_moves_to_a_token_and_takes_its_class(make, rows, encoder):
    net = make(encoder, max_epochs=100)
    net.partial_fit(rows, epochs=1)
    bank, votes = net.module_.bank, net.module_.readout.votes
    with torch.no_grad():
        bank.prototypes[2] = 1e3
        votes.logits[2] = 5.0
    moments = net.optimizer_.state[bank.prototypes]
    moments["exp_avg"][2] = 7.0
    dict(net.callbacks_)["probe"].look(net)
    others = [0, 1, 3]
    before = bank.prototypes[others].detach().clone()

    n_revived = RevivePrototypes()._revive(net)

    assert n_revived == 1
    tokens = net.bank_state.tokens
    prototypes = bank.prototypes.detach()
    row, token = (tokens == prototypes[2]).all(-1).nonzero()[0].tolist()
    assert votes.logits[2].argmax() == net.bank_state.classes[row]
    assert votes.logits[2].max() >= 1
    assert torch.equal(prototypes[others], before)
    gaps = (tokens[:, :, None] - prototypes[others]).square().sum(-1).amin(-1)
    assert gaps[row, token] == pytest.approx(float(gaps.max()))
    assert (moments["exp_avg"][2] == 0).all()
    assert (moments["exp_avg"][others] != 0).any()
    # Where it stands now it answers for something.
    dict(net.callbacks_)["probe"].look(net)
    assert 2 not in find_idle(bank.prototypes, net.bank_state)


def test_at_most_a_quarter_moves_at_once(make, rows):
    net = make(max_epochs=100)
    net.partial_fit(rows, epochs=1)
    with torch.no_grad():
        net.module_.bank.prototypes[1:] = 1e3
    dict(net.callbacks_)["probe"].look(net)

    assert RevivePrototypes()._revive(net) == 1


def test_a_bank_of_duplicates_comes_apart_in_training(make, rows):
    net = make(max_epochs=60, lr=1e-3)
    net.partial_fit(rows, epochs=1)
    with torch.no_grad():
        net.module_.bank.prototypes[:] = net.module_.bank.prototypes[0].clone()
    net.partial_fit(rows, epochs=20)

    assert sum(net.measurements["n_revived"]) > 0
    assert net.measurements[-1]["min_prototype_distance"] > 0.1


def test_nothing_is_revived_at_the_start_or_after_annealing(make, rows):
    net = make(max_epochs=10)
    for _ in range(10):
        with torch.no_grad():
            net.module_.bank.prototypes[3] = 1e3
        net.partial_fit(rows, epochs=1)
    revived = net.measurements["n_revived"]

    assert revived[:2] == [0, 0]
    assert max(revived[2:5]) == 1
    # Annealing ends after seven epochs; what moves last has two of them to settle.
    assert revived[5:] == [0] * 5
