"""Rows, what the encoder makes of them and their distances, in a few columns."""

from typing import Any, NamedTuple, Self

import numpy as np
import torch
from torch import Tensor

# Of the row, of the hidden layer, and of distances of the row and of its neighborhood.
_SHARES = (1.0, 0.5, 0.5, 0.5)
_BLOCK = 4096


class Embedding(NamedTuple):
    """Principal components of several blocks of columns."""

    center: Tensor
    """(W,), means of all columns."""
    scale: Tensor
    """(W,), what each column is divided by."""
    components: Tensor
    """(m, W), orthonormal."""

    @property
    def n_components(self) -> int:
        """Number of columns that come out."""
        return len(self.components)

    def apply(self, columns: Tensor) -> Tensor:
        """Return the components (B, m) of columns (B, W)."""
        return ((columns - self.center) / self.scale) @ self.components.T

    def revert(self, values: Tensor) -> Tensor:
        """Return the columns (B, W) that come nearest to components (B, m)."""
        return (values @ self.components) * self.scale + self.center

    def to(self, device: torch.device) -> "Embedding":
        """Return the same on a device."""
        return Embedding(*(part.to(device) for part in self))

    def get_state(self) -> dict[str, Any]:
        """Return everything as NumPy arrays."""
        return {name: part.cpu().numpy() for name, part in self._asdict().items()}

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return the embedding that `state` describes."""
        return cls(*(torch.from_numpy(np.array(state[name])) for name in cls._fields))


def fit_embedding(
    blocks: tuple[Tensor, ...], weights: Tensor, n_components: int
) -> Embedding:
    """Find the principal components of blocks of columns.

    A block counts by its share of the variance, however many columns it has. Within
    it columns keep their proportions, but for the second, whose columns are all
    standardized.

    Parameters
    ----------
    blocks : tuple of Tensor of shape (n, W_b)
        The rows, their hidden layer, and the distances to the prototypes of the rows
        and of their neighborhoods.
    weights : Tensor of shape (n,)
        Importance of the rows.
    n_components : int
        How many, at most; there are no more than columns.

    Returns
    -------
    embedding : Embedding
        In float64.
    """
    shares = (weights / weights.sum()).double()
    centers, scales = [], []
    for number, (block, share) in enumerate(zip(blocks, _SHARES, strict=True)):
        block = block.double()
        center = shares @ block
        variances = shares @ (block - center).square()
        own = torch.ones_like(variances)
        if number == 1:
            own = variances.sqrt().where(variances > 1e-12, own)
        total = (variances / own.square()).sum().sqrt()
        centers.append(center)
        scales.append(own * (total if total > 1e-12 else 1.0) / share)
    center, scale = torch.cat(centers), torch.cat(scales)
    covariance = scale.new_zeros(len(scale), len(scale))
    for start in range(0, len(weights), _BLOCK):
        part = slice(start, start + _BLOCK)
        columns = torch.cat([block[part].double() for block in blocks], 1)
        columns = (columns - center) / scale
        covariance += (columns * shares[part, None]).T @ columns
    _, vectors = torch.linalg.eigh(covariance)
    components = vectors.T.flip(0)[:n_components]
    # Eigenvectors have no sign of their own: their largest entry is positive.
    largest = components.abs().argmax(1, keepdim=True)
    return Embedding(center, scale, components * components.gather(1, largest).sign())
