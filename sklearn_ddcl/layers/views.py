"""Several views of one row through shared weights."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from sklearn_ddcl.layers.linear import Linear
from sklearn_ddcl.layers.step_dropout import StepDropout


class Views(nn.Module):
    r"""Encode a vector into several views that share all matrices.

    Every view scales the input and each hidden layer with vectors of its own, so
    that one forward pass gives an ensemble for little more than the price of one
    network:

    .. math::
        h_v^{(0)} = r_v \odot x, \qquad
        h_v^{(l)} = \mathrm{ReLU}\bigl(s_v^{(l)} \odot (W^{(l)} h_v^{(l-1)}
        + b^{(l)})\bigr), \qquad
        z_v = U h_v^{(L)} .

    Parameters
    ----------
    d_in : int
        Width of the input.
    d_hidden : int
        Width of the hidden layers.
    n_layers : int
        Number of hidden layers.
    n_views : int
        Number of views.
    d_token : int
        Width of each view.
    dropout : float, default=0.1
        Probability that a hidden unit of a view is silenced for a training step.
    generator : torch.Generator, optional
        Source of the initial weights; torch's global one by default.

    References
    ----------
    .. [1] Y. Gorishniy, A. Kotelnikov and A. Babenko, "TabM: Advancing Tabular Deep
       Learning with Parameter-Efficient Ensembling", ICLR 2025.

    Examples
    --------
    >>> views = Views(10, d_hidden=32, n_layers=2, n_views=4, d_token=8)
    >>> views(torch.zeros(5, 10)).shape
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
        super().__init__()
        scale = torch.ones(n_views, d_in)
        if n_views > 1:
            scale.normal_(generator=generator)
        self.input_scale = nn.Parameter(scale)
        widths = [d_in] + [d_hidden] * n_layers
        self.hidden = nn.ModuleList(
            Linear(before, after, generator=generator)
            for before, after in pairwise(widths)
        )
        self.scales = nn.ParameterList(
            torch.ones(n_views, d_hidden) for _ in range(n_layers)
        )
        self.dropout = StepDropout(dropout)
        self.project = Linear(widths[-1], d_token, bias=False, generator=generator)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, d_in) to (B, n_views, d_token)."""
        h = x[:, None] * self.input_scale
        for linear, scale in zip(self.hidden, self.scales, strict=True):
            h = self.dropout((linear(h) * scale).relu())
        return self.project(h)
