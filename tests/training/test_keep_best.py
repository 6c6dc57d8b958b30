"""The weights of the epoch with the lowest validation loss come back."""

from types import SimpleNamespace

import pytest
import torch

from sklearn_ddcl.training.callbacks.keep_best import KeepBest
from sklearn_ddcl.training.messages import StopTraining


def train(losses, patience=None):
    """Go through epochs of given losses; the weight of epoch e is e."""
    module = torch.nn.ParameterDict({"weight": torch.zeros(())})
    net = SimpleNamespace(module_=module, measurements=[], history=[])
    callback = KeepBest(patience)
    callback.on_train_begin(net)
    for epoch, loss in enumerate(losses, start=1):
        with torch.no_grad():
            module["weight"].fill_(epoch)
        net.history.append({"valid_loss": loss})
        net.measurements.append(epoch)
        try:
            callback.on_epoch_end(net)
        except StopTraining:
            break
    callback.on_train_end(net)
    return net


def weight(net):
    return float(net.module_["weight"].detach())


def test_the_best_epoch_comes_back():
    net = train([3.0, 1.0, 2.0, 1.5])

    assert (net.best_epoch, weight(net)) == (2, 2.0)
    assert len(net.measurements) == 4


def test_of_equal_epochs_the_first_is_best():
    assert train([3.0, 1.0, 1.0]).best_epoch == 2


@pytest.mark.parametrize(("patience", "expected"), [(1, 3), (2, 6), (3, 7), (None, 8)])
def test_training_ends_after_so_many_epochs_without_improvement(patience, expected):
    net = train([5, 4, 6, 3, 7, 8, 9, 1], patience)

    assert len(net.measurements) == expected


def test_a_loss_that_is_not_a_number_is_never_best():
    nan = float("nan")

    assert train([nan, 2.0, nan, 1.0, nan]).best_epoch == 4
    all_nan = train([nan, nan])
    assert not hasattr(all_nan, "best_epoch")
    assert weight(all_nan) == 2.0


def test_an_improvement_starts_the_wait_anew():
    assert train([5, 6, 4, 6, 3, 6, 7], patience=2).best_epoch == 5
