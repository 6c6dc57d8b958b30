"""One line of measurements per epoch of a denoiser, and a warning at the end."""

import time
import warnings
from typing import Any

import torch
from skorch.callbacks import Callback

import sklearn_ddcl.functional as F
from sklearn_ddcl.training.autoencoding.loss import weighted_mean
from sklearn_ddcl.training.denoising.loss import rebuilding_losses, smoothing_losses
from sklearn_ddcl.training.messages import CollapseWarning

_ROWS = 1024
_MIN_TOKEN_VARIANCE = 0.25
# A short training has not told rows apart yet, whatever its losses.
_LEARNING_STEPS = 300


class MonitorDenoiser(Callback):
    """Fill ``net.measurements`` and say when predictions have collapsed."""

    def on_train_begin(self, net: Any, X: Any = None, **kwargs: Any) -> None:
        """Start the clock and choose the rows to look at."""
        self.began_ = time.perf_counter()
        self.rows_ = X.sample(_ROWS)

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Measure the epoch that ends."""
        net.measurements.append(
            {
                "epoch": len(net.measurements) + 1,
                "loss": net.history[-1]["train_loss"],
                "task_loss": net.history[-1]["train_task_loss"],
                **measure(net, self.rows_),
                "temperature": net.temperature,
                "lr": net.optimizer_.param_groups[-1]["lr"],
                "seconds": time.perf_counter() - self.began_,
            }
        )

    def on_train_end(self, net: Any, **kwargs: Any) -> None:
        """Warn when rows are no longer told apart."""
        if not net.measurements or net.step < _LEARNING_STEPS:
            return
        share = net.measurements[-1]["token_variance"]
        if share < _MIN_TOKEN_VARIANCE:
            warnings.warn(
                f"The rows collapsed: the network tells apart {share:.1%} of their "
                "variance. Lower distortion_weight (now "
                f"{net.plan.distortion_weight:g}) or lr, or train longer.",
                CollapseWarning,
                stacklevel=2,
            )


def measure(net: Any, rows: Any) -> dict[str, float]:
    """Return how well rows are predicted, and how they fall to the prototypes.

    Parameters
    ----------
    net : DenoisingNet
        Its network is left as it is.
    rows : DenoisingRows
        A sample; it is not corrupted.

    Returns
    -------
    measured : dict
        ``rebuilding`` and ``smoothing``, losses; ``reconstruction``, ``diversity`` and
        ``identity_residual``, of the competition; ``perplexity``,
        ``min_prototype_distance`` and ``token_variance``, relative to that of the
        rows as they should be predicted.
    """
    network, training = net.module_, net.module_.training
    inputs, targets = rows[:]
    network.eval()
    with torch.no_grad(), net.autocast():
        _, rebuilt, predicted = network(inputs.numbers, inputs.codes)
    network.train(training)
    weights, prototypes = targets.weights, net.prototypes
    tokens, wanted = net.tokens(predicted), net.tokens(targets.smoothed)
    q = F.soft_assign(tokens, prototypes, net.temperature)
    parts = F.decompose(tokens, prototypes, q, reduction="none")
    variance, whole = (
        F.token_covariance(values, weights).trace() for values in (tokens, wanted)
    )
    values = {
        "rebuilding": weighted_mean(
            rebuilding_losses(rebuilt, inputs, network.dense), weights
        ),
        "smoothing": weighted_mean(
            smoothing_losses(predicted, targets.smoothed), weights
        ),
        "reconstruction": weighted_mean(parts.reconstruction, weights),
        "diversity": weighted_mean(parts.diversity, weights),
        "identity_residual": F.Decomposition(*(p.mean() for p in parts)).residual,
        "perplexity": F.perplexity(q, weights),
        "min_prototype_distance": F.min_prototype_distance(prototypes),
        "token_variance": variance / whole.clamp_min(1e-30),
    }
    numbers = torch.stack([value.detach().double().cpu() for value in values.values()])
    return dict(zip(values, numbers.tolist(), strict=True))
