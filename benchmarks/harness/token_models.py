"""Classifiers of token sequences: a stack of blocks, with or without pooling.

A spec is the name of a kind of block with options, such as
``aot:n_layers=1,pool=learned``. To add a kind, write a function that makes its blocks
and enter it in `BLOCKS`.
"""

import ast
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from sklearn_ddcl.layers import AttentionBlock, ContextPool, Linear, SubspaceAttention

from .token_sets import TokenSet

D_TOKEN, DROPOUT = 32, 0.1
POOLS = ("learned", "fixed")
# Standard deviation of the pooling that is not learned, in tokens.
_FIXED_SIZE = 1.0


def parse_spec(spec: str) -> tuple[str, dict[str, Any]]:
    """Return the kind of block and the options of a spec."""
    name, _, rest = spec.partition(":")
    if name not in BLOCKS:
        raise ValueError(f"Blocks must be one of {sorted(BLOCKS)}, got {name!r}.")
    options: dict[str, Any] = {"n_layers": 2}
    for item in filter(None, rest.split(",")):
        key, equals, text = item.partition("=")
        if not key or not equals:
            raise ValueError(
                f"Options must look like name:key=value,key=value; got {spec!r}."
            )
        try:
            options[key] = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            options[key] = text
    return name, options


def make_classifier(
    spec: str, tokens: TokenSet, generator: torch.Generator
) -> "TokenClassifier":
    """Return an untrained classifier.

    Parameters
    ----------
    spec : str
        Kind of block with options: ``n_layers``, ``d_token``, ``pool`` ("learned" or
        "fixed" in width), ``shuffled`` (whether neighbors are drawn at random, once),
        and those of the block.
    tokens : TokenSet
        What it is to learn from.
    generator : torch.Generator
        Source of the initial weights.
    """
    name, options = parse_spec(spec)
    options = {"n_heads": tokens.n_heads} | options
    n_layers, d_token = options.pop("n_layers"), options.pop("d_token", D_TOKEN)
    _, n_tokens, d_in = tokens.train.tokens.shape
    pool, shuffled = options.pop("pool", None), options.pop("shuffled", 0)
    pools = []
    if pool is not None:
        # Drawn anew for every seed, but the same for all rows and layers.
        priority = torch.rand(n_tokens, generator=generator) if shuffled else None
        pools = [
            Pooling(_make_pool(pool, d_token, tokens, generator), priority)
            for _ in range(n_layers)
        ]
    blocks = BLOCKS[name](n_layers, d_token, options, generator)
    n_classes = int(tokens.train.classes.max()) + 1
    return TokenClassifier(d_in, n_tokens, n_classes, d_token, blocks, pools, generator)


class TokenClassifier(nn.Module):
    """Embed tokens, pass them through blocks, and read the class off their mean."""

    def __init__(
        self,
        d_in: int,
        n_tokens: int,
        n_classes: int,
        d_token: int,
        blocks: list[nn.Module],
        pools: list["Pooling"],
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.embed = Linear(d_in, d_token, generator=generator)
        self.positions = nn.Parameter(0.3 * _waves(n_tokens, d_token))
        self.blocks, self.pools = nn.ModuleList(blocks), nn.ModuleList(pools)
        self.norm = nn.LayerNorm(d_token)
        self.head = Linear(d_token, n_classes, generator=generator)

    @property
    def n_encoder_parameters(self) -> int:
        """Number of learned weights in blocks and pools."""
        parameters = [*self.blocks.parameters(), *self.pools.parameters()]
        return sum(values.numel() for values in parameters if values.requires_grad)

    def forward(self, tokens: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return logits (B, C) of tokens (B, T, d_in)."""
        x = self.embed(tokens) + self.positions[: tokens.shape[1]]
        for layer, block in enumerate(self.blocks):
            if self.pools:
                x = self.pools[layer](x, mask)
            x = block(x, mask)
        x = self.norm(x)
        if mask is None:
            return self.head(x.mean(1))
        present = mask[..., None].to(x.dtype)
        return self.head((x * present).sum(1) / present.sum(1).clamp_min(1))


class Pooling(nn.Module):
    """Pool tokens with their neighbors, in their order or in a random one."""

    def __init__(self, pool: ContextPool, priority: Tensor | None) -> None:
        super().__init__()
        self.pool = pool
        self.register_buffer("priority", priority)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """Map tokens (B, T, d) to the same shape."""
        if self.priority is None:
            return self.pool(x, mask)
        priority = self.priority[: x.shape[1]].expand(x.shape[:2])
        if mask is not None:
            # Those that exist go first, as in a sequence that is padded.
            priority = priority.masked_fill(~mask, torch.inf)
        order = priority.argsort(1)
        back = order.argsort(1)[..., None].expand_as(x)
        shuffled = x.gather(1, order[..., None].expand_as(x))
        mask = None if mask is None else mask.gather(1, order)
        return self.pool(shuffled, mask).gather(1, back)


def _make_pool(
    kind: str, d_token: int, tokens: TokenSet, generator: torch.Generator
) -> ContextPool:
    if kind not in POOLS:
        raise ValueError(f"pool must be one of {POOLS}, got {kind!r}.")
    where = {"grid": tokens.grid, "window": tokens.window, "generator": generator}
    if kind == "learned":
        return ContextPool(d_token, **where)
    # Untrained it weighs all neighbors alike, over one width.
    pool = ContextPool(d_token, reach=0.0, min_size=_FIXED_SIZE, **where)
    return pool.requires_grad_(False)


def _transformer(
    n_layers: int, d_token: int, options: dict[str, Any], generator: torch.Generator
) -> list[nn.Module]:
    sizes = {"d_hidden": 2 * d_token, "dropout": DROPOUT} | options
    return [
        AttentionBlock(d_token, generator=generator, **sizes) for _ in range(n_layers)
    ]


def _aot(
    n_layers: int, d_token: int, options: dict[str, Any], generator: torch.Generator
) -> list[nn.Module]:
    # As the encoder of tables has it: three projections.
    sizes = {"projection": "separate", "dropout": DROPOUT} | options
    return [
        SubspaceAttention(d_token, generator=generator, **sizes)
        for _ in range(n_layers)
    ]


BLOCKS: dict[
    str, Callable[[int, int, dict[str, Any], torch.Generator], list[nn.Module]]
] = {"transformer": _transformer, "aot": _aot}


def _waves(n_tokens: int, d_token: int) -> Tensor:
    """Return sines and cosines of places (T, d), which are learned on from there."""
    places = torch.arange(n_tokens)[:, None]
    rates = 10_000 ** (-torch.arange(0, d_token, 2) / d_token)
    angles = places * rates
    return torch.stack([angles.sin(), angles.cos()], -1).flatten(1)[:, :d_token]
