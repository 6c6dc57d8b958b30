"""The net trains, measures, stops, and draws from generators of its own."""

import numpy as np
import pytest
import torch
from skorch.callbacks import Callback

from sklearn_ddcl.training import EncodedRows
from sklearn_ddcl.training.history import COLUMNS
from sklearn_ddcl.training.messages import StopTraining
from sklearn_ddcl.training.net import parameter_groups

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


@pytest.mark.parametrize("weighted", [False, True])
def test_the_validation_loss_is_the_mean_over_rows(make, rows, weighted):
    # Batches of unequal weight: a mean of batch means would be another number.
    weights = torch.arange(1.0, 61.0) if weighted else torch.ones(60)
    validation = EncodedRows(*rows.tensors[:3], weights)
    net = make(validation=validation, batch_size=7, lr=1e-12)
    net.partial_fit(rows, epochs=1)

    network = net.module_.eval()
    with torch.no_grad():
        log_proba = network(*validation[:][0])[0]
    own = -log_proba[torch.arange(60), :, rows.tensors[2]].mean(1)
    hits = log_proba.exp().mean(1).argmax(1) == rows.tensors[2]
    last = net.measurements[-1]
    expected = float((weights * own).sum() / weights.sum())
    assert last["valid_loss"] == pytest.approx(expected, rel=1e-5)
    expected = float((weights * hits).sum() / weights.sum())
    assert last["valid_score"] == pytest.approx(expected)


def test_the_loss_is_the_task_plus_the_weighted_distortion(make, rows):
    plain = make(distortion_weight=0.0, lr=1e-12)
    weighted = make(distortion_weight=0.5, lr=1e-12)
    for net in (plain, weighted):
        net.partial_fit(rows, epochs=1)
    first, second = plain.measurements[0], weighted.measurements[0]

    assert first["loss"] == first["task_loss"]
    assert second["loss"] > second["task_loss"] == pytest.approx(first["task_loss"])
    # Per dimension, of which there are four, and with dropout.
    distortion = second["reconstruction"] + second["diversity"]
    added = second["loss"] - second["task_loss"]
    assert added == pytest.approx(0.5 * distortion / 4, rel=0.3)


def test_prototypes_learn_faster_and_matrices_decay(make):
    net = make(lr=0.25, prototype_lr_ratio=4.0, weight_decay=0.125)
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
        if "bias" in name or "tokenizer" in name or fast or "scale" in name:
            assert decay == 0
    assert settings["encoder.views.hidden.0.weight"][1] == 0.125


def test_a_baseline_has_no_fast_group(make, plan):
    groups = parameter_groups(make(readout="mean").module_, plan())

    assert all("lr" not in settings for _, settings in groups)


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
