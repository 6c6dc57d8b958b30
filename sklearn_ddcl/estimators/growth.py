"""What is said of an encoder that has grown."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import nn

from sklearn_ddcl.estimators.table_encoder import EncodedTable
from sklearn_ddcl.networks.encoders.column_tokens import ColumnTokens
from sklearn_ddcl.networks.heads import describe_heads, growing_layers
from sklearn_ddcl.training import TrainingHistory, one_thread

_ROWS = 1024
_OF_GROWTH = ("n_heads_", "heads_", "growth_history_", "predicted_max_heads_")


def growth_so_far(estimator: Any) -> TrainingHistory:
    """Return the growth that a new training goes on from."""
    return TrainingHistory(vars(estimator).get("growth_history_", ()))


def forget_growth(estimator: Any) -> None:
    """Remove what an earlier fit said of growth."""
    for name in _OF_GROWTH:
        vars(estimator).pop(name, None)


def publish_growth(
    estimator: Any,
    network: nn.Module,
    net: Any,
    encoded: EncodedTable,
    mixed_precision: bool,
) -> None:
    """Set the fitted attributes of an encoder that can grow; others get none.

    Parameters
    ----------
    estimator : estimator
        Gets the attributes.
    network : Module
        The trained network.
    net : MemoryNet
        What trained it.
    encoded : EncodedTable
        Training rows.
    mixed_precision : bool
        Whether it runs under bfloat16 autocast.
    """
    if not growing_layers(network):
        return
    network.eval()
    encoder = next(m for m in network.modules() if isinstance(m, ColumnTokens))
    stride = max(1, len(encoded.codes) // _ROWS)
    weights = next(network.parameters())
    numbers, codes = (torch.from_numpy(part[::stride][:_ROWS]) for part in encoded)
    sample = numbers.to(weights), codes.to(weights.device)
    publish_heads(estimator, encoder, net, lambda: encoder(*sample), mixed_precision)


def publish_heads(
    estimator: Any,
    encoder: nn.Module,
    net: Any,
    run: Callable[[], Any],
    mixed_precision: bool,
) -> None:
    """Set the fitted attributes of an encoder that has layers that can grow.

    The encoder has to be in evaluation mode.

    Parameters
    ----------
    estimator : estimator
        Gets the attributes.
    encoder : Module
        Contains the layers.
    net : MemoryNet
        What trained it.
    run : callable
        Runs the encoder on some training rows.
    mixed_precision : bool
        Whether it runs under bfloat16 autocast.
    """
    layers = growing_layers(encoder)
    estimator.n_heads_ = np.array([layer.n_heads for layer in layers])
    estimator.growth_history_ = net.growth_history
    device = next(encoder.parameters()).device
    autocast = torch.autocast(
        device.type, dtype=torch.bfloat16, enabled=mixed_precision
    )
    with one_thread(), torch.no_grad(), autocast:
        estimator.heads_ = describe_heads(encoder, run)
    predicted = [] if net.growth is None else net.growth.predicted
    if all(one is not None for one in predicted) and predicted:
        bounds, counts = zip(*predicted, strict=True)
        estimator.predicted_max_heads_ = {
            "bound": np.array(bounds),
            "count": np.array(counts),
        }
