"""How far the columns of a table are from each other."""

import torch
from torch import Tensor


def column_distances(
    numbers: Tensor,
    codes: Tensor,
    cardinalities: tuple[int, ...],
    weights: Tensor | None = None,
) -> Tensor:
    r"""Return squared distances :math:`2 (1 - |\rho|)` between columns.

    The association :math:`|\rho|` of two numerical columns is their correlation, that
    of a numerical and a categorical one the correlation ratio, that of two categorical
    ones Cramér's V. Entries that are missing count as the mean.

    Parameters
    ----------
    numbers : Tensor of shape (n, F)
        Numbers, NaN where missing.
    codes : Tensor of shape (n, G)
        Category codes.
    cardinalities : tuple of int
        Number of codes of every categorical column.
    weights : Tensor of shape (n,), optional
        Importance of the rows.

    Returns
    -------
    distances : Tensor of shape (F + G, F + G), float64
        Zero on the diagonal, two between columns that say nothing of each other.

    Examples
    --------
    >>> x = torch.tensor([[1.0, -1.0], [2.0, -2.0], [3.0, -3.0]])
    >>> distances = column_distances(x, torch.empty(3, 0, dtype=torch.int64), ())
    >>> bool(distances[0, 1] < 1e-9)
    True
    """
    n_rows, n_numbers = numbers.shape
    shares = torch.ones(n_rows) if weights is None else weights.cpu()
    shares = (shares / shares.sum()).double()
    standardized = _standardized(numbers.cpu().double(), shares)
    hot = [
        torch.nn.functional.one_hot(column, n_codes).double()
        for column, n_codes in zip(codes.cpu().T, cardinalities, strict=True)
    ]
    n_columns = n_numbers + len(hot)
    association = torch.zeros(n_columns, n_columns, dtype=torch.float64)
    association[:n_numbers, :n_numbers] = (
        (standardized * shares[:, None]).T @ standardized
    ).abs()
    for g, one in enumerate(hot):
        mass = shares @ one
        sums = (one * shares[:, None]).T @ standardized
        ratio = (sums.square() / mass.clamp_min(1e-12)[:, None]).sum(0).sqrt()
        place = n_numbers + g
        association[place, :n_numbers] = association[:n_numbers, place] = ratio
        for h, other in enumerate(hot[:g]):
            value = _cramers_v((one * shares[:, None]).T @ other)
            association[place, n_numbers + h] = value
            association[n_numbers + h, place] = value
    return (2 * (1 - association.clamp(0, 1))).fill_diagonal_(0.0)


def _standardized(numbers: Tensor, shares: Tensor) -> Tensor:
    known = ~numbers.isnan()
    mass = (shares @ known.double()).clamp_min(1e-12)
    means = shares @ numbers.nan_to_num(0.0) / mass
    gaps = (numbers - means).nan_to_num(0.0)
    scales = (shares @ gaps.square()).sqrt()
    # A constant column says nothing of others.
    return gaps / scales.where(scales > 1e-12, torch.inf)


def _cramers_v(joint: Tensor) -> Tensor:
    """Return Cramér's V of two columns with joint shares (n_codes, n_codes)."""
    rows, columns = joint.sum(1), joint.sum(0)
    smaller = min(int((rows > 0).sum()), int((columns > 0).sum()))
    if smaller < 2:
        return joint.new_zeros(())
    expected = rows[:, None] * columns
    chi = ((joint - expected).square() / expected.clamp_min(1e-300)).sum()
    return (chi / (smaller - 1)).sqrt()
