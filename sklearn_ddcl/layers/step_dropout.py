"""Dropout with one mask for all rows of a step."""

import torch
from torch import Tensor, nn


class StepDropout(nn.Module):
    """Silence random units for a whole training step.

    All rows of a batch share the mask, each view or token position has its own. A
    row's gradient then does not depend on where in the batch it stands or on how many
    rows are beside it, so a row of weight two counts exactly like two rows, and
    drawing a mask costs nothing.

    Parameters
    ----------
    p : float, default=0.1
        Probability that a unit is silenced, in [0, 1).

    Attributes
    ----------
    generator : torch.Generator or None
        Source of the masks, on the device of the input; torch's global one by default.

    Raises
    ------
    ValueError
        If `p` is outside [0, 1).

    Examples
    --------
    >>> dropout = StepDropout(0.5).eval()
    >>> dropout(torch.ones(2, 3)).sum()
    tensor(6.)
    """

    def __init__(self, p: float = 0.1) -> None:
        if not 0 <= p < 1:
            raise ValueError(f"p must be in [0, 1), got {p=}.")
        super().__init__()
        self.p = p
        self.generator: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Scale what is kept so that the expectation of `x` (B, ...) stays."""
        if not self.training or self.p == 0:
            return x
        mask = torch.empty((1, *x.shape[1:]), dtype=x.dtype, device=x.device)
        mask.bernoulli_(1 - self.p, generator=self.generator)
        return x * (mask / (1 - self.p))

    def extra_repr(self) -> str:
        """Show the probability."""
        return f"p={self.p}"
