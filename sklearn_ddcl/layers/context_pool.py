"""Adaptive context pooling: every token takes in a neighborhood before attention."""

from typing import Any

import torch
from torch import Tensor, nn

import sklearn_ddcl.functional as F
from sklearn_ddcl.layers.linear import Linear

# Shorter sequences need a longer reach, or no size could span a neighbor.
_REACH, _LEAST_TOKENS = 0.1, 3.0
_LEAST_SQUARE = 1e-12


class ContextPool(nn.Module):
    r"""Average tokens with their neighbors, by learned weights over learned widths.

    .. math::
        y_i = \sum_j A_{ij} x_j,
        \qquad
        A_{ij} = \mathrm{softmax}_j\Bigl(a_j - \frac{D_{ij}}{2\sigma_i^2}\Bigr),
        \qquad
        \sigma_i = \sigma_{\min} + r \, n \, \mathrm{sigmoid}(s_i),

    with weights :math:`a` and sizes :math:`s` predicted from the tokens. The number of
    tokens stays the same.

    Parameters
    ----------
    d_token : int
        Width of a token.
    grid : tuple of (int, int), optional
        Height and width of an image whose pixels or patches the tokens are, row by
        row; by default they are a sequence.
    order : Tensor of shape (T,), dtype int64, optional
        Order in which tokens that come in another one are a sequence. They are returned
        as they came.
    distances : Tensor of shape (T, T), optional
        Squared distances between tokens without an order, such as columns of a table.
        Weights and sizes are then predicted token by token.
    positions : Tensor of shape (T, k), optional
        Where tokens without an order lie at first; the layer learns to move them, all
        about zero and at a mean square of one. A ``Parameter`` is used as it is, so
        that layers can share it; any other tensor is copied.
    kernel : int, default=3
        Tokens that the prediction for one of them looks at, odd; per side of a grid.
    d_hidden : int, optional
        Width inside the predictor; by default half of `d_token`, at least 4.
    reach : float, optional
        Largest size :math:`r` as a share of the extent :math:`n`: the number of tokens
        that exist, the longer side of a grid, or the largest distance. By default 0.1,
        but three tokens at least.
    min_size : float, default=0.3
        Smallest size :math:`\sigma_{\min}`, in tokens, or as a share of the mean
        distance. Below 0.3 tokens no neighbor is reached, and nothing learned.
    window : int, optional
        Neighbors on either side of a sequence beyond which nothing is taken in; the
        cost is then linear in the number of tokens.
    causal : bool, default=False
        Whether tokens of a sequence take in only those before them and themselves.
    generator : torch.Generator, optional
        Source of the initial weights; torch's global one by default. All tokens weigh
        alike at the start, and sizes are halfway.

    Raises
    ------
    ValueError
        If options exclude each other or sizes do not fit.

    References
    ----------
    .. [1] C. Huang, W. Talbott, N. Jaitly and J. Susskind, "Efficient Representation
       Learning via Adaptive Context Pooling", ICML 2022.

    Examples
    --------
    >>> ContextPool(16)(torch.zeros(2, 7, 16)).shape
    torch.Size([2, 7, 16])
    """

    distances: Tensor | None
    order: Tensor | None

    def __init__(
        self,
        d_token: int,
        *,
        grid: tuple[int, int] | None = None,
        order: Tensor | None = None,
        distances: Tensor | None = None,
        positions: Tensor | None = None,
        kernel: int = 3,
        d_hidden: int | None = None,
        reach: float | None = None,
        min_size: float = 0.3,
        window: int | None = None,
        causal: bool = False,
        generator: torch.Generator | None = None,
    ) -> None:
        apart = {"grid": grid, "distances": distances, "positions": positions}
        _check_neighborhood(apart, order, causal, window)
        _check_sizes(kernel, window)
        super().__init__()
        self.grid, self.window, self.causal = grid, window, causal
        self.reach, self.min_size = reach, min_size
        self.is_ordered = distances is None and positions is None
        self.kernel = kernel if self.is_ordered else 1
        d_hidden = max(d_token // 2, 4) if d_hidden is None else d_hidden
        n_seen = self.kernel ** (2 if grid else 1)
        self.look = Linear(n_seen * d_token, d_hidden, generator=generator)
        self.blend = Linear(n_seen * d_hidden, 2, generator=generator)
        with torch.no_grad():
            self.blend.weight.zero_()
        self.register_buffer("distances", _squared(grid, distances))
        self.register_buffer("order", order)
        if positions is not None and not isinstance(positions, nn.Parameter):
            positions = nn.Parameter(positions.detach().clone())
        self.positions = positions

    def forward(self, x: Tensor, mask: Tensor | None = None) -> Tensor:
        """Map tokens (B, T, d_token) to the same shape.

        Parameters
        ----------
        x : Tensor of shape (B, T, d_token)
            Tokens.
        mask : Tensor of shape (B, T), dtype bool, optional
            True where a token exists; others are not taken in.

        Returns
        -------
        y : Tensor of shape (B, T, d_token)
            Pooled tokens.
        """
        if self.order is None:
            return self._pool(x, mask)
        mask = None if mask is None else mask[:, self.order]
        return self._pool(x[:, self.order], mask)[:, self.order.argsort()]

    def predict(self, x: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Return log weights and sizes of tokens, (B, T) each.

        Sizes are in tokens, or in the unit of the distances.
        """
        if self.order is None:
            return self._predict(x, mask)
        mask = None if mask is None else mask[:, self.order]
        logits, sizes = self._predict(x[:, self.order], mask)
        back = self.order.argsort()
        return logits[:, back], sizes[:, back]

    def squared_distances(self) -> Tensor | None:
        """Return squared distances between tokens (T, T), None for a sequence.

        Returns
        -------
        distances : Tensor of shape (T, T) or None
            Those given, or of the learned positions.
        """
        if self.positions is None:
            return self.distances
        places = self.positions - self.positions.mean(0)
        # Only ratios of distances and sizes count: without a scale both could drift.
        places = places / places.square().sum(1).mean().clamp_min(_LEAST_SQUARE).sqrt()
        return (places[:, None] - places).square().sum(-1)

    def _pool(self, x: Tensor, mask: Tensor | None) -> Tensor:
        logits, sizes = self._predict(x, mask)
        if mask is not None:
            x = x.masked_fill(~mask[..., None], 0)
        if self.window is not None:
            return F.pool_window(
                x, logits, sizes, self.window, mask, causal=self.causal
            )
        allowed = None if mask is None else mask[:, None, :]
        if self.causal:
            lower = x.new_ones(x.shape[1], x.shape[1], dtype=torch.bool).tril()
            allowed = lower if allowed is None else lower & allowed
        return F.pooling_weights(logits, sizes, self._distances(x), allowed) @ x

    def _predict(self, x: Tensor, mask: Tensor | None = None) -> tuple[Tensor, Tensor]:
        if mask is not None:
            x = x.masked_fill(~mask[..., None], 0)
        hidden = self.look(self._seen(x)).relu()
        if mask is not None:
            hidden = hidden.masked_fill(~mask[..., None], 0)
        logits, raw = self.blend(self._seen(hidden)).unbind(-1)
        extent, unit = self._extent(x, mask)
        reach = self._reach(extent, unit)
        return logits, self.min_size * unit + reach * extent * raw.sigmoid()

    def _seen(self, x: Tensor) -> Tensor:
        """Return what the predictor sees of every token, side by side."""
        if self.kernel == 1:
            return x
        k = self.kernel
        if self.grid is not None:
            image = x.transpose(1, 2).unflatten(2, self.grid)
            seen = nn.functional.unfold(image, k, padding=k // 2)
            return seen.transpose(1, 2)
        before = k - 1 if self.causal else k // 2
        padded = nn.functional.pad(x, (0, 0, before, k - 1 - before))
        return padded.unfold(1, k, 1).flatten(2)

    def _extent(self, x: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return the extent (B, 1) of the tokens, and the unit of sizes."""
        one = x.new_ones(1, 1)
        if self.grid is not None:
            return one * max(self.grid), one
        squared = self.squared_distances()
        if squared is not None:
            longest, mean = _lengths(squared.to(x.dtype))
            return one * longest, one * mean
        if mask is None:
            return one * x.shape[1], one
        return mask.sum(1, keepdim=True).clamp_min(1).to(x.dtype), one

    def _reach(self, extent: Tensor, unit: Tensor) -> Tensor | float:
        if self.reach is not None:
            return self.reach
        if not self.is_ordered:
            return 0.5
        return (_LEAST_TOKENS * unit / extent).clamp_min(_REACH)

    def _distances(self, x: Tensor) -> Tensor:
        squared = self.squared_distances()
        if squared is not None:
            return squared.to(x.dtype)
        places = torch.arange(x.shape[1], device=x.device)
        return (places[:, None] - places).square().to(x.dtype)

    def extra_repr(self) -> str:
        """Show what tells neighbors apart."""
        order = "sequence" if self.order is None else "sequence in an order"
        if self.grid is not None:
            order = f"grid={self.grid}"
        elif self.distances is not None:
            order = f"distances of {len(self.distances)} tokens"
        elif self.positions is not None:
            order = f"positions of {len(self.positions)} tokens"
        return f"{order}, min_size={self.min_size}, causal={self.causal}"


def _check_neighborhood(
    apart: dict[str, Any], order: Tensor | None, causal: bool, window: int | None
) -> None:
    given = [name for name, value in apart.items() if value is not None]
    if len(given) > 1:
        raise ValueError(f"Give {' or '.join(given)}, not both.")
    if given and (causal or window is not None or order is not None):
        raise ValueError(
            f"causal, window and order need a sequence; leave out {given[0]}."
        )
    if order is not None and (
        order.ndim != 1
        or not torch.equal(order.sort().values.cpu(), torch.arange(len(order)))
    ):
        raise ValueError(
            f"order must name each of its places once, got {order.tolist()}."
        )
    distances, positions = apart["distances"], apart["positions"]
    if distances is not None and (
        distances.ndim != 2 or distances.shape[0] != distances.shape[1]
    ):
        raise ValueError(
            f"distances must be square, got shape {tuple(distances.shape)}."
        )
    if positions is not None and positions.ndim != 2:
        raise ValueError(
            "positions must be a matrix with a row per token, got shape "
            f"{tuple(positions.shape)}."
        )


def _check_sizes(kernel: int, window: int | None) -> None:
    if kernel < 1 or kernel % 2 == 0:
        raise ValueError(f"kernel must be odd and positive, got {kernel}.")
    if window is not None and window < 1:
        raise ValueError(f"window must be at least 1, got {window}.")


def _squared(grid: tuple[int, int] | None, distances: Tensor | None) -> Tensor | None:
    if grid is None:
        return distances
    height, width = grid
    rows, columns = torch.meshgrid(
        torch.arange(height), torch.arange(width), indexing="ij"
    )
    places = torch.stack([rows.flatten(), columns.flatten()], 1).float()
    return (places[:, None] - places).square().sum(-1)


def _lengths(squared: Tensor) -> tuple[Tensor, Tensor]:
    """Return the longest and the mean distance, one where all tokens coincide."""
    # Where the distance is zero its root has no slope.
    apart = squared > 0
    lengths = squared.where(apart, 1).sqrt().where(apart, 0)
    longest = lengths.max()
    n_tokens = len(lengths)
    mean = lengths.sum() / max(1, n_tokens * (n_tokens - 1))
    together = longest == 0
    return longest.masked_fill(together, 1), mean.masked_fill(together, 1)
