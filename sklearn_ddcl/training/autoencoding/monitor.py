"""One line of measurements per epoch of an autoencoder."""

import math
import time
from typing import Any

import torch
from skorch.callbacks import Callback
from torch import Tensor

import sklearn_ddcl.functional as F
from sklearn_ddcl.training.autoencoding.loss import row_losses, weighted_mean
from sklearn_ddcl.training.data import EncodedRows

_MIN_ROWS, _ROWS_PER_PROTOTYPE = 1024, 8
UNPLACED = {
    name: math.nan
    for name in (
        "soft_reconstruction",
        "hard_reconstruction",
        "perplexity",
        "utilization",
        "min_prototype_distance",
    )
}
"""What `measure` cannot say before the codebooks are placed."""


class MonitorCodebooks(Callback):
    """Fill ``net.measurements``."""

    def on_train_begin(self, net: Any, X: Any = None, **kwargs: Any) -> None:
        """Start the clock and choose the rows to look at."""
        self.began_ = time.perf_counter()
        n_prototypes = net.module_.codebook.prototypes.shape[1]
        wanted = max(_MIN_ROWS, _ROWS_PER_PROTOTYPE * n_prototypes)
        self.rows_: EncodedRows = X.sample(wanted).to(torch.device(net.device))

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Measure the epoch that ends."""
        row, codebook = net.history[-1], net.module_.codebook
        measured = {
            "epoch": len(net.measurements) + 1,
            "phase": net.phase,
            "loss": row["train_loss"],
            "reconstruction": row["train_task_loss"],
            **(measure(net, self.rows_) if net.phase != "free" else UNPLACED),
            "temperature": float(codebook.temperature.mean()),
            "lr": net.optimizer_.param_groups[-1]["lr"],
            "seconds": time.perf_counter() - self.began_,
        }
        net.measurements.append(measured)


def measure(net: Any, rows: EncodedRows) -> dict[str, float]:
    """Return how well rows are rebuilt, softly and hard, and how codes are used.

    Parameters
    ----------
    net : AutoencoderNet
        Its network is left as it is.
    rows : EncodedRows
        A sample.

    Returns
    -------
    measured : dict
        ``soft_reconstruction``, ``hard_reconstruction``, ``perplexity`` and
        ``utilization`` (means over the books, of hard codes) and
        ``min_prototype_distance``.
    """
    network, training = net.module_, net.module_.training
    inputs, targets = rows[:]
    network.eval()
    with torch.no_grad(), net.autocast():
        latents = network.latents(inputs.numbers, inputs.codes)
        codes = network.codebook.encode(latents)
        soft = network.rebuild(network.codebook(latents).latents)
        hard = network.decode(codes)
    network.train(training)
    cardinalities = network.spec.cardinalities
    soft_loss, hard_loss = (
        weighted_mean(row_losses(rebuilt, inputs, cardinalities), targets.weights)
        for rebuilt in (soft, hard)
    )
    return {
        "soft_reconstruction": float(soft_loss),
        "hard_reconstruction": float(hard_loss),
        **measure_usage(codes, network.codebook.prototypes.detach()),
    }


def measure_usage(codes: Tensor, prototypes: Tensor) -> dict[str, float]:
    """Return how evenly codes (n, M) use prototypes (M, K, d), which are how distinct.

    Returns
    -------
    measured : dict
        ``perplexity`` and ``utilization``, means over the books, and
        ``min_prototype_distance``, the smallest within a book.
    """
    n_prototypes = prototypes.shape[1]
    counts = torch.stack(
        [torch.bincount(own, minlength=n_prototypes) for own in codes.T]
    ).double()
    shares = counts / counts.sum(1, keepdim=True)
    distances = [F.min_prototype_distance(book) for book in prototypes]
    return {
        "perplexity": float(torch.special.entr(shares).sum(1).exp().mean()),
        "utilization": float((counts > 0).double().mean()),
        "min_prototype_distance": float(torch.stack(distances).min()),
    }
