"""What is said of an encoder that pools columns with their neighbors."""

from typing import Any

import numpy as np
import torch
from torch import nn

from sklearn_ddcl.estimators.columns import NUMBER
from sklearn_ddcl.estimators.table_encoder import EncodedTable
from sklearn_ddcl.estimators.trained_network import run_on_rows

_OF_POOLING = ("pool_sizes_", "feature_order_", "feature_distances_")


def publish_pooling(
    estimator: Any,
    network: nn.Module,
    encoded: EncodedTable,
    kinds: list[str] | None,
    mixed_precision: bool,
) -> None:
    """Set the fitted attributes of an encoder that pools columns; others get none.

    Parameters
    ----------
    estimator : estimator
        Gets the attributes.
    network : Module
        The trained network.
    encoded : EncodedTable
        Training rows.
    kinds : list of {"number", "category"} or None
        Kinds of the columns of the table, which the network sees numbers first; None
        for numbers only.
    mixed_precision : bool
        Whether it runs under bfloat16 autocast.
    """
    for name in _OF_POOLING:
        vars(estimator).pop(name, None)
    encoder: Any = network.encoder
    if not len(getattr(encoder, "pools", ())):
        return
    weights = next(network.parameters())
    (sizes,) = run_on_rows(
        network,
        lambda *x: (encoder.pool_sizes(*x),),
        torch.from_numpy(encoded.numbers).to(weights.dtype),
        torch.from_numpy(encoded.codes),
        mixed_precision=mixed_precision,
    )
    mean = sizes.double().mean(0).numpy()
    columns = _columns(kinds, mean.shape[1])
    # Where each column of the table stands in the network.
    places = columns.argsort()
    estimator.pool_sizes_ = mean[:, places]
    if (order := encoder.column_order()) is not None:
        order = order.cpu().numpy()
        estimator.feature_order_ = columns[order[order < len(columns)]]
    if (squared := encoder.column_distances()) is not None:
        distances = squared.detach().double().sqrt().cpu().numpy()
        estimator.feature_distances_ = distances[places][:, places]


def _columns(kinds: list[str] | None, n_columns: int) -> np.ndarray:
    """Return the column of the table that each column of the network is."""
    if kinds is None:
        return np.arange(n_columns)
    return np.argsort([kind != NUMBER for kind in kinds], kind="stable")
