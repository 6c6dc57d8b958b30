"""The skorch net that trains a quantized autoencoder."""

from typing import Any

import torch
from torch import Tensor

from sklearn_ddcl.networks import QuantizedAutoencoder
from sklearn_ddcl.training.autoencoding.loss import row_losses, weighted_mean
from sklearn_ddcl.training.autoencoding.monitor import MonitorCodebooks
from sklearn_ddcl.training.autoencoding.plan import AutoencoderPlan
from sklearn_ddcl.training.autoencoding.tending import TendCodebooks
from sklearn_ddcl.training.autoencoding.tracking import TrackLatents
from sklearn_ddcl.training.callbacks.grow_heads import GrowHeads
from sklearn_ddcl.training.callbacks.learning_rate import StepLearningRate
from sklearn_ddcl.training.data import Inputs, Targets
from sklearn_ddcl.training.memory_net import MemoryNet, net_settings
from sklearn_ddcl.training.seeding import make_generator


class AutoencoderNet(MemoryNet):
    """Train a quantized autoencoder: free, then blurred, then on hard codes.

    No gradient is passed through a choice of prototypes. While codes are soft, the
    decoder sees latents with noise as large as their soft quantization error; once they
    are hard, the encoder rests.

    Parameters
    ----------
    module : QuantizedAutoencoder
        The network.
    plan : AutoencoderPlan
        Decisions made before training.
    seed : int
        Seeds everything random.
    **kwargs
        As for :class:`MemoryNet`.
    """

    phase = "free"

    def initialize_module(self, *args, **kwargs):
        """Initialize the module and the generators that training draws from."""
        super().initialize_module(*args, **kwargs)
        self.noise = make_generator(self.seed + 3, torch.device(self.device))
        return self

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return prototypes with a rate of their own, and everything else."""
        module, plan = self.module_, self.plan
        return [
            {
                "params": [module.codebook.prototypes],
                "lr": plan.lr * plan.prototype_lr_ratio,
            },
            {"params": list(module.autoencoder.parameters())},
        ]

    def infer(self, x: Inputs, **fit_params: Any) -> tuple[Tensor, Tensor, Tensor]:
        """Return rebuilt rows, their latents, and these as the decoder saw them."""
        network = self.module_
        with self.autocast():
            with torch.set_grad_enabled(self.phase != "hard"):
                latents = network.latents(x.numbers, x.codes)
            if self.phase == "free":
                seen = latents
            elif self.phase == "soft":
                self.quantized_ = network.codebook.blur(latents, self.noise)
                seen = self.quantized_.latents
            else:
                with torch.no_grad():
                    codes = network.codebook.encode(latents)
                seen = network.codebook.decode(codes)
            return network.rebuild(seen), latents, seen

    def get_loss(
        self, y_pred: Any, y_true: Targets, X: Any = None, training: bool = False
    ) -> Tensor:
        """Return what was lost of the rows, plus a weighted loss of their latents."""
        rebuilt, latents, seen = y_pred
        losses = row_losses(rebuilt, X, self.module_.spec.cardinalities)
        loss = weighted_mean(losses, y_true.weights)
        self.task_loss_ = loss.detach()
        if self.phase == "soft":
            pull = self.module_.codebook.commitment(latents, self.quantized_)
            loss = loss + self.plan.commitment * weighted_mean(pull, y_true.weights)
        elif self.phase == "hard":
            # Keeps a prototype among its latents; the encoder feels nothing of it.
            errors = (seen - latents.detach().to(seen.dtype)).square().flatten(1)
            loss = loss + weighted_mean(errors.mean(1), y_true.weights)
        return loss


def make_autoencoder_net(
    module: QuantizedAutoencoder,
    plan: AutoencoderPlan,
    *,
    seed: int,
    device: torch.device,
    mixed_precision: bool = False,
    extra_callbacks: tuple = (),
) -> AutoencoderNet:
    """Return a net that is ready to be fitted.

    Parameters
    ----------
    module : QuantizedAutoencoder
        The network, on any device.
    plan : AutoencoderPlan
        Decisions made before training.
    seed : int
        Seeds everything random in training.
    device : torch.device
        Where to train.
    mixed_precision : bool, default=False
        Whether to use bfloat16 autocast.
    extra_callbacks : tuple of skorch callbacks
        Run after the others, with the epoch's measurements complete.

    Returns
    -------
    net : AutoencoderNet
        Not yet initialized.
    """
    callbacks: list = [
        ("learning_rate", StepLearningRate()),
        ("track", TrackLatents()),
        ("tend", TendCodebooks()),
        ("grow_heads", GrowHeads()),
        ("monitor", MonitorCodebooks()),
    ]
    return AutoencoderNet(
        module,
        seed=seed,
        mixed_precision=mixed_precision,
        **net_settings(plan, callbacks, device, extra_callbacks),
    )
