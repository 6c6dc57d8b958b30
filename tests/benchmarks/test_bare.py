"""The competitor by hand does the same work as the estimator."""

import copy

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from benchmarks.harness.bare import (
    objective,
    predict_by_hand,
    stock_training,
    train_by_hand,
    undress,
)
from benchmarks.harness.synthetic import mixed_table, numbers_table
from sklearn_ddcl import DDCLClassifier
from sklearn_ddcl.training.data import Targets


@pytest.fixture(scope="module", params=["ddcl", "mean"])
def fitted(request):
    X, y = mixed_table(300, 6)
    labels = np.array(["a", "b", "c"])[y]
    estimator = DDCLClassifier(
        n_prototypes=4,
        readout=request.param,
        max_epochs=1,
        batch_size=100,
        device="cpu",
        random_state=0,
    )
    return estimator.fit(X, labels), X, labels


@pytest.fixture
def bare(fitted):
    bare = undress(*fitted)
    before = copy.deepcopy(bare.module.state_dict())
    yield bare
    bare.module.load_state_dict(before)


@pytest.mark.parametrize("block_rows", [64, 300])
def test_the_bare_module_answers_like_the_estimator(fitted, bare, block_rows):
    estimator, X, _ = fitted
    np.testing.assert_allclose(
        predict_by_hand(bare, block_rows), estimator.predict_proba(X), atol=1e-6
    )


def test_every_parameter_has_the_rate_and_decay_of_the_estimator(fitted, bare):
    def settings(groups, rate):
        return {
            id(parameter): (group[rate], group["weight_decay"])
            for group in groups
            for parameter in group["params"]
        }

    theirs = settings(fitted[0].net_.optimizer_.param_groups, "peak_lr")

    assert settings(bare.groups, "lr") == theirs
    assert theirs.keys() == {id(p) for p in bare.module.parameters()}


def test_groups_of_equal_rate_and_decay_are_one(bare):
    rates = [(group["lr"], group["weight_decay"]) for group in bare.groups]
    assert len(rates) == len(set(rates))


def test_the_objective_and_its_gradient_are_the_estimators(fitted, bare):
    net = fitted[0].net_
    module = copy.deepcopy(bare.module).double().eval()
    answer = module(bare.numbers.double(), bare.codes)
    weights = torch.ones(len(bare.classes), dtype=torch.float64)
    parameters = list(module.parameters())

    actual = objective(answer, bare.classes, module.bank, bare.distortion_weight)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(net, "module_", module)
        targets = Targets(bare.classes, weights, torch.full_like(bare.classes, -1))
        expected = net.get_loss(answer, targets, training=True)
    assert_close(actual, expected)
    actual, expected = (
        torch.autograd.grad(loss, parameters, retain_graph=True)
        for loss in (actual, expected)
    )
    assert_close(actual, expected)


def test_training_by_hand_lowers_the_loss(bare):
    first = train_by_hand(bare, n_epochs=1)
    assert train_by_hand(bare, n_epochs=8) < first


def test_stock_skorch_lowers_the_loss(bare):
    train = stock_training(bare, n_epochs=4)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        losses = train().history[:, "train_loss"]
    assert losses[-1] < losses[0]


def test_made_up_tables_have_the_shape_that_was_asked_for():
    for make in (numbers_table, mixed_table):
        X, y = make(500, 20)
        assert X.shape == (500, 20)
        assert set(y) == {0, 1, 2}
    kinds = mixed_table(500, 20)[0].dtypes.astype(str)
    assert (kinds == "float64").sum() == 10
