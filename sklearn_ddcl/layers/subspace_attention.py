"""A block of attention alone: tokens move towards learned subspaces."""

import torch
from torch import Tensor, nn

import sklearn_ddcl.functional as F
from sklearn_ddcl.layers.linear import Linear
from sklearn_ddcl.layers.step_dropout import StepDropout

PROJECTIONS = ("shared", "separate")
OUTPUTS = ("linear", "tied")


class SubspaceAttention(nn.Module):
    r"""Take one denoising step towards a mixture of subspaces, and nothing else.

    .. math::
        Z \leftarrow Z + \eta \, \bigl[A_1 W_1, \dots, A_K W_K\bigr] O,
        \qquad
        W_k = \mathrm{LN}(Z) U_k,
        \qquad
        A_k = \mathrm{softmax}\bigl(W_k W_k^\top / \sqrt p\bigr) .

    Queries, keys and values of a head are the same coordinates in one subspace, and
    there is no feed-forward part. With :math:`p = d / K` a block has :math:`2 d^2`
    weights, :math:`d^2` if tied and :math:`4 d^2` if separate, besides biases and
    norms, where a block with a feed-forward part four times as wide has
    :math:`12 d^2`.

    Parameters
    ----------
    d_token : int
        Width :math:`d` of a token.
    n_heads : int
        Number :math:`K` of subspaces.
    d_head : int, optional
        Dimension :math:`p` of a subspace; by default ``d_token // n_heads``.
    projection : {"shared", "separate"}, default="shared"
        "separate" learns queries, keys and values of their own: ordinary attention
        without a feed-forward part.
    output : {"linear", "tied"}, default="linear"
        How coordinates become a step: by a matrix :math:`O` of its own, or by
        :math:`U_k^\top`, as the theory has it.
    scale : float, optional
        Factor on the inner products; by default :math:`1/\sqrt p`.
    threshold : float, optional
        Weights above it become the threshold, others zero, as in
        :func:`~sklearn_ddcl.functional.attention_weights`. For analysis: attention can
        then not be learned through.
    norm : bool, default=True
        Whether tokens are normalized before they are projected.
    step_size : float, default=1.0
        Step size :math:`\eta` at the start. A stack of :math:`L` untrained blocks
        smooths all tokens into one unless it is about :math:`1/L`.
    learn_step : bool, default=True
        Whether the step size is learned.
    dropout : float, default=0.0
        Probability that a unit of the step is silenced for a training step.
    causal : bool, default=False
        Whether tokens attend only to those before them and themselves.
    generator : torch.Generator, optional
        Source of the initial weights; torch's global one by default.

    Attributes
    ----------
    bases : Parameter of shape (n_heads * d_head, d_token)
        Rows span the subspaces; orthonormal within a head at the start. Thrice as many
        rows for separate projections.
    step_size : Tensor of shape ()
        Current step size.

    Raises
    ------
    ValueError
        If sizes do not fit, or a choice is unknown.

    References
    ----------
    .. [1] P. Wang, Y. Lu, Y. Yu, D. Pai, Q. Qu and Y. Ma, "Attention-Only Transformers
       via Unrolled Subspace Denoising", ICML 2025.

    Examples
    --------
    >>> SubspaceAttention(16, n_heads=4)(torch.zeros(2, 7, 16)).shape
    torch.Size([2, 7, 16])
    """

    step_size: Tensor

    def __init__(
        self,
        d_token: int,
        *,
        n_heads: int,
        d_head: int | None = None,
        projection: str = "shared",
        output: str = "linear",
        scale: float | None = None,
        threshold: float | None = None,
        norm: bool = True,
        step_size: float = 1.0,
        learn_step: bool = True,
        dropout: float = 0.0,
        causal: bool = False,
        generator: torch.Generator | None = None,
    ) -> None:
        if n_heads < 1 or (d_head is None and d_token % n_heads):
            raise ValueError(
                f"n_heads must divide d_token unless d_head is given, got {n_heads=} "
                f"and {d_token=}."
            )
        if projection not in PROJECTIONS or output not in OUTPUTS:
            raise ValueError(
                f"projection must be one of {PROJECTIONS} and output one of {OUTPUTS}, "
                f"got {projection!r} and {output!r}."
            )
        d_head = d_token // n_heads if d_head is None else d_head
        if not 1 <= d_head <= d_token:
            raise ValueError(f"d_head must be between 1 and {d_token=}, got {d_head}.")
        super().__init__()
        self.n_heads, self.d_head = n_heads, d_head
        self.scale = d_head**-0.5 if scale is None else scale
        self.threshold = threshold
        self.causal = causal
        self.norm = nn.LayerNorm(d_token) if norm else None
        n_projections = 3 if projection == "separate" else 1
        self.bases = nn.Parameter(
            _subspaces(d_token, n_projections * n_heads, d_head, generator)
        )
        self.output: Linear | None = None
        if output == "linear":
            self.output = Linear(n_heads * d_head, d_token, generator=generator)
        step = torch.tensor(float(step_size))
        if learn_step:
            self.step_size = nn.Parameter(step)
        else:
            self.register_buffer("step_size", step)
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
            Tokens after one step.
        """
        query, key, value = self._heads(x)
        mixed = self._attend(query, key, value, mask).transpose(1, 2).flatten(-2)
        if self.output is None:
            step = mixed @ self.bases[-mixed.shape[-1] :]
        else:
            step = self.output(mixed)
        return x + self.dropout(self.step_size * step)

    def coordinates(self, x: Tensor) -> Tensor:
        """Return the coordinates (B, n_heads, T, d_head) of tokens as keys."""
        return self._heads(x)[1]

    def value_bases(self) -> Tensor:
        """Return an orthonormal basis of what each head passes on, (K, d, p).

        The rows of a head's value projection span its subspace, and after training
        they are orthonormal no longer.
        """
        n_rows = self.n_heads * self.d_head
        rows = self.bases[-n_rows:].unflatten(0, (self.n_heads, self.d_head))
        return torch.linalg.qr(rows.mT).Q

    def seen(self, x: Tensor) -> Tensor:
        """Return tokens (..., d_token) as they are projected: normalized, or as is."""
        return x if self.norm is None else self.norm(x)

    def _heads(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        projected = nn.functional.linear(self.seen(x), self.bases)
        heads = projected.unflatten(-1, (-1, self.n_heads, self.d_head))
        parts = heads.permute(2, 0, 3, 1, 4).unbind(0)  # each (B, heads, T, d_head)
        return parts if len(parts) == 3 else (parts[0],) * 3

    def _attend(
        self, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None
    ) -> Tensor:
        if mask is not None:
            mask = mask[:, None, None, :]
        if self.threshold is None:
            causal = self.causal
            if causal and mask is not None:
                mask, causal = mask & _lower(key), False
            return nn.functional.scaled_dot_product_attention(
                query, key, value, attn_mask=mask, is_causal=causal, scale=self.scale
            )
        if self.causal:
            lower = _lower(key)
            mask = lower if mask is None else mask & lower
        weights = F.attention_weights(
            query, key, scale=self.scale, threshold=self.threshold, mask=mask
        )
        return weights @ value

    def extra_repr(self) -> str:
        """Show the sizes."""
        return f"{self.bases.shape[1]}, n_heads={self.n_heads}, d_head={self.d_head}"


def _lower(key: Tensor) -> Tensor:
    n_tokens = key.shape[-2]
    return torch.ones(n_tokens, n_tokens, dtype=torch.bool, device=key.device).tril()


def _subspaces(
    d_token: int, n_subspaces: int, d_head: int, generator: torch.Generator | None
) -> Tensor:
    """Return random subspaces, orthogonal to each other as far as there is room."""
    bases = []
    together = d_token // d_head
    for start in range(0, n_subspaces, together):
        width = min(together, n_subspaces - start) * d_head
        drawn = torch.empty(d_token, width).normal_(generator=generator)
        bases.append(torch.linalg.qr(drawn).Q.T)
    return torch.cat(bases).contiguous()
