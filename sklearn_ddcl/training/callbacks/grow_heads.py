"""Heads come where attention is missing, and go where it is not needed."""

import warnings
from typing import Any

import torch
from skorch.callbacks import Callback

from sklearn_ddcl.networks.heads import growing_encoder
from sklearn_ddcl.training.growth import GrowthController
from sklearn_ddcl.training.messages import GrowthWarning
from sklearn_ddcl.training.seeding import make_generator

_BATCHES_TO_JUDGE = 4


class GrowHeads(Callback):
    """Let a network grow while it is trained, if its encoder has a rule for it.

    Parameters
    ----------
    silent : bool, default=False
        Whether not to warn, as nobody will use what comes out.
    """

    def __init__(self, silent=False):
        self.silent = silent

    def on_train_begin(self, net: Any, X: Any = None, **kwargs: Any) -> None:
        """Start to watch, going on where an earlier training of the net ended."""
        self.encoder_ = growing_encoder(net.module_)
        self.grows_ = self.encoder_ is not None
        if self.grows_ and net.module_._compiled_call_impl is not None:
            self.grows_ = False
            if not self.silent:
                warnings.warn(
                    "A compiled network does not grow; set compile=False.",
                    GrowthWarning,
                    stacklevel=2,
                )
        if not self.grows_:
            return
        if net.growth is None:
            generator = make_generator(net.seed + 7)
            rule = self.encoder_.growth_rule
            net.growth = GrowthController(self.encoder_, rule, generator)
        net.growth.watch()
        self.n_steps_ = net.plan.max_epochs * len(net.get_iterator(X, training=True))

    def on_epoch_begin(self, net: Any, **kwargs: Any) -> None:
        """Judge by rows of one epoch, so that it does not matter where one began."""
        self.batches_: list = []

    def on_batch_end(
        self, net: Any, batch: Any = None, training: bool = False, **kwargs: Any
    ) -> None:
        """Measure what the last step asked for."""
        if not self.grows_ or not training:
            return
        net.growth.measure(*net.growth_rows(*batch))
        self.batches_ = [*self.batches_[1 - _BATCHES_TO_JUDGE :], batch]

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Look whether heads are missing, or too many, and write it down."""
        if not self.grows_:
            return
        # A stream has no end before which to stop.
        progress = 0.5 if net.plan.streaming else net.step / max(1, self.n_steps_)
        actions = net.growth.end_epoch(
            net.step,
            progress,
            net.history[-1]["train_task_loss"],
            lambda: self._judge(net),
            net.optimizer_,
        )
        probe = dict(net.callbacks_).get("probe")
        if probe is not None and set(actions) - {"none"}:
            # What the network says may have changed at once. A training that goes on
            # from here looks at it as it is now.
            probe.look(net)
        net.growth_history += net.growth.rows(
            len(net.measurements) + 1,
            actions,
            n_parameters=sum(weights.numel() for weights in self.encoder_.parameters()),
            valid_score=net.history[-1].get("valid_score", float("nan")),
        )

    def on_train_end(self, net: Any, **kwargs: Any) -> None:
        """Stop to watch, and warn if heads are still missing, or too many."""
        if self.grows_:
            net.growth.finish()
            if not (self.silent or net.plan.streaming):
                net.growth.warn_if_insufficient()
                if self.batches_:
                    net.growth.warn_if_redundant(lambda: self._judge(net))
        self.batches_ = []

    def _judge(self, net: Any) -> float:
        net.module_.eval()
        # Some networks draw noise here too: the same each time, none of training's.
        state = net.drawer.get_state()
        losses = []
        with torch.no_grad():
            for inputs, targets in self.batches_:
                net.get_loss(net.infer(inputs), targets, X=inputs)
                losses.append(net.task_loss_)
        net.drawer.set_state(state)
        net.module_.train()
        return float(torch.stack(losses).mean())
