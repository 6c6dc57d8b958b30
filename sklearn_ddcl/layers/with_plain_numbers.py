"""Numbers as they are, beside what a tokenizer makes of them."""

import torch
from torch import Tensor, nn

import sklearn_ddcl.functional as F


class WithPlainNumbers(nn.Module):
    """Put every number beside its token, as it is but for a soft limit of 3.

    Sums and differences of columns, which bent columns can only approach, are then at
    hand. A missing number counts as 0; the rest of its token says that it is missing.

    Parameters
    ----------
    tokenizer : Module
        Maps (B, n_columns) to (B, n_columns, d), NaN where missing.

    See Also
    --------
    sklearn_ddcl.functional.soft_clip : The limit.

    Examples
    --------
    >>> from sklearn_ddcl.layers import LinearTokenizer
    >>> tokenizer = WithPlainNumbers(LinearTokenizer(n_columns=3, d_token=7))
    >>> tokenizer(torch.zeros(2, 3)).shape
    torch.Size([2, 3, 8])
    """

    def __init__(self, tokenizer: nn.Module) -> None:
        super().__init__()
        self.tokenizer = tokenizer

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, n_columns), NaN where missing, to (B, n_columns, d + 1)."""
        plain = F.soft_clip(x.nan_to_num(0.0))
        return torch.cat([self.tokenizer(x), plain[..., None]], dim=-1)
