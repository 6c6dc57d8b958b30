"""A small transformer over token embeddings, with one readout or another."""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import sklearn_ddcl.functional as F
from sklearn_ddcl.layers import (
    AttentionBlock,
    ClsPooling,
    Linear,
    MeanPooling,
    PrototypeReadout,
)

_D_TOKEN = 64
_DISTORTION_WEIGHT = 0.3


class TextClassifier(nn.Module):
    """Token embeddings, one block of attention, a readout, a linear head.

    Parameters
    ----------
    d_in : int
        Width of the embeddings.
    n_classes : int
    readout : str
        ``mean``, ``cls``, or a summary of :class:`PrototypeReadout`.
    n_prototypes : int
        Used by the latter.
    generator : torch.Generator
        Source of the initial weights.
    """

    def __init__(
        self,
        d_in: int,
        n_classes: int,
        readout: str,
        n_prototypes: int,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.project = Linear(d_in, _D_TOKEN, generator=generator)
        self.block = AttentionBlock(
            _D_TOKEN, n_heads=4, d_hidden=2 * _D_TOKEN, dropout=0.1, generator=generator
        )
        # The step dropout draws from a generator of its own.
        self.block.dropout.generator = generator
        self.norm = nn.LayerNorm(_D_TOKEN)
        self.bank: PrototypeReadout | None = None
        self.pool: nn.Module | None = None
        width = _D_TOKEN
        if readout in ("mean", "cls"):
            self.pool = MeanPooling() if readout == "mean" else ClsPooling()
        else:
            self.bank = PrototypeReadout(
                n_prototypes, _D_TOKEN, summary=readout, generator=generator
            )
            width = {
                "assignments": n_prototypes,
                "slots": n_prototypes * _D_TOKEN,
                "mean+assignments": _D_TOKEN + n_prototypes,
            }[readout]
        self.head = Linear(width, n_classes, generator=generator)

    def encode(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Return tokens (B, T, 64) that have seen each other."""
        return self.norm(self.block(self.project(tokens), mask))

    def forward(self, tokens: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
        """Return logits, and what is lost of the tokens in the prototypes."""
        encoded = self.encode(tokens, mask)
        if self.bank is None:
            return self.head(self.pool(encoded, mask)), encoded.new_zeros(())
        summary, q = self.bank(encoded, mask)
        lost = F.distortion(
            encoded.detach(), self.bank.prototypes, q.detach(), mask.float()
        )
        return self.head(summary), lost / _D_TOKEN


def train_readout(
    docs: list[np.ndarray],
    classes: np.ndarray,
    test_docs: list[np.ndarray],
    test_classes: np.ndarray,
    *,
    readout: str,
    n_prototypes: int = 0,
    lr_ratio: float = 10.0,
    seed: int = 0,
    n_epochs: int = 6,
    lr: float = 1e-3,
    batch_size: int = 64,
) -> dict[str, Any]:
    """Train a classifier and return its accuracy, and how its prototypes stand.

    Parameters
    ----------
    docs, test_docs : list of ndarray of shape (n_tokens, d)
    classes, test_classes : ndarray
    readout : str
        As in :class:`TextClassifier`.
    n_prototypes : int
    lr_ratio : float
        How many times faster prototypes learn than the encoder.
    seed : int
        Seeds weights, dropout and batches.
    n_epochs, lr, batch_size
        Of the training.

    Returns
    -------
    result : dict
        ``accuracy``, and with prototypes ``separation`` (smallest distance between
        two, relative to the root of the variance of the tokens), ``perplexity`` (their
        effective number) and ``token_variance``.
    """
    generator = torch.Generator().manual_seed(seed)
    n_classes = int(classes.max()) + 1
    model = TextClassifier(
        docs[0].shape[1], n_classes, readout, n_prototypes, generator
    )
    if model.bank is not None:
        _place(model, docs, generator)
    optimizer = torch.optim.AdamW(_groups(model, lr, lr_ratio), weight_decay=0.01)
    n_steps = n_epochs * math.ceil(len(docs) / batch_size)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, n_steps)
    targets = torch.from_numpy(classes)
    model.train()
    for _ in range(n_epochs):
        order = torch.randperm(len(docs), generator=generator)
        for part in order.split(batch_size):
            logits, lost = model(*_pad([docs[i] for i in part.tolist()]))
            loss = nn.functional.cross_entropy(logits, targets[part])
            loss = loss + _DISTORTION_WEIGHT * lost
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()
    return _judge(model.eval(), test_docs, test_classes)


def _groups(model: TextClassifier, lr: float, ratio: float) -> list[dict[str, Any]]:
    if model.bank is None:
        return [{"params": list(model.parameters()), "lr": lr}]
    bank = model.bank.prototypes
    others = [p for p in model.parameters() if p is not bank]
    own = {"params": [bank], "lr": ratio * lr, "weight_decay": 0.0}
    return [{"params": others, "lr": lr}, own]


@torch.no_grad()
def _place(
    model: TextClassifier, docs: list[np.ndarray], generator: torch.Generator
) -> None:
    """Put prototypes on tokens of the untrained encoder, each far from the others."""
    tokens, mask = _pad(docs[:200])
    encoded = model.eval().encode(tokens, mask)[mask]
    bank = model.bank.prototypes
    first = torch.randint(len(encoded), (1,), generator=generator)
    chosen = encoded[first]
    while len(chosen) < len(bank):
        gaps = torch.cdist(encoded, chosen).amin(1).square()
        drawn = torch.multinomial(gaps, 1, generator=generator)
        chosen = torch.cat([chosen, encoded[drawn]])
    bank.copy_(chosen)


@torch.no_grad()
def _judge(
    model: TextClassifier, docs: list[np.ndarray], classes: np.ndarray
) -> dict[str, Any]:
    right, tokens, assignments = 0, [], []
    for start in range(0, len(docs), 128):
        padded, mask = _pad(docs[start : start + 128])
        logits, _ = model(padded, mask)
        wanted = torch.from_numpy(classes[start : start + 128])
        right += int((logits.argmax(1) == wanted).sum())
        if model.bank is not None:
            own = model.encode(padded, mask)[mask]
            tokens.append(own)
            assignments.append(model.bank.log_assign(own).exp())
    result: dict[str, Any] = {"accuracy": right / len(docs)}
    if model.bank is not None:
        spread = torch.cat(tokens)
        variance = float((spread - spread.mean(0)).square().sum(1).mean())
        nearest = float(F.min_prototype_distance(model.bank.prototypes))
        result |= {
            "separation": nearest / math.sqrt(variance),
            "perplexity": float(F.perplexity(torch.cat(assignments))),
            "token_variance": variance,
        }
    return result


def _pad(docs: list[np.ndarray]) -> tuple[Tensor, Tensor]:
    tokens = nn.utils.rnn.pad_sequence(
        [torch.from_numpy(own) for own in docs], batch_first=True
    )
    lengths = torch.tensor([len(own) for own in docs])
    return tokens, torch.arange(tokens.shape[1]) < lengths[:, None]
