"""Several views of one row: an ensemble of perceptrons that learn side by side."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from sklearn_ddcl.layers.full_vectors import full_vectors, multiply_groups
from sklearn_ddcl.layers.linear import Linear
from sklearn_ddcl.layers.step_dropout import StepDropout


class Views(nn.Module):
    r"""Encode a row into several views, each through hidden layers of its own.

    All views end in one projection, so that a direction, and a prototype, means the
    same in each of them:

    .. math::
        h_v^{(l)} = \mathrm{ReLU}\bigl(W_v^{(l)} h_v^{(l-1)} + b_v^{(l)}\bigr),
        \qquad z_v = U h_v^{(L)} .

    The row may come in several forms. The views are then dealt to the forms in equal,
    contiguous groups, of which the first ones take what is left over.

    Parameters
    ----------
    d_in : int or sequence of int
        Width of each form of the input.
    d_hidden : int
        Width of the hidden layers.
    n_layers : int
        Number of hidden layers. With none, every view is a linear map of its own.
    n_views : int
        Number of views, at least one per form.
    d_token : int
        Width of each view.
    dropout : float, default=0.1
        Probability that a hidden unit of a view is silenced for a training step.
    generator : torch.Generator, optional
        Source of the initial weights; torch's global one by default.

    Examples
    --------
    >>> views = Views([10, 6], d_hidden=32, n_layers=2, n_views=4, d_token=8)
    >>> views(torch.zeros(5, 10), torch.zeros(5, 6)).shape
    torch.Size([5, 4, 8])
    """

    def __init__(
        self,
        d_in: int | Sequence[int],
        *,
        d_hidden: int,
        n_layers: int,
        n_views: int,
        d_token: int,
        dropout: float = 0.1,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        forms = [d_in] if isinstance(d_in, int) else list(d_in)
        self.width = d_hidden if n_layers else d_token
        self.first = nn.ModuleList(
            Linear(d, self.width * n, generator=generator)
            for d, n in zip(forms, _deal(n_views, len(forms)), strict=True)
        )
        widths = [d_hidden] * n_layers
        self.weights = nn.ParameterList(
            _uniform((n_views, before, after), before, generator)
            for before, after in pairwise(widths)
        )
        self.biases = nn.ParameterList(
            torch.zeros(n_views, after) for _, after in pairwise(widths)
        )
        self.project = (
            Linear(d_hidden, d_token, bias=False, generator=generator)
            if n_layers
            else None
        )
        self.dropout = StepDropout(dropout)

    def forward(self, *forms: Tensor) -> Tensor:
        """Map the forms of a row, (B, d_in) each, to (B, n_views, d_token)."""
        parts = [
            _multiply(x, linear.weight, linear.bias).unflatten(1, (-1, self.width))
            for linear, x in zip(self.first, forms, strict=True)
        ]
        h = torch.cat(parts, 1) if len(parts) > 1 else parts[0]
        if self.project is None:
            return h
        h = self.dropout(h.relu())
        for weight, bias in zip(self.weights, self.biases, strict=True):
            h = self.dropout((multiply_groups(h, weight) + bias).relu())
        return self.project(h)


def _deal(n_views: int, n_forms: int) -> list[int]:
    if n_views < n_forms:
        raise ValueError(
            f"n_views must be at least the number of forms, got {n_views=} and "
            f"{n_forms=}."
        )
    return [len(range(form, n_views, n_forms)) for form in range(n_forms)]


def _uniform(
    shape: tuple[int, ...], d_in: int, generator: torch.Generator | None
) -> nn.Parameter:
    bound = d_in**-0.5
    return nn.Parameter(torch.empty(shape).uniform_(-bound, bound, generator=generator))


def _multiply(x: Tensor, weight: Any, bias: Any) -> Tensor:
    # Right factors of whole vectors round every row alike.
    return (x @ full_vectors(weight.T))[:, : len(weight)] + bias
