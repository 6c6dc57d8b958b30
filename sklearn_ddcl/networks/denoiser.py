"""The network of the transformer: a corrupted row in, what it should be out."""

from typing import Any, NamedTuple

import torch
from torch import Tensor

from sklearn_ddcl.layers.dense_rows import DenseRows
from sklearn_ddcl.layers.even_linear import EvenLinear
from sklearn_ddcl.networks.random_module import RandomModule
from sklearn_ddcl.networks.table import TableSpec


class Prediction(NamedTuple):
    """What the network makes of a batch of rows."""

    hidden: Tensor
    """What the encoder made of them, (B, H)."""
    rebuilt: Tensor
    """The rows themselves, (B, D): numbers, flags, a logit per category."""
    smoothed: Tensor
    """The rows averaged over their neighborhoods, (B, S, D), standardized."""


class RowDenoiser(RandomModule):
    """Rebuild a row, and predict what it is like among its neighbors.

    Parameters
    ----------
    spec : TableSpec
        Shape of the table.
    encoder : parameter object
        Such as `PlainMLPEncoder`; ``encoder.build`` makes the encoder.
    d_latent : int, default=32
        Width that all predictions pass through.
    n_smoothed : int, default=2
        Number S of neighborhoods.
    generator : torch.Generator, optional
        Source of the initial weights; torch's global one by default.

    Examples
    --------
    >>> from sklearn_ddcl.networks import PlainMLPEncoder
    >>> network = RowDenoiser(TableSpec(2, (3,)), PlainMLPEncoder(d_hidden=16))
    >>> numbers, codes = torch.zeros(4, 2), torch.zeros(4, 1, dtype=torch.int64)
    >>> network.predict(numbers, codes).smoothed.shape
    torch.Size([4, 2, 5])
    """

    def __init__(
        self,
        spec: TableSpec,
        encoder: Any,
        *,
        d_latent: int = 32,
        n_smoothed: int = 2,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.spec = spec
        self.n_smoothed = n_smoothed
        self.dense = DenseRows(spec.n_numbers, spec.cardinalities, spec.flagged)
        self.encoder = encoder.build(spec, cls_token=False, generator=generator)
        self.d_hidden = self._measure_hidden()
        width = self.dense.width
        self.from_hidden = EvenLinear(self.d_hidden, d_latent, generator=generator)
        # Lets what is linear pass, whatever the encoder does.
        self.from_row = EvenLinear(width, d_latent, bias=False, generator=generator)
        self.to_row = EvenLinear(d_latent, width, generator=generator)
        self.to_smoothed = EvenLinear(d_latent, n_smoothed * width, generator=generator)

    @property
    def width(self) -> int:
        """Number D of columns of a row as a vector."""
        return self.dense.width

    def forward(self, numbers: Tensor, codes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return the fields of a `Prediction` for numbers (B, F) and codes (B, G).

        A plain tuple: skorch rebuilds outputs in a way that a named tuple refuses.
        """
        hidden = self.encoder(numbers, codes).flatten(1)
        latent = self.from_hidden(hidden) + self.from_row(self.dense(numbers, codes))
        smoothed = self.to_smoothed(latent).unflatten(1, (self.n_smoothed, -1))
        return hidden, self.to_row(latent), smoothed

    def predict(self, numbers: Tensor, codes: Tensor) -> Prediction:
        """Return the answer by name."""
        return Prediction(*self(numbers, codes))

    def _measure_hidden(self) -> int:
        self.encoder.eval()
        numbers = torch.zeros(1, self.spec.n_numbers)
        codes = torch.zeros(1, len(self.spec.cardinalities), dtype=torch.int64)
        with torch.no_grad():
            d_hidden = self.encoder(numbers, codes).numel()
        self.encoder.train()
        return d_hidden
