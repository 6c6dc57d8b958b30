"""The prototypes account for the whole decision."""

import pytest
import torch
from torch.testing import assert_close

from sklearn_ddcl.networks.readouts import PrototypeVoting


@pytest.mark.parametrize("encoder", ["mlp", "transformer"])
@pytest.mark.parametrize("temperature", [0.01, 1.0, 100.0])
def test_a_probability_is_the_mean_assignment_times_the_class_distributions(
    make, numbers, codes, encoder, temperature
):
    network = make(encoder).double()
    network.bank.temperature.fill_(temperature)
    network.readout.votes.logits.data.normal_(generator=torch.Generator())

    log_proba, _, log_q = network.eval()(numbers.double(), codes)

    shares = log_q.exp().mean(1)
    distributions = network.readout.votes.logits.softmax(-1)
    proba = log_proba.exp().mean(1)
    assert_close(proba, shares @ distributions, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("encoder", ["mlp", "transformer"])
def test_a_prototype_without_an_opinion_moves_no_odds(make, numbers, codes, encoder):
    # All uniform: whatever the row, all classes are equally likely.
    network = make(encoder).eval()
    network.readout.votes.logits.data.fill_(0.7)

    log_proba, _, _ = network(numbers, codes)

    assert_close(log_proba.exp(), torch.full_like(log_proba, 1 / 3))


@pytest.mark.parametrize("n_views", [1, 6])
def test_the_order_of_the_tokens_does_not_matter(generator, n_views):
    voting = PrototypeVoting(8, 3, 5, n_views=n_views, generator=generator).double()
    tokens = torch.randn(4, 6, 8, generator=generator, dtype=torch.float64)

    proba = voting(tokens)[0].exp().mean(1)
    shuffled = voting(tokens[:, torch.randperm(6, generator=generator)])[0]

    assert_close(shuffled.exp().mean(1), proba)


def test_views_decide_by_themselves_and_columns_together(generator):
    tokens = torch.randn(4, 6, 8, generator=generator)

    for n_views in (6, 1):
        voting = PrototypeVoting(8, 3, 5, n_views=n_views, generator=generator)
        assert voting(tokens)[0].shape[1] == voting.n_decisions == n_views


def test_the_temperature_of_the_votes_is_that_of_the_bank(generator):
    voting = PrototypeVoting(8, 3, 5, generator=generator)
    tokens = torch.randn(4, 6, 8, generator=generator)
    before = voting(tokens)[0]

    voting.temperature.fill_(1e6)

    assert float(voting.bank.temperature) == 1e6
    assert (voting(tokens)[0] - before).abs().max() > 0.01
