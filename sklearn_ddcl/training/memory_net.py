"""A skorch net whose rows are in memory, whatever it trains."""

import contextlib
import warnings
from typing import Any, Self

import torch
from skorch import NeuralNet
from torch import Tensor

from sklearn_ddcl.training.allocator import keep_freed_memory
from sklearn_ddcl.training.data import Batches, EncodedRows, Inputs
from sklearn_ddcl.training.growth.layer_growth import row_halves
from sklearn_ddcl.training.history import TrainingHistory
from sklearn_ddcl.training.messages import StopTraining
from sklearn_ddcl.training.seeding import make_generator


class MemoryNet(NeuralNet):
    """Train a network on encoded rows, batch by batch from memory.

    A subclass gives `get_loss`, which leaves the task's own part of the loss in
    ``task_loss_``, and `parameter_groups`.

    Parameters
    ----------
    module : Module
        The network; has ``use_generator``.
    plan : object
        Decisions made before training: `max_epochs`, `batch_size`, `lr` and
        `lr_factor`.
    seed : int
        Seeds shuffling, the placing of prototypes, and what the network draws.
    mixed_precision : bool, default=False
        Whether to run the network under bfloat16 autocast.
    **kwargs
        As for :class:`skorch.NeuralNet`.
    """

    task_loss_: Tensor

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
        self.drawer = make_generator(self.seed + 2, device)
        self.module_.use_generator(self.drawer)
        self.step = 0
        self.interrupted = False
        self.measurements = TrainingHistory()
        self.growth = None
        self.growth_history = TrainingHistory()
        return self

    def initialize_optimizer(self, *args, **kwargs):
        """Initialize AdamW with the rates and decays of the plan."""
        self.optimizer_ = torch.optim.AdamW(
            self.parameter_groups(),
            lr=self.plan.lr,
            betas=(0.9, 0.98),
            weight_decay=0.0,
            fused=True,
        )
        return self

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return the groups of parameters with rates and decays of their own."""
        raise NotImplementedError

    def prepare_batch(self, inputs: Inputs, targets: Any) -> tuple[Inputs, Any]:
        """Return a batch as the network is to see it; by default as it is."""
        return inputs, targets

    def row_weights(self, targets: Any) -> Tensor:
        """Return the importance (B,) of the rows of a prepared batch."""
        return targets.weights

    def growth_rows(self, inputs: Any, targets: Any) -> tuple[Tensor, Tensor]:
        """Return importance (B,) and half (B,) of the rows that layers see.

        Those of the half look for directions in which a layer could grow, the others
        measure what these explain.
        """
        return self.row_weights(targets), row_halves(inputs.numbers, inputs.codes)

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

    def fit_loop(self, *args: Any, **kwargs: Any) -> Self:
        """Train epoch by epoch until done, stopped by a callback or interrupted."""
        keep_freed_memory()
        try:
            return super().fit_loop(*args, **kwargs)
        except StopTraining:
            return self
        except KeyboardInterrupt:
            self.interrupted = True
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
            batch = self.prepare_batch(*rows)
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


# What skorch would print or average; the nets here measure by callbacks of their own.
_SILENT: dict[str, Any] = {
    "train_split": None,
    "callbacks__print_log": None,
    "callbacks__epoch_timer": None,
    "callbacks__train_loss": None,
    "callbacks__valid_loss": None,
    "verbose": 0,
}


def net_settings(
    plan: Any,
    callbacks: list[tuple[str, Any]],
    device: torch.device,
    extra_callbacks: tuple = (),
) -> dict[str, Any]:
    """Return the arguments of a net that follow from its plan.

    Parameters
    ----------
    plan : object
        Decisions made before training, as for :class:`MemoryNet`.
    callbacks : list of (str, skorch callback)
        In the order in which they run.
    device : torch.device
        Where to train.
    extra_callbacks : tuple of skorch callbacks
        Run after the others, with the epoch's measurements complete.

    Returns
    -------
    settings : dict
        Keyword arguments of the net.
    """
    extra = [(f"extra_{i}", callback) for i, callback in enumerate(extra_callbacks)]
    return {
        "plan": plan,
        "lr": plan.lr,
        "max_epochs": plan.max_epochs,
        "batch_size": plan.batch_size,
        "callbacks": [*callbacks, *extra],
        "device": str(device),
        **_SILENT,
    }
