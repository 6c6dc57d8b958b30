"""A soft limit for numbers."""

import torch
from torch import Tensor


def soft_clip(x: Tensor, limit: float = 3.0) -> Tensor:
    r"""Return numbers that are nearly themselves when small, and never beyond a limit.

    Parameters
    ----------
    x : Tensor
        Numbers.
    limit : float, default=3.0
        What the largest numbers tend to, in the unit of `x`.

    Returns
    -------
    clipped : Tensor
        :math:`x / \sqrt{1 + (x / \mathrm{limit})^2}`, of the shape of `x`.

    References
    ----------
    .. [1] D. Holzmüller, L. Grinsztajn and I. Steinwart, "Better by Default: Strong
       Pre-Tuned MLPs and Boosted Trees on Tabular Data", NeurIPS 2024.

    Examples
    --------
    >>> soft_clip(torch.tensor([0.0, 0.1, 4.0, 1000.0]))
    tensor([0.0000, 0.0999, 2.4000, 3.0000])
    """
    # Not a root of a sum: the square of a large number is infinite.
    return x / torch.hypot(x / limit, torch.ones_like(x))
