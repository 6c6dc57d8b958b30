"""From soft to hard assignments, through falling temperatures."""

import math

import torch
from torch import Tensor

from sklearn_ddcl.training.quantization.passes import soft_pass
from sklearn_ddcl.training.quantization.record import Record
from sklearn_ddcl.training.quantization.rows import Rows

_STEPS = 10
_STEPS_FROM_THE_MEAN = 100
_COLDEST = 0.02
_COLDEST_FROM_THE_MEAN = 0.002
_JITTER = 1e-3
_POWER_STEPS = 30
_PARTED = 0.2


def critical_temperature(
    rows: Rows, codes: Tensor, labels: Tensor, generator: torch.Generator
) -> float:
    r"""Return the temperature below which the cells of a codebook would split.

    It is :math:`2 \lambda_{\max}(C)` with the covariance :math:`C` of the rows around
    their codes. For a single code that is the temperature of the first split.

    Parameters
    ----------
    rows : Rows
        What is quantized.
    codes : Tensor of shape (K, d)
        Relative to the center of the rows.
    labels : Tensor of shape (n,)
        Code of every row.
    generator : torch.Generator
        Source of the direction that the power iteration starts with.

    Returns
    -------
    temperature : float
        In the unit of a squared distance; zero when all rows are codes.
    """
    gaps = rows.gaps(codes, labels)
    direction = torch.randn(gaps.shape[1], generator=generator, dtype=torch.float64)
    direction = direction.to(gaps)
    for _ in range(_POWER_STEPS):
        direction = gaps.T @ (gaps @ direction)
        length = direction.norm()
        if not length > 0:
            return 0.0
        direction = direction / length
    return 2 * float((gaps @ direction).square().sum())


def anneal(
    rows: Rows,
    codes: Tensor,
    start: float,
    generator: torch.Generator,
    record: Record,
    *,
    from_the_mean: bool = False,
) -> Tensor:
    """Cool codes from a temperature to nearly hard assignments.

    Every temperature gets one step of expectation-maximization and a jitter, without
    which codes that coincide would never part.

    Parameters
    ----------
    rows : Rows
        What is quantized.
    codes : Tensor of shape (K, d)
        Relative to the center of the rows.
    start : float
        First temperature, in the unit of a squared distance.
    generator : torch.Generator
        Source of the jitter.
    record : Record
        Gets every step; no more are taken than it allows.
    from_the_mean : bool, default=False
        Whether all splits are still to come, which takes a longer way.

    Returns
    -------
    codes : Tensor of shape (K, d)
        At the last temperature.
    """
    steps, coldest = _STEPS, _COLDEST
    if from_the_mean:
        steps, coldest = _STEPS_FROM_THE_MEAN, _COLDEST_FROM_THE_MEAN
    steps = min(steps, record.left)
    for step in range(steps):
        temperature = start * coldest ** (step / max(1, steps - 1))
        found = soft_pass(rows, codes, temperature)
        record.add(
            found.loss,
            found.mass,
            temperature=temperature,
            critical_temperature=start,
            n_distinct=n_distinct(codes, temperature) if from_the_mean else math.nan,
        )
        noise = torch.randn(codes.shape, generator=generator, dtype=torch.float64)
        size = _JITTER * math.sqrt(temperature)
        codes = found.centroids + size * noise.to(codes)
    return codes


def n_distinct(codes: Tensor, temperature: float) -> int:
    """Return how many codes are apart by more than jitter.

    Parameters
    ----------
    codes : Tensor of shape (K, d)
        Codes.
    temperature : float
        At which they were jittered, in the unit of a squared distance.

    Returns
    -------
    n_distinct : int
        From 1 to K; codes nearer than a fifth of the root of the temperature are one.
    """
    near = torch.cdist(codes, codes) < _PARTED * math.sqrt(temperature)
    return int((near.tril(-1).sum(1) == 0).sum())
