"""Encoders in front of a compressor of documents, beside none."""

from typing import Any

import numpy as np

from .document_scores import linear_scores
from .timing import time_once

ENCODERS = ("none", "transformer", "aot", "incrt")
# One level, but where documents are sentences of tokens.
SIZES: dict[str, tuple[int, ...]] = {"pairs": (16, 8)}
_USUAL_SIZES = (16,)
_SENTENCES, _TOKENS, _KINDS, _WIDTH = 6, 8, 12, 16


def measure_encoder(
    name: str, encoder: str, train: tuple, test: tuple, seed: int
) -> dict[str, Any]:
    """Train a compressor for classes, and say what its vectors are worth.

    Parameters
    ----------
    name : str
        Of the set, which decides about the levels.
    encoder : str
        One of `ENCODERS`.
    train, test : tuple
        Documents and their classes.
    seed : int
        Seeds everything random.

    Returns
    -------
    found : dict
        ``accuracy`` and ``log_loss`` of logistic regression on the test documents,
        ``n_parameters``, ``n_heads`` of an encoder that grows, ``train_loss`` at the
        end of the training and CPU seconds.
    """
    from sklearn_ddcl import DDCLDocumentCompressor

    compressor = DDCLDocumentCompressor(
        SIZES.get(name, _USUAL_SIZES),
        supervised=True,
        encoder=None if encoder == "none" else encoder,
        device="cpu",
        random_state=seed,
    )
    fit = time_once(lambda: compressor.fit(*train))
    vectors: list[np.ndarray] = []
    run = time_once(lambda: vectors.append(compressor.transform(test[0])))
    scores = linear_scores(
        compressor.transform(train[0]), train[1], vectors[0], test[1]
    )
    heads = getattr(compressor, "n_heads_", None)
    return scores | {
        "n_parameters": compressor.n_parameters_,
        "n_heads": None if heads is None else heads.tolist(),
        "train_loss": compressor.history_["loss"][-1],
        "fit_cpu": fit.cpu,
        "transform_cpu": run.cpu,
    }


def make_pairs(n_documents: int, seed: int) -> tuple[list, np.ndarray]:
    """Return documents whose classes no token tells, only two of a sentence together.

    Tokens are of twelve kinds. In every sentence there is one of the first and one of
    the second kind, which carry a sign each: the signs agree in one class only.
    """
    kinds = 2.0 * np.random.default_rng(7).normal(size=(_KINDS, _WIDTH))
    rng = np.random.default_rng(seed)
    y = np.arange(n_documents) % 2
    return [[_sentence(rng, kinds, own) for _ in range(_SENTENCES)] for own in y], y


def _sentence(rng: np.random.Generator, kinds: np.ndarray, own: int) -> np.ndarray:
    others = rng.integers(2, _KINDS, size=_TOKENS - 2)
    tokens = kinds[[0, 1, *others]] + 0.5 * rng.normal(size=(_TOKENS, _WIDTH))
    sign = rng.choice([-3.0, 3.0])
    tokens[0, 0] += sign
    tokens[1, 1] += sign if own else -sign
    return rng.permutation(tokens).astype(np.float32)
