"""What a network must know of a table, and the tokenizer that follows from it."""

from dataclasses import dataclass
from typing import Any, Self

import torch
from torch import Tensor, nn

from sklearn_ddcl.layers import (
    CategoryTokenizer,
    LinearTokenizer,
    MixedTokenizer,
    PeriodicTokenizer,
    PiecewiseLinearTokenizer,
    TableTokenizer,
)
from sklearn_ddcl.layers.piecewise_linear import quantile_knots
from sklearn_ddcl.networks.column_distances import column_distances

NUMERICAL = ("piecewise_linear", "periodic", "linear")
_ROWS_FOR_KNOTS = 100_000
FEWEST_BINS = 16
"""Intervals of numbers where there are few rows per column, or none to count."""
MOST_BINS = 48
"""Intervals of numbers where there are many rows per column."""
FEWEST_UNITS = 128
"""Width of hidden layers where there are few rows, or none to count."""
_MOST_UNITS, _MANY_ROWS = 256, 3000


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
    distances : Tensor of shape (n_columns, n_columns), optional
        Squared distances between columns, for networks that pool neighbors; like
        knots no more than a shape when the network is about to be filled.
    """

    n_numbers: int
    cardinalities: tuple[int, ...]
    knots: tuple[Tensor, ...] = ()
    flagged: tuple[int, ...] = ()
    distances: Tensor | None = None

    def get_state(self) -> dict[str, Any]:
        """Return the shape as plain numbers."""
        return {
            "n_numbers": self.n_numbers,
            "cardinalities": list(self.cardinalities),
            "n_knots": [len(knots) for knots in self.knots],
            "flagged": list(self.flagged),
            "has_distances": self.distances is not None,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Return a table of the shape that `state` describes; its knots are no data."""
        knots = tuple(
            torch.arange(n_knots, dtype=torch.float32) for n_knots in state["n_knots"]
        )
        n_columns = state["n_numbers"] + len(state["cardinalities"])
        return cls(
            state["n_numbers"],
            tuple(state["cardinalities"]),
            knots,
            # Files written before there were any flags, or distances.
            tuple(state.get("flagged", ())),
            torch.zeros(n_columns, n_columns) if state.get("has_distances") else None,
        )

    @property
    def n_columns(self) -> int:
        """Number of columns, each of which becomes a token."""
        return self.n_numbers + len(self.cardinalities)


def choose_bins(numbers: Tensor, weights: Tensor) -> int:
    """Return into how many intervals numbers are cut when nobody says.

    As many as there are distinct rows per column, from 16 to 48: curves of many columns
    and few rows would learn rows by heart. Counted like this, a row of weight two is
    like two rows.

    Parameters
    ----------
    numbers : Tensor of shape (n_rows, n_numbers)
        Standardized numbers, NaN where missing.
    weights : Tensor of shape (n_rows,)
        Importance of the rows; those of weight zero are ignored.

    Returns
    -------
    n_bins : int
    """
    n_numbers = numbers.shape[1]
    if n_numbers == 0:
        return FEWEST_BINS
    per_column = _count_distinct(numbers, weights) // n_numbers
    return min(MOST_BINS, max(FEWEST_BINS, per_column))


def choose_width(numbers: Tensor, codes: Tensor, weights: Tensor) -> int:
    """Return how wide hidden layers are when nobody says.

    Twice as wide where there are more than 3,000 distinct rows; with fewer that costs
    time and gains nothing.

    Parameters
    ----------
    numbers : Tensor of shape (n_rows, n_numbers)
        Standardized numbers, NaN where missing.
    codes : Tensor of shape (n_rows, n_categories)
        Category codes.
    weights : Tensor of shape (n_rows,)
        Importance of the rows; those of weight zero are ignored.

    Returns
    -------
    d_hidden : int
    """
    if len(numbers) <= _MANY_ROWS:
        return FEWEST_UNITS
    rows = torch.cat([numbers, codes.to(numbers.dtype)], 1)
    return _MOST_UNITS if _count_distinct(rows, weights) > _MANY_ROWS else FEWEST_UNITS


def _count_distinct(rows: Tensor, weights: Tensor) -> int:
    """Count distinct rows, so that one of weight two is like two rows."""
    used = rows[weights > 0]
    used = used[:: max(1, len(used) // _ROWS_FOR_KNOTS)]
    return len(used.nan_to_num().unique(dim=0))


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


def describe_table(
    encoder: Any,
    numbers: Tensor,
    codes: Tensor,
    cardinalities: tuple[int, ...],
    weights: Tensor,
    flagged: tuple[int, ...] = (),
) -> TableSpec:
    """Return what an encoder has to know of a table.

    Parameters
    ----------
    encoder : parameter object
        Says by `needs_knots` and `needs_distances` what it will use.
    numbers : Tensor of shape (n, F)
        Standardized numbers, NaN where missing.
    codes : Tensor of shape (n, G)
        Category codes.
    cardinalities : tuple of int
        Number of codes of every categorical column.
    weights : Tensor of shape (n,)
        Importance of the rows.
    flagged : tuple of int, default=()
        Numerical columns in which values are missing.

    Returns
    -------
    spec : TableSpec
    """
    knots: tuple[Tensor, ...] = ()
    distances = None
    if getattr(encoder, "needs_knots", True):
        knots = choose_knots(numbers, encoder.n_bins, weights)
    if getattr(encoder, "needs_distances", False):
        distances = column_distances(numbers, codes, cardinalities, weights)
        distances = distances.to(numbers.dtype)
    return TableSpec(numbers.shape[1], tuple(cardinalities), knots, flagged, distances)


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
    numerical : {"mixed", "piecewise_linear", "periodic", "linear"}
        How numbers become tokens; "mixed" is all three ways at once.
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
    *,
    n_frequencies: int | None = None,
) -> nn.Module:
    """Build the tokenizer of the numerical columns of a table.

    Parameters
    ----------
    spec : TableSpec
        Shape of the table.
    numerical : {"mixed", "piecewise_linear", "periodic", "linear"}
        How numbers become tokens; "mixed" is all three ways at once.
    d_token : int
        Width of a token.
    generator : torch.Generator, optional
        Source of the initial weights.
    n_frequencies : int, optional
        Waves per column, by default 24 for "periodic" and half as many as there are
        intervals between knots for "mixed".

    Returns
    -------
    tokenizer : Module
        Maps numbers to tokens.
    """
    knots = list(spec.knots)
    if numerical == "mixed":
        if n_frequencies is None:
            most_knots = max((len(column) for column in knots), default=0)
            n_frequencies = max(1, (most_knots - 1) // 2)
        return MixedTokenizer(
            knots, d_token, n_frequencies=n_frequencies, generator=generator
        )
    if numerical == "piecewise_linear":
        return PiecewiseLinearTokenizer(knots, d_token, generator=generator)
    if numerical == "periodic":
        return PeriodicTokenizer(
            spec.n_numbers,
            d_token,
            n_frequencies=24 if n_frequencies is None else n_frequencies,
            knots=knots or None,
            generator=generator,
        )
    if numerical == "linear":
        return LinearTokenizer(spec.n_numbers, d_token, generator=generator)
    known = ("mixed", *NUMERICAL)
    raise ValueError(f"numerical must be one of {known}, got {numerical!r}.")
