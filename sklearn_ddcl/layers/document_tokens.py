"""The tokens of documents of any length, without padding."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

import torch
from torch import Tensor

# Numbers of the largest array that is made at a time: about what a cache holds.
_ENTRIES = 2**19


@dataclass(frozen=True, eq=False)
class DocumentTokens:
    """Tokens of some documents, one after the other, and where they part.

    Attributes
    ----------
    tokens : Tensor of shape (N, d)
        Tokens.
    bounds : tuple of Tensor of shape (n_groups + 1,), int64, on the CPU
        Of every level, from the finest: group `i` holds the items, tokens or groups of
        the level before, from ``bounds[i]`` up to ``bounds[i + 1]``.

    Examples
    --------
    Two documents, of two sentences and of one:

    >>> documents = DocumentTokens(
    ...     torch.zeros(6, 3), (torch.tensor([0, 2, 3, 6]), torch.tensor([0, 2, 3]))
    ... )
    >>> len(documents)
    2
    """

    tokens: Tensor
    bounds: tuple[Tensor, ...]

    def __len__(self) -> int:
        return len(self.bounds[-1]) - 1

    def to(self, device: torch.device) -> Self:
        """Return the documents with their tokens on a device."""
        return replace(self, tokens=self.tokens.to(device))


def groups_of_one_length(bounds: Tensor, width: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Yield groups that can be stacked without padding.

    Parameters
    ----------
    bounds : Tensor of shape (n_groups + 1,)
        Where groups begin and end; none is empty.
    width : int
        Numbers that one item takes, which bounds how many groups come at a time.

    Yields
    ------
    groups : Tensor of shape (B,)
        Their numbers; every group comes once.
    items : Tensor of shape (B, T)
        Numbers of their items.
    """
    lengths = bounds.diff()
    order = lengths.argsort(stable=True)
    kinds, counts = lengths[order].unique_consecutive(return_counts=True)
    start = 0
    for length, count in zip(kinds.tolist(), counts.tolist(), strict=True):
        alike = order[start : start + count]
        start += count
        for groups in alike.split(max(1, _ENTRIES // (length * width))):
            yield groups, bounds[groups, None] + torch.arange(length)


def cut_groups(bounds: Tensor, longest: int) -> Tensor:
    """Cut groups that are too long into parts of about equal length.

    Parameters
    ----------
    bounds : Tensor of shape (n_groups + 1,)
        Where groups begin and end; none is empty.
    longest : int
        Items of a part, at most.

    Returns
    -------
    bounds : Tensor of shape (n_parts + 1,)
        Where parts begin and end.

    Examples
    --------
    >>> cut_groups(torch.tensor([0, 3, 10]), 4)
    tensor([ 0,  3,  6, 10])
    """
    lengths = bounds.diff()
    n_parts = (lengths + longest - 1) // longest
    group = torch.repeat_interleave(torch.arange(len(lengths)), n_parts)
    part = torch.arange(len(group)) - (n_parts.cumsum(0) - n_parts)[group]
    starts = bounds[:-1][group] + part * lengths[group] // n_parts[group]
    return torch.cat([starts, bounds[-1:]])


def document_of_items(documents: DocumentTokens) -> Tensor:
    """Return the number of the document that every token belongs to, (N,).

    Examples
    --------
    >>> bounds = torch.tensor([0, 2, 3, 6]), torch.tensor([0, 2, 3])
    >>> document_of_items(DocumentTokens(torch.zeros(6, 3), bounds))
    tensor([0, 0, 0, 1, 1, 1])
    """
    ends, *others = reversed(documents.bounds)
    for bounds in others:
        ends = bounds[ends]
    return torch.repeat_interleave(torch.arange(len(documents)), ends.diff())
