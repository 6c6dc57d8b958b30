"""Attention whose heads come and go."""

from typing import Any

import torch
from torch import Tensor, nn

from sklearn_ddcl.layers.step_dropout import StepDropout

# What is not known of a new head starts small beside what is.
_UNKNOWN = 0.3
_PER_HEAD = ("bases", "output")


class GrowingAttention(nn.Module):
    r"""Multi-head attention to which heads can be added, and from which they can go.

    .. math::
        y_i = x_i + b + \sum_h O_h \sum_j A^h_{ij} V_h z_j,
        \qquad
        A^h = \mathrm{softmax}\bigl(Z K_h^\top Q_h Z^\top / \sqrt p\bigr)^\top,
        \qquad
        Z = \mathrm{LN}(X) .

    Each head has matrices of its own, :math:`4 p d` weights. A new head has
    :math:`O_h = 0`, so that nothing changes at first; what a head can have
    contributed is bounded before it goes. The number of heads is part of the state: a
    saved state of any number of heads can be loaded.

    Parameters
    ----------
    d_token : int
        Width :math:`d` of a token.
    n_heads : int, default=1
        Number of heads at the start; may be zero.
    d_head : int, default=8
        Width :math:`p` of a head.
    dropout : float, default=0.0
        Probability that a unit of the step is silenced for a training step.
    generator : torch.Generator, optional
        Source of the initial weights; torch's global one by default.

    Attributes
    ----------
    bases : Parameter of shape (3, n_heads, d_head, d_token)
        :math:`Q_h, K_h, V_h`.
    output : Parameter of shape (n_heads, d_head, d_token)
        :math:`O_h^\top`.
    watcher : object or None
        Is shown, by its method ``see``, what happens in every training step.

    Raises
    ------
    ValueError
        If a size is too small.

    References
    ----------
    .. [1] G. Cirrincione, "INCRT: An Incremental Transformer That Determines Its Own
       Architecture", arXiv:2604.10703, 2026.

    Examples
    --------
    >>> attention = GrowingAttention(16, n_heads=1, d_head=4)
    >>> x = torch.randn(2, 7, 16)
    >>> before = attention(x)
    >>> attention.grow()
    >>> attention.n_heads, torch.equal(attention(x), before)
    (2, True)
    """

    def __init__(
        self,
        d_token: int,
        *,
        n_heads: int = 1,
        d_head: int = 8,
        dropout: float = 0.0,
        generator: torch.Generator | None = None,
    ) -> None:
        if n_heads < 0 or not 1 <= d_head <= d_token:
            raise ValueError(
                "n_heads must be at least 0 and d_head between 1 and d_token, got "
                f"{n_heads=}, {d_head=} and {d_token=}."
            )
        super().__init__()
        self.norm = nn.LayerNorm(d_token)
        self.bases = nn.Parameter(_drawn((3, n_heads, d_head, d_token), generator))
        output = _drawn((n_heads, d_head, d_token), generator)
        self.output = nn.Parameter(output * (d_token / max(1, n_heads * d_head)) ** 0.5)
        self.bias = nn.Parameter(torch.zeros(d_token))
        self.dropout = StepDropout(dropout)
        self.watcher: Any = None

    @property
    def n_heads(self) -> int:
        """Number of heads."""
        return self.bases.shape[1]

    @property
    def d_head(self) -> int:
        """Width of a head."""
        return self.bases.shape[2]

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
            Tokens after one step.
        """
        normed = self.norm(x)
        mixed = self._attend(normed, mask)
        step = mixed.transpose(1, 2).flatten(2) @ self.output.flatten(0, 1) + self.bias
        if self.watcher is not None and self.training and step.requires_grad:
            self.watcher.see(step, normed, mixed, mask)
        return x + self.dropout(step)

    def contributions(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return what every head adds to every token, (n_heads, B, T, d_token)."""
        mixed = self._attend(self.norm(x), mask)
        return torch.einsum("bhtp,hpd->hbtd", mixed, self.output)

    def attention(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Return how much tokens attend to each other, (n_heads, B, T, T)."""
        query, key, _ = self._project(self.norm(x))
        logits = query @ key.mT * self.d_head**-0.5
        if mask is not None:
            lowest = torch.finfo(logits.dtype).min
            logits = logits.masked_fill(~mask[:, None, None, :], lowest)
        return logits.softmax(-1).transpose(0, 1)

    def grow(
        self, rows: Tensor | None = None, generator: torch.Generator | None = None
    ) -> None:
        """Add a head that changes nothing yet.

        Parameters
        ----------
        rows : Tensor of shape (3, d_token), optional
            Directions of its first query, key and value: by what it asks, what it
            looks for, and what it reads there.
        generator : torch.Generator, optional
            Source of all other weights.

        Notes
        -----
        Parameters are replaced by larger ones; what held the old ones, such as an
        optimizer, has to be told.
        """
        d_head, d_token = self.bases.shape[2:]
        new = _drawn((3, 1, d_head, d_token), generator).to(self.bases)
        if rows is not None:
            new[:2] *= _UNKNOWN
            new[:, 0, 0] = first_rows(rows.to(new), d_head)
        with torch.no_grad():
            output = torch.cat([self.output, self.output.new_zeros(1, d_head, d_token)])
            bases = torch.cat([self.bases, new], 1)
        self._replace(bases, output)

    def prune(self, head: int) -> float:
        """Remove a head, and keep of it what is the same for all tokens.

        Parameters
        ----------
        head : int
            Which one.

        Returns
        -------
        bound : float
            The most that this can have changed the step of any token, of any table.
        """
        bound = float(self.removal_bounds()[head])
        kept = [h for h in range(self.n_heads) if h != head]
        with torch.no_grad():
            self.bias.add_(self.constant(head))
            self._replace(self.bases[:, kept].clone(), self.output[kept].clone())
        return bound

    def constant(self, head: int) -> Tensor:
        """Return what a head adds to all tokens alike, (d_token,)."""
        return (self.bases[2, head] @ self.norm.bias) @ self.output[head]

    def removal_bounds(self) -> Tensor:
        r"""Return how much the step of a token can change if a head goes, (n_heads,).

        What is attended to is an average of :math:`V_h z_j`, and a normalized token
        without its scale and shift is not longer than :math:`\sqrt d`, hence
        :math:`\sqrt d \, \lVert O_h V_h \Gamma \rVert_2`, with the scales
        :math:`\Gamma`.
        """
        with torch.no_grad():
            maps = self.output.mT @ (self.bases[2] * self.norm.weight)
            if not len(maps):
                return maps.new_zeros(0)
            return torch.linalg.matrix_norm(maps, 2) * maps.shape[-1] ** 0.5

    def extra_repr(self) -> str:
        """Show the sizes."""
        _, n_heads, d_head, d_token = self.bases.shape
        return f"{d_token}, {n_heads=}, {d_head=}"

    def _project(self, normed: Tensor) -> tuple[Tensor, ...]:
        """Return queries, keys and values, (B, n_heads, T, d_head) each."""
        projected = nn.functional.linear(normed, self.bases.flatten(0, 2))
        parts = projected.unflatten(-1, self.bases.shape[:3])
        return parts.permute(2, 0, 3, 1, 4).unbind(0)

    def _attend(self, normed: Tensor, mask: Tensor | None) -> Tensor:
        query, key, value = self._project(normed)
        if mask is not None:
            mask = mask[:, None, None, :]
        return nn.functional.scaled_dot_product_attention(
            query, key, value, attn_mask=mask
        )

    def _replace(self, bases: Tensor, output: Tensor) -> None:
        self.bases = nn.Parameter(bases)
        self.output = nn.Parameter(output)

    def _load_from_state_dict(self, state_dict: dict, prefix: str, *args: Any) -> None:
        bases, output = (state_dict.get(prefix + name) for name in _PER_HEAD)
        if bases is not None and output is not None and len(output) != self.n_heads:
            self._replace(
                self.bases.new_empty(3, len(output), *self.bases.shape[2:]),
                self.output.new_empty(len(output), *self.output.shape[1:]),
            )
        super()._load_from_state_dict(state_dict, prefix, *args)


def first_rows(directions: Tensor, d_head: int) -> Tensor:
    """Return query, key and value (3, d) along directions (3, d) of any length.

    Logits then have a variance of about one for tokens of variance one, whatever the
    width of the head, which dampens inner products.
    """
    rows = directions / directions.norm(dim=1, keepdim=True).clamp_min(1e-30)
    rows[:2] *= d_head**0.25
    return rows


def _drawn(shape: tuple[int, ...], generator: torch.Generator | None) -> Tensor:
    """Return rows of about unit length."""
    return torch.empty(shape).normal_(std=shape[-1] ** -0.5, generator=generator)
