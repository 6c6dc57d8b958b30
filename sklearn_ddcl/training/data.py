"""Encoded rows in memory and batches of them, without a step per row."""

from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils.data import Dataset


class Inputs(NamedTuple):
    """What the network sees of a batch."""

    numbers: Tensor
    """(B, F), standardized, NaN where missing."""
    codes: Tensor
    """(B, G), int64."""
    rows: Tensor | None = None
    """(R, V), int64, the rows of the batch that concern every view; None for all."""


class Targets(NamedTuple):
    """What the loss sees of a batch, for its rows or for every view's own rows."""

    classes: Tensor
    """(B,) or (R, V), int64."""
    weights: Tensor
    """(B,) or (R, V), non-negative."""
    folds: Tensor
    """(B,) or (R, V), int64, the fold that some views leave out; -1 if none does."""


class EncodedRows(Dataset):
    """A table of encoded rows, ready to be sliced.

    Parameters
    ----------
    numbers : Tensor of shape (n_rows, n_numbers)
        Standardized numbers, NaN where missing.
    codes : Tensor of shape (n_rows, n_categories)
        Category codes.
    classes : Tensor of shape (n_rows,)
        Class indices.
    weights : Tensor of shape (n_rows,)
        Importance of the rows.
    folds : Tensor of shape (n_rows,), optional
        The fold of every row that some views leave out; by default all views learn
        from all rows.
    """

    def __init__(
        self,
        numbers: Tensor,
        codes: Tensor,
        classes: Tensor,
        weights: Tensor,
        folds: Tensor | None = None,
    ) -> None:
        if folds is None:
            folds = torch.full_like(classes, -1)
        self.tensors = (numbers, codes, classes, weights, folds)

    def __len__(self) -> int:
        return len(self.tensors[0])

    def __getitem__(self, rows: Any) -> tuple[Inputs, Targets]:
        numbers, codes, *targets = (column[rows] for column in self.tensors)
        return Inputs(numbers, codes), Targets(*targets)

    @property
    def has_folds(self) -> bool:
        """Whether some views leave rows out."""
        return len(self) > 0 and bool(self.tensors[4][0] >= 0)

    def sample(self, n: int) -> "EncodedRows":
        """Return a regular subset of `n` rows, fewer than twice as many at most."""
        stride = max(1, len(self) // n)
        return EncodedRows(*(column[::stride] for column in self.tensors))

    def to(self, device: torch.device) -> "EncodedRows":
        """Return the rows on a device when they fit there, else as they are."""
        if device.type == "cuda":
            free, _ = torch.cuda.mem_get_info(device)
            if sum(column.nbytes for column in self.tensors) > free // 2:
                return self
        return EncodedRows(*(column.to(device) for column in self.tensors))


def n_batches(n_rows: int, batch_size: int) -> int:
    """Return how many batches of about `batch_size` rows cover `n_rows`.

    Parameters
    ----------
    n_rows, batch_size : int
        Sizes.

    Returns
    -------
    n_batches : int
        At least one.
    """
    return max(1, round(n_rows / batch_size))


class Batches:
    """Iterate over rows in batches of nearly equal size.

    Parameters
    ----------
    rows : EncodedRows
        The table; any kind that is sliced alike.
    batch_size : int
        Rows per batch, about: the table is cut into equal parts, so that no tiny batch
        is left over at the end.
    device : torch.device
        Where batches are needed.
    generator : torch.Generator, optional
        Shuffles anew in every pass. Without it the order stays. A single batch is
        never shuffled, since its order means nothing.
    """

    def __init__(
        self,
        rows: EncodedRows,
        batch_size: int,
        device: torch.device,
        generator: torch.Generator | None = None,
    ) -> None:
        self.rows = rows
        self.n_batches = n_batches(len(rows), batch_size)
        self.device = device
        self.generator = generator

    def __len__(self) -> int:
        return self.n_batches

    def __iter__(self) -> Iterator[tuple[Inputs, Targets]]:
        if self.n_batches == 1:
            yield self._to_device(self.rows[:])
            return
        if self.generator is None:
            order = torch.arange(len(self.rows))
        else:
            order = torch.randperm(len(self.rows), generator=self.generator)
        order = order.to(self.rows.tensors[0].device)
        for part in order.tensor_split(self.n_batches):
            yield self._to_device(self.rows[part])

    def _to_device(self, batch: tuple[Inputs, Targets]) -> tuple[Inputs, Targets]:
        inputs, targets = batch
        if inputs.numbers.device == self.device:
            return batch
        return (
            Inputs(inputs.numbers.to(self.device), inputs.codes.to(self.device)),
            type(targets)(*(column.to(self.device) for column in targets)),
        )
