"""How much each token counts."""

import torch
from torch import Tensor


def token_shares(weights: Tensor | None, values: Tensor) -> Tensor:
    """Return the share of every token in a mean.

    Parameters
    ----------
    weights : Tensor of shape (...) or None
        Importance of every token; all count alike by default.
    values : Tensor of shape (n_tokens, n_columns)
        What is to be averaged; gives the dtype and the device.

    Returns
    -------
    shares : Tensor of shape (n_tokens, 1)
        Non-negative; they sum to one.

    Raises
    ------
    ValueError
        If there is not one weight per token.
    """
    if weights is None:
        return torch.full_like(values[:, :1], 1 / max(1, len(values)))
    if weights.numel() != len(values):
        raise ValueError(
            f"Expected one weight for each of the {len(values)} tokens, got weights of "
            f"shape {tuple(weights.shape)}."
        )
    weights = weights.to(values.dtype)
    return (weights / weights.sum()).reshape(-1, 1)
