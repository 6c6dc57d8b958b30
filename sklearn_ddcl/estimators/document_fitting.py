"""From documents to a fitted compressor, with or without a task."""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch

from sklearn_ddcl.estimators.auto import given
from sklearn_ddcl.estimators.document_encoder import (
    choose_encoder,
    make_token_encoder,
    publish_document_growth,
)
from sklearn_ddcl.estimators.document_input import DocumentReader
from sklearn_ddcl.estimators.fitted_document import FittedDocuments
from sklearn_ddcl.layers.document_tokens import DocumentTokens
from sklearn_ddcl.networks.document import DocumentNetwork
from sklearn_ddcl.networks.token_encoder import TokenEncoder
from sklearn_ddcl.training import (
    TrainingHistory,
    make_generator,
    one_thread,
    resolve_device,
)
from sklearn_ddcl.training.data import n_batches
from sklearn_ddcl.training.documents import (
    DocumentNet,
    DocumentPlan,
    DocumentRows,
    fit_levels,
    make_document_net,
)
from sklearn_ddcl.training.documents.levels import FittedLevels

# Numbers in the tokens that prototypes are placed by.
_SAMPLE_ENTRIES = 2**25
_MAX_PASSES = 300
# Of the training for a task.
_LEAST_EPOCHS, _WANTED_STEPS, _BATCH = 10, 400, 32
_LR, _RATIO = 1e-2, 1.0
_TOKEN_DROPOUT = 0.3


class FittedWithHistory(NamedTuple):
    """What a fit leaves behind."""

    fitted: FittedDocuments
    history: TrainingHistory
    n_unused: int
    """Prototypes that are nearest to no token."""


def fit_documents(
    estimator: Any,
    sizes: tuple[int | None, ...],
    reader: DocumentReader,
    documents: Sequence[Any],
    classes: np.ndarray | None,
    seed: int,
) -> FittedWithHistory:
    """Fit the levels to documents, and train them for their classes if there are any.

    Parameters
    ----------
    estimator : DDCLDocumentCompressor
        Where the parameters come from.
    sizes : tuple of int or None
        Prototypes of every level; None for as many as its items support.
    reader : DocumentReader
        Lays the documents out.
    documents : sequence
        Training documents.
    classes : ndarray of shape (n_documents,) or None
        Class indices.
    seed : int
        Seeds everything random.

    Returns
    -------
    fitted : FittedWithHistory
    """
    params = choose_encoder(estimator.encoder, classes)
    device = resolve_device(estimator.device)
    generator = make_generator(seed)
    sample = _draw(reader, documents, generator).to(device)
    with one_thread():
        found = fit_levels(
            sample,
            sizes,
            generator,
            temperature=given(estimator.temperature, None),
            max_passes=_passes(estimator, classes),
            verbose=int(estimator.verbose),
        )
        spread, encoder = 0.0, None
        if classes is not None:
            spread = float((sample.tokens - found.center).square().mean().sqrt())
        if params is not None:
            shape = len(found.center), estimator.segment_length
            encoder = make_token_encoder(params, *shape, spread or 1.0, seed)
        network = _make_network(found, classes, encoder).to(device)
        if classes is not None:
            rows = _rows(reader, documents, classes)
            net = _train(estimator, network, rows, spread, seed, device)
            _append(found.history, net.measurements)
            if encoder is not None:
                publish_document_growth(estimator, network, net, reader, documents)
    fitted = FittedDocuments(network, estimator.segment_length, params)
    return FittedWithHistory(fitted, found.history, found.n_unused)


def _make_network(
    found: FittedLevels, classes: np.ndarray | None, encoder: TokenEncoder | None
) -> DocumentNetwork:
    """Return a network that is not trained for classes yet, if there are any."""
    return DocumentNetwork(
        found.center,
        found.levels,
        n_classes=None if classes is None else int(classes.max()) + 1,
        encoder=encoder,
        token_dropout=_TOKEN_DROPOUT,
    )


def _train(
    estimator: Any,
    network: DocumentNetwork,
    rows: DocumentRows,
    spread: float,
    seed: int,
    device: torch.device,
) -> DocumentNet:
    batch_size = given(estimator.batch_size, _BATCH)
    enough = math.ceil(_WANTED_STEPS / n_batches(len(rows), batch_size))
    plan = DocumentPlan(
        max_epochs=given(estimator.max_epochs, max(_LEAST_EPOCHS, enough)),
        batch_size=batch_size,
        lr=given(estimator.lr, _LR),
        prototype_lr_ratio=given(estimator.prototype_lr_ratio, _RATIO),
        spread=spread,
    )
    net = make_document_net(
        network,
        plan,
        seed=seed,
        device=device,
        mixed_precision=estimator.precision == "bf16",
        verbose=int(estimator.verbose),
    )
    net.initialize()
    net.partial_fit(rows)
    return net


def _rows(
    reader: DocumentReader, documents: Sequence[Any], classes: np.ndarray
) -> DocumentRows:
    def read(numbers: list[int]) -> DocumentTokens:
        return reader.read(documents, numbers)

    return DocumentRows(read, torch.from_numpy(classes))


def _draw(
    reader: DocumentReader, documents: Sequence[Any], generator: torch.Generator
) -> DocumentTokens:
    """Return all documents if they are few, otherwise as many as memory is meant for.

    All are looked at, so that one which cannot be used is found now.
    """
    sizes = reader.check(documents)
    if sum(sizes) <= _SAMPLE_ENTRIES:
        return reader.read(documents, range(len(sizes)))
    order = torch.randperm(len(sizes), generator=generator)
    n_drawn = int((torch.tensor(sizes)[order].cumsum(0) <= _SAMPLE_ENTRIES).sum())
    drawn = order[: max(1, n_drawn)].sort().values
    return reader.read(documents, drawn.tolist())


def _append(history: TrainingHistory, more: TrainingHistory) -> None:
    """Add what was measured afterwards."""
    n_before, seconds = len(history), history[-1]["seconds"]
    for row in more:
        later = {
            "epoch": row["epoch"] + n_before,
            "seconds": row["seconds"] + seconds,
        }
        history.append(row | later)


def _passes(estimator: Any, classes: np.ndarray | None) -> int:
    """Return how often tokens are passed; with classes `max_epochs` means another."""
    if classes is not None:
        return _MAX_PASSES
    return given(estimator.max_epochs, _MAX_PASSES)
