"""The network of an estimator without the estimator, trained and asked by hand.

This is what a user of plain torch would write for the same module, batches, loss and
optimizer; the estimator's time is measured against it.
"""

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import torch
from skorch import NeuralNetClassifier
from torch import Tensor, nn

import sklearn_ddcl.functional as F

_WARMUP_STEPS = 30


class Bare(NamedTuple):
    """What is inside a fitted estimator."""

    module: nn.Module
    numbers: Tensor
    codes: Tensor
    classes: Tensor
    groups: list[dict[str, Any]]
    """Parameters of equal peak rate and decay, each group once."""
    batch_size: int
    distortion_weight: float


def undress(estimator: Any, X: Any, y: np.ndarray) -> Bare:
    """Take network, encoded rows and optimizer settings out of a fitted estimator."""
    net, fitted = estimator.net_, estimator._fitted
    numbers, codes = fitted.to_tensors(encode(estimator, X))
    merged: dict[tuple[float, float], dict[str, Any]] = {}
    for group in net.optimizer_.param_groups:
        if group["params"]:
            rates = group.get("peak_lr", group["lr"]), group["weight_decay"]
            empty = {"params": [], "lr": rates[0], "weight_decay": rates[1]}
            merged.setdefault(rates, empty)["params"].extend(group["params"])
    return Bare(
        module=net.module_,
        numbers=numbers,
        codes=codes,
        classes=torch.from_numpy(np.searchsorted(estimator.classes_, y)),
        groups=list(merged.values()),
        batch_size=net.plan.batch_size,
        distortion_weight=net.plan.distortion_weight,
    )


def encode(estimator: Any, X: Any) -> Any:
    """Return a table as the estimator's network takes it."""
    return estimator._fitted.table.transform(X)


def predict_encoded(estimator: Any, encoded: Any) -> np.ndarray:
    """Return the estimator's probabilities for a table that is already encoded."""
    return estimator._fitted.predict_proba(encoded)


def objective(
    answer: tuple, classes: Tensor, bank: nn.Module | None, weight: float
) -> Tensor:
    """Return the training loss of equally important rows.

    Cross-entropy of every view, plus the distortion that only prototypes feel.
    """
    log_proba, tokens, log_assignments = answer
    n_views = log_proba.shape[1]
    loss = nn.functional.nll_loss(
        log_proba.flatten(0, 1), classes.repeat_interleave(n_views)
    )
    if bank is None or weight == 0:
        return loss
    assignments = log_assignments.detach().exp()
    distortion = F.distortion(tokens.detach(), bank.prototypes, assignments)
    return loss + weight * distortion / tokens.shape[-1]


def train_by_hand(bare: Bare, n_epochs: int) -> float:
    """Train as a plain torch loop would, and return the last epoch's mean loss."""
    module = bare.module.train()
    optimizer = _adamw(bare)
    n_rows = len(bare.numbers)
    n_batches = max(1, round(n_rows / bare.batch_size))
    shuffler = torch.Generator().manual_seed(0)
    for epoch in range(n_epochs):
        total = torch.zeros(())
        order = torch.randperm(n_rows, generator=shuffler)
        for i, rows in enumerate(order.tensor_split(n_batches)):
            factor = _cosine(epoch * n_batches + i, n_epochs * n_batches)
            for group in optimizer.param_groups:
                group["lr"] = factor * group["peak_lr"]
            answer = module(bare.numbers[rows], bare.codes[rows])
            classes = bare.classes[rows]
            loss = objective(answer, classes, module.bank, bare.distortion_weight)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            total += loss.detach() * len(rows)
    return float(total) / n_rows


def _adamw(bare: Bare) -> torch.optim.Optimizer:
    groups = [group | {"peak_lr": group["lr"]} for group in bare.groups]
    return torch.optim.AdamW(groups, betas=(0.9, 0.98), fused=True)


def _cosine(step: int, n_steps: int) -> float:
    warmup = min(1.0, (step + 1) / min(_WARMUP_STEPS, n_steps))
    return warmup * 0.5 * (1 + math.cos(math.pi * step / n_steps))


class StockNet(NeuralNetClassifier):
    """skorch as it comes, but for the loss: its own data set, collation, callbacks."""

    def get_loss(self, y_pred, y_true, X=None, training=False):
        return objective(y_pred, y_true, self.module_.bank, self.distortion_weight)


def stock_training(bare: Bare, n_epochs: int) -> Callable[[], Any]:
    """Return a function that trains with stock skorch, one row at a time collated."""
    names = {id(p): name for name, p in bare.module.named_parameters()}
    patterns = [
        (names[id(p)], {"lr": group["lr"], "weight_decay": group["weight_decay"]})
        for group in bare.groups
        for p in group["params"]
    ]
    net = StockNet(
        bare.module,
        optimizer=torch.optim.AdamW,
        optimizer__param_groups=patterns,
        optimizer__betas=(0.9, 0.98),
        optimizer__fused=True,
        batch_size=bare.batch_size,
        iterator_train__shuffle=True,
        train_split=None,
        verbose=0,
    ).initialize()
    net.distortion_weight = bare.distortion_weight
    X = {"numbers": bare.numbers.numpy(), "codes": bare.codes.numpy()}
    y = bare.classes.numpy()
    return lambda: net.partial_fit(X, y, epochs=n_epochs)


def predict_by_hand(bare: Bare, block_rows: int) -> np.ndarray:
    """Return class probabilities from the bare module, a block of rows at a time."""
    module = bare.module.eval()
    with torch.inference_mode():
        blocks = [
            module(numbers, codes)[0].exp().mean(1)
            for numbers, codes in zip(
                bare.numbers.split(block_rows),
                bare.codes.split(block_rows),
                strict=True,
            )
        ]
        return torch.cat(blocks).numpy()
