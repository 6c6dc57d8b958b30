"""A codebook that is a learned linear map of the transposed rows."""

import math

import torch
from torch import Tensor

from sklearn_ddcl.training.quantization.anneal import critical_temperature
from sklearn_ddcl.training.quantization.passes import hard_pass, soft_pass
from sklearn_ddcl.training.quantization.place import spread
from sklearn_ddcl.training.quantization.record import Record
from sklearn_ddcl.training.quantization.rows import Rows

_COLDEST = 0.02
_JITTER = 1e-3
# The last part of the steps is hard, at a rate that falls to zero.
_SOFT_SHARE = 0.7


def descend_dually(
    rows: Rows,
    n_codes: int,
    generator: torch.Generator,
    *,
    init: str | Tensor = "k-means++",
    temperature: float | None = None,
    steps: int = 500,
    lr: float = 0.1,
    verbose: int = 0,
) -> tuple[Tensor, Record]:
    r"""Find a codebook :math:`P = W X` by Adam on the weights :math:`W`.

    The dual layer is a linear map that is fed the transposed rows :math:`X^\top`, and
    whose outputs are the codes. A step :math:`\Delta W` moves them by
    :math:`\Delta P = \Delta W X`, so that codes stay combinations of rows, however
    many columns there are. They move fastest along the directions in which rows differ
    most, and may end short of their centroids along the others. Rows are relative to
    their center, which takes the part of a bias.

    Parameters
    ----------
    rows : Rows
        What is quantized; all of them are in every step.
    n_codes : int
        Size of the codebook.
    generator : torch.Generator
        Source of everything random.
    init : {"k-means++", "mean"} or Tensor of shape (n_codes, d), default="k-means++"
        Where codes start; as the nearest combinations of rows.
    temperature : float, optional
        First temperature; by default the critical one of the start.
    steps : int, default=500
        Gradient steps.
    lr : float, default=0.1
        How far a code moves in a first step, at most, in units of the root mean square
        distance of rows to their codes.
    verbose : int, default=0
        1 prints every tenth step, 2 every one.

    Returns
    -------
    codes : Tensor of shape (n_codes, d)
        Relative to the center of the rows.
    record : Record
        One entry per step.

    References
    ----------
    .. [1] P. Barbiero, G. Ciravegna, V. Randazzo, E. Pasero and G. Cirrincione,
       "Topological gradient-based competitive learning", arXiv:2008.09477, 2020.
    """
    record = Record(steps, verbose)
    given = rows
    # Weights belong to rows: two equal ones must not take two steps.
    rows = given.distinct()
    points = rows.points(torch.arange(len(rows), device=rows.device))
    if isinstance(init, Tensor):
        start = (init.to(rows.center) - rows.center).to(rows.dtype)
    elif init == "mean":
        start = rows.empty(n_codes, rows.n_columns).zero_()
    else:
        start = spread(rows, n_codes, generator)
    weights = _combinations(points, start)
    codes = weights @ points
    found = hard_pass(rows, codes)
    hottest = temperature or critical_temperature(rows, codes, found.labels, generator)
    reach = math.sqrt(found.distortion / rows.total_weight) or 1.0
    longest = float(torch.linalg.matrix_norm(points, 2)) or 1.0
    rate = lr * reach / (longest * math.sqrt(len(rows)))
    weights = weights.clone()
    optimizer = torch.optim.Adam([weights], lr=rate)
    for step in range(steps):
        progress = step / steps
        now = hottest * _COLDEST ** (progress / _SOFT_SHARE)
        if progress >= _SOFT_SHARE:
            now = 0.0
            optimizer.param_groups[0]["lr"] = rate * (1 - progress) / (1 - _SOFT_SHARE)
        else:
            weights += _jitter(weights, now, longest, generator)
        codes = weights @ points
        if now > 0:
            soft = soft_pass(rows, codes, now)
            centroids, mass, loss = soft.centroids, soft.mass, soft.loss
        else:
            hard = hard_pass(rows, codes)
            centroids, mass = hard.centroids, hard.mass
            loss = hard.distortion / rows.total_weight
        # Of the free energy; the assignments are constants.
        gradient = 2 * mass[:, None] * (codes - centroids) / rows.total_weight
        weights.grad = gradient @ points.T
        optimizer.step()
        record.add(loss, mass, temperature=now, critical_temperature=hottest)
    codes = weights @ points + (rows.center - given.center).to(points)
    return codes, record


def _combinations(points: Tensor, codes: Tensor) -> Tensor:
    """Return weights (K, n) with which rows (n, d) come nearest to codes (K, d)."""
    return codes @ torch.linalg.pinv(points)


def _jitter(
    weights: Tensor, temperature: float, longest: float, generator: torch.Generator
) -> Tensor:
    noise = torch.randn(weights.shape, generator=generator, dtype=torch.float64)
    return _JITTER * math.sqrt(temperature) / longest * noise.to(weights)
