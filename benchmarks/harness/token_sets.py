"""Sequences of tokens with classes: text, patches, pixels, and motifs in noise."""

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import numpy as np
from sklearn.model_selection import train_test_split

from .codebook_data import DATA
from .document_data import CACHE, NotAvailable, read_documents

_SST2_TRAINING, _SST2_TOKENS = 3000, 48
_PATCH = 4
# A motif is a run of tokens of one kind. As many tokens of every other kind are there,
# scattered, so that counting tells nothing.
_MOTIF_TOKENS, _MOTIF_RUN, _MOTIF_KINDS, _MOTIF_WIDTH = 512, 12, 4, 8
_MOTIF_ROWS, _MOTIF_STRENGTH = (400, 400), 2.5


class Part(NamedTuple):
    """Rows to learn from, or to test with."""

    tokens: np.ndarray
    """(n, T, d), float32, zero where there is no token."""
    mask: np.ndarray | None
    """(n, T), True where a token exists; None if all do."""
    classes: np.ndarray
    """(n,), int64."""


class TokenSet(NamedTuple):
    """Sequences of tokens with classes, split into two parts."""

    train: Part
    test: Part
    grid: tuple[int, int] | None
    """Height and width of the image whose patches the tokens are, row by row."""
    n_epochs: int
    n_heads: int = 4
    window: int | None = None
    """How many tokens to either side pooling takes in, at most; None for no limit."""


def read_tokens(
    name: str, seed: int, data: Path = DATA, cache: Path = CACHE
) -> TokenSet:
    """Return a set of token sequences, split by a seed.

    Parameters
    ----------
    name : str
        ``sst2``: token embeddings of sentences, with the set's own split; ``mnist``:
        49 patches of 5,000 images; ``digits``: 64 pixels of scikit-learn's images;
        ``motif``: noise of 512 tokens with a run of one of four kinds in it.
    seed : int
        Of the split, and of the noise.
    data, cache : Path
        Where texts and images are, and where embeddings are kept.

    Raises
    ------
    NotAvailable
        If a file is not there.
    """
    return SETS[name](seed, data, cache)


def _sst2(seed: int, data: Path, cache: Path) -> TokenSet:
    documents = read_documents("sst2", data, cache)
    assert documents.is_test is not None
    n_rows, width = len(documents.tokens), documents.tokens[0].shape[1]
    tokens = np.zeros((n_rows, _SST2_TOKENS, width), np.float32)
    mask = np.zeros((n_rows, _SST2_TOKENS), bool)
    for i, document in enumerate(documents.tokens):
        kept = document[:_SST2_TOKENS]
        tokens[i, : len(kept)], mask[i, : len(kept)] = kept, True
    is_test = documents.is_test
    train = np.flatnonzero(~is_test)[:_SST2_TRAINING]
    parts = [
        Part(tokens[rows], mask[rows], documents.classes[rows])
        for rows in (train, np.flatnonzero(is_test))
    ]
    return TokenSet(*parts, grid=None, n_epochs=4)


def _mnist(seed: int, data: Path, cache: Path) -> TokenSet:
    path = data / "text_image" / "mnist_5k.npz"
    if not path.exists():
        raise NotAvailable(f"there is no {path}")
    with np.load(path) as arrays:
        images, classes = arrays["X"].astype(np.float32) / 255, arrays["y"]
    side = images.shape[1] // _PATCH
    patches = images.reshape(-1, side, _PATCH, side, _PATCH).swapaxes(2, 3)
    tokens = patches.reshape(len(images), side**2, _PATCH**2)
    return _split(tokens, classes, seed, (side, side), n_epochs=8, test_size=0.6)


def _digits(seed: int, data: Path, cache: Path) -> TokenSet:
    from sklearn.datasets import load_digits

    images, classes = load_digits(return_X_y=True)
    tokens = (images / 16).astype(np.float32)[:, :, None]
    return _split(tokens, classes, seed, (8, 8), n_epochs=10)


def _split(
    tokens: np.ndarray,
    classes: np.ndarray,
    seed: int,
    grid: tuple[int, int],
    n_epochs: int,
    test_size: float = 0.25,
) -> TokenSet:
    classes = classes.astype(np.int64)
    rows = train_test_split(
        np.arange(len(tokens)),
        test_size=test_size,
        random_state=seed,
        stratify=classes,
    )
    parts = [Part(tokens[part], None, classes[part]) for part in rows]
    return TokenSet(*parts, grid=grid, n_epochs=n_epochs)


def _motif(seed: int, data: Path, cache: Path) -> TokenSet:
    rng = np.random.default_rng(seed)
    parts = [make_motifs(n_rows, rng) for n_rows in _MOTIF_ROWS]
    return TokenSet(*parts, grid=None, n_epochs=8, n_heads=1, window=16)


def make_motifs(n_rows: int, rng: np.random.Generator) -> Part:
    """Return noise with one run of tokens of the kind that the class names.

    Tokens of the other kinds are as many, at random places apart from each other, so
    that only who stands beside whom tells the classes apart.
    """
    tokens = rng.normal(size=(n_rows, _MOTIF_TOKENS, _MOTIF_WIDTH))
    classes = rng.integers(0, _MOTIF_KINDS, n_rows)
    for row, kind in zip(tokens, classes, strict=True):
        start = rng.integers(0, _MOTIF_TOKENS - _MOTIF_RUN)
        run = np.arange(start, start + _MOTIF_RUN)
        others = np.setdiff1d(np.arange(0, _MOTIF_TOKENS, 2), run)
        scattered = rng.permutation(others)[: _MOTIF_RUN * (_MOTIF_KINDS - 1)]
        row[run, kind] += _MOTIF_STRENGTH
        for other, places in zip(
            np.delete(np.arange(_MOTIF_KINDS), kind),
            scattered.reshape(-1, _MOTIF_RUN),
            strict=True,
        ):
            row[places, other] += _MOTIF_STRENGTH
    return Part(tokens.astype(np.float32), None, classes.astype(np.int64))


SETS: dict[str, Callable[[int, Path, Path], TokenSet]] = {
    "sst2": _sst2,
    "mnist": _mnist,
    "digits": _digits,
    "motif": _motif,
}
