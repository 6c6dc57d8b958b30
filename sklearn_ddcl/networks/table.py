"""What a network must know of a table, and the tokenizer that follows from it."""

from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor, nn

from sklearn_ddcl.layers import (
    CategoryTokenizer,
    LinearTokenizer,
    PeriodicTokenizer,
    PiecewiseLinearTokenizer,
    TableTokenizer,
)
from sklearn_ddcl.layers.piecewise_linear import quantile_knots

NUMERICAL = ("piecewise_linear", "periodic", "linear")
_ROWS_FOR_KNOTS = 100_000


@dataclass(frozen=True)
class TableSpec:
    """Shape of an encoded table.

    Parameters
    ----------
    n_numbers : int
        Number of numerical columns.
    cardinalities : tuple of int
        Number of codes of each categorical column, the unknown one included.
    knots : tuple of Tensor
        Knots of the piecewise linear curves; only their lengths matter when the
        network is about to be filled from a saved state.
    flagged : tuple of int
        Numerical columns in which values are missing, for networks that flag them.
    """

    n_numbers: int
    cardinalities: tuple[int, ...]
    knots: tuple[Tensor, ...] = ()
    flagged: tuple[int, ...] = ()

    def get_state(self) -> dict[str, Any]:
        """Return the shape as plain numbers."""
        return {
            "n_numbers": self.n_numbers,
            "cardinalities": list(self.cardinalities),
            "n_knots": [len(knots) for knots in self.knots],
            "flagged": list(self.flagged),
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return a table of the shape that `state` describes; its knots are no data."""
        knots = tuple(
            torch.arange(n_knots, dtype=torch.float32) for n_knots in state["n_knots"]
        )
        return cls(
            state["n_numbers"],
            tuple(state["cardinalities"]),
            knots,
            # Files written before there were any flags.
            tuple(state.get("flagged", ())),
        )

    @property
    def n_columns(self) -> int:
        """Number of columns, each of which becomes a token."""
        return self.n_numbers + len(self.cardinalities)


def choose_knots(
    numbers: Tensor, n_bins: int, weights: Tensor | None = None
) -> tuple[Tensor, ...]:
    """Return knots per column from (a regular subset of) the training rows.

    Parameters
    ----------
    numbers : Tensor of shape (n_rows, n_numbers)
        Standardized numbers, NaN where missing.
    n_bins : int
        Number of intervals, at most.
    weights : Tensor of shape (n_rows,), optional
        Importance of the rows.

    Returns
    -------
    knots : tuple of Tensor
        Increasing knots, one tensor per column.
    """
    stride = max(1, len(numbers) // _ROWS_FOR_KNOTS)
    if weights is not None:
        weights = weights[::stride]
    return tuple(quantile_knots(numbers[::stride], n_bins, weights))


def make_tokenizer(
    spec: TableSpec,
    numerical: str,
    d_token: int,
    generator: torch.Generator | None = None,
) -> TableTokenizer:
    """Build the tokenizer of a table.

    Parameters
    ----------
    spec : TableSpec
        Shape of the table.
    numerical : {"piecewise_linear", "periodic", "linear"}
        How numbers become tokens.
    d_token : int
        Width of a token.
    generator : torch.Generator, optional
        Source of the initial weights.

    Returns
    -------
    tokenizer : TableTokenizer
        Maps numbers and codes to tokens.
    """
    numbers = make_number_tokenizer(spec, numerical, d_token, generator)
    categories = CategoryTokenizer(
        list(spec.cardinalities), d_token, generator=generator
    )
    return TableTokenizer(numbers, categories)


def make_number_tokenizer(
    spec: TableSpec,
    numerical: str,
    d_token: int,
    generator: torch.Generator | None = None,
) -> nn.Module:
    """Build the tokenizer of the numerical columns of a table.

    Parameters
    ----------
    spec : TableSpec
        Shape of the table.
    numerical : {"piecewise_linear", "periodic", "linear"}
        How numbers become tokens.
    d_token : int
        Width of a token.
    generator : torch.Generator, optional
        Source of the initial weights.

    Returns
    -------
    tokenizer : Module
        Maps numbers to tokens.
    """
    if numerical == "piecewise_linear":
        knots = list(spec.knots)
        return PiecewiseLinearTokenizer(knots, d_token, generator=generator)
    if numerical == "periodic":
        return PeriodicTokenizer(spec.n_numbers, d_token, generator=generator)
    if numerical == "linear":
        return LinearTokenizer(spec.n_numbers, d_token, generator=generator)
    raise ValueError(f"numerical must be one of {NUMERICAL}, got {numerical!r}.")
