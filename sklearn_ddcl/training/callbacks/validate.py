"""Every epoch is judged by rows that it was not learned from."""

from typing import Any

import torch
from skorch.callbacks import Callback
from torch import Tensor

from sklearn_ddcl.training.data import Batches, EncodedRows, Inputs, Targets
from sklearn_ddcl.training.folds import N_FOLDS, judged_rows

_RATIOS = tuple(2 ** (i / 2) for i in range(-2, 7))
_BLOCK = 512


class Validate(Callback):
    """Record the loss on held-out rows, at the temperature that suits them best.

    A training teaches more confidence than it can keep. How much softer decisions
    should be is a single number, which held-out rows tell without another training;
    an epoch is judged as if it had been applied.

    Parameters
    ----------
    rows : EncodedRows
        Rows of which each is judged by the views that left its fold out, or, without
        a fold, by all views.
    every : int, default=1
        Judge every so many epochs, and the last one.
    n_steps : int, default=0
        Judge no epoch, but the last one, before so many steps.
    """

    def __init__(self, rows: EncodedRows, every: int = 1, n_steps: int = 0) -> None:
        self.rows = rows
        self.every = every
        self.n_steps = n_steps

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:
        """Take back the temperature that an earlier training ended with."""
        self.n_before_ = len(net.measurements)
        if net.module_.bank is None:
            net.module_.readout.temperature.fill_(1)

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Record loss, accuracy, and the factor on the temperature."""
        epoch = len(net.measurements) + 1 - self.n_before_
        too_early = epoch % self.every or net.step < self.n_steps
        if too_early and epoch != net.plan.max_epochs:
            return
        ratios = _RATIOS if net.plan.temperature is None else (1.0,)
        losses, scores = judge(net, self.rows, ratios)
        best = int(losses.nan_to_num(torch.inf).argmin())
        net.history.record("valid_loss", float(losses[best]))
        net.history.record("valid_score", float(scores[best]))
        net.history.record("valid_ratio", ratios[best])


def judge(
    net: Any, rows: EncodedRows, ratios: tuple[float, ...]
) -> tuple[Tensor, Tensor]:
    """Return how well rows are predicted that were not learned from.

    Parameters
    ----------
    net : DDCLNet
        Its network is left as it is.
    rows : EncodedRows
        Rows, with the folds that some views left out.
    ratios : tuple of float
        Factors on the temperature to try.

    Returns
    -------
    losses, scores : Tensor of shape (n_ratios,)
        Weighted cross-entropy of the averaged views in nats, and accuracy.
    """
    network, device = net.module_, torch.device(net.device)
    temperature = network.readout.temperature
    before, training = temperature.clone(), network.training
    n_views = network.n_decisions
    totals = torch.zeros(3, len(ratios), dtype=torch.float64, device=device)
    network.eval()
    try:
        with torch.no_grad(), net.autocast():
            for inputs, targets in Batches(rows, _BLOCK, device):
                inputs, classes, weights = _to_judges(inputs, targets, n_views)
                tokens = network.tokens(*inputs)
                for i, ratio in enumerate(ratios):
                    temperature.copy_(before * ratio)
                    log_proba = _average(network.readout(tokens)[0], classes.shape[1])
                    hits = log_proba.argmax(-1) == classes
                    loss = -log_proba.gather(-1, classes[..., None])[..., 0]
                    measured = torch.stack([loss, hits, torch.ones_like(loss)]).double()
                    totals[:, i] += measured.flatten(1) @ weights.double().flatten()
    finally:
        # Also when a user interrupts, who then keeps the model.
        temperature.copy_(before)
        network.train(training)
    losses, scores, mass = totals.cpu()
    return losses / mass, scores / mass


def _to_judges(
    inputs: Inputs, targets: Targets, n_views: int
) -> tuple[Inputs, Tensor, Tensor]:
    """Return a batch such that views see what they may judge, classes and weights.

    These are (R, N_FOLDS), one column for the views that leave out a fold, or (B, 1) if
    all views judge all rows.
    """
    if n_views < N_FOLDS or targets.folds[0] < 0:
        return inputs, targets.classes[:, None], targets.weights[:, None]
    rows, by_fold = judged_rows(targets.folds, n_views)
    weights = targets.weights[by_fold].where(by_fold >= 0, 0)
    return inputs._replace(rows=rows), targets.classes[by_fold], weights


def _average(log_proba: Tensor, n_groups: int) -> Tensor:
    """Return the log of the mean probability of groups of views, (R, n_groups, C)."""
    n_views = log_proba.shape[1]
    lacking = -n_views % n_groups
    padded = torch.nn.functional.pad(log_proba, (0, 0, 0, lacking), value=-torch.inf)
    sums = padded.unflatten(1, (-1, n_groups)).logsumexp(1)
    groups = torch.arange(n_views, device=log_proba.device) % n_groups
    counts = groups.bincount(minlength=n_groups).to(sums.dtype)
    return sums - counts.log()[:, None]
