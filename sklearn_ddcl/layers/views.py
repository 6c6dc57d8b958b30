"""Several views of one row: an ensemble of perceptrons that learn side by side."""

from itertools import pairwise

import torch
from torch import Tensor, nn

from sklearn_ddcl.layers.full_vectors import full_vectors, multiply_groups
from sklearn_ddcl.layers.linear import Linear
from sklearn_ddcl.layers.step_dropout import StepDropout


class Views(nn.Module):
    r"""Encode a row in several views, each through hidden layers of its own.

    All views end in one projection, so that a direction, and a prototype, means the
    same in each of them:

    .. math::
        h_v^{(l)} = \mathrm{ReLU}\bigl(W_v^{(l)} h_v^{(l-1)} + b_v^{(l)}\bigr),
        \qquad z_v = U h_v^{(L)} .

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
        Probability that a hidden unit of a view is silenced for a training step.
    generator : torch.Generator, optional
        Source of the initial weights; torch's global one by default.

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
        self.dropout = StepDropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Map (B, n_views, d_in) to (B, n_views, d_token)."""
        for weight, bias in zip(self.weights, self.biases, strict=True):
            x = self.dropout((multiply_groups(x, weight) + bias).relu())
        matrix = self.project.weight
        return (x @ full_vectors(matrix.T).contiguous())[..., : len(matrix)]


def _uniform(
    shape: tuple[int, ...], d_in: int, generator: torch.Generator | None
) -> nn.Parameter:
    bound = max(1, d_in) ** -0.5
    return nn.Parameter(torch.empty(shape).uniform_(-bound, bound, generator=generator))
