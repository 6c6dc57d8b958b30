"""Baseline readouts: the mean of the tokens, or the first one."""

from torch import Tensor, nn


class MeanPooling(nn.Module):
    """Return the mean of the tokens that exist.

    Examples
    --------
    >>> import torch
    >>> MeanPooling()(torch.tensor([[[1.0], [3.0]]]))
    tensor([[2.]])
    """

    def forward(self, tokens: Tensor, mask: Tensor | None = None) -> Tensor:
        """Map tokens (B, T, d), mask (B, T) or None, to (B, d)."""
        if mask is None:
            return tokens.mean(1)
        # Whatever stands where there is no token, even NaN, counts nothing, and a row
        # without tokens answers zero.
        total = tokens.masked_fill(~mask[..., None], 0).sum(1)
        return total / mask.sum(1, keepdim=True).clamp_min(1)


class ClsPooling(nn.Module):
    """Return the first token, which the encoder reserved for the summary.

    Examples
    --------
    >>> import torch
    >>> ClsPooling()(torch.tensor([[[1.0], [3.0]]]))
    tensor([[1.]])
    """

    def forward(self, tokens: Tensor, mask: Tensor | None = None) -> Tensor:
        """Map tokens (B, T, d) to (B, d); the mask plays no part."""
        return tokens[:, 0]
