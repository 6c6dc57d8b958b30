"""The columns of a row as tokens that pass through a stack of blocks."""

from collections.abc import Callable

import torch
from torch import Tensor, nn

from sklearn_ddcl.networks.table import TableSpec, make_tokenizer


class ColumnTokens(nn.Module):
    """Make a token of every column and pass all through blocks.

    Parameters
    ----------
    spec : TableSpec
        Shape of the table.
    d_token : int
        Width of a token.
    n_layers : int
        Number of blocks.
    make_block : callable
        Returns a new block, a module that maps tokens (B, T, d_token) to tokens.
    numerical : {"piecewise_linear", "periodic", "linear"}
        How numbers become tokens.
    cls_token : bool
        Whether a class token goes in front.
    generator : torch.Generator or None
        Source of the initial weights.
    """

    n_views = 1

    def __init__(
        self,
        spec: TableSpec,
        d_token: int,
        n_layers: int,
        make_block: Callable[[], nn.Module],
        *,
        numerical: str,
        cls_token: bool,
        generator: torch.Generator | None,
    ) -> None:
        super().__init__()
        self.tokenizer = make_tokenizer(spec, numerical, d_token, generator)
        # Which column a token is from, else equal embeddings could not be told apart.
        column = torch.empty(spec.n_columns, d_token)
        self.column = nn.Parameter(column.normal_(std=0.3, generator=generator))
        self.cls = None
        if cls_token:
            cls = torch.empty(1, 1, d_token).normal_(std=0.3, generator=generator)
            self.cls = nn.Parameter(cls)
        self.blocks = nn.ModuleList(make_block() for _ in range(n_layers))

    def forward(self, numbers: Tensor, codes: Tensor) -> Tensor:
        """Return the tokens (B, T, d_token) of numbers (B, F) and codes (B, G)."""
        x = self.tokenizer(numbers, codes) + self.column
        if self.cls is not None:
            x = torch.cat([self.cls.expand(len(x), -1, -1), x], dim=1)
        for block in self.blocks:
            x = block(x)
        return x
