"""The same short training for every classifier of tokens, in a process of its own."""

import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from .forked import in_fork
from .peak_memory import peak_bytes
from .token_models import make_classifier
from .token_sets import Part, TokenSet

LR, WEIGHT_DECAY, BATCH = 5e-3, 0.01, 32
_WARM_UP = 0.1


def fit_in_fork(spec: str, tokens: TokenSet, seed: int) -> dict[str, Any]:
    """Train and test a classifier in a forked process, whose peak memory is its own.

    Returns
    -------
    result : dict
        Accuracy, log-loss, learned weights of the encoder and of all, CPU seconds of
        the training and of the test, and bytes by which training raised the peak.
    """
    return in_fork(fit, spec, tokens, seed)


def fit(spec: str, tokens: TokenSet, seed: int) -> dict[str, Any]:
    """Train and test a classifier here."""
    generator = torch.Generator().manual_seed(seed)
    train, test = tokens.train, tokens.test
    model = make_classifier(spec, tokens, generator)
    # Dropout draws from the global generator, of a forked process.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        before, began = peak_bytes(), time.process_time()
        train_classifier(model, train, tokens.n_epochs, generator)
        fit_cpu, peak = time.process_time() - began, peak_bytes()
    began = time.process_time()
    log_proba = predict(model, test)
    pred_cpu = time.process_time() - began
    return {
        **score(log_proba, test.classes),
        "encoder_parameters": model.n_encoder_parameters,
        "parameters": sum(w.numel() for w in model.parameters() if w.requires_grad),
        "fit_cpu": fit_cpu,
        "pred_cpu": pred_cpu,
        "fit_bytes": peak - before,
    }


def score(log_proba: np.ndarray, classes: np.ndarray) -> dict[str, float]:
    """Return accuracy and log-loss."""
    own = log_proba[np.arange(len(classes)), classes]
    return {
        "acc": float((log_proba.argmax(1) == classes).mean()),
        "ll": float(-own.mean()),
    }


AfterStep = Callable[[int, int, np.ndarray, float, torch.optim.Optimizer], None]


def train_classifier(
    model: nn.Module,
    part: Part,
    n_epochs: int,
    generator: torch.Generator,
    after_step: AfterStep | None = None,
) -> None:
    """Train a classifier.

    Parameters
    ----------
    model : Module
        Maps tokens and their mask to logits.
    part : Part
        Rows to learn from.
    n_epochs : int
        How often every row is seen.
    generator : torch.Generator
        Shuffles.
    after_step : callable, optional
        Is told after every step which it was, counted from 1, of how many, the rows
        that were in it, their loss, and the optimizer, whose parameters it may replace.
    """
    learned = [w for w in model.parameters() if w.requires_grad]
    optimizer = torch.optim.AdamW(learned, lr=LR, weight_decay=WEIGHT_DECAY)
    n_steps = n_epochs * math.ceil(len(part.classes) / BATCH)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: rate(step / n_steps)
    )
    model.train()
    step = 0
    for _ in range(n_epochs):
        order = torch.randperm(len(part.classes), generator=generator).numpy()
        starts = range(0, len(order), BATCH)
        for start, batch in zip(starts, batches(part, order), strict=True):
            tokens, mask, classes = batch
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(tokens, mask), classes)
            loss.backward()
            # As they are now: blocks may have grown.
            weights = (w for group in optimizer.param_groups for w in group["params"])
            nn.utils.clip_grad_norm_(weights, 1.0)
            optimizer.step()
            schedule.step()
            step += 1
            if after_step is not None:
                rows = order[start : start + BATCH]
                after_step(step, n_steps, rows, float(loss.detach()), optimizer)
    model.eval()


def rate(done: float) -> float:
    """Return the share of the learning rate: up in a line, down in half a cosine."""
    if done < _WARM_UP:
        return max(done, 0.01) / _WARM_UP
    return 0.5 + 0.5 * math.cos(math.pi * (done - _WARM_UP) / (1 - _WARM_UP))


@torch.no_grad()
def predict(model: nn.Module, part: Part) -> np.ndarray:
    order = np.arange(len(part.classes))
    logits = [model(tokens, mask) for tokens, mask, _ in batches(part, order)]
    return torch.cat(logits).double().log_softmax(1).numpy()


def batches(
    part: Part, order: np.ndarray
) -> Iterator[tuple[Tensor, Tensor | None, Tensor]]:
    for start in range(0, len(order), BATCH):
        rows = order[start : start + BATCH]
        tokens, mask = part.tokens[rows], None
        if part.mask is not None:
            n_tokens = part.mask[rows].sum(1).max()
            tokens = tokens[:, :n_tokens]
            mask = torch.from_numpy(part.mask[rows, :n_tokens])
        classes = torch.from_numpy(part.classes[rows])
        yield torch.from_numpy(tokens), mask, classes
