"""Numbers to tokens along one direction per column."""

import torch
from torch import Tensor, nn

from sklearn_ddcl.layers.missing import with_missing


class LinearTokenizer(nn.Module):
    r"""Turn every number into a token :math:`x_j w_j + b_j`.

    The plainest tokenizer, kept to show what bending a column is worth.

    Parameters
    ----------
    n_columns : int
        Number of numerical columns.
    d_token : int
        Width of a token.
    generator : torch.Generator, optional
        Source of the initial weights; torch's global one by default.

    Attributes
    ----------
    weight, bias, missing : Parameter of shape (n_columns, d_token)
        Direction, offset and the token of a missing number.

    Examples
    --------
    >>> LinearTokenizer(n_columns=3, d_token=8)(torch.zeros(2, 3)).shape
    torch.Size([2, 3, 8])
    """

    weight: nn.Parameter
    bias: nn.Parameter
    missing: nn.Parameter

    def __init__(
        self,
        n_columns: int,
        d_token: int,
        *,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        for name in ("weight", "bias", "missing"):
            values = torch.empty(n_columns, d_token)
            values.uniform_(-1, 1, generator=generator)
            setattr(self, name, nn.Parameter(values))

    def forward(self, x: Tensor) -> Tensor:
        """Map numbers (B, n_columns), NaN where missing, to (B, n_columns, d_token)."""
        line = x.nan_to_num(0.0)[..., None] * self.weight + self.bias
        return with_missing(line, x, self.missing)
