"""The skorch net that trains a denoiser of rows."""

from typing import Any

import torch
from torch import Tensor

import sklearn_ddcl.functional as F
from sklearn_ddcl.networks import RowDenoiser
from sklearn_ddcl.training.autoencoding.loss import weighted_mean
from sklearn_ddcl.training.callbacks.grow_heads import GrowHeads
from sklearn_ddcl.training.callbacks.learning_rate import StepLearningRate
from sklearn_ddcl.training.data import Inputs
from sklearn_ddcl.training.denoising.corruption import swap_cells
from sklearn_ddcl.training.denoising.loss import rebuilding_losses, smoothing_losses
from sklearn_ddcl.training.denoising.monitor import MonitorDenoiser
from sklearn_ddcl.training.denoising.plan import DenoisingPlan
from sklearn_ddcl.training.denoising.rows import SmoothTargets
from sklearn_ddcl.training.memory_net import MemoryNet, net_settings
from sklearn_ddcl.training.seeding import make_generator

_WEIGHT_DECAY = 1e-4


class DenoisingNet(MemoryNet):
    """Train a network to undo corruption, and to see a row among its neighbors.

    What is to be predicted never depends on the network, so that rows cannot fall
    together: the loss would rise. The competition loss may pull predictions towards
    the prototypes, which stand still meanwhile.

    Parameters
    ----------
    module : RowDenoiser
        The network.
    plan : DenoisingPlan
        Decisions made before training.
    seed : int
        Seeds everything random.
    prototypes : Tensor of shape (K, R)
        Of the largest neighborhoods, in the coordinates of `metric`.
    metric : Tensor of shape (D, R)
        Maps standardized neighborhoods to coordinates.
    temperature : float
        Of the competition.
    **kwargs
        As for :class:`MemoryNet`.
    """

    def __init__(self, module, *, prototypes, metric, temperature, **kwargs):
        super().__init__(module, **kwargs)
        self.prototypes = prototypes
        self.metric = metric
        self.temperature = temperature

    def initialize_module(self, *args, **kwargs):
        """Initialize the module and the generators that training draws from."""
        super().initialize_module(*args, **kwargs)
        self.swapper = make_generator(self.seed + 3, torch.device(self.device))
        return self

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return all parameters in one group."""
        return [
            {
                "params": list(self.module_.parameters()),
                "weight_decay": _WEIGHT_DECAY,
            }
        ]

    def prepare_batch(
        self, inputs: Inputs, targets: Any
    ) -> tuple[Inputs, tuple[Inputs, Any]]:
        """Return the batch corrupted, with what it was."""
        corrupted = swap_cells(inputs, self.plan.corruption, self.swapper)
        return corrupted, (inputs, targets)

    def row_weights(self, targets: Any) -> Tensor:
        """Return the importance (B,) of the rows of a prepared batch."""
        return targets[1].weights

    def infer(self, x: Inputs, **fit_params: Any) -> tuple[Tensor, ...]:
        """Return what the network makes of a batch."""
        with self.autocast():
            return self.module_(x.numbers, x.codes)

    def tokens(self, predicted: Tensor) -> Tensor:
        """Return predictions (B, S, D) as they are compared with prototypes, (B, R)."""
        return predicted[:, -1].to(self.metric.dtype) @ self.metric

    def get_loss(
        self,
        y_pred: Any,
        y_true: tuple[Inputs, SmoothTargets],
        X: Any = None,
        training: bool = False,
    ) -> Tensor:
        """Return the error of the predictions, plus a weighted competition loss."""
        _, rebuilt, predicted = y_pred
        inputs, targets = y_true
        losses = rebuilding_losses(rebuilt, inputs, self.module_.dense)
        losses = losses + smoothing_losses(predicted, targets.smoothed)
        loss = weighted_mean(losses, targets.weights)
        self.task_loss_ = loss.detach()
        if self.plan.distortion_weight > 0:
            tokens = self.tokens(predicted)
            with torch.no_grad():
                q = F.soft_assign(tokens, self.prototypes, self.temperature)
            parts = F.decompose(tokens, self.prototypes, q, reduction="none")
            pull = weighted_mean(parts.loss, targets.weights) / predicted.shape[2]
            loss = loss + self.plan.distortion_weight * pull
        return loss


def make_denoising_net(
    module: RowDenoiser,
    plan: DenoisingPlan,
    *,
    prototypes: Tensor,
    metric: Tensor,
    temperature: float,
    seed: int,
    device: torch.device,
    mixed_precision: bool = False,
    extra_callbacks: tuple = (),
) -> DenoisingNet:
    """Return a net that is ready to be fitted.

    Parameters
    ----------
    module : RowDenoiser
        The network, on any device.
    plan : DenoisingPlan
        Decisions made before training.
    prototypes : Tensor of shape (K, R)
        Of the largest neighborhoods, in the coordinates of `metric`.
    metric : Tensor of shape (D, R)
        Maps standardized neighborhoods to coordinates.
    temperature : float
        Of the competition.
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
    net : DenoisingNet
        Not yet initialized.
    """
    callbacks: list = [
        ("learning_rate", StepLearningRate()),
        ("grow_heads", GrowHeads()),
        ("monitor", MonitorDenoiser()),
    ]
    return DenoisingNet(
        module,
        prototypes=prototypes.to(device),
        metric=metric.to(device),
        temperature=temperature,
        seed=seed,
        mixed_precision=mixed_precision,
        **net_settings(plan, callbacks, device, extra_callbacks),
    )
