"""The columns of a row as tokens that pass through a stack of blocks."""

from typing import Any

import torch
from torch import Tensor, nn

from sklearn_ddcl.layers import ContextPool
from sklearn_ddcl.networks.column_layout import column_order, column_positions
from sklearn_ddcl.networks.growth_rule import GrowthRule
from sklearn_ddcl.networks.table import TableSpec, make_tokenizer

CONTEXT_POOLS = (None, "index", "seriation", "correlation", "learned")


class ColumnTokens(nn.Module):
    """Make a token of every column and pass all through blocks.

    Parameters
    ----------
    params : parameter object
        Its fields `n_layers`, `d_token`, `numerical` and `context_pool` are used; with
        the last every block sees columns pooled with their neighbors: in the order of
        the table, numerical columns first ("index"), in one in which columns that say
        much of each other are near ("seriation"), by how much they say of each other
        ("correlation"), or on a map that starts from that and is learned by all blocks
        together ("learned"). The class token stays as it is. Its method `block_maker`
        returns what makes the blocks, modules that map tokens (B, T, d_token) to
        tokens.
    spec : TableSpec
        Shape of the table.
    cls_token : bool
        Whether a class token goes in front.
    generator : torch.Generator or None
        Source of the initial weights.
    """

    n_views = 1
    growth_rule: GrowthRule | None = None

    def __init__(
        self,
        params: Any,
        spec: TableSpec,
        *,
        cls_token: bool,
        generator: torch.Generator | None,
    ) -> None:
        super().__init__()
        d_token, n_layers = params.d_token, params.n_layers
        self.tokenizer = make_tokenizer(spec, params.numerical, d_token, generator)
        # Which column a token is from, else equal embeddings could not be told apart.
        column = torch.empty(spec.n_columns, d_token)
        self.column = nn.Parameter(column.normal_(std=0.3, generator=generator))
        self.cls = None
        if cls_token:
            cls = torch.empty(1, 1, d_token).normal_(std=0.3, generator=generator)
            self.cls = nn.Parameter(cls)
        make_block = params.block_maker(generator)
        self.blocks = nn.ModuleList(make_block() for _ in range(n_layers))
        self.pools = nn.ModuleList()
        if params.context_pool is not None:
            near = _neighborhood(params.context_pool, spec.distances)
            self.pools.extend(
                ContextPool(d_token, **near, generator=generator)
                for _ in range(n_layers)
            )

    def forward(self, numbers: Tensor, codes: Tensor) -> Tensor:
        """Return the tokens (B, T, d_token) of numbers (B, F) and codes (B, G)."""
        return self._pass(numbers, codes)

    def pool_sizes(self, numbers: Tensor, codes: Tensor) -> Tensor:
        """Return how widely every layer pools every column, (B, L, F + G)."""
        sizes: list[Tensor] = []
        self._pass(numbers, codes, sizes)
        return torch.stack(sizes, 1)

    def column_order(self) -> Tensor | None:
        """Return the order in which columns are pooled (F + G,), None for their own."""
        pool: Any = next(iter(self.pools), None)
        return None if pool is None else pool.order

    def column_distances(self) -> Tensor | None:
        """Return squared distances by which columns are pooled, None for an order."""
        pool: Any = next(iter(self.pools), None)
        return None if pool is None else pool.squared_distances()

    def _pass(
        self, numbers: Tensor, codes: Tensor, sizes: list[Tensor] | None = None
    ) -> Tensor:
        x = self.tokenizer(numbers, codes) + self.column
        n_cls = 0
        if self.cls is not None:
            x, n_cls = torch.cat([self.cls.expand(len(x), -1, -1), x], dim=1), 1
        for layer, block in enumerate(self.blocks):
            if self.pools:
                pool: Any = self.pools[layer]
                columns = x[:, n_cls:]
                if sizes is not None:
                    sizes.append(pool.predict(columns)[1])
                x = torch.cat([x[:, :n_cls], pool(columns)], dim=1)
            x = block(x)
        return x


def _neighborhood(kind: str, distances: Tensor | None) -> dict[str, Any]:
    """Return what tells a pool which columns are near."""
    if kind not in CONTEXT_POOLS:
        raise ValueError(f"context_pool must be one of {CONTEXT_POOLS}, got {kind!r}.")
    if kind == "index":
        return {}
    if distances is None:
        raise ValueError(
            f"context_pool={kind!r} needs to know how far columns are from each other; "
            "give TableSpec the distances of networks.column_distances."
        )
    if kind == "correlation":
        return {"distances": distances}
    if kind == "seriation":
        return {"order": column_order(distances)}
    return {"positions": nn.Parameter(column_positions(distances))}
