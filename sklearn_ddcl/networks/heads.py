"""What the heads of a network have come to do."""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from sklearn_ddcl.layers import GrowingAttention


def growing_layers(network: nn.Module) -> list[GrowingAttention]:
    """Return the layers of a network that can grow, from the first to the last."""
    return [m for m in network.modules() if isinstance(m, GrowingAttention)]


def growing_encoder(network: nn.Module) -> Any:
    """Return the part of a network that has a rule by which it grows, or None."""
    for module in network.modules():
        if getattr(module, "growth_rule", None) is not None:
            return module
    return None


def describe_heads(
    network: nn.Module, run: Callable[[], Any]
) -> list[dict[str, int | float]]:
    """Say what every head does, from the coarsest to the finest of each layer.

    Parameters
    ----------
    network : Module
        With layers that grow.
    run : callable
        Runs the network on some rows.

    Returns
    -------
    heads : list of dict
        ``layer`` and ``head``, counted from 0; ``share``, of the variance of what all
        heads of the layer add to tokens; ``reach``, how many tokens a token attends to,
        effectively: the exponential of the mean entropy of its attention.
    """
    seen: dict[nn.Module, tuple[Any, ...]] = {}
    layers = growing_layers(network)
    hooks = [
        layer.register_forward_pre_hook(lambda layer, args: seen.update({layer: args}))
        for layer in layers
    ]
    try:
        run()
    finally:
        for hook in hooks:
            hook.remove()
    heads: list[dict[str, int | float]] = []
    for number, layer in enumerate(layers):
        own = _of_layer(layer, *seen[layer])
        for head, (share, reach) in sorted(
            enumerate(own), key=lambda item: -item[1][1]
        ):
            heads.append(
                {"layer": number, "head": head, "share": share, "reach": reach}
            )
    return heads


@torch.no_grad()
def _of_layer(layer: GrowingAttention, x: Tensor, mask: Tensor | None = None) -> list:
    exists = x.new_ones(x.shape[:2], dtype=torch.bool) if mask is None else mask
    added = layer.contributions(x, mask)[:, exists].double()
    variances = added.var(1, correction=0).sum(-1)
    shares = variances / variances.sum().clamp_min(1e-300)
    attention = layer.attention(x, mask).double()
    entropy = torch.special.entr(attention).sum(-1)[:, exists].mean(1)
    return list(zip(shares.tolist(), entropy.exp().tolist(), strict=True))
