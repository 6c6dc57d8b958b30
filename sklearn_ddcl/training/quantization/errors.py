"""How far codes are from the rows that they stand for."""

import math

from torch import Tensor

from sklearn_ddcl.training.quantization.codebooks import Codebooks


def squared_errors(
    codebooks: Codebooks, values: Tensor, codes: Tensor, weights: Tensor | None
) -> float:
    """Return the weighted sum of squared errors of rows that were coded.

    Computed from direct differences in float64; missing entries, NaN, count as in the
    masked distance.

    Parameters
    ----------
    codebooks : Codebooks
        What codes refer to.
    values : Tensor of shape (n_rows, n_columns)
        Rows.
    codes : Tensor of shape (n_rows, n_codebooks)
        Their codes.
    weights : Tensor of shape (n_rows,) or None
        Importance of the rows.

    Returns
    -------
    error : float
        In the unit of a squared distance.
    """
    total = 0.0
    for start in range(0, len(values), 4096):
        part = slice(start, start + 4096)
        gaps = values[part].double() - codebooks.decode(codes[part]).double()
        errors = gaps.square()
        if codebooks.masked:
            n_present = (~errors.isnan()).sum(1).clamp_min(1)
            errors = (
                errors.nan_to_num(0.0) * (errors.shape[1] / n_present.double())[:, None]
            )
        errors = errors.sum(1)
        if weights is not None:
            errors = errors * weights[part]
        total += float(errors.sum())
    return total


def assignment_temperature(error: float, weight: float, n_columns: int) -> float:
    r"""Return the temperature at which the codes explain the rows best.

    As a mixture of Gaussians of variance :math:`\sigma^2` in every direction the codes
    are most likely at the mean squared error per column, and soft assignments are its
    posterior at :math:`\tau = 2 \sigma^2`.

    Parameters
    ----------
    error : float
        Weighted sum of squared errors.
    weight : float
        Sum of the weights.
    n_columns : int
        Number of columns.

    Returns
    -------
    temperature : float
        In the unit of a squared distance; tiny if there is no error.
    """
    return max(2 * error / (weight * n_columns), math.sqrt(1e-30))
