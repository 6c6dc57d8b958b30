"""What the estimator costs beyond its network: training and prediction."""

import argparse
import os
from collections.abc import Callable, Iterator
from functools import partial
from statistics import median
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from harness.bare import (
    Bare,
    encode,
    predict_by_hand,
    predict_encoded,
    stock_training,
    train_by_hand,
    undress,
)
from harness.brief import fit_briefly
from harness.records import RESULTS, Journal, format_table
from harness.synthetic import mixed_table, numbers_table
from harness.timing import Seconds, compare, split_cost, take_turns

FIELDS = Seconds._fields
TABLES = {"numbers": numbers_table, "mixed": mixed_table}
# Smaller blocks fit the cache, larger ones are worth sharing between threads.
BLOCKS = {1: (1024, 4096), 2: (4096,)}


def main() -> None:
    args = parse_arguments()
    journal = Journal(args.out)
    for kind in args.tables:
        for n_rows in args.rows:
            X, y = TABLES[kind](n_rows, args.columns)
            about = {
                "table": kind,
                "rows": n_rows,
                "columns": args.columns,
                "encoder": args.encoder,
            }
            print(f"\n{kind}, {n_rows:,} x {args.columns}, encoder={args.encoder!r}")
            if "train" in args.parts:
                for row in measure_training(args, X, y):
                    journal.add(benchmark="overhead", part="train", **about, **row)
            if "predict" in args.parts:
                for row in measure_prediction(args, X, y):
                    journal.add(benchmark="overhead", part="predict", **about, **row)
    print(f"\nwritten to {args.out}")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parts = ("train", "predict")
    parser.add_argument("--parts", nargs="+", choices=parts, default=parts)
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument("--rows", nargs="+", type=int, default=[20_000, 100_000])
    parser.add_argument("--columns", type=int, default=20)
    parser.add_argument("--encoder", default="mlp")
    parser.add_argument("--epochs", type=int, default=2, help="of the shorter fit")
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--out", default=RESULTS / "overhead.jsonl")
    return parser.parse_args()


def measure_training(
    args: argparse.Namespace, X: Any, y: np.ndarray
) -> Iterator[dict[str, Any]]:
    """Yield CPU seconds per epoch of the estimator, a plain loop and stock skorch."""
    fit = partial(fit_briefly, X, y, encoder=args.encoder)
    bare = undress(fit(1), X, y)
    tasks = {
        "short": partial(fit, args.epochs),
        "long": partial(fit, 2 * args.epochs),
        "plain torch loop": on_one_thread(partial(train_by_hand, bare, args.epochs)),
        "stock skorch": on_one_thread(stock_training(bare, args.epochs)),
    }
    cpu = {
        name: [once.cpu for once in seconds]
        for name, seconds in take_turns(tasks, args.repeats, warm_up=False).items()
    }
    short, long = cpu.pop("short"), cpu.pop("long")
    ours, fixed = split_cost(short, long, args.epochs)
    per_epoch = {name: [s / args.epochs for s in times] for name, times in cpu.items()}
    rows = []
    for name, times in {"DDCLClassifier": ours, **per_epoch}.items():
        ratio = compare(ours, times)
        rows.append((name, f"{median(times):.3f}", str(ratio)))
        yield {
            "competitor": name,
            "epoch_cpu": times,
            "median_cpu": median(times),
            "ours_to_this": ratio.median,
            "batch_size": bare.batch_size,
        }
    yield {
        "competitor": "DDCLClassifier, once per fit",
        "fit_cpu": fixed,
        "median_cpu": median(fixed),
    }
    print(format_table(("training", "CPU s/epoch", "ours / this"), rows))
    print(f"once per fit {median(fixed):.3f} CPU s; batches of {bare.batch_size}")


def measure_prediction(
    args: argparse.Namespace, X: Any, y: np.ndarray
) -> Iterator[dict[str, Any]]:
    """Yield seconds of ``predict_proba`` and of the bare module in several ways."""
    estimator = fit_briefly(X, y, 1, encoder=args.encoder)
    bare, encoded = undress(estimator, X, y), encode(estimator, X)
    tasks: dict[str, Callable[[], Any]] = {
        "predict_proba": partial(estimator.predict_proba, X),
        "its network": partial(predict_encoded, estimator, encoded),
        "its table encoding": partial(encode, estimator, X),
    }
    # One thread: CPU seconds, which other processes hardly change. Two: wall seconds.
    clocks = {1: "cpu", 2: "wall"}
    alone = {n_threads: bare_predictions(bare, n_threads) for n_threads in clocks}
    seconds = take_turns(tasks | alone[1] | alone[2], args.repeats)
    times = {
        name: {field: [getattr(once, field) for once in turns] for field in FIELDS}
        for name, turns in seconds.items()
    }
    best = {
        n_threads: min(alone[n_threads], key=lambda name: median(times[name][clock]))
        for n_threads, clock in clocks.items()
    }
    rows = []
    for name, took in times.items():
        ratios = [
            compare(took[clock], times[best[n_threads]][clock])
            for n_threads, clock in clocks.items()
        ]
        costs = [median(took[field]) for field in FIELDS]
        rows.append((name, *(f"{cost:.3f}" for cost in costs), *map(str, ratios)))
        yield {
            "competitor": name,
            **took,
            **{f"median_{f}": cost for f, cost in zip(FIELDS, costs, strict=True)},
            "to_bare_1_thread": ratios[0].median,
            "to_bare_2_threads": ratios[1].median,
        }
    header = ("prediction", "CPU s", "wall s", "/ bare, CPU", "/ bare on 2, wall")
    print(format_table(header, rows))


def bare_predictions(bare: Bare, n_threads: int) -> dict[str, Callable[[], Any]]:
    """Return ways to ask the bare module, in blocks or all rows at once."""
    n_rows = len(bare.numbers)
    sizes = {f"blocks of {b}": b for b in BLOCKS[n_threads] if b < n_rows}
    sizes["whole table"] = n_rows
    threads = "1 thread" if n_threads == 1 else f"{n_threads} threads"
    return {
        f"bare, {how}, {threads}": on_threads(
            n_threads, partial(predict_by_hand, bare, size)
        )
        for how, size in sizes.items()
    }


def on_one_thread(task: Callable[[], Any]) -> Callable[[], Any]:
    return on_threads(1, task)


def on_threads(n_threads: int, task: Callable[[], Any]) -> Callable[[], Any]:
    """Return the task under another number of torch threads."""

    def run() -> Any:
        before = torch.get_num_threads()
        torch.set_num_threads(n_threads)
        try:
            return task()
        finally:
            torch.set_num_threads(before)

    return run


if __name__ == "__main__":
    main()
