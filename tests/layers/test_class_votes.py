"""Prototypes vote: the mixture, its logarithm in the extremes, linear heads within."""

import pytest
import torch
from torch.testing import assert_close

import sklearn_ddcl.functional as F
from sklearn_ddcl.layers import ClassVotes


def make(logits):
    logits = torch.as_tensor(logits)
    votes = ClassVotes(*logits.shape).to(logits.dtype)
    votes.logits.data = logits
    return votes


def log_mixture(log_assignments, logits):
    """Return the log of the mixture term by term, in float64."""
    table = logits.double().log_softmax(-1)
    return torch.logsumexp(log_assignments.double()[..., None] + table, dim=-2)


def random_log_assignments(scale, generator, n_prototypes=6):
    scores = scale * torch.randn(30, n_prototypes, generator=generator)
    return scores.log_softmax(-1)


def test_two_voters_by_hand():
    # Odds of 3 to 1 and of 1 to 1, heard with 0.6 and 0.4.
    votes = make(torch.tensor([[3.0, 1.0], [1.0, 1.0]]).log())

    proba = votes(torch.tensor([[0.6, 0.4]]).log()).exp()

    assert_close(proba, torch.tensor([[0.65, 0.35]]))


@pytest.mark.parametrize("scale", [1.0, 30.0, 1000.0])
@pytest.mark.parametrize("sharpness", [0.0, 3.0, 30.0])
def test_the_answer_is_the_log_of_the_mixture(generator, scale, sharpness):
    log_q = random_log_assignments(scale, generator)
    logits = sharpness * torch.rand(6, 4, generator=generator)

    actual = make(logits)(log_q)

    assert_close(actual.double(), log_mixture(log_q, logits), rtol=1e-5, atol=1e-5)


def test_a_class_known_to_an_idle_voter_only_is_not_lost(generator):
    # The voter in charge gives class 1 e^-50; the idle one, heard with e^-20, knows it.
    logits = torch.tensor([[50.0, 0.0], [0.0, 50.0]])
    log_q = torch.tensor([[0.0, -20.0]])

    actual = make(logits)(log_q)

    assert_close(actual.double(), log_mixture(log_q, logits))


def test_a_class_that_all_vote_against_is_not_lost():
    logits = torch.tensor([[200.0, 0.0], [200.0, 1.0]])
    log_q = torch.tensor([[0.25, 0.75]]).log()

    actual = make(logits)(log_q)

    assert_close(actual.double(), log_mixture(log_q, logits))


@pytest.mark.parametrize("scale", [1.0, 100.0, 1e4])
@pytest.mark.parametrize("sharpness", [1.0, 100.0, 1e4])
def test_answer_and_gradient_are_finite(generator, scale, sharpness):
    log_q = random_log_assignments(scale, generator).requires_grad_()
    votes = make(sharpness * torch.randn(6, 4, generator=generator))

    log_proba = votes(log_q)
    (1e4 * log_proba).sum().backward()

    assert log_proba.isfinite().all()
    assert log_q.grad.isfinite().all()
    assert votes.logits.grad.isfinite().all()


@pytest.mark.parametrize("scale", [1.0, 100.0, 1e4])
@pytest.mark.parametrize("sharpness", [1.0, 100.0, 1e4])
def test_probabilities_sum_to_one(generator, scale, sharpness):
    log_q = random_log_assignments(scale, generator)
    log_proba = make(sharpness * torch.randn(6, 4, generator=generator))(log_q)
    assert_close(log_proba.logsumexp(-1), torch.zeros(30), rtol=0, atol=2e-6)


def test_far_below_all_others_there_is_a_floor():
    # The true log probability of class 1 is -2000.
    log_proba = make([[2000.0, 0.0], [0.0, 2000.0]])(torch.tensor([[0.0, -3000.0]]))

    assert log_proba[0, 0] == 0
    assert -80 < log_proba[0, 1] < -60


@pytest.mark.parametrize("sharpness", [0.5, 20.0])
def test_gradient(generator, sharpness):
    logits = sharpness * torch.randn(6, 4, generator=generator, dtype=torch.float64)
    votes = make(logits)
    scores = 5 * torch.randn(3, 6, generator=generator, dtype=torch.float64)

    def answer(scores, logits):
        log_q = scores.log_softmax(-1)
        return torch.func.functional_call(votes, {"logits": logits}, log_q)

    inputs = (scores.requires_grad_(), logits.requires_grad_())
    assert torch.autograd.gradcheck(answer, inputs)


def test_one_prototype_per_class_contains_every_linear_softmax_head(generator):
    n_classes, d, temperature = 4, 5, 0.7
    weight = torch.randn(n_classes, d, generator=generator, dtype=torch.float64)
    bias = 2 * torch.randn(n_classes, generator=generator, dtype=torch.float64)
    z = torch.randn(50, d, generator=generator, dtype=torch.float64)
    # A prototype p_c = temperature / 2 * (w_c + v) scores w_c z + v z - |p_c|^2 /
    # temperature. The softmax drops v z, so v is free to make the last term the bias:
    # temperature / 4 * |w_c + v|^2 + bias_c must be the same for all classes.
    ones = torch.ones(n_classes, 1, dtype=torch.float64)
    norms = weight.square().sum(-1) / 2 + 2 / temperature * bias
    v = torch.linalg.lstsq(torch.cat([weight, ones], 1), -norms).solution[:d]
    prototypes = temperature / 2 * (weight + v)

    votes = make(1e3 * torch.eye(n_classes, dtype=torch.float64))
    actual = votes(F.log_soft_assign(z, prototypes, temperature))

    expected = (z @ weight.T + bias).log_softmax(-1)
    assert_close(actual, expected, rtol=1e-10, atol=1e-10)


def test_prototypes_are_dealt_to_the_classes_in_turn():
    votes = ClassVotes(5, 3, sharpness=2.0)

    assert votes.log_distributions().argmax(-1).tolist() == [0, 1, 2, 0, 1]
    log_odds = votes.logits.amax(-1) - votes.logits.amin(-1)
    assert log_odds.tolist() == [2.0] * 5


def test_fewer_prototypes_than_classes_are_fine():
    log_proba = ClassVotes(2, 5)(torch.tensor([[0.5, 0.5]]).log())
    assert_close(log_proba.exp().sum().item(), 1.0)


def test_leading_dimensions_are_kept(generator):
    votes = make(torch.randn(6, 4, generator=generator))
    log_q = random_log_assignments(1.0, generator)

    stacked = votes(log_q.reshape(2, 15, 6))

    assert_close(stacked.reshape(30, 4), votes(log_q))


def test_autocast_does_not_round_the_votes(generator):
    votes = make(torch.randn(6, 4, generator=generator))
    log_q = random_log_assignments(1.0, generator)

    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = votes(log_q)

    assert torch.equal(inside, votes(log_q))
