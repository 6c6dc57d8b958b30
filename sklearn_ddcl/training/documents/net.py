"""The skorch net that trains a compressor of documents for a task."""

import math
import time
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from skorch.callbacks import Callback
from torch import Tensor

from sklearn_ddcl.layers.document_tokens import (
    DocumentTokens,
    cut_groups,
    document_of_items,
)
from sklearn_ddcl.networks.document import DocumentNetwork
from sklearn_ddcl.training.callbacks.grow_heads import GrowHeads
from sklearn_ddcl.training.callbacks.learning_rate import StepLearningRate
from sklearn_ddcl.training.data import Targets
from sklearn_ddcl.training.documents.batches import DocumentBatches
from sklearn_ddcl.training.growth.layer_growth import row_halves
from sklearn_ddcl.training.memory_net import MemoryNet, net_settings
from sklearn_ddcl.training.schedule import warm_up

# A faster encoder learns documents by heart, a slower one not what it is there for.
_ENCODER_RATE = 0.2
# Numbers of a token by which documents are told apart.
_COLUMNS_TOLD = 16


@dataclass(frozen=True)
class DocumentPlan:
    """Everything about the training for a task that was decided before.

    Parameters
    ----------
    max_epochs : int
        Length of the training.
    batch_size : int
        Documents per step, about.
    lr : float
        Learning rate at its peak; that of weights is lower, the wider their layer.
    prototype_lr_ratio : float
        How many times faster prototypes learn, in units of the spread of the tokens.
    spread : float
        Standard deviation of the tokens.
    weight_decay : float, default=0.1
        Decoupled decay of the head, and of the matrices of an encoder.
    """

    max_epochs: int
    batch_size: int
    lr: float
    prototype_lr_ratio: float
    spread: float
    weight_decay: float = 0.1
    streaming: ClassVar[bool] = False

    def lr_factor(self, step: int, n_steps: int) -> float:
        """Return the factor on all rates at a step: short warm-up, then a cosine."""
        progress = min(1.0, step / max(1, n_steps))
        return warm_up(step, n_steps) * 0.5 * (1 + math.cos(math.pi * progress))


class DocumentNet(MemoryNet):
    """Train prototypes, a small map, an encoder and a linear head together.

    Parameters
    ----------
    module : DocumentNetwork
        The network, with its prototypes placed.
    plan : DocumentPlan
        Decisions made before training.
    seed : int
        Seeds shuffling and the tokens that are left out.
    **kwargs
        As for :class:`MemoryNet`.
    """

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return prototypes with a rate of their own, and a head that decays."""
        module, plan = self.module_, self.plan
        prototypes = [level.prototypes for level in module.levels]
        d_token, d_vector = len(module.center), module.d_vector
        # Adam moves every entry alike: of a wide matrix, together much further.
        rates = {
            "prototypes": plan.prototype_lr_ratio * plan.spread / d_token**0.5,
            "head": 1 / d_vector**0.5,
            "map": 1 / d_token,
        }
        rates = {name: plan.lr * rate for name, rate in rates.items()}
        return [
            {"params": prototypes, "lr": rates["prototypes"]},
            {"params": [module.map.weight], "lr": rates["map"]},
            *self._encoder_groups(),
            {"params": [module.head.bias], "lr": rates["head"]},
            {
                "params": [module.head.weight],
                "lr": rates["head"],
                "weight_decay": plan.weight_decay,
            },
        ]

    def growth_rows(
        self, inputs: DocumentTokens, targets: Targets
    ) -> tuple[Tensor, Tensor]:
        """Return importance and half of the windows in which tokens attend."""
        encoder = self.module_.encoder
        windows = cut_groups(inputs.bounds[0], encoder.longest)
        owner = document_of_items(inputs)
        learns = halves(inputs, owner, encoder.scale)[owner[windows[:-1]]]
        return self.module_.center.new_ones(len(learns)), learns

    def _encoder_groups(self) -> list[dict[str, Any]]:
        """Return matrices, which decay, and the rest of an encoder, if there is one."""
        encoder, plan = self.module_.encoder, self.plan
        if encoder is None:
            return []
        rate = plan.lr * _ENCODER_RATE / len(encoder.down.weight) ** 0.5
        parameters = list(encoder.parameters())
        matrices = [values for values in parameters if values.ndim > 1]
        others = [values for values in parameters if values.ndim < 2]
        return [
            {"params": matrices, "lr": rate, "weight_decay": plan.weight_decay},
            {"params": others, "lr": rate},
        ]

    def get_iterator(  # type: ignore[override]
        self, dataset: Any, training: bool = False
    ) -> DocumentBatches:
        """Return batches of documents, shuffled in training."""
        generator = self.shuffler if training else None
        device = torch.device(self.device)
        return DocumentBatches(dataset, self.plan.batch_size, device, generator)

    def infer(self, x: Any, **fit_params: Any) -> Tensor:
        """Return log probabilities of the classes."""
        with self.autocast():
            return self.module_(x)

    def get_loss(
        self, y_pred: Tensor, y_true: Targets, X: Any = None, training: bool = False
    ) -> Tensor:
        """Return the cross-entropy."""
        loss = torch.nn.functional.nll_loss(y_pred.float(), y_true.classes)
        self.task_loss_ = loss.detach()
        return loss


class MonitorDocuments(Callback):
    """Fill ``net.measurements`` with one line per epoch, and print it on request."""

    def __init__(self, verbose: int = 0) -> None:
        self.verbose = verbose

    def on_train_begin(self, net: Any, X: Any = None, **kwargs: Any) -> None:
        """Start the clock."""
        self.began_ = time.perf_counter()

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Measure the epoch that ends."""
        row, epoch = net.history[-1], len(net.measurements) + 1
        net.measurements.append(
            {
                "epoch": epoch,
                "level": 0,
                "loss": row["train_loss"],
                "task_loss": row["train_task_loss"],
                "perplexity": math.nan,
                "temperature": float(net.module_.levels[0].temperature),
                "lr": net.optimizer_.param_groups[-1]["lr"],
                "seconds": time.perf_counter() - self.began_,
            }
        )
        if self.verbose > 1 or (self.verbose and epoch % 10 == 0):
            print(f"epoch {epoch:>3}  loss {row['train_loss']:.4f}", flush=True)


def make_document_net(
    module: DocumentNetwork,
    plan: DocumentPlan,
    *,
    seed: int,
    device: torch.device,
    mixed_precision: bool = False,
    verbose: int = 0,
) -> DocumentNet:
    """Return a net that is ready to be fitted.

    Parameters
    ----------
    module : DocumentNetwork
        The network, on any device.
    plan : DocumentPlan
        Decisions made before training.
    seed : int
        Seeds everything random in training.
    device : torch.device
        Where to train.
    mixed_precision : bool, default=False
        Whether to use bfloat16 autocast.
    verbose : int, default=0
        1 prints every tenth epoch, 2 every one.

    Returns
    -------
    net : DocumentNet
        Not yet initialized.
    """
    callbacks: list = [
        ("learning_rate", StepLearningRate()),
        ("grow_heads", GrowHeads()),
        ("monitor", MonitorDocuments(verbose)),
    ]
    return DocumentNet(
        module,
        seed=seed,
        mixed_precision=mixed_precision,
        **net_settings(plan, callbacks, device),
    )


def halves(documents: DocumentTokens, owner: Tensor, scale: Tensor) -> Tensor:
    """Deal documents to two halves by their content, so that each always falls alike.

    Parameters
    ----------
    documents : DocumentTokens
        Documents.
    owner : Tensor of shape (N,)
        Document of every token.
    scale : Tensor of shape ()
        Standard deviation of the tokens.

    Returns
    -------
    first : Tensor of shape (n_documents,), dtype bool
    """
    few = documents.tokens[:, :_COLUMNS_TOLD].double()
    digits = (few / scale * 2.0**20).round().long()
    # Whole numbers add up to the same in every order.
    sums = digits.new_zeros(len(documents), digits.shape[1])
    sums = sums.index_add(0, owner.to(digits.device), digits)
    return row_halves(torch.empty(len(sums), 0, device=sums.device), sums)
