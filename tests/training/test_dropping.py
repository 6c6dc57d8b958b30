"""A bank is left with the prototypes that its decisions need."""

import numpy as np
import pytest
import torch

from sklearn_ddcl.training.data import EncodedRows
from sklearn_ddcl.training.dropping import (
    Bank,
    Imitation,
    Tokens,
    as_good,
    distinct,
    losses,
    removal_losses,
)

TEMPERATURE = torch.tensor(0.7, dtype=torch.float64)


def random(*shape, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def make_tokens(n=50, t=2, d=3):
    voices = torch.full((n, t), 1 / t, dtype=torch.float64)
    classes = torch.arange(n) % 2
    shares = torch.rand(n, generator=torch.Generator().manual_seed(1)).double()
    return Tokens(random(n, t, d), classes, voices, shares / shares.sum())


@pytest.fixture
def bank():
    return Bank(random(5, 3, seed=2), random(5, 2, seed=3))


def expected_loss(bank, tokens):
    """Return the mean loss, row by row."""
    prototypes, votes = bank.prototypes.numpy(), bank.logits.softmax(1).numpy()
    total = 0.0
    for row, c, share in zip(
        *map(np.asarray, (tokens[0], tokens[1], tokens[3])), strict=True
    ):
        supports = []
        for token in row:
            near = np.exp(-((token - prototypes) ** 2).sum(1) / float(TEMPERATURE))
            supports.append((near @ votes[:, c]) / near.sum())
        total -= share * np.log(np.mean(supports))
    return total


def test_the_loss_of_a_bank_is_that_of_its_decisions(bank):
    tokens = make_tokens()

    found = tokens.shares @ losses(bank, tokens, TEMPERATURE)

    assert float(found) == pytest.approx(expected_loss(bank, tokens), rel=1e-10)


def test_what_a_removal_costs_is_what_the_others_alone_would_say(bank):
    tokens = make_tokens()

    found = removal_losses(bank, tokens, TEMPERATURE)

    others = [bank.keep(torch.arange(5) != k) for k in range(5)]
    expected = [expected_loss(other, tokens) for other in others]
    assert found.tolist() == pytest.approx(expected, rel=1e-9)


def test_others_take_over_the_part_of_a_duplicate(bank):
    tokens = make_tokens()
    doubled = Bank(*(torch.cat([part, part[:2]]) for part in bank))
    generator = torch.Generator().manual_seed(0)
    imitation = Imitation(tokens, doubled, TEMPERATURE, generator)

    dropped = doubled.keep(torch.arange(7) < 5)
    taught = imitation.teach(dropped)

    def gap(bank):
        answers = bank.answer(imitation.tokens, TEMPERATURE)
        return float((answers - imitation.answers).abs().mean())

    assert gap(taught) < 0.5 * gap(dropped)


def test_imitation_learns_nothing_from_classes(bank):
    tokens = make_tokens()
    others = tokens._replace(classes=1 - tokens.classes)

    one, other = (
        Imitation(own, bank, TEMPERATURE, torch.Generator().manual_seed(0)).teach(
            bank.keep(torch.arange(3))
        )
        for own in (tokens, others)
    )

    assert torch.equal(one.prototypes, other.prototypes)


def test_a_standard_error_of_the_difference_is_no_difference():
    best = torch.tensor([0.0, 2.0], dtype=torch.float64)
    shares = torch.tensor([0.5, 0.5], dtype=torch.float64)
    uneven = torch.tensor([1.0, -1.0], dtype=torch.float64)

    # The standard deviation is 1, of the mean of two rows 0.707.
    assert as_good(best + uneven + 0.7, best, shares)
    assert not as_good(best + uneven + 0.71, best, shares)
    assert not as_good(best + 1e-6, best, shares)


def test_equal_rows_are_one_that_weighs_as_much():
    numbers = torch.tensor([[1.0], [torch.nan], [1.0], [torch.nan], [0.0], [1.0]])
    codes = torch.tensor([[2], [0], [2], [0], [0], [2]])
    classes = torch.tensor([0, 1, 0, 1, 1, 1])
    weights = torch.tensor([1.0, 2, 3, 4, 5, 6])

    found = distinct(EncodedRows(numbers, codes, classes, weights))

    numbers, codes, classes, weights, _ = found.tensors
    rows = zip(numbers[:, 0].tolist(), codes[:, 0].tolist(), classes, strict=True)
    merged = {
        tuple(str(float(part)) for part in row): float(weight)
        for row, weight in zip(rows, weights, strict=True)
    }
    assert merged == {
        ("1.0", "2.0", "0.0"): 4.0,
        ("nan", "0.0", "1.0"): 6.0,
        ("0.0", "0.0", "1.0"): 5.0,
        ("1.0", "2.0", "1.0"): 6.0,
    }
