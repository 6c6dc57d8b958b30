"""A transformer block whose randomness comes from a generator of one's own."""

import torch
from torch import Tensor, nn

from sklearn_ddcl.layers.linear import Linear
from sklearn_ddcl.layers.step_dropout import StepDropout


class AttentionBlock(nn.Module):
    r"""Let tokens attend to each other, then transform each of them.

    Pre-normalized: :math:`h = x + \mathrm{MHSA}(\mathrm{LN}(x))`,
    :math:`y = h + \mathrm{FFN}(\mathrm{LN}(h))`.

    Parameters
    ----------
    d_token : int
        Width of a token.
    n_heads : int
        Number of heads; divides `d_token`.
    d_hidden : int
        Width inside the feed-forward part.
    dropout : float, default=0.1
        Probability that a unit of either branch is silenced for a training step.
    generator : torch.Generator, optional
        Source of the initial weights; torch's global one by default.

    Raises
    ------
    ValueError
        If `n_heads` does not divide `d_token`.

    References
    ----------
    .. [1] A. Vaswani et al., "Attention Is All You Need", NeurIPS 2017.

    Examples
    --------
    >>> AttentionBlock(16, n_heads=4, d_hidden=32)(torch.zeros(2, 7, 16)).shape
    torch.Size([2, 7, 16])
    """

    def __init__(
        self,
        d_token: int,
        *,
        n_heads: int,
        d_hidden: int,
        dropout: float = 0.1,
        generator: torch.Generator | None = None,
    ) -> None:
        if n_heads < 1 or d_token % n_heads:
            raise ValueError(
                f"n_heads must divide d_token, got {n_heads=} and {d_token=}."
            )
        super().__init__()
        self.n_heads = n_heads
        self.norm_attention = nn.LayerNorm(d_token)
        self.query_key_value = Linear(d_token, 3 * d_token, generator=generator)
        self.mix_heads = Linear(d_token, d_token, generator=generator)
        self.norm_hidden = nn.LayerNorm(d_token)
        self.expand = Linear(d_token, d_hidden, generator=generator)
        self.contract = Linear(d_hidden, d_token, generator=generator)
        self.dropout = StepDropout(dropout)

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Map tokens (B, T, d_token) to the same shape.

        Parameters
        ----------
        x : Tensor of shape (B, T, d_token)
            Tokens.
        mask : Tensor of shape (B, T), dtype bool, optional
            True where a token exists; others are not attended to.

        Returns
        -------
        y : Tensor of shape (B, T, d_token)
            Tokens after one block.
        """
        x = x + self.dropout(self._attend(self.norm_attention(x), mask))
        hidden = nn.functional.gelu(self.expand(self.norm_hidden(x)))
        return x + self.dropout(self.contract(hidden))

    def _attend(self, x: Tensor, mask: Tensor | None) -> Tensor:
        heads = self.query_key_value(x).unflatten(-1, (3, self.n_heads, -1))
        query, key, value = heads.permute(2, 0, 3, 1, 4)  # each (B, heads, T, d_head)
        if mask is not None:
            mask = mask[:, None, None, :]
        mixed = nn.functional.scaled_dot_product_attention(
            query, key, value, attn_mask=mask
        )
        return self.mix_heads(mixed.transpose(1, 2).flatten(-2))
