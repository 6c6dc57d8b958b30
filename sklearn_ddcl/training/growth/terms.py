"""Which heads are missing: demand and context taken apart into terms of rank one."""

from collections.abc import Iterable
from typing import NamedTuple

import torch
from torch import Tensor

_ROUNDS, _TOLERANCE = 30, 1e-6
# As sharp as attention that has begun to choose.
_SHARPNESS = 2.0


class Term(NamedTuple):
    """A part of what is missing that a single head can supply."""

    gain: float
    """What demand and context have in common along it, positive."""
    demand: Tensor
    """Query times output, (d, d), of rank one and unit length."""
    context: Tensor
    """Symmetric product of key and value, (d, d), of unit length."""


class Sample(NamedTuple):
    """What some rows showed of a layer, and asked of it."""

    tokens: Tensor
    """(B, T, d)."""
    residual: Tensor
    """(B, T, d), negative gradient at what attention adds."""
    mask: Tensor | None
    """(B, T), True where a token exists."""
    weights: Tensor
    """(B,)."""


def rank_one_terms(
    demands: Tensor, contexts: Tensor, gains: Tensor, least: float, n_terms: int
) -> list[Term]:
    r"""Take an operator apart into what single heads can supply, the strongest first.

    Directions with like gains are only defined up to a rotation, and a mixture of
    heads is nothing that one head can do. A head asks by a single direction and
    answers with a single one: :math:`\sum_i g_i \, D_i \otimes C_i` is written as a sum
    of :math:`q o^\top \otimes \mathrm{sym}(k v^\top)`, by power iteration from every
    direction and deflation.

    Parameters
    ----------
    demands, contexts : Tensor of shape (n, d, d)
        Directions :math:`D_i` and :math:`C_i`, the latter nearly symmetric.
    gains : Tensor of shape (n,)
        Singular values :math:`g_i`; those that are not positive are left out.
    least : float
        Terms with a smaller share of the squared gain of the first one do not count:
        so much is left of a term that was estimated.
    n_terms : int
        Terms at most.

    Returns
    -------
    terms : list of Term
        On the processor, in double precision; empty if no gain is positive.
    """
    positive = gains > 0
    demands, contexts, gains = (
        values[positive].double().cpu() for values in (demands, contexts, gains)
    )
    starts = contexts
    terms: list[Term] = []
    while len(starts) and len(terms) < n_terms:
        term = _strongest(demands, contexts, gains, starts)
        if term.gain <= 0 or (terms and term.gain**2 < least * terms[0].gain ** 2):
            break
        terms.append(term)
        demands = torch.cat([demands, term.demand[None]])
        contexts = torch.cat([contexts, term.context[None]])
        gains = torch.cat([gains, gains.new_tensor([-term.gain])])
    return terms


def find_roles(term: Term, samples: Iterable[Sample]) -> Tensor:
    """Return query, key and value of a head that supplies a term, (3, d), unit vectors.

    To first order key and value could change places, and both change their sign. Of
    these four heads the one is taken that explains most once it attends sharply.

    Parameters
    ----------
    term : Term
        What the head is to supply.
    samples : iterable of Sample
        Rows to try the heads on.
    """
    left, _, right = torch.linalg.svd(term.demand)
    query, output = left[:, 0], right[0]
    one, other = _factors(term.context)
    pairs = [(one, other), (-one, -other), (other, one), (-other, -one)]
    # (d, 4)
    keys, values = (torch.stack(rows, 1) for rows in zip(*pairs, strict=True))
    gain = power = torch.zeros(4, dtype=torch.float64)
    for sample in samples:
        like = sample.tokens
        tried = _explain(sample, *(m.to(like) for m in (query, keys, values, output)))
        gain, power = gain + tried[0], power + tried[1]
    best = int((gain * gain.abs() / power.clamp_min(1e-300)).argmax())
    return torch.stack([query, keys[:, best], values[:, best]])


def ownership(bases: Tensor, output: Tensor) -> Tensor:
    """Return how much of every head is along its leading directions, (n_heads,).

    One for a head that asks for one thing and answers one; near zero for one that does
    a little of everything.

    Parameters
    ----------
    bases : Tensor of shape (3, n_heads, d_head, d_token)
        As in :class:`~sklearn_ddcl.layers.GrowingAttention`.
    output : Tensor of shape (n_heads, d_head, d_token)
        As there.
    """
    query, key, value = bases.detach().double()
    shares = []
    for matrix in (query.mT @ key, value.mT @ output.detach().double()):
        squares = torch.linalg.svdvals(matrix).square()
        shares.append(squares[:, 0] / squares.sum(1).clamp_min(1e-300))
    return shares[0] * shares[1]


def _strongest(
    demands: Tensor, contexts: Tensor, gains: Tensor, starts: Tensor
) -> Term:
    """Return the best term that power iteration finds from some contexts."""
    context = _nearest_contexts(starts)
    value = gains.new_zeros(len(starts))
    for _ in range(_ROUNDS):
        along = torch.einsum("sij,nij->sn", context, contexts) * gains
        demand = _nearest_demands(torch.einsum("sn,nij->sij", along, demands))
        along = torch.einsum("sij,nij->sn", demand, demands) * gains
        product = torch.einsum("sn,nij->sij", along, contexts)
        context = _nearest_contexts(product)
        before, value = value, (context * product).sum((1, 2))
        if ((value - before).abs() <= _TOLERANCE * value.abs()).all():
            break
    best = int(value.argmax())
    return Term(float(value[best]), demand[best], context[best])


def _nearest_demands(matrices: Tensor) -> Tensor:
    """Return what of matrices (s, d, d) is along their first singular vectors."""
    left, _, right = torch.linalg.svd(matrices)
    return left[:, :, :1] * right[:, :1, :]


def _nearest_contexts(matrices: Tensor) -> Tensor:
    """Return the symmetric products of two vectors next to matrices (s, d, d)."""
    values, vectors = torch.linalg.eigh((matrices + matrices.mT) / 2)
    # Such a product has one eigenvalue of either sign.
    ends = [0, -1]
    signs = torch.tensor([-1.0, 1.0]).to(values)
    kept = (values[:, ends] * signs).clamp_min(0) * signs
    outer = vectors[:, :, ends] * kept[:, None]
    nearest = outer @ vectors[:, :, ends].mT
    lengths = torch.linalg.matrix_norm(nearest, keepdim=True)
    return nearest / lengths.clamp_min(1e-300)


def _factors(context: Tensor) -> tuple[Tensor, Tensor]:
    """Return the two unit vectors whose symmetric product a context is."""
    values, vectors = torch.linalg.eigh(context)
    low = (-values[0]).clamp_min(0).sqrt() * vectors[:, 0]
    high = values[-1].clamp_min(0).sqrt() * vectors[:, -1]
    pair = high + low, high - low
    one, other = (vector / vector.norm().clamp_min(1e-300) for vector in pair)
    return one, other


def _explain(
    sample: Sample, query: Tensor, keys: Tensor, values: Tensor, output: Tensor
) -> tuple[Tensor, Tensor]:
    """Return what heads add along what is asked for, and their own squares, (n,)."""
    tokens, residual, mask, weights = sample
    exists = torch.ones(tokens.shape[:2]).to(tokens) if mask is None else mask
    shares = (weights[:, None].to(tokens) * exists)[..., None]
    logits = _SHARPNESS * torch.einsum("bi,bjn->bnij", tokens @ query, tokens @ keys)
    if mask is not None:
        lowest = torch.finfo(logits.dtype).min
        logits = logits.masked_fill(~mask[:, None, None, :], lowest)
    mixed = torch.einsum("bnij,bjn->bin", logits.softmax(-1), tokens @ values)
    mixed = mixed - (mixed * shares).sum((0, 1)) / shares.sum()
    asked = (residual @ output)[..., None]
    sums = [(part * shares).sum((0, 1)) for part in (mixed * asked, mixed.square())]
    return sums[0].double().cpu(), sums[1].double().cpu()
