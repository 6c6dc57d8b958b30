"""In which directions neighborhoods are told apart, and how finely."""

from typing import NamedTuple, Self

import torch
from torch import Tensor

# Of whitening: 0 leaves variances as they are, 1 makes them all equal.
_WHITENING = 0.25
_LEAST_VARIANCE = 1e-4


class Metric(NamedTuple):
    """Coordinates in which distances are taken, and the way back."""

    forth: Tensor
    """(D, R), of standardized neighborhoods to coordinates."""
    back: Tensor
    """(R, D)."""

    @classmethod
    def of(cls, values: Tensor, weights: Tensor) -> Self:
        r"""Return the metric that suits some neighborhoods.

        Smoothing leaves most of the variance to a few directions. Dividing each
        principal component by :math:`\lambda^{1/8}`, a quarter of the way to equal
        variances, lets the others have a say in the competition.

        Parameters
        ----------
        values : Tensor of shape (n, D)
            Standardized neighborhoods, of mean zero.
        weights : Tensor of shape (n,)
            Importance of the rows.

        Returns
        -------
        metric : Metric
            The total variance stays what it was.
        """
        shares = (weights / weights.sum()).double()
        values = values.double()
        covariance = (values * shares[:, None]).T @ values
        variances, directions = torch.linalg.eigh(covariance)
        kept = variances > _LEAST_VARIANCE * variances[-1]
        if not bool(kept.any()):
            # Neighborhoods that are all alike: any metric will do.
            whole = torch.eye(len(covariance), dtype=torch.float64)
            return cls(whole, whole)
        variances, directions = variances[kept], directions[:, kept]
        stretch = variances ** (-_WHITENING / 2)
        total = (variances * stretch.square()).sum()
        stretch = stretch * (covariance.trace() / total).sqrt()
        return cls(directions * stretch, (directions / stretch).T)
