"""A growing stack on token sequences, beside fixed ones."""

import time
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import nn

from sklearn_ddcl.layers import AttentionBlock
from sklearn_ddcl.networks import GrowthRule, INCRTEncoder
from sklearn_ddcl.networks.encoders.incrt import GrowingBlock
from sklearn_ddcl.training.growth import GrowthController

from .token_models import D_TOKEN, DROPOUT, TokenClassifier
from .token_sets import Part, TokenSet
from .token_training import BATCH, batches, predict, score, train_classifier

N_LAYERS, D_HEAD = 2, 8
N_FOLDS = 4
_STEPS_PER_LOOK = 20


def deal_folds(tokens: TokenSet, seed: int) -> Iterator[TokenSet]:
    """Yield the training rows in parts, each of which is the test of the others."""
    part = tokens.train
    order = np.random.default_rng(seed).permutation(len(part.classes))
    for test in np.array_split(order, N_FOLDS):
        train = np.setdiff1d(order, test)
        yield tokens._replace(train=_rows(part, train), test=_rows(part, np.sort(test)))


def compare_sizes(tokens: TokenSet, seed: int) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield a transformer of eight heads, one that grows, and one of its final size."""
    sizes = {"n_heads": 8, "d_hidden": 2 * D_TOKEN, "dropout": DROPOUT}
    generator = torch.Generator().manual_seed(seed)
    blocks = [
        AttentionBlock(D_TOKEN, generator=generator, **sizes) for _ in range(N_LAYERS)
    ]
    yield "transformer", fit(blocks, tokens, seed, generator)
    grown = _fit_heads((1,) * N_LAYERS, tokens, seed, grows=True)
    yield "incrt", grown
    if grown["actions"]:
        yield "fixed", _fit_heads(tuple(grown["n_heads"]), tokens, seed, grows=False)
    else:
        yield "fixed", grown | {"same": True}


def _fit_heads(
    heads: tuple[int, ...], tokens: TokenSet, seed: int, *, grows: bool
) -> dict[str, Any]:
    generator = torch.Generator().manual_seed(seed)
    params = INCRTEncoder(d_token=D_TOKEN, d_head=D_HEAD, dropout=DROPOUT)
    blocks = [GrowingBlock(params, n_heads, generator) for n_heads in heads]
    rule = GrowthRule(params.max_heads, params.threshold) if grows else None
    return fit(blocks, tokens, seed, generator, rule)


def fit(
    blocks: list[nn.Module],
    tokens: TokenSet,
    seed: int,
    generator: torch.Generator,
    rule: GrowthRule | None = None,
) -> dict[str, Any]:
    """Train and test a classifier of these blocks, which may grow by a rule."""
    _, n_tokens, d_in = tokens.train.tokens.shape
    n_classes = int(tokens.train.classes.max()) + 1
    model = TokenClassifier(d_in, n_tokens, n_classes, D_TOKEN, blocks, [], generator)
    grower = None if rule is None else _Grower(model, tokens.train, rule, seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        began = time.process_time()
        train_classifier(model, tokens.train, tokens.n_epochs, generator, grower)
        fit_cpu = time.process_time() - began
    log_proba = predict(model, tokens.test)
    return {
        **score(log_proba, tokens.test.classes),
        "block_parameters": model.n_encoder_parameters,
        "n_heads": [
            block.attention.n_heads if isinstance(block, GrowingBlock) else 8
            for block in model.blocks
        ],
        "actions": [] if grower is None else grower.actions,
        "fit_cpu": fit_cpu,
    }


class _Grower:
    """Let a model grow between the steps of its training."""

    def __init__(
        self, model: TokenClassifier, part: Part, rule: GrowthRule, seed: int
    ) -> None:
        self.model, self.part = model, part
        generator = torch.Generator().manual_seed(seed + 7)
        self.controller = GrowthController(model, rule, generator)
        self.halves = torch.arange(len(part.classes)) % 2 == 0
        self.losses: list[float] = []
        self.actions: list[tuple[int, int, str]] = []
        self.controller.watch()

    def __call__(
        self,
        step: int,
        n_steps: int,
        rows: np.ndarray,
        loss: float,
        optimizer: torch.optim.Optimizer,
    ) -> None:
        """Measure a step, and look now and then."""
        self.controller.measure(torch.ones(len(rows)), self.halves[rows])
        self.losses.append(loss)
        if step % _STEPS_PER_LOOK == 0:
            mean = sum(self.losses[-_STEPS_PER_LOOK:]) / _STEPS_PER_LOOK
            found = self.controller.end_epoch(
                step,
                step / n_steps,
                mean,
                lambda: _judge(self.model, self.part),
                optimizer,
            )
            self.actions += [
                (step, layer, action)
                for layer, action in enumerate(found)
                if action != "none"
            ]
        if step == n_steps:
            self.controller.finish()


@torch.no_grad()
def _judge(model: nn.Module, part: Any) -> float:
    model.eval()
    few = batches(part, np.arange(8 * BATCH))
    losses = [
        float(nn.functional.cross_entropy(model(*batch[:2]), batch[2])) for batch in few
    ]
    model.train()
    return sum(losses) / len(losses)


def _rows(part: Part, rows: np.ndarray) -> Part:
    mask = None if part.mask is None else part.mask[rows]
    return Part(part.tokens[rows], mask, part.classes[rows])
