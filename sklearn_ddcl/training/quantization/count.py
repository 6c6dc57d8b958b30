r"""How many prototypes rows support: splits while they cool, judged by other rows.

The competition at temperature :math:`\tau` is a mixture of Gaussians of variance
:math:`\tau / 2`. Cooling it one split after the other gives a mixture of every size,
and rows that none of them has seen say which one describes them best.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor

from sklearn_ddcl.training.quantization.rows import Rows

# Different rows that are looked at, of which every third judges.
_MOST_ROWS, _JUDGES = 4096, 3
# Of a longer table so many times as many rows are looked through for equal ones.
_SAMPLED = 4
_ROWS_PER_PROTOTYPE = 4
# Of the prototypes, that split or are dropped at a time; at least one is.
_AT_ONCE = 8
_STEPS = 8
_STEPS_AFTER_DROP = 4
# How far growing goes on beyond the best number: half as far again, and a few.
_BEYOND, _FEW = 1.5, 8
# Single prototypes whose removal is tried before the search ends.
_TRIED = 3
_POWER_STEPS = 15
# The temperature stays above this share of that of a single prototype.
_COLDEST = 1e-4
_NOTHING = 1e-12


class Mixture(NamedTuple):
    """A bank of prototypes with their masses and the temperature of their rows."""

    codes: Tensor
    """(K, d), relative to the center of the rows."""
    log_mass: Tensor
    """(K,), logs of shares of the weight."""
    temperature: float
    """Twice the variance of rows around their prototypes, per dimension."""

    def keep(self, kept: Tensor) -> "Mixture":
        """Return the mixture of some of the prototypes."""
        return Mixture(
            self.codes[kept], self.log_mass[kept].log_softmax(0), self.temperature
        )


class Judged(NamedTuple):
    """A mixture and what the judges say about it."""

    mixture: Mixture
    log_likelihood: Tensor
    """(m,), nats of every row that judges, float64."""
    score: float
    """Their weighted mean."""

    @property
    def n_prototypes(self) -> int:
        """Size of the mixture."""
        return len(self.mixture.codes)


class Count(NamedTuple):
    """How many prototypes were found, and how."""

    n_prototypes: int
    """The smallest number that describes the judges as well as the best one."""
    temperature: float
    """At which they do so, in the unit of a squared distance."""
    path: list[tuple[int, float, float]]
    """Number, score and temperature of every mixture, in the order of the search."""


class Half:
    """Rows with what every visit to them needs.

    Parameters
    ----------
    rows : Rows
        Some rows.
    """

    def __init__(self, rows: Rows) -> None:
        everything = torch.arange(len(rows), device=rows.device)
        self.rows = rows
        self.block = rows.take(everything)
        self.values = rows.values(everything)
        weights = rows.weights
        if weights is None:
            weights = rows.empty(len(rows)).fill_(1.0)
        self.shares = weights / weights.sum()

    def distances(self, codes: Tensor) -> Tensor:
        """Return squared distances to codes (K, d), of shape (n, K)."""
        offset, matrix = self.rows.affine(codes)
        found = torch.addmm(offset, self.block, matrix)
        return found.add_(self.rows.norms[:, None]).clamp_min_(0)


def count_prototypes(rows: Rows, *, most: int = 256) -> Count:
    r"""Return how many prototypes rows support.

    A third of the different rows judges. On the others a single prototype at the mean
    is split again and again: those whose cell has the largest critical temperature,
    :math:`2 \lambda_{\max}` of its covariance, weighted by its mass; every time
    expectation-maximization settles prototypes, masses and temperature. Afterwards
    prototypes are dropped of which the others take over what they stood for. Of all
    these mixtures the smallest is chosen whose log-likelihood on the judges is within
    one standard error of the best.

    Parameters
    ----------
    rows : Rows
        What is to be represented.
    most : int, default=256
        The largest number that is tried; it is also limited to a quarter of the rows
        that do not judge.

    Returns
    -------
    count : Count
        It depends on the values of the rows and on the proportions of their weights,
        and on nothing else.
    """
    learning, judging = deal(rows)
    most = min(most, len(learning) // _ROWS_PER_PROTOTYPE)
    if most < 2 or len(judging) < 2:
        return Count(1, 0.0, [])
    own, judges = Half(learning), Half(judging)
    grown = _grow(own, judges, most)
    if grown[0].mixture.temperature == 0:
        return Count(1, 0.0, [])
    best = max(grown, key=lambda judged: judged.score)
    judged = [*grown, *_drop(own, judges, best)]
    best = max(judged, key=lambda other: other.score)
    good = [other for other in judged if _as_good(other, best, judges)]
    chosen = min(good, key=lambda other: (other.n_prototypes, -other.score))
    path = [(j.n_prototypes, j.score, j.mixture.temperature) for j in judged]
    return Count(chosen.n_prototypes, chosen.mixture.temperature, path)


def deal(rows: Rows) -> tuple[Rows, Rows]:
    """Return rows to learn from and rows that judge, of which none are equal.

    Parameters
    ----------
    rows : Rows
        Any rows; equal ones are merged.

    Returns
    -------
    learning, judging : Rows
        Two thirds and one third of the different rows, or of a regular sample of them,
        with a common center.
    """
    if len(rows) > _SAMPLED * _MOST_ROWS:
        rows = rows.regular_sample(_SAMPLED * _MOST_ROWS)
    distinct = rows.distinct()
    order = distinct.order
    order = order[:: max(1, -(-len(order) // _MOST_ROWS))]
    judging = torch.arange(len(order), device=order.device) % _JUDGES == _JUDGES - 1
    learning = distinct.subset(order[~judging])
    return learning, distinct.subset(order[judging], center=learning.center)


def _grow(own: Half, judges: Half, most: int) -> list[Judged]:
    """Return mixtures of growing size, each from splits of the one before."""
    codes = (own.shares @ own.block[:, : own.rows.n_columns])[None]
    if own.block.shape[1] != codes.shape[1]:
        # Present entries only: rows are centered on their mean.
        codes = torch.zeros_like(codes)
    mixture = Mixture(codes, codes.new_zeros(1), 0.0)
    scatter = float(own.shares @ own.distances(codes)[:, 0])
    mixture = mixture._replace(temperature=2 * scatter / own.rows.n_columns)
    coldest = _COLDEST * mixture.temperature
    grown = [_judge(mixture, judges)] if coldest > 0 else [_flat(mixture)]
    best = grown[0]
    while coldest > 0:
        n = len(mixture.codes)
        if n >= most or n > _BEYOND * best.n_prototypes + _FEW:
            break
        mixture = split(own, mixture, min(max(1, n // _AT_ONCE), most - n))
        mixture = settle(own, mixture, _STEPS, coldest)
        grown.append(_judge(mixture, judges))
        best = max(best, grown[-1], key=lambda judged: judged.score)
    return grown


def _flat(mixture: Mixture) -> Judged:
    return Judged(mixture, mixture.codes.new_zeros(0), 0.0)


def settle(own: Half, mixture: Mixture, n_steps: int, coldest: float) -> Mixture:
    """Take steps of expectation-maximization, also of masses and temperature.

    Parameters
    ----------
    own : Half
        Rows.
    mixture : Mixture
        Where to start.
    n_steps : int
        How many.
    coldest : float
        The temperature does not fall below.

    Returns
    -------
    mixture : Mixture
        With a likelihood that is no lower.
    """
    codes, log_mass, temperature = mixture
    for _ in range(n_steps):
        distances = own.distances(codes)
        shares = torch.softmax(log_mass - distances / temperature, 1)
        shares *= own.shares[:, None]
        mass = shares.sum(0)
        scatter = float(torch.linalg.vecdot(shares, distances).sum())
        codes = own.rows.centroids(shares.T @ own.block, mass, codes)
        log_mass = mass.clamp_min(_NOTHING).log()
        temperature = max(2 * scatter / own.rows.n_columns, coldest)
    return Mixture(codes, log_mass, temperature)


def split(own: Half, mixture: Mixture, n: int) -> Mixture:
    """Split prototypes along the widest direction of their cells.

    Parameters
    ----------
    own : Half
        Rows.
    mixture : Mixture
        Of K prototypes.
    n : int
        How many split: those of the largest variance along one direction, times mass.

    Returns
    -------
    mixture : Mixture
        Of K + n prototypes.
    """
    codes, log_mass, temperature = mixture
    nearest = (log_mass - own.distances(codes) / temperature).argmax(1)
    variances, directions, mass = widest(own, codes, nearest)
    chosen = (mass * variances).argsort(descending=True, stable=True)[:n]
    step = directions[chosen] * variances[chosen].sqrt()[:, None]
    codes = torch.cat([codes, codes[chosen] + step])
    codes[chosen] -= step
    log_mass = torch.cat([log_mass, log_mass[chosen] - math.log(2)])
    log_mass[chosen] -= math.log(2)
    return Mixture(codes, log_mass, temperature)


def widest(own: Half, codes: Tensor, nearest: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return variance and direction along which every cell is widest, and its mass.

    Parameters
    ----------
    own : Half
        Rows.
    codes : Tensor of shape (K, d)
        Relative to their center.
    nearest : Tensor of shape (n,)
        Code of every row.

    Returns
    -------
    variances : Tensor of shape (K,)
        Half of the critical temperature of the cell.
    directions : Tensor of shape (K, d)
        Of length one.
    mass : Tensor of shape (K,)
        Share of the weight.
    """
    gaps = (own.values - codes[nearest]).nan_to_num(0.0)
    generator = torch.Generator().manual_seed(0)
    start = torch.randn(codes.shape[1], generator=generator, dtype=torch.float64)
    directions = start.to(codes).expand_as(codes)
    mass = codes.new_zeros(len(codes)).index_add_(0, nearest, own.shares)
    variances = torch.zeros_like(mass)
    for _ in range(_POWER_STEPS):
        lengths = directions.norm(dim=1, keepdim=True)
        directions = directions / lengths.clamp_min(_NOTHING)
        along = torch.linalg.vecdot(gaps, directions[nearest]) * own.shares
        sums = torch.zeros_like(codes).index_add_(0, nearest, along[:, None] * gaps)
        directions = sums / mass.clamp_min(_NOTHING)[:, None]
        variances = directions.norm(dim=1)
    return variances, directions / variances.clamp_min(_NOTHING)[:, None], mass


def _drop(own: Half, judges: Half, best: Judged) -> list[Judged]:
    """Return mixtures of falling size, each without some of the one before."""
    dropped: list[Judged] = []
    now, coldest = best, _COLDEST * best.mixture.temperature
    n = max(1, best.n_prototypes // _AT_ONCE)
    while now.n_prototypes > 1:
        order = _removal_costs(now.mixture, judges).argsort(stable=True)
        n = min(n, now.n_prototypes - 1)
        trials = [order[:n]] if n > 1 else list(order[:_TRIED, None])
        tried = []
        for gone in trials:
            kept = torch.ones(now.n_prototypes, dtype=torch.bool, device=order.device)
            kept[gone] = False
            left = settle(own, now.mixture.keep(kept), _STEPS_AFTER_DROP, coldest)
            tried.append(_judge(left, judges))
        found = max(tried, key=lambda judged: judged.score)
        if found.score > best.score or _as_good(found, best, judges):
            best = max(best, found, key=lambda judged: judged.score)
            dropped.append(found)
            now = found
        elif n == 1:
            break
        else:
            n //= 2
    return dropped


def _removal_costs(mixture: Mixture, judges: Half) -> Tensor:
    """Return what each prototype's absence would cost, if no other one moved, (K,)."""
    codes, log_mass, temperature = mixture
    shares = torch.softmax(log_mass - judges.distances(codes) / temperature, 1)
    almost = 1 - torch.finfo(shares.dtype).eps
    lost = -(judges.shares @ torch.log1p(-shares.clamp_max(almost)))
    return lost + torch.log1p(-log_mass.exp().clamp_max(almost))


def _judge(mixture: Mixture, judges: Half) -> Judged:
    """Return what rows that a mixture has not seen say about it."""
    codes, log_mass, temperature = mixture
    exponents = (log_mass - judges.distances(codes) / temperature).double()
    volume = 0.5 * judges.rows.n_columns * math.log(math.pi * temperature)
    log_likelihood = exponents.logsumexp(1) - volume
    score = float(judges.shares.double() @ log_likelihood)
    return Judged(mixture, log_likelihood, score)


def _as_good(judged: Judged, best: Judged, judges: Half) -> bool:
    """Return whether the judges cannot tell a mixture from the best, or hardly.

    The difference is at most one standard error of the mean difference.
    """
    gaps = best.log_likelihood - judged.log_likelihood
    shares = judges.shares.double()
    mean = shares @ gaps
    error = (shares * (gaps - mean)).square().sum().sqrt()
    return bool(mean <= error)
