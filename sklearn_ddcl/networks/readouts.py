"""Readouts by name: the tokens of an encoder in, log class probabilities out.

A new readout is a subclass of `ReadoutBase` and one line in `READOUTS`.
"""

import math

import torch
from torch import Tensor, nn

from sklearn_ddcl.layers import (
    ClassVotes,
    ClsPooling,
    Linear,
    MeanPooling,
    PrototypeReadout,
)


class ReadoutBase(nn.Module):
    """What readouts have in common.

    Parameters
    ----------
    d_token : int
        Width of the tokens.
    n_classes : int
        Number of classes.
    n_prototypes : int
        Number of prototypes; ignored by readouts without.
    n_views : int, default=1
        Number of tokens that are each an account of the whole row and decide by
        themselves. With one, all tokens decide together.
    generator : torch.Generator, optional
        Source of the initial weights.
    """

    needs_cls_token = False
    views_decide = True
    temperature: Tensor
    """Softness of the decisions, scalar; may be set after training."""

    def __init__(
        self,
        d_token: int,
        n_classes: int,
        n_prototypes: int,
        *,
        n_views: int = 1,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.n_decisions = n_views if self.views_decide else 1
        self._build(d_token, n_classes, n_prototypes, generator)

    def _build(
        self,
        d_token: int,
        n_classes: int,
        n_prototypes: int,
        generator: torch.Generator | None,
    ) -> None:
        raise NotImplementedError


class PrototypeVoting(ReadoutBase):
    r"""Decide by the votes of prototypes and by nothing else.

    When tokens are views, each view decides by itself; otherwise the assignments of
    the tokens are averaged first. Either way the probability of the row is
    :math:`\sum_k \bar q_k \pi_k` with :math:`\bar q` the mean assignment.
    """

    def _build(
        self,
        d_token: int,
        n_classes: int,
        n_prototypes: int,
        generator: torch.Generator | None,
    ) -> None:
        self.bank = PrototypeReadout(n_prototypes, d_token, generator=generator)
        self.votes = ClassVotes(n_prototypes, n_classes)

    @property
    def temperature(self) -> Tensor:  # type: ignore[override]
        """Temperature of the bank."""
        return self.bank.temperature

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Return log probabilities (B, V, C) and log assignments (B, T, K)."""
        log_q = self.bank.log_assign(tokens)
        pooled = log_q
        if self.n_decisions == 1:
            n_tokens = log_q.shape[1]
            pooled = log_q.logsumexp(1, keepdim=True) - math.log(n_tokens)
        return self.votes(pooled), log_q


class MeanReadout(ReadoutBase):
    """Baseline: a linear head on every view, or on the mean of the columns."""

    make_pooling: type[nn.Module] = MeanPooling

    def _build(
        self,
        d_token: int,
        n_classes: int,
        n_prototypes: int,
        generator: torch.Generator | None,
    ) -> None:
        self.head = Linear(d_token, n_classes, generator=generator)
        self.pooling = self.make_pooling()
        self.register_buffer("temperature", torch.ones(()))

    def forward(self, tokens: Tensor) -> tuple[Tensor, None]:
        """Return log probabilities (B, V, C)."""
        if self.n_decisions == 1:
            tokens = self.pooling(tokens)[:, None]
        # Under autocast logits come in half precision, too coarse for probabilities.
        logits = self.head(tokens).to(self.head.weight.dtype)
        return (logits / self.temperature).log_softmax(-1), None


class ClsReadout(MeanReadout):
    """Baseline: a linear head on the first token."""

    needs_cls_token = True
    views_decide = False
    make_pooling = ClsPooling


READOUTS: dict[str, type[ReadoutBase]] = {
    "ddcl": PrototypeVoting,
    "mean": MeanReadout,
    "cls": ClsReadout,
}
