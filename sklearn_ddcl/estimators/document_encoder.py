"""What an encoder by name means for the tokens of documents."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from sklearn_ddcl.estimators.document_input import DocumentReader
from sklearn_ddcl.estimators.growth import publish_heads
from sklearn_ddcl.estimators.named_encoder import resolve_encoder
from sklearn_ddcl.networks import DOCUMENT_ENCODERS
from sklearn_ddcl.networks.document import DocumentNetwork
from sklearn_ddcl.networks.heads import growing_layers
from sklearn_ddcl.networks.token_encoder import TokenEncoder
from sklearn_ddcl.training import make_generator

# Documents, and windows of their tokens, by which heads are described.
_DOCUMENTS, _WINDOWS = 64, 64


def choose_encoder(encoder: Any, classes: np.ndarray | None) -> Any:
    """Return the parameter object of an encoder of documents, None if there is none.

    Parameters
    ----------
    encoder : None, str or parameter object
        As given to the estimator.
    classes : ndarray of shape (n_documents,) or None
        What the encoder is to be trained for.

    Returns
    -------
    params : parameter object or None

    Raises
    ------
    ValueError
        If there are no classes, or the encoder cannot be one of documents.
    """
    if encoder is None:
        return None
    if classes is None:
        raise ValueError(
            f"encoder={encoder!r} needs classes: nothing else tells it what to learn. "
            'Give y and leave supervised="auto", or set encoder=None.'
        )
    params = resolve_encoder(encoder, DOCUMENT_ENCODERS)
    params.check()
    if getattr(params, "context_pool", None) is not None:
        raise ValueError(
            "context_pool tells which columns of a table are near each other, and "
            f"documents have none; got {params.context_pool!r}, set it to None."
        )
    return params


def make_token_encoder(
    params: Any, width: int, longest: int, scale: float, seed: int
) -> TokenEncoder:
    """Return an untrained encoder, which leaves tokens as they are.

    Parameters
    ----------
    params : parameter object
        As :func:`choose_encoder` returned it.
    width : int
        Width of the tokens.
    longest : int
        Tokens that attend to each other, at most.
    scale : float
        Standard deviation of the tokens.
    seed : int
        Seed of the initial weights.

    Returns
    -------
    encoder : TokenEncoder
    """
    generator = make_generator(seed + 3)
    return TokenEncoder(params, width, longest, scale=scale, generator=generator)


def publish_document_growth(
    estimator: Any,
    network: DocumentNetwork,
    net: Any,
    reader: DocumentReader,
    documents: Sequence[Any],
) -> None:
    """Set the fitted attributes of an encoder that can grow; others get none.

    Parameters
    ----------
    estimator : DDCLDocumentCompressor
        Gets the attributes.
    network : DocumentNetwork
        The trained network, with an encoder.
    net : DocumentNet
        What trained it.
    reader : DocumentReader
        Lays the documents out.
    documents : sequence
        Training documents.
    """
    encoder: Any = network.encoder
    if not growing_layers(encoder):
        return
    network.eval()
    stride = max(1, len(documents) // _DOCUMENTS)
    some = range(0, len(documents), stride)[:_DOCUMENTS]
    sample = reader.read(documents, some).to(network.center.device)
    publish_heads(
        estimator,
        encoder,
        net,
        lambda: encoder.run_together(
            network.map_tokens(sample.tokens), sample.bounds[0], most=_WINDOWS
        ),
        estimator.precision == "bf16",
    )
