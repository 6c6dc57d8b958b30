r"""A trained bank without the prototypes that its decisions do not need.

Prototypes are dropped a few at a time, and the others learn to answer for every token
what the whole bank answered: nothing about the classes is learned anew, so that nothing
can be learned by heart. Rows that did not teach say how small the bank may become.
"""

from typing import Any, NamedTuple

import torch
from torch import Tensor

import sklearn_ddcl.functional as F
from sklearn_ddcl.training.data import Batches, EncodedRows
from sklearn_ddcl.training.folds import is_left_out
from sklearn_ddcl.training.seeding import make_generator

# Tokens that are imitated or judge, at most, and those of one step.
_MOST_TOKENS, _BATCH = 2**14, 2048
# Of a longer table so many times as many rows are looked through for equal ones.
_LOOKED_THROUGH = 4
_BLOCK = 1024
# One prototype of so many is dropped at a time.
_AT_ONCE = 5
# Banks in a row that the judges reject before the search ends.
_PATIENCE = 3
_DECIMALS = 6
_STEPS = 30
# Of prototypes, in units of the spread of the tokens, and of the logits of votes.
_LR, _VOTES_LR = 0.05, 0.15
# Where others hardly fail to answer alike, steps are to be small.
_EPS = 1e-4


class Bank(NamedTuple):
    """Prototypes and what they vote."""

    prototypes: Tensor
    """(K, d)."""
    logits: Tensor
    """(K, C)."""

    def answer(self, tokens: Tensor, temperature: Tensor) -> Tensor:
        """Return class probabilities (..., C) of tokens (..., d)."""
        shares = F.log_soft_assign(tokens, self.prototypes, temperature).exp()
        return shares @ self.logits.softmax(1)

    def keep(self, kept: Tensor) -> "Bank":
        """Return the bank of some of the prototypes."""
        return Bank(self.prototypes[kept], self.logits[kept])


class Tokens(NamedTuple):
    """Tokens of rows, and how much each of them counts."""

    values: Tensor
    """(n, t, d)."""
    classes: Tensor
    """(n,)."""
    voices: Tensor
    """(n, t), summing to one over the tokens of a row."""
    shares: Tensor
    """(n,), of the weight of all rows."""


def shrink_bank(net: Any, rows: EncodedRows, judging: EncodedRows, least: int) -> None:
    """Drop the prototypes that the decisions of a trained network can do without.

    Of all banks that are tried the smallest is taken that the rows that judge cannot
    tell from the best: its mean log-loss is higher by one standard error of the
    difference at most.

    Parameters
    ----------
    net : DDCLNet
        Trained; its prototypes and votes are replaced.
    rows : EncodedRows
        Rows whose tokens are imitated; of many, some.
    judging : EncodedRows
        Rows that judge, each by the views that have left it out, or by all views if
        none has; of many, some.
    least : int
        So many are kept in any case.
    """
    readout = net.module_.readout
    temperature = readout.bank.temperature
    whole = Bank(readout.bank.prototypes.detach(), readout.votes.logits.detach())
    own, judges = read_tokens(net, rows), read_tokens(net, judging, impartial=True)
    imitation = Imitation(own, whole, temperature, make_generator(net.seed + 3))
    now, best = whole, losses(whole, judges, temperature)
    good, n_rejected = [(now, best)], 0
    while len(now.prototypes) > least and n_rejected < _PATIENCE:
        # Rounded, so that rounding errors do not choose among those that do nothing.
        costs = removal_losses(now, judges, temperature).round(decimals=_DECIMALS)
        n = min(max(1, len(costs) // _AT_ONCE), len(costs) - least)
        now = imitation.teach(now.keep(costs.argsort(stable=True)[n:].sort().values))
        found = losses(now, judges, temperature)
        best = min(best, found, key=lambda other: float(judges.shares @ other))
        n_rejected += 1
        if as_good(found, best, judges.shares):
            good.append((now, found))
            n_rejected = 0
    chosen = [bank for bank, own in good if as_good(own, best, judges.shares)][-1]
    readout.bank.prototypes = torch.nn.Parameter(chosen.prototypes.clone())
    readout.votes.logits = torch.nn.Parameter(chosen.logits.clone())


class Imitation:
    """Teach smaller banks what the whole one says.

    Parameters
    ----------
    tokens : Tokens
        What it is asked about.
    whole : Bank
        The teacher.
    temperature : Tensor of shape ()
        Of all banks.
    generator : torch.Generator
        Chooses the tokens of a step, if these are too many to be taken all.
    """

    def __init__(
        self,
        tokens: Tokens,
        whole: Bank,
        temperature: Tensor,
        generator: torch.Generator,
    ) -> None:
        self.tokens = tokens.values.flatten(0, 1)
        self.answers = whole.answer(self.tokens, temperature)
        n_tokens = tokens.values.shape[1]
        self.weights = tokens.shares.repeat_interleave(n_tokens).to(self.tokens)
        mean = self.weights @ self.tokens / self.weights.sum()
        squares = (self.tokens - mean).square().mean(1)
        self.spread = float(self.weights @ squares / self.weights.sum()) ** 0.5
        self.temperature = temperature
        self.generator = generator

    def teach(self, bank: Bank) -> Bank:
        """Return the bank as it answers after some steps."""
        bank = Bank(*(part.clone().requires_grad_() for part in bank))
        rates = {"lr": _LR * self.spread}, {"lr": _VOTES_LR}
        groups = [{"params": [p]} | lr for p, lr in zip(bank, rates, strict=True)]
        optimizer = torch.optim.Adam(groups, betas=(0.9, 0.98), eps=_EPS)
        schedule = torch.optim.lr_scheduler.LambdaLR(
            optimizer, lambda step: 1 - step / _STEPS
        )
        for _ in range(_STEPS):
            chosen = self._choose()
            answers = bank.answer(self.tokens[chosen], self.temperature)
            least = torch.finfo(answers.dtype).eps
            gaps = torch.linalg.vecdot(
                self.answers[chosen], answers.clamp_min(least).log()
            )
            weights = self.weights[chosen]
            optimizer.zero_grad()
            (-(weights @ gaps) / weights.sum()).backward()
            optimizer.step()
            schedule.step()
        return Bank(*(part.detach() for part in bank))

    def _choose(self) -> Any:
        n = len(self.tokens)
        if n <= _BATCH:
            return slice(None)
        drawn = torch.randint(n, (_BATCH,), generator=self.generator)
        return drawn.to(self.tokens.device)


def losses(bank: Bank, tokens: Tokens, temperature: Tensor) -> Tensor:
    """Return the log-loss of every row, (n,), float64."""
    answers = bank.answer(tokens.values, temperature).double()
    own = tokens.classes[:, None, None].expand(-1, answers.shape[1], 1)
    return _log_loss(answers.gather(2, own)[..., 0], tokens.voices)


def removal_losses(bank: Bank, tokens: Tokens, temperature: Tensor) -> Tensor:
    """Return the mean log-loss if one prototype were missing, for each of them, (K,).

    Without it a token is assigned to the others in their old proportions.
    """
    shares = F.log_soft_assign(tokens.values, bank.prototypes, temperature)
    shares = shares.double().exp()
    votes = bank.logits.double().softmax(1).T[tokens.classes][:, None]
    supported = shares * votes
    supported = supported.sum(-1, keepdim=True) - supported
    left = (shares.sum(-1, keepdim=True) - shares).clamp_min(1e-9)
    return tokens.shares @ _log_loss(supported / left, tokens.voices[..., None])


def as_good(found: Tensor, best: Tensor, shares: Tensor) -> bool:
    """Return whether losses exceed the best by at most one standard error."""
    gaps = found - best
    mean = shares @ gaps
    error = (shares * (gaps - mean)).square().sum().sqrt()
    return bool(mean <= error)


def read_tokens(net: Any, rows: EncodedRows, *, impartial: bool = False) -> Tokens:
    """Return the tokens of rows.

    Parameters
    ----------
    net : DDCLNet
        Its network is left as it is.
    rows : EncodedRows
        Rows; of many, some.
    impartial : bool, default=False
        Whether of every row only the views count that have left it out.

    Returns
    -------
    tokens : Tokens
    """
    network, device = net.module_, torch.device(net.device)
    parts: list[tuple[Tensor, ...]] = []
    training = network.training
    network.eval()
    try:
        with torch.no_grad(), net.autocast():
            inputs, _ = rows[:1]
            first = network.tokens(inputs.numbers.to(device), inputs.codes.to(device))
            n_tokens = first.shape[1]
            most = max(1, _MOST_TOKENS // n_tokens)
            rows = distinct(rows.sample(_LOOKED_THROUGH * most)).sample(most)
            for inputs, targets in Batches(rows, _BLOCK, device):
                tokens = network.tokens(inputs.numbers, inputs.codes)
                parts.append((tokens.to(network.bank.prototypes.dtype), *targets))
    finally:
        network.train(training)
    values, classes, weights, folds = (
        torch.cat(own) for own in zip(*parts, strict=True)
    )
    counts = torch.ones_like(values[..., 0], dtype=torch.bool)
    if impartial and network.n_decisions > 1:
        counts = is_left_out(folds, n_tokens)
        counts |= ~counts.any(1, keepdim=True)
        # Of every row equally many: the others come last.
        order = counts.byte().argsort(dim=1, descending=True, stable=True)
        order = order[:, : int(counts.sum(1).max())]
        counts = counts.gather(1, order)
        values = values.gather(1, order[..., None].expand(-1, -1, values.shape[2]))
    voices = counts.double() / counts.sum(1, keepdim=True)
    weights = weights.double()
    return Tokens(values, classes, voices, weights / weights.sum())


def distinct(rows: EncodedRows) -> EncodedRows:
    """Return every row once, as heavy as all that are equal to it.

    A row of weight two then counts exactly like two rows, also in a standard error.

    Parameters
    ----------
    rows : EncodedRows
        Rows; those of other folds are not equal.

    Returns
    -------
    distinct : EncodedRows
        In an order that depends on the values alone.
    """
    numbers, codes, classes, weights, folds = rows.tensors
    known = numbers.nan_to_num(0.0)
    others = torch.cat([codes, classes[:, None], folds[:, None]], 1)
    keys = torch.cat([known, numbers.isnan(), others], 1).double()
    found, places = torch.unique(keys, dim=0, return_inverse=True)
    first = torch.full((len(found),), len(keys), device=places.device)
    every = torch.arange(len(keys), device=places.device)
    first = first.scatter_reduce(0, places, every, "amin")
    summed = weights.new_zeros(len(found)).index_add_(0, places, weights)
    numbers, codes, classes, _, folds = (column[first] for column in rows.tensors)
    return EncodedRows(numbers, codes, classes, summed, folds)


def _log_loss(supported: Tensor, voices: Tensor) -> Tensor:
    mixed = (voices * supported.clamp_min(0)).sum(1)
    return -mixed.clamp_min(torch.finfo(mixed.dtype).eps).log()
