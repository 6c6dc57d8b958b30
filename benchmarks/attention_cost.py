"""How do time and memory of attention and of context pooling grow with the sequence?"""

import argparse
import os
import time
from collections.abc import Callable
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch
from harness.attention_cost_report import draw, report
from harness.forked import in_fork
from harness.peak_memory import peak_bytes
from harness.records import RESULTS, Journal
from torch import Tensor

import sklearn_ddcl.functional as F
from sklearn_ddcl.layers import AttentionBlock, ContextPool, SubspaceAttention

KEY = ("module", "pass", "tokens")
D_TOKEN, N_HEADS, WINDOW = 32, 4, 64
PASSES = ("forward", "forward and backward")
_MIB = 2**20
# Repeated until so many seconds are over.
_SECONDS = 0.3


def main() -> None:
    args = parse_arguments()
    journal = Journal(args.out, KEY)
    if not args.report:
        # Shortest first, of all modules in turn.
        for n_tokens, name, which in product(args.tokens, MODULES, PASSES):
            if (name, which, n_tokens) not in journal and fits(name, n_tokens, args):
                found = in_fork(measure, name, which, n_tokens)
                key = dict(zip(KEY, (name, which, n_tokens), strict=True))
                journal.add(benchmark="attention_cost", **key, **found)
                print(
                    f"{name:<32} {which:<21} {n_tokens:>6} tokens  "
                    f"{found['cpu']:.4f} s  {found['bytes'] / _MIB:.0f} MiB",
                    flush=True,
                )
    print(report(journal.results, D_TOKEN, N_HEADS))
    if args.pictures is not None and journal.results:
        draw(args.pictures / "attention_cost.png", journal.results, PASSES[1])


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--tokens", nargs="+", type=int, default=[1024 * 2**k for k in range(5)]
    )
    parser.add_argument(
        "--max-matrix",
        type=float,
        default=300.0,
        metavar="MIB",
        help="modules with weights for all pairs of tokens are not run if these take "
        "more; a pass needs several times as much",
    )
    parser.add_argument("--report", action="store_true", help="measure nothing")
    parser.add_argument("--pictures", type=Path, help="folder, such as docs/images")
    parser.add_argument("--out", type=Path, default=RESULTS / "attention_cost.jsonl")
    return parser.parse_args()


def fits(name: str, n_tokens: int, args: argparse.Namespace) -> bool:
    """Return whether all pairs of tokens have room, if they are needed."""
    n_matrices = {"explicit": N_HEADS, "dense": 1}
    for word, n in n_matrices.items():
        if word in name:
            return 4 * n * n_tokens**2 / _MIB <= args.max_matrix
    return True


def subspace_attention() -> Callable[[Tensor], Tensor]:
    """Return the block with fused attention."""
    return SubspaceAttention(D_TOKEN, n_heads=N_HEADS)


def explicit_attention() -> Callable[[Tensor], Tensor]:
    """Return the same with its weights written out."""
    layer = SubspaceAttention(D_TOKEN, n_heads=N_HEADS)
    assert layer.output is not None

    def step(x: Tensor) -> Tensor:
        w = layer.coordinates(x)
        mixed = F.attention_weights(w, w, scale=layer.scale) @ w
        return x + layer.step_size * layer.output(mixed.transpose(1, 2).flatten(-2))

    return step


def attention_block() -> Callable[[Tensor], Tensor]:
    """Return the block of a transformer."""
    return AttentionBlock(D_TOKEN, n_heads=N_HEADS, d_hidden=2 * D_TOKEN, dropout=0.0)


MODULES: dict[str, Callable[[], Callable[[Tensor], Tensor]]] = {
    "SubspaceAttention": subspace_attention,
    "SubspaceAttention, explicit": explicit_attention,
    "AttentionBlock": attention_block,
    "ContextPool, dense": partial(ContextPool, D_TOKEN),
    f"ContextPool, window of {WINDOW}": partial(ContextPool, D_TOKEN, window=WINDOW),
}


def measure(name: str, which: str, n_tokens: int) -> dict[str, Any]:
    """Return the CPU seconds of a pass over a sequence, and bytes that it adds."""
    module = MODULES[name]()
    tokens = torch.randn(1, n_tokens, D_TOKEN)

    def forward() -> None:
        with torch.no_grad():
            module(tokens)

    def both() -> None:
        module(tokens.clone().requires_grad_()).sum().backward()

    run = forward if which == "forward" else both
    module(tokens[:, :64].clone().requires_grad_()).sum().backward()
    seconds, before, peak = [], peak_bytes(), 0
    while sum(seconds) < _SECONDS:
        began = time.process_time()
        run()
        seconds.append(time.process_time() - began)
        # Later runs find memory that is in pieces.
        peak = peak or peak_bytes()
    # Other processes can only slow a run down.
    return {
        "cpu": min(seconds),
        "runs": len(seconds),
        "bytes": peak - before,
    }


if __name__ == "__main__":
    main()
