"""The net trains, measures, stops, and draws from generators of its own."""

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback

from sklearn_ddcl.training import EncodedRows
from sklearn_ddcl.training.history import COLUMNS
from sklearn_ddcl.training.messages import StopTraining

ENCODERS = ["mlp", "transformer"]


@pytest.mark.parametrize("readout", ["ddcl", "mean", "cls"])
@pytest.mark.parametrize("encoder", ENCODERS)
def test_training_lowers_the_loss(make, rows, encoder, readout):
    net = make(encoder, readout, max_epochs=30)
    net.partial_fit(rows)

    losses = net.measurements["task_loss"]
    assert len(losses) == 30
    assert losses[-1] < 0.9 * losses[0]


@pytest.mark.parametrize("encoder", ENCODERS)
def test_the_same_seed_trains_the_same_weights(make, rows, encoder):
    states = []
    for seed in (0, 0, 1):
        net = make(encoder, seed=seed)
        net.partial_fit(rows)
        states.append(torch.cat([p.ravel() for p in net.module_.parameters()]))

    assert torch.equal(states[0], states[1])
    assert not torch.equal(states[0], states[2])


def test_an_epoch_is_measured_in_every_column(make, rows):
    net = make(validation=rows)
    net.partial_fit(rows)

    assert all(tuple(epoch) == COLUMNS for epoch in net.measurements)
    assert np.isfinite([list(epoch.values()) for epoch in net.measurements]).all()
    assert net.measurements["epoch"] == [1, 2, 3]


def test_a_baseline_leaves_the_columns_of_the_bank_empty(make, rows):
    net = make(readout="mean")
    net.partial_fit(rows)
    last = net.measurements[-1]

    assert tuple(last) == COLUMNS
    assert np.isnan(last["perplexity"])
    assert np.isnan(last["valid_loss"])
    assert np.isfinite(last["task_loss"])


def test_views_that_leave_a_row_out_learn_nothing_from_its_label(make, rows):
    # A step on rows of fold 2 only, with their labels and with the opposite ones.
    def own_layers_after_a_step(classes):
        numbers, codes, _, weights, folds = rows.tensors
        net = make("five views", max_epochs=1, batch_size=60, distortion_weight=0.0)
        net.partial_fit(EncodedRows(numbers, codes, classes, weights, folds + 3))
        return net.module_.encoder.views.weights[0].detach()

    classes = rows.tensors[2]
    one, other = own_layers_after_a_step(classes), own_layers_after_a_step(1 - classes)

    felt = (one != other).flatten(1).any(1)
    assert felt.tolist() == [True, True, False, True, True]


def test_the_loss_is_the_task_plus_the_weighted_distortion(make, rows):
    plain = make(distortion_weight=0.0, lr=1e-12)
    weighted = make(distortion_weight=0.5, lr=1e-12)
    for net in (plain, weighted):
        net.module_.encoder.views.n_kept = net.module_.encoder.views.biases[0].shape[1]
        net.partial_fit(rows, epochs=1)
    first, second = plain.measurements[0], weighted.measurements[0]

    assert first["loss"] == first["task_loss"]
    assert second["loss"] > second["task_loss"] == pytest.approx(first["task_loss"])
    # Per dimension, of which there are four.
    distortion = second["reconstruction"] + second["diversity"]
    added = second["loss"] - second["task_loss"]
    assert added == pytest.approx(0.5 * distortion / 4, rel=0.05)


MATRICES = {
    "five views": {
        "encoder.views.weights.0",
        "encoder.views.weights.1",
        "encoder.views.project.weight",
    },
    "transformer": {
        "encoder.column",
        "encoder.blocks.0.query_key_value.weight",
        "encoder.blocks.0.mix_heads.weight",
        "encoder.blocks.0.expand.weight",
        "encoder.blocks.0.contract.weight",
    },
}


@pytest.mark.parametrize("encoder", MATRICES)
def test_prototypes_learn_faster_and_matrices_decay(make, encoder):
    net = make(encoder, lr=0.25, prototype_lr_ratio=4.0, weight_decay=0.125)
    names = {id(p): name for name, p in net.module_.named_parameters()}
    settings = {
        names[id(values)]: (group["lr"], group["weight_decay"])
        for group in net.optimizer_.param_groups
        for values in group["params"]
    }

    assert settings.keys() == set(names.values())
    for name, (lr, decay) in settings.items():
        fast = name in ("readout.bank.prototypes", "readout.votes.logits")
        assert lr == (1.0 if fast else 0.25)
        assert decay == (0.125 if name in MATRICES[encoder] else 0)


def test_a_baseline_has_no_fast_group(make):
    groups = make(readout="mean", lr=0.25).optimizer_.param_groups

    assert {group["lr"] for group in groups} == {0.25}


class RaiseInEpoch(Callback):
    """Raise an error at the end of an epoch."""

    def __init__(self, error, epoch=2):
        self.error = error
        self.epoch = epoch

    def on_epoch_end(self, net, **kwargs):
        if len(net.measurements) == self.epoch:
            raise self.error


class Count(Callback):
    """Count epochs and trainings that ended."""

    def __init__(self):
        self.n_epochs = self.n_trainings = 0

    def on_epoch_end(self, net, **kwargs):
        self.n_epochs += 1

    def on_train_end(self, net, **kwargs):
        self.n_trainings += 1


def test_a_wish_to_stop_ends_training_after_all_have_heard_of_the_epoch(make, rows):
    count = Count()
    net = make(callbacks=[RaiseInEpoch(StopTraining()), count], max_epochs=9)
    net.partial_fit(rows)

    assert len(net.measurements) == count.n_epochs == 2
    assert count.n_trainings == 1


def test_an_interruption_keeps_the_model_with_a_warning(make, rows):
    count = Count()
    net = make(callbacks=[count, RaiseInEpoch(KeyboardInterrupt())], max_epochs=9)
    with pytest.warns(UserWarning, match="interrupted; the model is kept as it stands"):
        net.partial_fit(rows)

    assert len(net.measurements) == 2
    assert count.n_trainings == 1


def test_other_errors_come_through(make, rows):
    net = make(callbacks=[RaiseInEpoch(ZeroDivisionError())])

    with pytest.raises(ZeroDivisionError):
        net.partial_fit(rows)


def test_training_draws_from_no_global_generator(make, rows):
    before = torch.get_rng_state()
    make("transformer").partial_fit(rows)

    assert torch.equal(torch.get_rng_state(), before)
