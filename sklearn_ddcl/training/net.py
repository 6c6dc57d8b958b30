"""The skorch net that trains a table classifier."""

import contextlib
import warnings
from typing import Any

import torch
from skorch import NeuralNet
from torch import Tensor

from sklearn_ddcl.networks import TableClassifier
from sklearn_ddcl.training.callbacks.anneal import AnnealTemperature
from sklearn_ddcl.training.callbacks.keep_best import KeepBest
from sklearn_ddcl.training.callbacks.learning_rate import StepLearningRate
from sklearn_ddcl.training.callbacks.monitor import Monitor
from sklearn_ddcl.training.callbacks.place import PlacePrototypes
from sklearn_ddcl.training.callbacks.revive import RevivePrototypes
from sklearn_ddcl.training.callbacks.validate import Validate
from sklearn_ddcl.training.data import Batches, EncodedRows, Inputs, Targets
from sklearn_ddcl.training.folds import spare_left_out
from sklearn_ddcl.training.history import TrainingHistory
from sklearn_ddcl.training.loss import (
    bank_distortion,
    cross_entropy,
    learning_weights,
)
from sklearn_ddcl.training.messages import StopTraining
from sklearn_ddcl.training.probe import BankProbe
from sklearn_ddcl.training.schedule import TrainingPlan
from sklearn_ddcl.training.seeding import make_generator


class DDCLNet(NeuralNet):
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

    def __init__(
        self, module, *, plan, seed, mixed_precision=False, criterion=None, **kwargs
    ):
        super().__init__(module, criterion=criterion or torch.nn.NLLLoss, **kwargs)
        self.plan = plan
        self.seed = seed
        self.mixed_precision = mixed_precision

    def initialize_module(self, *args, **kwargs):
        """Initialize the module and the generators that training draws from."""
        super().initialize_module(*args, **kwargs)
        self.shuffler = make_generator(self.seed)
        self.placer = make_generator(self.seed + 1)
        device = torch.device(self.device)
        self.module_.use_generator(make_generator(self.seed + 2, device))
        self.step = 0
        self.measurements = TrainingHistory()
        return self

    def initialize_optimizer(self, *args, **kwargs):
        """Initialize AdamW with the rates and decays of the plan."""
        self.optimizer_ = torch.optim.AdamW(
            parameter_groups(self.module_, self.plan),
            lr=self.plan.lr,
            betas=(0.9, 0.98),
            weight_decay=0.0,
            fused=True,
        )
        return self

    def _set_training(self, training: bool = True) -> None:
        # Visiting all modules would take a tenth of a small step.
        if self.module_.training != training:
            super()._set_training(training)

    def get_iterator(self, dataset: EncodedRows, training: bool = False) -> Batches:
        """Return batches of the rows, shuffled in training."""
        generator = self.shuffler if training else None
        return Batches(
            dataset, self.plan.batch_size, torch.device(self.device), generator
        )

    def fit_loop(self, *args: Any, **kwargs: Any) -> "DDCLNet":
        """Train epoch by epoch until done, stopped by a callback or interrupted."""
        try:
            return super().fit_loop(*args, **kwargs)
        except StopTraining:
            return self
        except KeyboardInterrupt:
            warnings.warn(
                "Training was interrupted; the model is kept as it stands.",
                stacklevel=2,
            )
            return self

    def notify(self, method_name: str, **kwargs: Any) -> None:
        """Tell all callbacks what happens, also when one of them wants to stop."""
        getattr(self, method_name)(self, **kwargs)
        wish: StopTraining | None = None
        for _, callback in self.callbacks_:
            try:
                getattr(callback, method_name)(self, **kwargs)
            except StopTraining as stop:
                wish = stop
        if wish is not None:
            raise wish

    def infer(self, x: Inputs, **fit_params: Any) -> Any:
        """Return the network's answer for a batch that is on its device."""
        with self.autocast():
            return self.module_(*x)

    def autocast(self) -> contextlib.AbstractContextManager:
        """Return the context in which the network runs."""
        if not self.mixed_precision:
            return contextlib.nullcontext()
        return torch.autocast(torch.device(self.device).type, dtype=torch.bfloat16)

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

    def run_single_epoch(
        self,
        iterator: Batches | None,
        training: bool,
        prefix: str,
        step_fn: Any,
        **fit_params: Any,
    ) -> None:
        """Visit every batch once; read losses off the device once per epoch."""
        if iterator is None:
            return
        device = torch.device(self.device)
        totals = torch.zeros(3, dtype=torch.float64, device=device)
        for rows in iterator:
            batch = spare_left_out(*rows, self.module_.n_decisions)
            self.notify("on_batch_begin", batch=batch, training=training)
            step = step_fn(batch, **fit_params)
            self.notify("on_batch_end", batch=batch, training=training, **step)
            mass = rows[1].weights.sum()
            losses = torch.stack([step["loss"].detach(), self.task_loss_])
            totals[:2] += losses * mass
            totals[2] += mass
        loss, task_loss = (totals[:2] / totals[2]).tolist()
        self.history.record(f"{prefix}_loss", loss)
        self.history.record(f"{prefix}_task_loss", task_loss)


def make_net(
    module: TableClassifier,
    plan: TrainingPlan,
    *,
    seed: int,
    device: torch.device,
    mixed_precision: bool = False,
    validation: EncodedRows | None = None,
    validate_every: int = 1,
    patience: int | None = None,
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
    validation : EncodedRows, optional
        Rows that choose the best epoch and the final temperature.
    validate_every : int, default=1
        Epochs from one look at them to the next.
    patience : int, optional
        Epochs without improvement after which training ends; needs `validation`.
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
    if validation is not None:
        callbacks.append(("validate", Validate(validation, validate_every)))
    callbacks.append(("monitor", Monitor()))
    if validation is not None:
        callbacks.append(("keep_best", KeepBest(patience)))
    callbacks += [(f"extra_{i}", extra) for i, extra in enumerate(extra_callbacks)]
    return DDCLNet(
        module,
        plan=plan,
        seed=seed,
        mixed_precision=mixed_precision,
        lr=plan.lr,
        max_epochs=plan.max_epochs,
        batch_size=plan.batch_size,
        train_split=None,
        callbacks=callbacks,
        callbacks__print_log=None,
        callbacks__epoch_timer=None,
        callbacks__train_loss=None,
        callbacks__valid_loss=None,
        verbose=0,
        device=str(device),
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
