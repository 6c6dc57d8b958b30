"""A codebook by gradient steps on batches of rows."""

import math

import torch
from torch import Tensor

from sklearn_ddcl.training.quantization.anneal import critical_temperature
from sklearn_ddcl.training.quantization.passes import hard_pass
from sklearn_ddcl.training.quantization.place import spread
from sklearn_ddcl.training.quantization.record import Record
from sklearn_ddcl.training.quantization.rows import Rows

_SEARCH_ROWS = 2**14
_COLDEST = 0.02
_JITTER = 1e-3
# The last part of the steps is hard, at a rate that falls to zero.
_SOFT_SHARE = 0.6


def descend(
    rows: Rows,
    n_codes: int,
    generator: torch.Generator,
    *,
    init: str | Tensor = "k-means++",
    temperature: float | None = None,
    epochs: int = 20,
    batch_size: int = 1024,
    lr: float = 0.02,
    verbose: int = 0,
) -> tuple[Tensor, Record]:
    r"""Find a codebook by Adam on the assigned distance, annealed to hard.

    The assignments are constants for the gradient, so that the steps descend the free
    energy, as those of expectation-maximization do.

    Parameters
    ----------
    rows : Rows
        What is quantized.
    n_codes : int
        Size of the codebook.
    generator : torch.Generator
        Source of everything random.
    init : {"k-means++", "mean"} or Tensor of shape (n_codes, d), default="k-means++"
        Where codes start.
    temperature : float, optional
        First temperature; by default the critical one of the start.
    epochs : int, default=20
        Passes over the rows.
    batch_size : int, default=1024
        Rows per step, about.
    lr : float, default=0.02
        First rate, in units of the standard deviation of the rows around their codes.
    verbose : int, default=0
        1 prints every tenth epoch, 2 every one.

    Returns
    -------
    codes : Tensor of shape (n_codes, d)
        Relative to the center of the rows.
    record : Record
        One entry per epoch.
    """
    record = Record(epochs, verbose)
    few = rows.sample(_SEARCH_ROWS) if len(rows) > _SEARCH_ROWS else rows
    if isinstance(init, Tensor):
        codes = (init.to(rows.center) - rows.center).to(rows.dtype)
    elif init == "mean":
        codes = rows.empty(n_codes, rows.n_columns).zero_()
    else:
        codes = spread(few, n_codes, generator)
        codes = codes + (few.center - rows.center).to(codes)
    found = hard_pass(rows, codes)
    start = temperature or critical_temperature(rows, codes, found.labels, generator)
    scale = math.sqrt(found.distortion / rows.total_weight / rows.n_columns)
    codes = codes.clone().requires_grad_()
    optimizer = torch.optim.Adam([codes], lr=lr * scale)
    n_batches = max(1, round(len(rows) / batch_size))
    n_steps, step = epochs * n_batches, 0
    shuffler = torch.Generator().manual_seed(generator.initial_seed())
    for _ in range(epochs):
        mass, loss = codes.new_zeros(n_codes), 0.0
        order = torch.randperm(len(rows), generator=shuffler)
        progress = step / n_steps
        cold = start * _COLDEST ** min(1.0, progress / _SOFT_SHARE)
        now = cold if progress < _SOFT_SHARE else 0.0
        for batch in order.to(rows.device).tensor_split(n_batches):
            optimizer.param_groups[0]["lr"] = lr * scale * (1 - step / n_steps)
            step += 1
            shares, distances = _assign(rows, codes, batch, now)
            objective = (shares * distances).sum() / shares.sum()
            optimizer.zero_grad()
            objective.backward()
            optimizer.step()
            mass += shares.sum(0)
            loss += float(objective.detach() * shares.sum())
        _revive(rows, codes, mass, now, generator)
        record.add(
            loss / rows.total_weight, mass, temperature=now, critical_temperature=start
        )
    return codes.detach(), record


def _assign(
    rows: Rows, codes: Tensor, batch: Tensor, temperature: float
) -> tuple[Tensor, Tensor]:
    """Return weighted assignments, constant, and squared distances, both (B, K)."""
    offset, matrix = rows.affine(codes)
    affine = offset + rows.take(batch) @ matrix
    distances = affine + rows.norms[batch, None]
    with torch.no_grad():
        if temperature > 0:
            shares = torch.softmax(-affine / temperature, 1)
        else:
            winners = affine.argmin(1, keepdim=True)
            shares = torch.zeros_like(affine).scatter_(1, winners, 1.0)
        if rows.weights is not None:
            shares = shares * rows.weights[batch, None]
    return shares, distances


@torch.no_grad()
def _revive(
    rows: Rows, codes: Tensor, mass: Tensor, temperature: float, g: torch.Generator
) -> None:
    """Part codes that coincide and place codes that won nothing."""
    noise = torch.randn(codes.shape, generator=g, dtype=torch.float64).to(codes)
    codes += _JITTER * math.sqrt(temperature) * noise
    unused = mass < 1e-6 * mass.sum()
    if temperature == 0 and bool(unused.any()):
        found = hard_pass(rows, codes)
        if found.distortion > 0:
            codes[unused] = spread(rows, int(unused.sum()), g, found.distances)
