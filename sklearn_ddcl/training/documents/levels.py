"""Prototypes of every level of a document, from the tokens up."""

import math
from typing import NamedTuple

import torch
from torch import Tensor

import sklearn_ddcl.functional as F
from sklearn_ddcl.layers.document_slots import SlotPooling, Slots
from sklearn_ddcl.layers.document_tokens import DocumentTokens
from sklearn_ddcl.networks.document import pool_slots
from sklearn_ddcl.training.history import TrainingHistory
from sklearn_ddcl.training.quantization import Rows, count_prototypes, solve

# How many prototypes a token is shared by, on the average.
_SHARED_BY = 3.0
_BISECTIONS = 40
_SAMPLE = 4096
# A document's vector is as long as its tokens are wide, times the prototypes.
_MOST_COUNTED = 64
# Slots of less than this share of their group's mass stand for nothing.
_NEGLIGIBLE = 1e-3
# A temperature of zero would not do: at least this share of the squared extent.
_LEAST_NOISE = 1e-6


class FittedLevels(NamedTuple):
    """What is learned of documents without a task."""

    center: Tensor
    """(d,), mean token."""
    levels: list[SlotPooling]
    """From the tokens up, relative to `center`."""
    n_unused: int
    """Prototypes that are nearest to no token."""
    history: TrainingHistory
    """One entry per pass over the tokens of a level."""


def fit_levels(
    documents: DocumentTokens,
    n_prototypes: tuple[int | None, ...],
    generator: torch.Generator,
    *,
    temperature: float | None = None,
    max_passes: int = 300,
    verbose: int = 0,
) -> FittedLevels:
    """Find the prototypes of every level by competition annealed from soft to hard.

    Parameters
    ----------
    documents : DocumentTokens
        What they are fitted to, on the device and in the type that is computed in.
    n_prototypes : tuple of int or None
        Prototypes per level, from the tokens up; None for as many as the items of the
        level support.
    generator : torch.Generator
        Source of everything random.
    temperature : float, optional
        Temperature of all levels. By default see :func:`shared_temperature`, but not
        above the mean squared distance of tokens to their nearest prototypes: groups
        that are far apart are not to be mixed.
    max_passes : int, default=300
        Passes over the tokens of a level, at most.
    verbose : int, default=0
        1 prints every tenth pass, 2 every one.

    Returns
    -------
    fitted : FittedLevels
        Named tuple of `center`, `levels`, `n_unused` and `history`.
    """
    center = documents.tokens.double().mean(0).to(documents.tokens)
    tokens = documents.tokens - center
    slots: Slots | None = None
    history = TrainingHistory()
    levels: list[SlotPooling] = []
    n_unused = 0
    for number, (wanted, bounds) in enumerate(
        zip(n_prototypes, documents.bounds, strict=True), start=1
    ):
        values, weights = (tokens, None) if slots is None else _items(slots)
        rows = Rows(values, weights, dtype=tokens.dtype)
        size = wanted or count_prototypes(rows, most=_MOST_COUNTED).n_prototypes
        found = solve(rows, size, generator, max_passes=max_passes, verbose=verbose)
        n_unused += size - len(found.labels.unique())
        prototypes = found.codes.to(tokens)
        softness = temperature
        if softness is None:
            softness = shared_temperature(values, prototypes, weights)
            error = found.distances if weights is None else found.distances * weights
            softness = min(softness, _noise(error, weights, prototypes))
        level = SlotPooling(prototypes, softness)
        levels.append(level)
        _enter(history, found.history, number)
        if number == len(n_prototypes):
            break
        with torch.no_grad():
            if slots is None:
                slots = level(tokens, bounds)
            else:
                slots = pool_slots(level, slots, bounds)
    return FittedLevels(center, levels, n_unused, history)


def shared_temperature(
    tokens: Tensor,
    prototypes: Tensor,
    weights: Tensor | None = None,
    *,
    shared_by: float = _SHARED_BY,
) -> float:
    """Return the temperature at which so many prototypes share a token.

    Their number is the perplexity of the assignments, the exponential of their mean
    entropy.

    Parameters
    ----------
    tokens : Tensor of shape (N, d)
        Tokens; some thousands are looked at.
    prototypes : Tensor of shape (K, d)
        Prototypes.
    weights : Tensor of shape (N,), optional
        Importance of the tokens.
    shared_by : float, default=3.0
        How many prototypes; of few prototypes at most half and a half.

    Returns
    -------
    temperature : float
        In the unit of a squared distance; one if all distances are the same.
    """
    stride = max(1, len(tokens) // _SAMPLE)
    distances = F.squared_distances(tokens[::stride], prototypes).double()
    share = torch.ones_like(distances[:, 0])
    if weights is not None:
        share = weights[::stride].double()
    wanted = math.log(min(shared_by, (len(prototypes) + 1) / 2))
    spread = float((distances - distances.amin(1, keepdim=True)).amax())
    if not spread > 0:
        return 1.0
    low, high = math.log(spread) - 30, math.log(spread) + 10
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        assignments = torch.softmax(-distances / math.exp(middle), 1)
        entropy = torch.special.entr(assignments).sum(1)
        if float((share * entropy).sum() / share.sum()) < wanted:
            low = middle
        else:
            high = middle
    return math.exp((low + high) / 2)


def _noise(error: Tensor, weights: Tensor | None, prototypes: Tensor) -> float:
    """Return the mean squared distance to the nearest prototype, not quite zero."""
    total = len(error) if weights is None else float(weights.sum())
    extent = float((prototypes - prototypes.mean(0)).square().sum(1).mean())
    least = _LEAST_NOISE * extent or 1.0
    return max(float(error.double().sum()) / total, least)


def _items(slots: Slots) -> tuple[Tensor, Tensor]:
    """Return slots as the tokens of the next level, and their masses."""
    mass = slots.log_mass.flatten().exp()
    used = mass > _NEGLIGIBLE * mass.mean()
    return slots.vectors.flatten(0, 1)[used], mass[used]


def _enter(history: TrainingHistory, found: TrainingHistory, level: int) -> None:
    before = history[-1]["seconds"] if history else 0.0
    for row in found:
        history.append(
            {
                "epoch": len(history) + 1,
                "level": level,
                "loss": row["loss"],
                "task_loss": math.nan,
                "perplexity": row["perplexity"],
                "temperature": row["temperature"],
                "lr": math.nan,
                "seconds": before + row["seconds"],
            }
        )
