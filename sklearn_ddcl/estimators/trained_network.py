"""Any trained network: how it is run on rows, and what its weights are as a state."""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from sklearn_ddcl.estimators.blocks import run_in_blocks
from sklearn_ddcl.training import one_thread


def run_on_rows(
    network: nn.Module,
    function: Callable[[Tensor, Tensor], tuple[Tensor, ...]],
    numbers: Tensor,
    codes: Tensor,
    *,
    mixed_precision: bool,
) -> tuple[Tensor, ...]:
    """Apply a function of a network to all rows, each as if it were alone.

    Parameters
    ----------
    network : Module
        Set to evaluation; says where `function` runs.
    function : callable
        Maps numbers (B, F) and codes (B, G) to tensors with B rows.
    numbers, codes : Tensor
        Rows, on the CPU.
    mixed_precision : bool
        Whether to run under bfloat16 autocast.

    Returns
    -------
    outputs : tuple of Tensor
        On the CPU.
    """
    network.eval()
    device = next(network.parameters()).device
    autocast = torch.autocast(
        device.type, dtype=torch.bfloat16, enabled=mixed_precision
    )
    with one_thread(), torch.inference_mode(), autocast:
        return run_in_blocks(function, numbers, codes, device)


def weights_state(network: nn.Module) -> dict[str, Any]:
    """Return the weights of a network as NumPy arrays, and their precision.

    Parameters
    ----------
    network : Module
        On any device.

    Returns
    -------
    state : dict
        For :func:`restore_weights`.
    """
    weights = network.state_dict()
    return {
        "float64": next(network.parameters()).dtype == torch.float64,
        "weights": {name: w.cpu().numpy() for name, w in weights.items()},
    }


def restore_weights(network: nn.Module, state: dict[str, Any]) -> None:
    """Fill a network of the right shape with weights.

    Parameters
    ----------
    network : Module
        On the CPU; its weights and their precision are replaced.
    state : dict
        As :func:`weights_state` returned it; other entries are ignored.
    """
    if state["float64"]:
        network.double()
    weights = {
        name: torch.from_numpy(np.array(w)) for name, w in state["weights"].items()
    }
    network.load_state_dict(weights)
