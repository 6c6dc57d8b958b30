"""A growing stack on token sequences, beside fixed ones."""

import math
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
from .token_sets import TokenSet
from .token_training import BATCH, LR, WEIGHT_DECAY, batches, predict, rate

N_LAYERS, D_HEAD = 2, 8


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
    controller = None
    if rule is not None:
        controller = GrowthController(
            model, rule, torch.Generator().manual_seed(seed + 7)
        )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        began = time.process_time()
        actions = _train(model, tokens, generator, controller)
        fit_cpu = time.process_time() - began
    log_proba = predict(model, tokens.test)
    classes = tokens.test.classes
    return {
        "acc": float((log_proba.argmax(1) == classes).mean()),
        "ll": float(-log_proba[np.arange(len(classes)), classes].mean()),
        "block_parameters": model.n_encoder_parameters,
        "n_heads": [
            block.attention.n_heads if isinstance(block, GrowingBlock) else 8
            for block in model.blocks
        ],
        "actions": actions,
        "fit_cpu": fit_cpu,
    }


def _train(
    model: TokenClassifier,
    tokens: TokenSet,
    generator: torch.Generator,
    controller: GrowthController | None,
) -> list[tuple[int, int, str]]:
    """Train as all classifiers of tokens are, and return what grew."""
    part, n_epochs = tokens.train, tokens.n_epochs
    optimizer = torch.optim.AdamW(model.parameters(), lr=LR, weight_decay=WEIGHT_DECAY)
    n_steps = n_epochs * math.ceil(len(part.classes) / BATCH)
    halves = torch.arange(len(part.classes)) % 2 == 0
    if controller is not None:
        controller.watch()
    actions: list[tuple[int, int, str]] = []
    model.train()
    step, losses = 0, []
    for _ in range(n_epochs):
        order = torch.randperm(len(part.classes), generator=generator).numpy()
        for start, batch in zip(
            range(0, len(order), BATCH), batches(part, order), strict=True
        ):
            for group in optimizer.param_groups:
                group["lr"] = LR * rate(step / n_steps)
            optimizer.zero_grad()
            loss = nn.functional.cross_entropy(model(*batch[:2]), batch[2])
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            step += 1
            losses.append(float(loss.detach()))
            if controller is None:
                continue
            rows = order[start : start + BATCH]
            controller.measure(torch.ones(len(rows)), halves[rows])
            if step % 20 == 0:
                found = controller.end_epoch(
                    step,
                    step / n_steps,
                    sum(losses[-20:]) / 20,
                    lambda: _judge(model, part),
                    optimizer,
                )
                actions += [
                    (step, layer, action)
                    for layer, action in enumerate(found)
                    if action != "none"
                ]
    if controller is not None:
        controller.finish()
    model.eval()
    return actions


@torch.no_grad()
def _judge(model: nn.Module, part: Any) -> float:
    model.eval()
    few = batches(part, np.arange(8 * BATCH))
    losses = [
        float(nn.functional.cross_entropy(model(*batch[:2]), batch[2])) for batch in few
    ]
    model.train()
    return sum(losses) / len(losses)
