"""Training a compressor for classes."""

import math

import pytest
import torch

from sklearn_ddcl.layers.document_slots import SlotPooling
from sklearn_ddcl.layers.document_tokens import DocumentTokens
from sklearn_ddcl.networks.document import DocumentNetwork
from sklearn_ddcl.training.documents import (
    DocumentPlan,
    DocumentRows,
    make_document_net,
)
from sklearn_ddcl.training.documents.batches import DocumentBatches


@pytest.fixture
def rows():
    """Return 40 documents of 5 tokens; the class is the sign of the first number."""
    generator = torch.Generator().manual_seed(0)
    classes = torch.arange(40) % 2
    tokens = torch.randn(40, 5, 3, generator=generator)
    tokens[..., 0] += 2.0 * (2 * classes[:, None] - 1)

    def read(numbers):
        bounds = torch.arange(len(numbers) + 1) * 5
        return DocumentTokens(tokens[numbers].flatten(0, 1), (bounds,))

    return DocumentRows(read, classes)


def make_net(**params):
    generator = torch.Generator().manual_seed(1)
    level = SlotPooling(torch.randn(4, 3, generator=generator), 1.0)
    network = DocumentNetwork(torch.zeros(3), [level], n_classes=2, token_dropout=0.3)
    plan = {"max_epochs": 20, "batch_size": 8, "lr": 1e-2, "spread": 1.0}
    plan = DocumentPlan(**plan | {"prototype_lr_ratio": 2.0} | params)
    return make_document_net(network, plan, seed=0, device=torch.device("cpu"))


def train(rows, **params):
    net = make_net(**params)
    net.initialize()
    net.partial_fit(rows)
    return net


def test_every_document_comes_once_in_a_pass(rows):
    batches = DocumentBatches(rows, 16, torch.device("cpu"), torch.Generator())

    passed = list(batches)

    assert len(batches) == len(passed) == 2
    assert sum(len(documents) for documents, _ in passed) == 40
    assert sorted(torch.cat([targets.classes for _, targets in passed]).tolist()) == (
        sorted(rows.classes.tolist())
    )


def test_documents_keep_their_classes_when_they_are_shuffled(rows):
    generator = torch.Generator().manual_seed(3)

    for documents, targets in DocumentBatches(rows, 16, torch.device("cpu"), generator):
        firsts = documents.tokens.unflatten(0, (-1, 5))[..., 0].mean(1)
        assert ((firsts > 0).long() == targets.classes).float().mean() > 0.9


def test_training_learns_the_classes(rows):
    net = train(rows)

    assert net.measurements["loss"][-1] < 0.5 * net.measurements["loss"][0]
    assert net.measurements["epoch"] == list(range(1, 21))


def test_everything_is_trained(rows):
    before = make_net().module.state_dict()

    after = train(rows).module_.state_dict()

    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed == {
        "levels.0.prototypes",
        "map.weight",
        "head.weight",
        "head.bias",
    }


def test_the_same_seed_trains_the_same(rows):
    once, again = (train(rows).module_.state_dict() for _ in range(2))

    assert all(torch.equal(once[name], again[name]) for name in once)


def test_the_rate_warms_up_and_falls_to_nothing():
    plan = DocumentPlan(10, 32, 1e-3, 3.0, 1.0)

    factors = [plan.lr_factor(step, 1000) for step in range(1001)]

    assert factors[0] < 0.1
    assert max(factors) > 0.95
    assert math.isclose(factors[-1], 0.0, abs_tol=1e-9)
