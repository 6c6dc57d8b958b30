"""Categories to tokens."""

import torch
from torch import Tensor, nn

UNKNOWN = 0
"""Code of a category that was not, or too rarely, seen in training."""


class CategoryTokenizer(nn.Module):
    """Look up a learned token for every category.

    Code 0 stands for an unknown category in every column. Its token is trained, by
    categories too rare to have one of their own and by hiding a few known ones at
    random in training.

    Parameters
    ----------
    cardinalities : list of int
        Number of codes of every column, the unknown one included.
    d_token : int
        Width of a token.
    p_hidden : float, default=0.01
        Probability that, for one training step, a category counts as unknown.
    generator : torch.Generator, optional
        Source of the initial weights; torch's global one by default.

    Attributes
    ----------
    weight : Parameter of shape (sum of cardinalities, d_token)
        Tokens of all columns, one column after the other.
    offsets : Tensor of shape (n_columns,)
        Where each column starts in `weight`.

    Examples
    --------
    >>> tokenizer = CategoryTokenizer([3, 2], d_token=8)
    >>> tokenizer(torch.tensor([[2, 1], [0, 0]])).shape
    torch.Size([2, 2, 8])
    """

    offsets: Tensor

    def __init__(
        self,
        cardinalities: list[int],
        d_token: int,
        *,
        p_hidden: float = 0.01,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        sizes = torch.tensor([0, *cardinalities], dtype=torch.int64)
        self.register_buffer("offsets", sizes.cumsum(0)[:-1])
        weight = torch.empty(int(sizes.sum()), d_token)
        self.weight = nn.Parameter(weight.normal_(std=0.3, generator=generator))
        self.p_hidden = p_hidden
        self.generator: torch.Generator | None = None

    def forward(self, codes: Tensor) -> Tensor:
        """Map codes (B, n_columns) to tokens (B, n_columns, d_token)."""
        rows = codes + self.offsets
        if self.training and self.p_hidden > 0:
            # Hiding a category, not a row, keeps equal rows equal.
            hidden = torch.empty(len(self.weight), device=codes.device)
            hidden.bernoulli_(self.p_hidden, generator=self.generator)
            rows = torch.where(hidden[rows].bool(), self.offsets + UNKNOWN, rows)
        return nn.functional.embedding(rows, self.weight)
