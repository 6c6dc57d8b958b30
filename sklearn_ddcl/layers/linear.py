"""An affine map whose initialization draws from a generator of one's own."""

import torch
from torch import Tensor, nn


class Linear(nn.Module):
    r"""Apply :math:`x W^\top + b`.

    Unlike :class:`torch.nn.Linear` it can draw its weights from a private generator,
    which keeps concurrent fits reproducible.

    Parameters
    ----------
    d_in, d_out : int
        Widths before and after.
    bias : bool, default=True
        Whether to add :math:`b`.
    generator : torch.Generator, optional
        Source of the initial weights; torch's global one by default.

    Attributes
    ----------
    weight : Parameter of shape (d_out, d_in)
        Uniform in :math:`\pm 1/\sqrt{d_{in}}` at the start.
    bias : Parameter of shape (d_out,) or None
        Zero at the start.

    Examples
    --------
    >>> Linear(3, 5)(torch.zeros(2, 3)).shape
    torch.Size([2, 5])
    """

    def __init__(
        self,
        d_in: int,
        d_out: int,
        *,
        bias: bool = True,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        bound = max(1, d_in) ** -0.5
        weight = torch.empty(d_out, d_in).uniform_(-bound, bound, generator=generator)
        self.weight = nn.Parameter(weight)
        self.bias = nn.Parameter(torch.zeros(d_out)) if bias else None

    def forward(self, x: Tensor) -> Tensor:
        """Map `x` of shape (..., d_in) to (..., d_out)."""
        return nn.functional.linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        """Show the widths."""
        d_out, d_in = self.weight.shape
        return f"{d_in}, {d_out}, bias={self.bias is not None}"
