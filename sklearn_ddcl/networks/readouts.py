"""Readouts by name: the tokens of an encoder in, log class probabilities out.

A new readout is a class with the constructor and ``forward`` of these and one line in
`READOUTS`.
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


class PrototypeVoting(nn.Module):
    r"""Decide by the votes of prototypes and by nothing else.

    When tokens are views, each view decides by itself; otherwise the assignments of
    the tokens are averaged first. Either way the probability of the row is
    :math:`\sum_k \bar q_k \pi_k` with :math:`\bar q` the mean assignment.

    Parameters
    ----------
    d_token : int
        Width of the tokens.
    n_classes : int
        Number of classes.
    n_prototypes : int
        Number of prototypes.
    tokens_are_views : bool
        Whether every token is an account of the whole row.
    generator : torch.Generator, optional
        Source of the initial prototypes.
    """

    needs_cls_token = False

    def __init__(
        self,
        d_token: int,
        n_classes: int,
        n_prototypes: int,
        *,
        tokens_are_views: bool,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.bank = PrototypeReadout(n_prototypes, d_token, generator=generator)
        self.votes = ClassVotes(n_prototypes, n_classes)
        self.tokens_are_views = tokens_are_views

    def forward(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Return log probabilities (B, V, C) and log assignments (B, T, K)."""
        log_q = self.bank.log_assign(tokens)
        pooled = log_q
        if not self.tokens_are_views:
            n_tokens = log_q.shape[1]
            pooled = log_q.logsumexp(1, keepdim=True) - math.log(n_tokens)
        return self.votes(pooled), log_q


class _LinearReadout(nn.Module):
    pooling: nn.Module
    make_pooling: type[nn.Module]

    def __init__(
        self,
        d_token: int,
        n_classes: int,
        n_prototypes: int,
        *,
        tokens_are_views: bool,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.head = Linear(d_token, n_classes, generator=generator)
        self.pooling = self.make_pooling()

    def forward(self, tokens: Tensor) -> tuple[Tensor, None]:
        # Under autocast logits come in half precision, too coarse for probabilities.
        logits = self.head(self.pooling(tokens)).to(self.head.weight.dtype)
        return logits.log_softmax(-1)[:, None], None


class MeanReadout(_LinearReadout):
    """Baseline: a linear head on the mean token; `n_prototypes` is ignored."""

    needs_cls_token = False
    make_pooling = MeanPooling


class ClsReadout(_LinearReadout):
    """Baseline: a linear head on the first token; `n_prototypes` is ignored."""

    needs_cls_token = True
    make_pooling = ClsPooling


READOUTS: dict[str, type[torch.nn.Module]] = {
    "ddcl": PrototypeVoting,
    "mean": MeanReadout,
    "cls": ClsReadout,
}
