"""Where codes start, and where a code is needed most."""

import math

import torch
from torch import Tensor

from sklearn_ddcl.training.quantization.rows import Rows


def spread(
    rows: Rows,
    n_codes: int,
    generator: torch.Generator,
    distances: Tensor | None = None,
    *,
    n_candidates: int | None = None,
) -> Tensor:
    """Return rows to be codes, far from each other but where rows are: k-means++.

    Every code is the best of a few candidates, drawn with probabilities proportional to
    weight times squared distance to the codes so far. Rows are drawn in an order that
    depends on their values alone: neither their order in the table matters, nor
    whether a row has weight two or comes twice.

    Parameters
    ----------
    rows : Rows
        What is quantized.
    n_codes : int
        How many codes.
    generator : torch.Generator
        Source of the draws.
    distances : Tensor of shape (n_rows,), optional
        Squared distances to codes that exist already; by default there are none.
    n_candidates : int, optional
        Rows that every code is chosen from; by default 2 plus the logarithm of their
        number.

    Returns
    -------
    codes : Tensor of shape (n_codes, n_columns)
        Relative to the center of the rows. Once every row is a code, they repeat.

    References
    ----------
    .. [1] D. Arthur and S. Vassilvitskii, "k-means++: the advantages of careful
       seeding", Proceedings of the 18th ACM-SIAM Symposium on Discrete Algorithms,
       2007.
    """
    if n_candidates is None:
        n_candidates = 2 + int(math.log(n_codes))
    order = rows.order
    weights = None if rows.weights is None else rows.weights[order]
    codes = rows.empty(n_codes, rows.n_columns)
    left = distances if distances is None else distances[order]
    for k in range(n_codes):
        need = _need(left, weights, len(rows), codes)
        drawn = _draw(need, 1 if left is None else n_candidates, generator)
        candidates = rows.points(order[drawn])
        remaining = _distances(rows, candidates)[order]
        if left is not None:
            remaining = torch.minimum(remaining, left[:, None])
        weighted = remaining if weights is None else remaining * weights[:, None]
        best = int(weighted.sum(0).argmin())
        codes[k], left = candidates[best], remaining[:, best].contiguous()
    return codes


def _need(
    left: Tensor | None, weights: Tensor | None, n_rows: int, like: Tensor
) -> Tensor:
    """Return cumulated probabilities, not normalized."""
    counts = like.new_ones(n_rows) if weights is None else weights
    if left is None or not bool(left.any()):
        need = counts
    else:
        need = left * counts
    return need.double().cumsum(0)


def _draw(cumulated: Tensor, n: int, generator: torch.Generator) -> Tensor:
    levels = torch.rand(n, generator=generator, dtype=torch.float64)
    levels = levels.to(cumulated.device) * cumulated[-1]
    return torch.searchsorted(cumulated, levels, right=True).clamp_max(
        len(cumulated) - 1
    )


def _distances(rows: Rows, codes: Tensor) -> Tensor:
    offset, matrix = rows.affine(codes)
    found = [torch.addmm(offset, block, matrix) for _, block in rows.blocks(len(codes))]
    return torch.cat(found).add_(rows.norms[:, None]).clamp_min_(0)
