"""Rows as a mixture of subspaces, without gradients."""

from typing import NamedTuple

import torch
from torch import Tensor

_STEPS = 50


class Subspaces(NamedTuple):
    """Subspaces that rows lie near, and which is whose."""

    bases: Tensor
    """(K, d, p), orthonormal columns."""
    labels: Tensor
    """(n,), int64, the subspace that holds most of each row."""
    captured: float
    """Share of the energy of the rows that lies in their subspaces."""


def fit_subspaces(
    rows: Tensor,
    n_subspaces: int,
    d_subspace: int,
    generator: torch.Generator,
    n_starts: int = 5,
) -> Subspaces:
    """Find subspaces near which rows lie: K-subspaces.

    Rows are dealt to the subspace that holds most of them and subspaces fitted to their
    rows, in turn. A start deals rows by the direction they share with some of them.

    Parameters
    ----------
    rows : Tensor of shape (n, d)
        Rows, centered.
    n_subspaces : int
        Number of subspaces.
    d_subspace : int
        Their dimension, at most d.
    generator : torch.Generator
        Source of the starts.
    n_starts : int, default=5
        Starts, of which the best is kept.

    Returns
    -------
    subspaces : Subspaces

    References
    ----------
    .. [1] P. S. Bradley and O. L. Mangasarian, "k-Plane clustering", Journal of Global
       Optimization 16(1), 2000.
    """
    starts = 1 if n_subspaces == 1 else n_starts
    found = [_fit_once(rows, n_subspaces, d_subspace, generator) for _ in range(starts)]
    return max(found, key=lambda subspaces: subspaces.captured)


def energies(rows: Tensor, bases: Tensor) -> Tensor:
    """Return the squared length of rows (n, d) within subspaces (K, d, p), (n, K)."""
    return torch.einsum("nd,kdp->knp", rows, bases).square().sum(-1).T


def _fit_once(
    rows: Tensor, n_subspaces: int, d_subspace: int, generator: torch.Generator
) -> Subspaces:
    chosen = torch.randperm(len(rows), generator=generator)[:n_subspaces]
    unit = rows / rows.norm(dim=1, keepdim=True).clamp_min(1e-12)
    labels = (unit @ unit[chosen].T).abs().argmax(1)
    bases = rows.new_empty(n_subspaces, rows.shape[1], d_subspace)
    for _ in range(_STEPS):
        for k in range(n_subspaces):
            own = rows[labels == k]
            if len(own) < d_subspace:
                # Nearly nobody's: it starts again among some rows.
                again = torch.randperm(len(rows), generator=generator)
                own = rows[again[: max(d_subspace, 10)]]
            bases[k] = _principal(own, d_subspace)
        energy = energies(rows, bases)
        now = energy.argmax(1)
        if torch.equal(now, labels):
            break
        labels = now
    total = float(rows.square().sum())
    captured = float(energy.amax(1).sum()) / total if total > 0 else 1.0
    return Subspaces(bases.clone(), labels, captured)


def _principal(rows: Tensor, d_subspace: int) -> Tensor:
    """Return the leading directions of rows, (d, p)."""
    _, vectors = torch.linalg.eigh(rows.T @ rows)
    return vectors[:, -d_subspace:].flip(1)
