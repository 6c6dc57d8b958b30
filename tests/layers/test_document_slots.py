"""Slots by hand, their laws, and groups of any length without padding."""

import math

import pytest
import torch
from torch.testing import assert_close

from sklearn_ddcl.layers import PrototypeReadout
from sklearn_ddcl.layers.document_slots import SlotPooling, Slots, document_vectors
from sklearn_ddcl.layers.document_tokens import DocumentTokens, groups_of_one_length


def make(prototypes, temperature=1.0):
    prototypes = torch.as_tensor(prototypes, dtype=torch.float64)
    return SlotPooling(prototypes, temperature)


def draw(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(shape, dtype=torch.float64, generator=generator)


@pytest.fixture
def pooling():
    return make(draw(4, 3, seed=1))


def test_two_slots_by_hand():
    # Distances to the prototypes 0 and 2 are (0, 4) and (4, 0); the temperature makes
    # the odds 3 to 1. Slot 0: (3/4 * 0 + 1/4 * 2) / 1, slot 1: (1/4 * 0 + 3/4 * 2) / 1.
    pooling = make([[0.0], [2.0]], temperature=4 / math.log(3))

    slots = pooling(torch.tensor([[0.0], [2.0]]).double(), torch.tensor([0, 2]))

    assert_close(slots.vectors.tolist(), [[[0.5], [1.5]]])
    assert_close(slots.log_mass.exp().tolist(), [[1.0, 1.0]])


def test_masses_count_like_repeated_tokens(pooling):
    tokens = draw(3, 3)
    mass = torch.tensor([1.0, 2.0, 3.0]).double()

    weighted = pooling(tokens, torch.tensor([0, 3]), mass.log())

    repeated = pooling(tokens.repeat_interleave(mass.long(), 0), torch.tensor([0, 6]))
    assert_close(weighted, repeated)


def test_masses_add_up_to_the_number_of_tokens(pooling):
    bounds = torch.tensor([0, 2, 9])

    mass = pooling(draw(9, 3), bounds).log_mass.exp()

    assert_close(mass.sum(1).tolist(), [2.0, 7.0])


def test_the_weighted_mean_of_the_slots_is_the_mean_token(pooling):
    tokens = draw(9, 3)

    slots = pooling(tokens, torch.tensor([0, 9]))

    shares = slots.log_mass.softmax(1)
    assert_close((shares[..., None] * slots.vectors).sum(1)[0], tokens.mean(0))


def test_cold_slots_are_the_means_of_cells(pooling):
    tokens = draw(30, 3)
    nearest = torch.cdist(tokens, pooling.prototypes).argmin(1)
    cold = make(pooling.prototypes.detach(), temperature=1e-6)

    vectors = cold(tokens, torch.tensor([0, 30])).vectors[0]

    for k in nearest.unique().tolist():
        assert_close(vectors[k], tokens[nearest == k].mean(0))


def test_hot_slots_are_all_the_mean(pooling):
    tokens = draw(8, 3)
    hot = make(pooling.prototypes.detach(), temperature=1e9)

    vectors = hot(tokens, torch.tensor([0, 8])).vectors[0]

    assert_close(vectors, tokens.mean(0).expand(4, 3))


def test_slots_are_those_of_the_readout(pooling):
    tokens = draw(2, 5, 3)
    readout = PrototypeReadout(
        4, 3, summary="slots", temperature=1.0, generator=torch.Generator()
    ).double()
    readout.prototypes.data = pooling.prototypes.data

    vectors = pooling(tokens.flatten(0, 1), torch.tensor([0, 5, 10])).vectors

    assert_close(vectors.flatten(1), readout(tokens).summary)


def test_a_group_does_not_see_its_neighbors(pooling):
    tokens = draw(40, 3)
    bounds = torch.tensor([0, 3, 6, 20, 37, 40])

    together = pooling(tokens, bounds)

    for i in range(5):
        part = tokens[bounds[i] : bounds[i + 1]]
        alone = pooling(part, torch.tensor([0, len(part)]))
        assert_close(alone.vectors[0], together.vectors[i])
        assert_close(alone.log_mass[0], together.log_mass[i])


def test_shares_times_tokens_are_the_slots(pooling):
    tokens, log_mass = draw(6, 3), draw(6)

    shares = pooling.shares(tokens, log_mass)

    assert_close(shares.sum(1), torch.ones(4).double())
    slots = pooling(tokens, torch.tensor([0, 6]), log_mass)
    assert_close(shares @ tokens, slots.vectors[0])


def test_slots_far_from_every_token_stay_finite():
    pooling = make([[0.0], [1e4]], temperature=1e-3)

    slots = pooling(torch.tensor([[0.0], [1.0]]).double(), torch.tensor([0, 2]))

    assert torch.isfinite(slots.vectors).all()
    assert_close(document_vectors(slots).square().sum().item(), 1.0)


def test_gradients_are_right(pooling):
    bounds = torch.tensor([0, 2, 5])

    def vectors(tokens, prototypes):
        pooling = make(prototypes)
        del pooling.prototypes
        pooling.prototypes = prototypes
        return document_vectors(pooling(tokens, bounds))

    inputs = draw(5, 3), pooling.prototypes.detach()
    assert torch.autograd.gradcheck(vectors, [x.requires_grad_() for x in inputs])


def test_a_vector_by_hand():
    slots = Slots(
        torch.tensor([[[3.0, 4.0], [0.0, 2.0]]]),
        torch.tensor([[0.36, 0.64]]).log(),
    )

    vector = document_vectors(slots)

    assert_close(vector, torch.tensor([[0.36, 0.48, 0.0, 0.8]]))


def test_a_slot_at_the_center_has_no_direction():
    slots = Slots(torch.tensor([[[0.0, 0.0], [0.0, 2.0]]]), torch.zeros(1, 2))

    assert_close(document_vectors(slots)[0, :2].tolist(), [0.0, 0.0])


def test_groups_of_one_length_come_together_and_all_come():
    bounds = torch.tensor([0, 2, 5, 7, 8])

    found = list(groups_of_one_length(bounds, width=1))

    assert [groups.tolist() for groups, _ in found] == [[3], [0, 2], [1]]
    assert [items.tolist() for _, items in found] == [
        [[7]],
        [[0, 1], [5, 6]],
        [[2, 3, 4]],
    ]


def test_groups_come_in_parts_when_they_are_large():
    bounds = torch.arange(11) * 1000

    found = list(groups_of_one_length(bounds, width=250))

    assert [len(groups) for groups, _ in found] == [2, 2, 2, 2, 2]


def test_documents_are_counted_by_the_highest_level():
    bounds = torch.tensor([0, 2, 3, 6]), torch.tensor([0, 2, 3])

    assert len(DocumentTokens(torch.zeros(6, 3), bounds)) == 2


@pytest.mark.parametrize(
    ("prototypes", "temperature", "match"),
    [
        (torch.zeros(0, 3), 1.0, "at least one"),
        (torch.zeros(3), 1.0, "n_prototypes, d"),
        (torch.zeros(2, 3), 0.0, "temperature must be positive"),
    ],
)
def test_wrong_parameters(prototypes, temperature, match):
    with pytest.raises(ValueError, match=match):
        SlotPooling(prototypes, temperature)
