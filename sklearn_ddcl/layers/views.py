"""Several views of one row: an ensemble of perceptrons that learn side by side."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from sklearn_ddcl.layers.full_vectors import full_vectors
from sklearn_ddcl.layers.linear import Linear


class Views(nn.Module):
    r"""Encode a row in several views, each through hidden layers of its own.

    All views end in one projection, so that a direction, and a prototype, means the
    same in each of them:

    .. math::
        h_v^{(l)} = \mathrm{ReLU}\bigl(W_v^{(l)} h_v^{(l-1)} + b_v^{(l)}\bigr),
        \qquad z_v = U h_v^{(L)} .

    In training a share of the hidden units of every view is left out of a step, the
    same ones for all rows, so that a row of weight two counts exactly like two rows.
    What is left out is not computed either.

    Parameters
    ----------
    d_in : int
        Width of the input of a view.
    d_hidden : int
        Width of the hidden layers.
    n_layers : int
        Number of hidden layers.
    n_views : int
        Number of views.
    d_token : int
        Width of each view.
    dropout : float, default=0.1
        Share of the hidden units of a layer that a training step does without, in
        [0, 1); at least one unit stays.
    generator : torch.Generator, optional
        Source of the initial weights; torch's global one by default.

    Attributes
    ----------
    generator : torch.Generator or None
        Source of what is left out; torch's global one by default.

    Raises
    ------
    ValueError
        If `dropout` is outside [0, 1).

    Examples
    --------
    >>> views = Views(10, d_hidden=32, n_layers=2, n_views=4, d_token=8)
    >>> views(torch.zeros(5, 4, 10)).shape
    torch.Size([5, 4, 8])
    """

    def __init__(
        self,
        d_in: int,
        *,
        d_hidden: int,
        n_layers: int,
        n_views: int,
        d_token: int,
        dropout: float = 0.1,
        generator: torch.Generator | None = None,
    ) -> None:
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout must be in [0, 1), got {dropout=}.")
        super().__init__()
        widths = [d_in] + [d_hidden] * n_layers
        self.weights = nn.ParameterList(
            _uniform((n_views, before, after), before, generator)
            for before, after in pairwise(widths)
        )
        self.biases = nn.ParameterList(
            _uniform((n_views, after), before, generator)
            for before, after in pairwise(widths)
        )
        self.project = Linear(widths[-1], d_token, bias=False, generator=generator)
        self.n_kept = max(1, d_hidden - round(dropout * d_hidden))
        self.generator: torch.Generator | None = None

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, n_views, d_in) to (B, n_views, d_token)."""
        kept = self._draw_kept(x.device)
        if kept is None:
            weights, biases = list(self.weights), list(self.biases)
            last = self.project.weight.T
        else:
            weights, biases, last = self._thinned(kept)
        hidden = x.transpose(0, 1)
        for weight, bias in zip(weights, biases, strict=True):
            hidden = _hidden_layer(hidden, weight, bias)
        projected = hidden @ full_vectors(last).contiguous()
        return projected[..., : len(self.project.weight)].transpose(0, 1)

    def _draw_kept(self, device: torch.device) -> Tensor | None:
        """Return which units every layer keeps in this step, (n_layers, V, n_kept)."""
        n_layers = len(self.biases)
        if not self.training or not n_layers:
            return None
        n_views, d_hidden = self.biases[0].shape
        if self.n_kept == d_hidden:
            return None
        lots = torch.empty(n_layers, n_views, d_hidden, device=device)
        return lots.uniform_(generator=self.generator).topk(self.n_kept).indices

    def _thinned(self, kept: Tensor) -> tuple[list[Tensor], list[Tensor], Tensor]:
        """Return weights, biases and projections of the kept units alone.

        What comes after them is scaled so that its expectation stays.
        """
        scale = self.biases[0].shape[1] / self.n_kept
        weights = [_columns(self.weights[0], kept[0])]
        for weight, before, units in zip(
            list(self.weights)[1:], kept[:-1], kept[1:], strict=True
        ):
            weights.append(scale * _columns(_rows(weight, before), units))
        biases = [
            b.gather(1, units) for b, units in zip(self.biases, kept, strict=True)
        ]
        last = scale * self.project.weight.T.index_select(0, kept[-1].flatten())
        return weights, biases, last.unflatten(0, kept[-1].shape)

    def extra_repr(self) -> str:
        """Show how many hidden units a training step keeps."""
        return f"n_kept={self.n_kept}"


def _hidden_layer(x: Tensor, weight: Tensor, bias: Tensor) -> Tensor:
    """Map (V, B, n) to (V, B, d), every view by its own matrix."""
    products = torch.baddbmm(full_vectors(bias)[:, None], x, full_vectors(weight))
    return products.relu_()[..., : weight.shape[-1]]


def _rows(matrices: Tensor, rows: Tensor) -> Tensor:
    # Whole rows at once, which gather would collect number by number.
    n_views, n_rows, _ = matrices.shape
    starts = n_rows * torch.arange(n_views, device=rows.device)
    places = rows + starts[:, None]
    chosen = matrices.flatten(0, 1).index_select(0, places.flatten())
    return chosen.unflatten(0, rows.shape)


def _columns(matrices: Tensor, columns: Tensor) -> Tensor:
    return matrices.gather(2, columns[:, None].expand(-1, matrices.shape[1], -1))


def _uniform(
    shape: tuple[int, ...], d_in: int, generator: torch.Generator | None
) -> nn.Parameter:
    bound = max(1, d_in) ** -0.5
    return nn.Parameter(torch.empty(shape).uniform_(-bound, bound, generator=generator))
