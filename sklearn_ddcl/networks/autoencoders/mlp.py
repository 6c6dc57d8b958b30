"""A row through a perceptron into a latent, and back through another one."""

from dataclasses import dataclass
from itertools import pairwise
from math import prod

import torch
from torch import Tensor, nn

from sklearn_ddcl.layers import CategoryTokenizer
from sklearn_ddcl.layers.even_linear import EvenLinear
from sklearn_ddcl.networks.parameters import Parameters
from sklearn_ddcl.networks.table import (
    NUMERICAL,
    TableSpec,
    make_number_tokenizer,
)


@dataclass
class MLPAutoencoder(Parameters):
    """Parameters of ``encoder="mlp"`` of a quantizer.

    Parameters
    ----------
    n_layers : int, default=2
        Number of hidden layers on either side.
    d_hidden : int, default=256
        Width of the hidden layers.
    d_code : int or None, default=None
        Width of the prototypes. None takes few dimensions, which prototypes can fill:
        6 for a single codebook down to 2 for eight and more.
    numerical : {"plain", "piecewise_linear", "periodic", "linear"}, default="plain"
        How numbers enter: as they are, or as tokens of width `d_column`.
    n_bins : int, default=16
        Intervals of the piecewise linear curves, at most.
    d_column : int, default=8
        Width in which each tokenized column enters.

    Examples
    --------
    >>> MLPAutoencoder(d_hidden=64).get_params()["d_hidden"]
    64
    """

    n_layers: int = 2
    d_hidden: int = 256
    d_code: int | None = None
    numerical: str = "plain"
    n_bins: int = 16
    d_column: int = 8

    def check(self) -> None:
        """Raise ValueError unless all fields are usable."""
        self.check_at_least(n_layers=0, d_hidden=1, n_bins=1, d_column=1)
        if self.d_code is not None:
            self.check_at_least(d_code=1)
        self.check_choices(numerical=("plain", *NUMERICAL))

    def build(
        self,
        spec: TableSpec,
        *,
        latent_shape: tuple[int, int],
        generator: torch.Generator | None,
    ) -> nn.Module:
        """Return the autoencoder of a table."""
        return _MLPAutoencoder(self, spec, latent_shape, generator)


class _MLPAutoencoder(nn.Module):
    def __init__(
        self,
        params: MLPAutoencoder,
        spec: TableSpec,
        latent_shape: tuple[int, int],
        generator: torch.Generator | None,
    ) -> None:
        super().__init__()
        self.latent_shape = latent_shape
        self.number_tokenizer: nn.Module | None = None
        d_number = 0
        if spec.n_numbers and params.numerical == "plain":
            self.number_tokenizer, d_number = PlainNumbers(spec.n_numbers), 1
        elif spec.n_numbers:
            d_number = params.d_column
            self.number_tokenizer = make_number_tokenizer(
                spec, params.numerical, d_number, generator
            )
        self.category_tokenizer = None
        if spec.cardinalities:
            self.category_tokenizer = CategoryTokenizer(
                list(spec.cardinalities), params.d_column, generator=generator
            )
        d_in = spec.n_numbers * d_number + len(spec.cardinalities) * params.d_column
        hidden = [params.d_hidden] * params.n_layers
        d_latent = prod(latent_shape)
        d_out = spec.n_numbers + sum(spec.cardinalities)
        self.encoder = perceptron([d_in, *hidden, d_latent], generator)
        self.decoder = perceptron([d_latent, *hidden, d_out], generator)

    def encode(self, numbers: Tensor, codes: Tensor) -> Tensor:
        parts = []
        if self.number_tokenizer is not None:
            parts.append(self.number_tokenizer(numbers).flatten(1))
        if self.category_tokenizer is not None:
            parts.append(self.category_tokenizer(codes).flatten(1))
        return self.encoder(torch.cat(parts, 1)).unflatten(1, self.latent_shape)

    def decode(self, latents: Tensor) -> Tensor:
        return self.decoder(latents.flatten(1))


class PlainNumbers(nn.Module):
    """Let numbers enter as they are, with a learned stand-in where one is missing.

    Parameters
    ----------
    n_columns : int
        Number of numerical columns.

    Attributes
    ----------
    missing : Parameter of shape (n_columns,)
        Stand-ins, zero at the start.
    """

    def __init__(self, n_columns: int) -> None:
        super().__init__()
        self.missing = nn.Parameter(torch.zeros(n_columns))

    def forward(self, x: Tensor) -> Tensor:
        """Map numbers (B, n_columns), NaN where missing, to finite ones."""
        return torch.where(x.isnan(), self.missing, x)


def perceptron(widths: list[int], generator: torch.Generator | None) -> nn.Sequential:
    """Return affine maps between the widths, with rectifiers in between.

    Parameters
    ----------
    widths : list of int
        Of the input, the hidden layers and the output.
    generator : torch.Generator, optional
        Source of the initial weights.

    Returns
    -------
    perceptron : Sequential
        Maps (B, widths[0]) to (B, widths[-1]); rounds every row alike.
    """
    layers: list[nn.Module] = []
    for d_in, d_out in pairwise(widths):
        layers += [EvenLinear(d_in, d_out, generator=generator), nn.ReLU()]
    return nn.Sequential(*layers[:-1])
