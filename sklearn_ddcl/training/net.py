"""The skorch net that trains a table classifier."""

from typing import Any

import torch
from torch import Tensor

from sklearn_ddcl.networks import TableClassifier
from sklearn_ddcl.training.callbacks.anneal import AnnealTemperature
from sklearn_ddcl.training.callbacks.grow_heads import GrowHeads
from sklearn_ddcl.training.callbacks.keep_best import KeepBest
from sklearn_ddcl.training.callbacks.learning_rate import StepLearningRate
from sklearn_ddcl.training.callbacks.monitor import Monitor
from sklearn_ddcl.training.callbacks.place import PlacePrototypes
from sklearn_ddcl.training.callbacks.recall import Recall
from sklearn_ddcl.training.callbacks.revive import RevivePrototypes
from sklearn_ddcl.training.callbacks.validate import Validate
from sklearn_ddcl.training.callbacks.warn import WarnOfCollapse
from sklearn_ddcl.training.data import Inputs, Targets
from sklearn_ddcl.training.folds import spare_left_out
from sklearn_ddcl.training.loss import (
    bank_distortion,
    cross_entropy,
    learning_weights,
)
from sklearn_ddcl.training.memory_net import MemoryNet, net_settings
from sklearn_ddcl.training.probe import BankProbe
from sklearn_ddcl.training.schedule import TrainingPlan


class DDCLNet(MemoryNet):
    """Train a table classifier on encoded rows, batch by batch from memory.

    Parameters
    ----------
    module : TableClassifier
        The network.
    plan : TrainingPlan
        Decisions made before training.
    seed : int
        Seeds shuffling, dropout and the placing of revived prototypes.
    mixed_precision : bool, default=False
        Whether to run the network under bfloat16 autocast.
    **kwargs
        As for :class:`skorch.NeuralNet`.
    """

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return the groups of parameters with rates and decays of their own."""
        return parameter_groups(self.module_, self.plan)

    def prepare_batch(self, inputs: Inputs, targets: Targets) -> tuple[Inputs, Targets]:
        """Return the batch without the rows that some views leave out."""
        return spare_left_out(inputs, targets, self.module_.n_decisions)

    def get_loss(
        self, y_pred: Any, y_true: Targets, X: Any = None, training: bool = False
    ) -> Tensor:
        """Return the task loss, in training plus the weighted bank distortion."""
        log_proba, tokens, log_assignments = y_pred
        loss = cross_entropy(log_proba, y_true)
        self.task_loss_ = loss.detach()
        bank = self.module_.bank
        if training and bank is not None and self.plan.distortion_weight > 0:
            n_views = log_proba.shape[1]
            weights = learning_weights(y_true, n_views)
            loss = loss + self.plan.distortion_weight * bank_distortion(
                tokens,
                bank.prototypes,
                log_assignments,
                weights if n_views > 1 else weights[:, 0],
            )
        return loss


def make_net(
    module: TableClassifier,
    plan: TrainingPlan,
    *,
    seed: int,
    device: torch.device,
    mixed_precision: bool = False,
    judge: Validate | Recall | None = None,
    patience: int | None = None,
    rehearsal: bool = False,
    extra_callbacks: tuple = (),
) -> DDCLNet:
    """Return a net that is ready to be fitted.

    Parameters
    ----------
    module : TableClassifier
        The network, on any device.
    plan : TrainingPlan
        Decisions made before training.
    seed : int
        Seeds everything random in training.
    device : torch.device
        Where to train.
    mixed_precision : bool, default=False
        Whether to use bfloat16 autocast.
    judge : Validate or Recall, optional
        Chooses the best epoch and the final temperature.
    patience : int, optional
        Epochs without improvement after which training ends; needs a `judge`.
    rehearsal : bool, default=False
        Whether nobody will use what comes out, so that there is nothing to warn of.
    extra_callbacks : tuple of skorch callbacks
        Run after the others, with the epoch's measurements complete.

    Returns
    -------
    net : DDCLNet
        Not yet initialized.
    """
    callbacks: list = [("learning_rate", StepLearningRate())]
    if module.bank is not None:
        callbacks += [
            ("probe", BankProbe()),
            ("place", PlacePrototypes()),
            ("revive", RevivePrototypes()),
            ("anneal", AnnealTemperature()),
        ]
    if judge is not None:
        callbacks.append(("judge", judge))
    callbacks += [("grow_heads", GrowHeads(rehearsal)), ("monitor", Monitor())]
    if judge is not None:
        callbacks.append(("keep_best", KeepBest(patience)))
    if module.bank is not None and not rehearsal:
        callbacks.append(("warn", WarnOfCollapse()))
    return DDCLNet(
        module,
        seed=seed,
        mixed_precision=mixed_precision,
        **net_settings(plan, callbacks, device, extra_callbacks),
    )


def parameter_groups(
    module: TableClassifier, plan: TrainingPlan
) -> list[dict[str, Any]]:
    """Return the groups of parameters with rates and decays of their own.

    Parameters
    ----------
    module : TableClassifier
        The network.
    plan : TrainingPlan
        Where rates and decay come from.

    Returns
    -------
    groups : list of dict
        In the form of a torch optimizer; the last one is at the encoder's rate.
    """
    fast, matrices, others = [], [], []
    for name, values in module.named_parameters():
        if name in ("readout.bank.prototypes", "readout.votes.logits"):
            fast.append(values)
        elif name.startswith("encoder") and _is_matrix(name, values):
            matrices.append(values)
        else:
            others.append(values)
    groups: list[dict[str, Any]] = [
        {"params": fast, "lr": plan.lr * plan.prototype_lr_ratio},
        {"params": matrices, "weight_decay": plan.weight_decay},
        {"params": others},
    ]
    return [group for group in groups if group["params"]]


def _is_matrix(name: str, values: Tensor) -> bool:
    return values.ndim > 1 and "tokenizer" not in name and "bias" not in name
