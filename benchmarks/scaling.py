"""How time and memory grow with rows, columns, tokens and prototypes."""

import argparse
import os
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from harness.brief import fit_briefly
from harness.peak_memory import fit_in_fresh_process
from harness.records import RESULTS, Journal, format_table
from harness.synthetic import numbers_table
from harness.timing import split_cost, take_turns

from sklearn_ddcl.layers import PrototypeReadout
from sklearn_ddcl.training import one_thread

MIB = 2**20


def main() -> None:
    args = parse_arguments()
    journal = Journal(args.out)
    if args.million:
        measure_million(args, journal)
        return
    for part in args.parts:
        PARTS[part](args, journal)
    print(f"\nwritten to {args.out}")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--encoders", nargs="+", default=["mlp", "transformer"])
    parser.add_argument("--min-rows", type=int, default=10_000)
    parser.add_argument("--max-rows", type=int, default=160_000)
    parser.add_argument("--max-columns", type=int, default=80)
    parser.add_argument("--batch-size", type=int, default=512)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument(
        "--memory-rows",
        nargs="+",
        type=int,
        default=[100_000, 200_000, 500_000, 1_000_000],
    )
    parser.add_argument(
        "--million", action="store_true", help="only one epoch of 1,000,000 x 20"
    )
    parser.add_argument("--out", default=RESULTS / "scaling.jsonl")
    return parser.parse_args()


def doublings(first: int, last: int) -> list[int]:
    """Return `first` and its doubles up to `last`."""
    sizes = [first]
    while 2 * sizes[-1] <= last:
        sizes.append(2 * sizes[-1])
    return sizes


def measure_rows(args: argparse.Namespace, journal: Journal) -> None:
    sizes = doublings(args.min_rows, args.max_rows)
    tables = {n_rows: numbers_table(n_rows) for n_rows in sizes}
    for encoder in args.encoders:
        warm_up(encoder)
        tasks = fits(args, encoder, tables)
        grow("rows", encoder, "CPU s/epoch", epoch_seconds(args, tasks), journal)


def measure_columns(args: argparse.Namespace, journal: Journal) -> None:
    sizes = doublings(10, args.max_columns)
    tables = {n_columns: numbers_table(args.min_rows, n_columns) for n_columns in sizes}
    for encoder in args.encoders:
        warm_up(encoder)
        tasks = fits(args, encoder, tables)
        grow("columns", encoder, "CPU s/epoch", epoch_seconds(args, tasks), journal)


def warm_up(encoder: str) -> None:
    """Fit once, so that what torch loads on its first step counts for no size."""
    fit_briefly(*numbers_table(500), 1, encoder=encoder)


def fits(
    args: argparse.Namespace,
    encoder: str,
    tables: dict[int, tuple[np.ndarray, np.ndarray]],
) -> dict[tuple[int, int], Callable[[], Any]]:
    """Return fits of one and of two epochs, by (size, epochs)."""
    return {
        (size, n_epochs): partial(
            fit_briefly,
            *table,
            n_epochs,
            encoder=encoder,
            # Fixed: "auto" takes larger batches for longer tables.
            batch_size=args.batch_size,
        )
        for size, table in tables.items()
        for n_epochs in (1, 2)
    }


def epoch_seconds(
    args: argparse.Namespace, tasks: dict[tuple[int, int], Callable[[], Any]]
) -> dict[int, float]:
    """Return the median CPU seconds of an epoch by size."""
    seconds = take_turns(tasks, args.repeats, warm_up=False)
    cpu = {key: [once.cpu for once in times] for key, times in seconds.items()}
    return {
        size: median(split_cost(cpu[size, 1], cpu[size, 2], n_epochs=1)[0])
        for size, n_epochs in cpu
        if n_epochs == 1
    }


def measure_readout(args: argparse.Namespace, journal: Journal) -> None:
    tokens = {n: readout_step(n_tokens=n, n_prototypes=64) for n in doublings(64, 1024)}
    bank = {n: readout_step(n_tokens=128, n_prototypes=n) for n in doublings(32, 512)}
    for what, tasks in (("tokens", tokens), ("prototypes", bank)):
        with one_thread():
            seconds = take_turns(tasks, 5 * args.repeats)
        cpu = {n: median(once.cpu for once in times) for n, times in seconds.items()}
        grow(what, "PrototypeReadout", "CPU s/step", cpu, journal)


def readout_step(n_tokens: int, n_prototypes: int) -> Callable[[], Any]:
    """Return a forward and backward pass of a batch of 16 rows."""
    generator = torch.Generator().manual_seed(0)
    readout = PrototypeReadout(n_prototypes, 32, generator=generator)
    tokens = torch.randn(16, n_tokens, 32, generator=generator, requires_grad=True)
    return lambda: readout(tokens).summary.square().sum().backward()


def grow(
    what: str, model: str, unit: str, seconds: dict[int, float], journal: Journal
) -> None:
    """Print and keep how a cost grows when a size doubles."""
    rows = []
    previous: float | None = None
    for size, cost in seconds.items():
        ratio = None if previous is None else cost / previous
        rows.append(
            (f"{size:,}", f"{cost:.4f}", "" if ratio is None else f"{ratio:.2f}")
        )
        journal.add(
            benchmark="scaling",
            part=what,
            model=model,
            size=size,
            unit=unit,
            cost=cost,
            ratio=ratio,
        )
        previous = cost
    print(f"\n{model}\n{format_table((what, unit, 'per doubling'), rows)}")
    costs = list(seconds.values())
    if len(costs) > 2:
        mean = (costs[-1] / costs[0]) ** (1 / (len(costs) - 1))
        print(f"over all doublings {mean:.2f}")


def measure_memory(args: argparse.Namespace, journal: Journal) -> None:
    encoder = args.encoders[0]
    base = fit_in_fresh_process(1000, 20, encoder)["peak_bytes"]
    rows, sizes, peaks = [], [], []
    for n_rows in args.memory_rows:
        measured = fit_in_fresh_process(n_rows, 20, encoder)
        table, peak = measured["table_bytes"], measured["peak_bytes"] - base
        sizes.append(table)
        peaks.append(peak)
        journal.add(benchmark="scaling", part="memory", baseline_bytes=base, **measured)
        rows.append(
            (
                f"{n_rows:,}",
                *(f"{b / MIB:.0f}" for b in (table, peak)),
                f"{peak / table:.2f}",
            )
        )
    header = ("rows x 20", "table MiB", "peak - baseline MiB", "in tables")
    print(f"\npeak memory, the table included\n{format_table(header, rows)}")
    if len(sizes) > 1:
        slope, constant = np.polyfit(sizes, peaks, 1)
        print(
            f"= {slope:.2f} tables + {constant / MIB:.0f} MiB (line through all sizes)"
        )


def measure_million(args: argparse.Namespace, journal: Journal) -> None:
    for encoder in args.encoders:
        base = fit_in_fresh_process(1000, 20, encoder)["peak_bytes"]
        measured = fit_in_fresh_process(1_000_000, 20, encoder)
        journal.add(
            benchmark="scaling", part="million", baseline_bytes=base, **measured
        )
        print(
            f"{encoder}: one epoch of 1,000,000 x 20 in {measured['fit_cpu']:.0f} CPU "
            f"seconds ({measured['fit_wall']:.0f} by the clock), peak "
            f"{measured['peak_bytes'] / MIB:.0f} MiB, of which the table "
            f"{measured['table_bytes'] / MIB:.0f} MiB"
        )


PARTS = {
    "rows": measure_rows,
    "columns": measure_columns,
    "readout": measure_readout,
    "memory": measure_memory,
}


if __name__ == "__main__":
    main()
