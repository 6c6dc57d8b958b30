"""The weights of the epoch with the lowest validation loss come back."""

from types import SimpleNamespace

import pytest
import torch

from sklearn_ddcl.training.callbacks.keep_best import KeepBest
from sklearn_ddcl.training.messages import StopTraining


class Module(torch.nn.Module):
    """A weight and the temperature of a readout."""

    def __init__(self):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.readout = torch.nn.Module()
        self.readout.register_buffer("temperature", torch.ones(()))


def train(losses, patience=None, ratio=1.0):
    """Go through epochs of given losses, None where nobody judged.

    The weight of epoch e is e and its temperature 100 e; e times `ratio` suits it best.
    """
    module = Module()
    net = SimpleNamespace(module_=module, measurements=[], history=[])
    callback = KeepBest(patience)
    callback.on_train_begin(net)
    for epoch, loss in enumerate(losses, start=1):
        with torch.no_grad():
            module.weight.fill_(epoch)
        module.readout.temperature.fill_(100 * epoch)
        net.bank_state = f"bank after epoch {epoch}"
        judged = {"valid_loss": loss, "valid_ratio": epoch * ratio}
        net.history.append({} if loss is None else judged)
        net.measurements.append(epoch)
        try:
            callback.on_epoch_end(net)
        except StopTraining:
            break
    callback.on_train_end(net)
    return net


def weight(net):
    return float(net.module_.weight.detach())


def temperature(net):
    return float(net.module_.readout.temperature)


def test_the_best_epoch_comes_back():
    net = train([3.0, 1.0, 2.0, 1.5])

    assert (net.best_epoch, weight(net)) == (2, 2.0)
    assert len(net.measurements) == 4


def test_what_is_known_of_the_bank_is_that_of_the_best_epoch():
    assert train([3.0, 1.0, 2.0, 1.5]).bank_state == "bank after epoch 2"
    assert train([None, None]).bank_state == "bank after epoch 2"


def test_the_best_epoch_gets_the_temperature_that_suited_it():
    assert temperature(train([3.0, 1.0, 2.0], ratio=0.25)) == 200 * 2 * 0.25


def test_a_training_that_nobody_judged_is_left_as_it_ended():
    net = train([None, None, None], patience=1, ratio=0.25)

    assert (weight(net), temperature(net)) == (3.0, 300.0)
    assert not hasattr(net, "best_epoch")


def test_epochs_that_nobody_judged_are_no_reason_to_stop():
    # Patience of one epoch, and a look at every third one.
    losses = [None, None, 5.0, None, None, 4.0, None, None, 4.5, None, None, 3.0]
    net = train(losses, patience=1)

    assert (len(net.measurements), net.best_epoch) == (9, 6)
    assert len(train(losses, patience=6).measurements) == 12


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
    assert (weight(all_nan), temperature(all_nan)) == (2.0, 200.0)


def test_an_improvement_starts_the_wait_anew():
    assert train([5, 6, 4, 6, 3, 6, 7], patience=2).best_epoch == 5
