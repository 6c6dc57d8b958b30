"""A dictionary of prototypes in the place of a feed-forward part."""

import math

import torch
from torch import Tensor, nn

import sklearn_ddcl.functional as F
from sklearn_ddcl.layers.step_dropout import StepDropout


class PrototypeFeedForward(nn.Module):
    r"""Add to every token what its prototypes say.

    .. math::
        y = x + g \sum_k q_k(z) \, u_k,
        \qquad
        q_k(z) \propto e^{-\lVert z - p_k \rVert^2 / \tau},
        \qquad
        z = \mathrm{LN}(x) .

    With :math:`2 K d` weights, or :math:`K d` without values, instead of the
    :math:`8 d^2` of a feed-forward part four times as wide as a token.

    Parameters
    ----------
    d_token : int
        Width :math:`d` of a token.
    n_prototypes : int, default=16
        Number :math:`K` of prototypes.
    values : bool, default=True
        Whether prototypes have values :math:`u_k` of their own. Otherwise
        :math:`u_k = p_k`, and what is added stays among the prototypes, a weak map.
    gate : float, default=0.1
        :math:`g` at the start; it is learned.
    dropout : float, default=0.0
        Probability that a unit of what is added is silenced for a training step.
    generator : torch.Generator, optional
        Source of the initial weights; torch's global one by default.

    Attributes
    ----------
    prototypes : Parameter of shape (n_prototypes, d_token)
        :math:`p_k`.
    values : Parameter of shape (n_prototypes, d_token) or None
        :math:`u_k`.
    temperature : Tensor of shape ()
        :math:`\tau`, in the unit of a squared distance between normalized tokens.

    Raises
    ------
    ValueError
        If there is no prototype.

    References
    ----------
    .. [1] G. Cirrincione, "DDCL-INCRT: A Self-Organising Transformer with Hierarchical
       Prototype Structure: Theoretical Foundations", arXiv:2604.01880, 2026.

    Examples
    --------
    >>> PrototypeFeedForward(16, n_prototypes=4)(torch.zeros(2, 7, 16)).shape
    torch.Size([2, 7, 16])
    """

    def __init__(
        self,
        d_token: int,
        *,
        n_prototypes: int = 16,
        values: bool = True,
        gate: float = 0.1,
        dropout: float = 0.0,
        generator: torch.Generator | None = None,
    ) -> None:
        if n_prototypes < 1:
            raise ValueError(f"n_prototypes must be at least 1, got {n_prototypes=}.")
        super().__init__()
        shape = (n_prototypes, d_token)
        self.norm = nn.LayerNorm(d_token, elementwise_affine=False)
        self.prototypes = nn.Parameter(torch.empty(shape).normal_(generator=generator))
        self.values: nn.Parameter | None = None
        if values:
            drawn = torch.empty(shape).normal_(std=0.1, generator=generator)
            self.values = nn.Parameter(drawn)
        self.gate = nn.Parameter(torch.tensor(float(gate)))
        # Inner products of normalized tokens then differ by about two.
        self.log_temperature = nn.Parameter(torch.tensor(math.log(d_token**0.5)))
        self.dropout = StepDropout(dropout)

    @property
    def temperature(self) -> Tensor:
        """Softness of the assignments."""
        return self.log_temperature.exp()

    def forward(self, x: Tensor) -> Tensor:
        """Map tokens (..., d_token) to the same shape.

        Parameters
        ----------
        x : Tensor of shape (..., d_token)
            Tokens.

        Returns
        -------
        y : Tensor of shape (..., d_token)
            Tokens with what prototypes add.
        """
        values = self.prototypes if self.values is None else self.values
        added = self.assign(x) @ values
        return x + self.dropout(self.gate * added)

    def assign(self, x: Tensor) -> Tensor:
        """Return how tokens (..., d_token) are assigned, (..., n_prototypes)."""
        z = self.norm(x)
        # The length of a normalized token is the same for all prototypes.
        lengths = self.prototypes.square().sum(1)
        logits = 2 * z @ self.prototypes.T - lengths
        return (logits / self.temperature).softmax(-1)

    def separation(self) -> Tensor:
        """Return the smallest distance between two prototypes."""
        return F.min_prototype_distance(self.prototypes.detach())

    def extra_repr(self) -> str:
        """Show the sizes."""
        n_prototypes, d_token = self.prototypes.shape
        return f"{d_token}, {n_prototypes=}, values={self.values is not None}"
