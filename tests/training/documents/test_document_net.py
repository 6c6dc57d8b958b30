"""Training a compressor for classes."""

import math

import pytest
import torch

from sklearn_ddcl.layers.document_slots import SlotPooling
from sklearn_ddcl.layers.document_tokens import DocumentTokens, document_of_items
from sklearn_ddcl.networks import INCRTEncoder
from sklearn_ddcl.networks.document import DocumentNetwork
from sklearn_ddcl.networks.token_encoder import TokenEncoder
from sklearn_ddcl.training.documents import (
    DocumentPlan,
    DocumentRows,
    make_document_net,
)
from sklearn_ddcl.training.documents.batches import DocumentBatches
from sklearn_ddcl.training.documents.net import halves


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


def make_net(encoder=None, **params):
    generator = torch.Generator().manual_seed(1)
    level = SlotPooling(torch.randn(4, 3, generator=generator), 1.0)
    if encoder is not None:
        encoder = TokenEncoder(encoder, 3, 4, generator=generator)
    network = DocumentNetwork(
        torch.zeros(3), [level], n_classes=2, encoder=encoder, token_dropout=0.3
    )
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


def test_every_weight_of_an_encoder_is_trained(rows):
    encoder = INCRTEncoder(d_token=8, d_head=4, n_prototypes=4, dropout=0.0)
    before = make_net(encoder).module.state_dict()

    after = train(rows, encoder=encoder).module_.state_dict()

    kept = {
        name
        for name in before
        if before[name].shape == after[name].shape
        and torch.equal(before[name], after[name])
    }
    assert kept == {"center", "levels.0.temperature", "encoder.scale"}


def test_only_matrices_of_an_encoder_decay():
    net = make_net(INCRTEncoder(d_token=16, d_head=4), lr=0.1)
    net.initialize()

    encoder = {id(values) for values in net.module_.encoder.parameters()}
    groups = [
        group
        for group in net.optimizer_.param_groups
        if encoder & {id(values) for values in group["params"]}
    ]

    assert {group["lr"] for group in groups} == {0.1 * 0.2 / 4}
    for group in groups:
        for values in group["params"]:
            assert (values.ndim > 1) == (group["weight_decay"] == 0.1)
            encoder.remove(id(values))
    assert not encoder


def test_windows_of_a_document_are_of_its_half(rows):
    net = make_net(INCRTEncoder(d_token=8, d_head=4))
    net.initialize()
    documents, targets = rows[list(range(40))]

    weights, learns = net.growth_rows(documents, targets)

    # Documents of five tokens are two windows of at most four.
    assert weights.tolist() == [1.0] * 80
    expected = halves(documents, document_of_items(documents), torch.tensor(1.0))
    assert torch.equal(learns, expected.repeat_interleave(2))


@pytest.mark.parametrize("unit", [1e-12, 1.0, 1e12])
def test_a_document_is_always_of_one_half(rows, unit):
    order = torch.randperm(40, generator=torch.Generator().manual_seed(2))

    def deal(numbers):
        documents = rows.read(numbers)
        documents = DocumentTokens(unit * documents.tokens, documents.bounds)
        return halves(documents, document_of_items(documents), torch.tensor(unit))

    together = deal(list(range(40)))

    assert torch.equal(deal(order.tolist()), together[order])
    assert all(deal([i]).item() == together[i] for i in range(40))
    assert 8 < together.sum() < 32
