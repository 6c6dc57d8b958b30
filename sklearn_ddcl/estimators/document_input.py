"""Documents as users hold them, checked and laid out one token after the other."""

from collections.abc import Iterable, Iterator, Sequence
from numbers import Number
from typing import Any

import numpy as np
import torch

from sklearn_ddcl.estimators.document_sequence import (
    WHAT,
    is_iterable,
    is_numeric,
    kind_of,
)
from sklearn_ddcl.layers.document_tokens import DocumentTokens

# Numbers that a block of documents may hold.
_BLOCK_ENTRIES = 2**21


class DocumentReader:
    """Turn documents into tokens and the bounds of their groups.

    Parameters
    ----------
    n_levels : int
        Levels of groups: a document itself is one, its sentences are a second.
    segment_length : int
        Tokens of a segment; documents with one level of nesting less are cut.
    dtype : numpy dtype
        Type of the tokens.
    d_token : int, optional
        Width of the tokens; by default that of the first one seen.
    """

    def __init__(
        self,
        n_levels: int,
        segment_length: int,
        dtype: Any,
        d_token: int | None = None,
    ) -> None:
        self.n_levels = n_levels
        self.segment_length = segment_length
        self.dtype = np.dtype(dtype)
        self.d_token = d_token

    def blocks(self, documents: Iterable[Any]) -> Iterator[DocumentTokens]:
        """Yield documents, some at a time, so that memory stays bounded.

        Parameters
        ----------
        documents : iterable of documents
            Lists, arrays, generators.

        Yields
        ------
        block : DocumentTokens
            At least one document.
        """
        block: list = []
        n_entries = 0
        for number, document in enumerate(documents):
            block.append(self._take(document, number))
            n_entries += sum(leaf.size for leaf in _leaves(block[-1]))
            if n_entries >= _BLOCK_ENTRIES:
                yield _join(block, self.n_levels)
                block, n_entries = [], 0
        if block:
            yield _join(block, self.n_levels)

    def check(self, documents: Sequence[Any]) -> list[int]:
        """Look at all documents and return how many numbers every one holds.

        Parameters
        ----------
        documents : sequence
            All of them.

        Returns
        -------
        sizes : list of int
        """
        return [
            sum(leaf.size for leaf in _leaves(self._take(documents[i], i)))
            for i in range(len(documents))
        ]

    def read(self, documents: Sequence[Any], numbers: Iterable[int]) -> DocumentTokens:
        """Return some of the documents.

        Parameters
        ----------
        documents : sequence
            All of them.
        numbers : iterable of int
            Which to take; at least one.

        Returns
        -------
        documents : DocumentTokens
        """
        taken = [self._take(documents[i], i) for i in numbers]
        return _join(taken, self.n_levels)

    def lay_out(self, document: Any, number: int) -> Any:
        """Return a document as an array of tokens, or as lists of lists of these.

        Parameters
        ----------
        document : array-like, or sequence of sentences
            Tokens, in as many levels as groups are wanted, or in one less.
        number : int
            What to call it in messages.

        Returns
        -------
        groups : ndarray of shape (n_tokens, d), or list
            With one level the tokens; with two a list of sentences or segments, of
            which some may be empty.
        """
        depth = _depth(document, number)
        if depth == self.n_levels:
            return self._read(document, depth, number)
        if 1 <= depth == self.n_levels - 1:
            return self._cut(self._read(document, depth, number), depth)
        if depth < 1:
            raise ValueError(
                f"{WHAT}; document {number} is a single vector. A document of one "
                "token has the shape (1, d)."
            )
        raise ValueError(
            f"Document {number} has {_levels(depth)}, but n_prototypes describes "
            f"{_levels(self.n_levels)}, of which the lowest may be lacking and is then "
            "cut into segments. Give n_prototypes one number per level."
        )

    def _take(self, document: Any, number: int) -> Any:
        """Return a document without its empty parts."""
        groups = _without_empty(self.lay_out(document, number))
        if groups is None:
            raise ValueError(
                f"Document {number} has no tokens. Leave it out, or give it a token of "
                "its own, such as zeros."
            )
        return groups

    def _read(self, part: Any, depth: int, number: int) -> Any:
        if depth == 1:
            return self._check(part, number)
        return [self._read(inner, depth - 1, number) for inner in part]

    def _check(self, tokens: Any, number: int) -> np.ndarray:
        """Return the tokens of a sentence, or of a document without any."""
        try:
            array = np.asarray(tokens)
        except ValueError:
            array = np.empty(0, dtype=object)
        if array.dtype.kind not in "fiub":
            raise ValueError(
                f"{WHAT}; document {number} holds {kind_of(tokens)}. Turn text into "
                "embeddings first, and give all tokens the same length."
            )
        if array.size == 0:
            return np.empty((0, self.d_token or 0), dtype=self.dtype)
        if array.ndim != 2:
            raise ValueError(
                f"{WHAT}; document {number} holds an array of shape {array.shape}. "
                "Nest all parts of a document equally deep."
            )
        if self.d_token is None:
            self.d_token = array.shape[1]
        if array.shape[1] != self.d_token:
            raise ValueError(
                f"Tokens of document {number} have {array.shape[1]} numbers, expected "
                f"{self.d_token} as in the other documents. Embed all documents with "
                "the same model."
            )
        array = array.astype(self.dtype, copy=False)
        if not np.isfinite(array).all():
            raise ValueError(
                f"Document {number} contains NaN, infinity or a value too large for "
                f"{self.dtype}. Leave out the tokens that have no embedding."
            )
        return array

    def _cut(self, part: Any, depth: int) -> list:
        """Return the segments of what has no sentences."""
        if depth > 1:
            return [self._cut(inner, depth - 1) for inner in part]
        step = self.segment_length
        return [part[start : start + step] for start in range(0, len(part), step)]


def _depth(document: Any, number: int) -> int:
    """Return how many levels a document has: 1 for tokens, 2 with sentences."""
    levels = 0
    while not isinstance(document, Number):
        shape = getattr(document, "shape", None)
        if shape is not None and is_numeric(document):
            return levels + len(shape) - 1
        if isinstance(document, str | bytes) or not is_iterable(document):
            raise ValueError(
                f"{WHAT}; document {number} holds {kind_of(document)}. Turn text "
                "into embeddings first."
            )
        inner = [part for part in document if not _is_empty(part)]
        levels += 1
        if not inner:
            # Nothing to see: as deep as it is, and refused for being empty.
            return levels
        document = inner[0]
    return levels - 1


def _levels(n_levels: int) -> str:
    names = ["tokens", "tokens in sentences", "tokens in sentences in parts"]
    return names[n_levels - 1] if n_levels <= len(names) else f"{n_levels} levels"


def _is_empty(part: Any) -> bool:
    return hasattr(part, "__len__") and not isinstance(part, str) and len(part) == 0


def _without_empty(groups: Any) -> Any:
    """Return groups without those that hold no token; None if none does."""
    if isinstance(groups, np.ndarray):
        return groups if len(groups) else None
    kept = [inner for inner in map(_without_empty, groups) if inner is not None]
    return kept or None


def _leaves(groups: Any) -> Iterator[np.ndarray]:
    if isinstance(groups, np.ndarray):
        yield groups
    else:
        for inner in groups:
            yield from _leaves(inner)


def _join(documents: list, n_levels: int) -> DocumentTokens:
    """Return laid out documents as one array of tokens with bounds per level."""
    bounds = []
    # From the documents down: how many parts everything has.
    parts: list = documents
    for _ in range(n_levels):
        bounds.append(_bounds([len(part) for part in parts]))
        if len(bounds) < n_levels:
            parts = [inner for part in parts for inner in part]
    return DocumentTokens(
        torch.from_numpy(np.concatenate(parts)), tuple(reversed(bounds))
    )


def _bounds(lengths: list[int]) -> torch.Tensor:
    return torch.tensor([0, *lengths]).cumsum(0)
