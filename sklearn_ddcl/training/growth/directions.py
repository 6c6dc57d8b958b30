"""The directions in which attention is missing, followed while a network learns."""

import torch
from torch import Tensor

from sklearn_ddcl.functional.growth import context_moments, demand_moments
from sklearn_ddcl.training.growth.terms import Term, rank_one_terms

_RATE = 0.05
_MEMORY = 0.95
_SIGNIFICANT = 3.0


class Directions:
    """Follow the leading singular directions of demand and context.

    Oja's rule on batches, for several directions at once. Half of the rows turn the
    directions, the other half measures how much they explain, so that a large energy
    cannot come from looking for it. What half of the tokens ask for is compared with
    what the other half hold, so that a token cannot answer itself.

    Parameters
    ----------
    d_token : int
        Width of a token.
    n_directions : int
        How many are followed.
    generator : torch.Generator
        Source of the first directions, and of how tokens are parted.
    """

    def __init__(
        self, d_token: int, n_directions: int, generator: torch.Generator
    ) -> None:
        shape = (n_directions, d_token**2)
        self.demands = _orthonormal(torch.randn(shape, generator=generator))
        self.contexts = _orthonormal(torch.randn(shape, generator=generator))
        self.d_token = d_token
        self.generator = generator
        self.mean_context: Tensor | None = None
        self.forget()

    def forget(self) -> None:
        """Forget what was measured, not the directions."""
        self.n_measured, self.mass = 0, 0.0
        self.gain = self.gain_squared = self.power = self.residual = torch.zeros(())

    def update(
        self,
        tokens: Tensor,
        residual: Tensor,
        mask: Tensor | None,
        weights: Tensor,
        learns: Tensor,
    ) -> None:
        """Take a batch in.

        Parameters
        ----------
        tokens, residual : Tensor of shape (B, T, d)
            As for :func:`~sklearn_ddcl.functional.demand_moments`.
        mask : Tensor of shape (B, T), dtype bool, or None
            True where a token exists.
        weights : Tensor of shape (B,)
            Importance of the rows.
        learns : Tensor of shape (B,), dtype bool
            Rows that turn the directions; the others measure.
        """
        self.demands = self.demands.to(tokens)
        self.contexts = self.contexts.to(tokens)
        # A token must not find in its context what it brings itself.
        order = torch.randperm(tokens.shape[1], generator=self.generator)
        first, second = order.to(tokens.device).tensor_split(2)
        moved = [self.demands, self.contexts]
        for askers, holders in ((first, second), (second, first)):
            if not len(askers) or not len(holders):
                continue
            missing = None if mask is None else mask[:, askers]
            asking, asked = tokens[:, askers], residual[:, askers]
            demand = demand_moments(asking, asked, missing).flatten(1)
            context = context_moments(
                tokens[:, holders], None if mask is None else mask[:, holders]
            ).flatten(1)
            context = self._centered(context, weights)
            parts = asking, asked, demand, context, weights
            if not learns.all():
                self._measure(*(part[~learns] for part in parts))
            if learns.any():
                turns = self._turn(*(part[learns] for part in parts[2:]))
                moved = [old + new for old, new in zip(moved, turns, strict=True)]
        self.demands, self.contexts = (_orthonormal(rows) for rows in moved)

    def _centered(self, context: Tensor, weights: Tensor) -> Tensor:
        mean = weights @ context / weights.sum()
        if self.mean_context is None:
            self.mean_context = mean
        self.mean_context = _MEMORY * self.mean_context + (1 - _MEMORY) * mean
        return context - self.mean_context

    @property
    def shares(self) -> Tensor:
        """Share of the residual's energy that each direction explains, (n,)."""
        if not self.n_measured:
            return torch.zeros(len(self.demands), dtype=torch.float64)
        explained = self.gain * self.gain.abs() / self.power.clamp_min(1e-300)
        return (explained / self.residual.clamp_min(1e-300)).cpu()

    @property
    def significant(self) -> Tensor:
        """Whether each direction explains more than chance would, (n,)."""
        if not self.n_measured:
            return torch.zeros(len(self.demands), dtype=torch.bool)
        variance = self.gain_squared / self.mass - (self.gain / self.mass).square()
        n_batches = min(self.n_measured, (1 + _MEMORY) / (1 - _MEMORY))
        error = (variance.clamp_min(0) / n_batches).sqrt() * self.mass
        return (self.gain > _SIGNIFICANT * error).cpu()

    def terms(self, least: float, n_terms: int) -> list[Term]:
        """Return what single heads could supply of what is missing.

        Parameters
        ----------
        least : float
            Share of the squared gain of the strongest one that another one must have.
        n_terms : int
            Terms at most.
        """
        if not self.n_measured:
            return []
        shape = (-1, self.d_token, self.d_token)
        demands, contexts = self.demands.view(shape), self.contexts.view(shape)
        gains = self.gain * self.significant.to(self.gain.device)
        return rank_one_terms(demands, contexts, gains, least, n_terms)

    def _measure(
        self,
        tokens: Tensor,
        residual: Tensor,
        demand: Tensor,
        context: Tensor,
        weights: Tensor,
    ) -> None:
        weights = weights / weights.sum()
        asked, held = demand @ self.demands.T, context @ self.contexts.T
        forms = self.demands.view(-1, self.d_token, self.d_token)
        # The squared length of what a head of this kind would add to tokens.
        gram = (tokens.mT @ tokens / tokens.shape[1]).flatten(1)
        grams = ((weights[:, None] * held.square()).T @ gram).view_as(forms)
        power = ((grams @ forms) * forms).sum((1, 2)).double()
        gain = (weights @ (asked * held)).double()
        energy = (weights @ residual.square().sum(-1).mean(1)).double()
        rate = 1 - _MEMORY
        self.mass = _MEMORY * self.mass + rate
        self.gain = _MEMORY * self.gain + rate * gain
        self.gain_squared = _MEMORY * self.gain_squared + rate * gain.square()
        self.power = _MEMORY * self.power + rate * power
        self.residual = _MEMORY * self.residual + rate * energy
        self.n_measured += 1

    def _turn(
        self, demand: Tensor, context: Tensor, weights: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return what Oja's rule adds to demands and to contexts."""
        asked, held = demand @ self.demands.T, context @ self.contexts.T
        products = (
            (weights[:, None] * held).T @ demand,
            (weights[:, None] * asked).T @ context,
        )
        return tuple(
            _RATE * product / product.norm(dim=1).max().clamp_min(1e-30)
            for product in products
        )


def _orthonormal(rows: Tensor) -> Tensor:
    q, r = torch.linalg.qr(rows.T)
    signs = torch.where(r.diagonal() < 0, -1.0, 1.0).to(q)
    return (q * signs).T.contiguous()
