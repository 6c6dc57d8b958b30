"""Codebooks that follow a stream of rows."""

import math
import time

import torch
from torch import Tensor

from sklearn_ddcl.training.quantization.codebooks import Codebooks
from sklearn_ddcl.training.quantization.passes import hard_pass
from sklearn_ddcl.training.quantization.place import spread
from sklearn_ddcl.training.quantization.rows import MaskedRows, Rows

# Codes with less than this share of what the busiest one has got are placed anew.
_STARVED = 0.01


def follow(
    rows: Rows, codes: Tensor, mass: Tensor, generator: torch.Generator
) -> tuple[Tensor, Tensor, float, int]:
    """Move codes towards the centroids of some more rows.

    Each code stays the weighted mean of all rows that it ever won, as long as it is not
    placed anew.

    Parameters
    ----------
    rows : Rows
        The rows that have come.
    codes : Tensor of shape (K, d)
        Relative to the center of the rows.
    mass : Tensor of shape (K,)
        Weight that every code has been assigned so far.
    generator : torch.Generator
        Source of the places of starved codes.

    Returns
    -------
    codes : Tensor of shape (K, d)
    mass : Tensor of shape (K,)
    loss : float
        Mean squared distance of the rows to the codes as they were.
    n_revived : int
        Codes that were placed anew, among these rows.
    """
    found = hard_pass(rows, codes)
    total = mass + found.mass
    step = found.mass / total.clamp_min(torch.finfo(total.dtype).tiny)
    codes = codes + step[:, None] * (found.centroids - codes)
    starved = total < _STARVED * total.max()
    n_starved = int(starved.sum())
    if n_starved and found.distortion > 0:
        codes[starved] = spread(rows, n_starved, generator, found.distances)
        total[starved] = total[~starved].min()
    else:
        n_starved = 0
    return codes, total, found.distortion / rows.total_weight, n_starved


def follow_all(
    codebooks: Codebooks,
    values: Tensor,
    weights: Tensor | None,
    generator: torch.Generator,
) -> tuple[Codebooks, dict[str, float]]:
    """Move all codebooks by some more rows.

    Parameters
    ----------
    codebooks : Codebooks
        As they are; they are not changed.
    values : Tensor of shape (n_rows, n_columns)
        The rows that have come.
    weights : Tensor of shape (n_rows,) or None
        Their importance.
    generator : torch.Generator
        Source of the places of starved codes.

    Returns
    -------
    codebooks : Codebooks
        As they are now.
    measured : dict
        An entry for the history.
    """
    began = time.perf_counter()
    kind = MaskedRows if codebooks.masked else Rows
    books, mass = codebooks.books.clone(), codebooks.mass.clone()
    left, n_revived = values, 0
    for m in range(codebooks.n_codebooks):
        columns = codebooks.columns(m)
        rows = kind(
            left[:, columns], weights, dtype=codebooks.dtype, device=codebooks.device
        )
        codes = (books[m, :, columns].to(rows.center) - rows.center).to(rows.dtype)
        codes, total, loss, revived = follow(rows, codes, mass[m].to(codes), generator)
        books[m, :, columns] = (codes + rows.center).cpu()
        mass[m], n_revived = total.cpu(), n_revived + revived
        if codebooks.quantization == "residual" and m + 1 < codebooks.n_codebooks:
            labels = hard_pass(rows, codes).labels.cpu().long()
            left = left - books[m][labels].to(left)
    usage = mass.double() / mass.sum(1, keepdim=True)
    measured = {
        "loss": loss,
        "temperature": 0.0,
        "critical_temperature": math.nan,
        "perplexity": float(torch.special.entr(usage).sum(1).exp().mean()),
        "n_distinct": math.nan,
        "n_revived": n_revived,
        "seconds": time.perf_counter() - began,
    }
    moved = Codebooks(
        books,
        mass,
        quantization=codebooks.quantization,
        masked=codebooks.masked,
        dtype=codebooks.dtype,
        device=codebooks.device,
    )
    return moved, measured
