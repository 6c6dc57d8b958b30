"""What tokens are like on their way through attention alone, layer by layer."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from sklearn_ddcl.estimators.fitted_network import FittedNetwork
from sklearn_ddcl.estimators.table_encoder import EncodedTable
from sklearn_ddcl.estimators.trained_network import run_on_rows
from sklearn_ddcl.layers import SubspaceAttention


class Energies(NamedTuple):
    """Squared lengths of the tokens of a row in and out of their subspaces."""

    inside: Tensor
    """(B, L), on the way into each layer."""
    outside: Tensor
    """(B, L)"""
    moved_inside: Tensor
    """(B, L), of the same tokens in the same subspaces, but after the layer."""
    moved_outside: Tensor
    """(B, L)"""
    cosines: Tensor
    """(B, L + 1), mean cosine between two tokens, after the last layer as well."""
    chosen: Tensor
    """(B, L, K), number of tokens in each subspace."""


def attention_blocks(network: Any) -> list[SubspaceAttention]:
    """Return the blocks of an encoder that is attention alone, none of another."""
    encoder: Any = getattr(network, "encoder", None)
    blocks = list(getattr(encoder, "blocks", ()))
    alone = all(isinstance(block, SubspaceAttention) for block in blocks)
    return blocks if alone else []


def measure_block(
    block: SubspaceAttention, before: Tensor, after: Tensor, bases: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Return energies of the tokens of a block in its subspaces, before and after it.

    A token belongs to the subspace in which it has the largest energy on its way in.

    Parameters
    ----------
    block : SubspaceAttention
        Tokens are compared as it projects them, normalized if it does that.
    before, after : Tensor of shape (B, T, d)
        Tokens on the way in and out.
    bases : Tensor of shape (K, d, p), optional
        Orthonormal bases of other subspaces; by default those of its values.

    Returns
    -------
    inside, outside, moved_inside, moved_outside : Tensor of shape (B,)
        Squared lengths in and out of the subspace of a token, summed over tokens.
    chosen : Tensor of shape (B, K)
        Number of tokens in each subspace.
    """
    bases = (block.value_bases() if bases is None else bases).double()
    owner = None
    sums = []
    for tokens in (before, after):
        z = block.seen(tokens).double()
        energies = torch.einsum("btd,kdp->btkp", z, bases).square().sum(-1)
        owner = energies.argmax(-1, keepdim=True) if owner is None else owner
        own = energies.gather(-1, owner)[..., 0]
        rest = (z.square().sum(-1) - own).clamp_min(0)
        sums += [own.sum(1), rest.sum(1)]
    assert owner is not None
    chosen = nn.functional.one_hot(owner[..., 0], len(bases)).sum(1)
    return sums[0], sums[1], sums[2], sums[3], chosen


def mean_cosine(tokens: Tensor) -> Tensor:
    """Return the mean cosine between two different tokens of a row, (B,)."""
    units = nn.functional.normalize(tokens.double(), dim=-1)
    n_tokens = units.shape[1]
    if n_tokens < 2:
        return units.new_full((len(units),), torch.nan)
    together = units.sum(1).square().sum(-1)
    alone = units.square().sum((1, 2))
    return (together - alone) / (n_tokens * (n_tokens - 1))


def probe_subspaces(
    fitted: FittedNetwork,
    encoded: EncodedTable,
    network: Any = None,
    bases: Sequence[Tensor] | None = None,
) -> dict[str, np.ndarray]:
    """Return the fields of `Energies` for the rows of a table, as arrays.

    Parameters
    ----------
    fitted : FittedNetwork
        Knows how rows become tensors.
    encoded : EncodedTable
        Rows.
    network : TableClassifier, optional
        Another network of the same shape; by default the trained one.
    bases : sequence of L Tensors of shape (K, d, p), optional
        Subspaces to measure by; by default those of the network.
    """
    network = fitted.network if network is None else network
    blocks = attention_blocks(network)

    def measure(numbers: Tensor, codes: Tensor) -> Energies:
        path: list[tuple[Tensor, Tensor]] = []
        hooks = [
            block.register_forward_hook(lambda _, x, y: path.append((x[0], y)))
            for block in blocks
        ]
        try:
            network.encoder(numbers, codes)
        finally:
            for hook in hooks:
                hook.remove()
        layers = [
            measure_block(block, *tokens, None if bases is None else bases[layer])
            for layer, (block, tokens) in enumerate(zip(blocks, path, strict=True))
        ]
        inside, outside, moved_inside, moved_outside, chosen = (
            torch.stack(column, 1) for column in zip(*layers, strict=True)
        )
        cosines = [mean_cosine(tokens) for tokens, _ in path]
        cosines.append(mean_cosine(path[-1][1]))
        return Energies(
            inside,
            outside,
            moved_inside,
            moved_outside,
            torch.stack(cosines, 1),
            chosen,
        )

    numbers, codes = fitted.to_tensors(encoded)
    outputs = run_on_rows(network, measure, numbers, codes, mixed_precision=False)
    return {
        name: output.double().numpy()
        for name, output in zip(Energies._fields, outputs, strict=True)
    }


def random_bases(
    blocks: Sequence[SubspaceAttention], generator: torch.Generator
) -> list[Tensor]:
    """Return subspaces of no meaning, as many and as wide as those of each block."""
    drawn = []
    for block in blocks:
        shape = (block.n_heads, block.bases.shape[1], block.d_head)
        normal = torch.randn(shape, generator=generator, dtype=torch.float64)
        drawn.append(torch.linalg.qr(normal).Q.to(block.bases.device))
    return drawn
