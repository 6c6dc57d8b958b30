"""Codebooks of rows at scale: prediction, memory, and growth of the fit."""

import argparse
import os
import warnings
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from harness.codebook_memory import TASKS, in_fresh_process
from harness.codebook_predict import plain_formulations
from harness.records import RESULTS, Journal, format_table
from harness.timing import compare, take_turns, time_once
from sklearn.cluster import KMeans

from sklearn_ddcl import DDCLQuantizer

MIB = 2**20
OURS = "DDCLQuantizer.predict"


def main() -> None:
    args = parse_arguments()
    journal = Journal(args.out)
    for part in args.parts:
        PARTS[part](args, journal)
    print(f"\nwritten to {args.out}")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--rows", type=int, default=1_000_000, help="of predictions")
    parser.add_argument("--columns", type=int, default=32)
    parser.add_argument("--codes", type=int, default=256)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--min-rows", type=int, default=16_384, help="of fits")
    parser.add_argument("--max-rows", type=int, default=262_144, help="of fits")
    parser.add_argument("--max-codes", type=int, default=512)
    parser.add_argument("--quick", action="store_true", help="a tenth of everything")
    parser.add_argument("--out", type=Path, default=RESULTS / "codebook_speed.jsonl")
    args = parser.parse_args()
    if args.quick:
        args.rows, args.repeats = args.rows // 10, 3
        args.min_rows, args.max_rows = args.min_rows // 4, args.max_rows // 8
        args.max_codes = args.max_codes // 4
    return args


def random_rows(n_rows: int, n_columns: int) -> np.ndarray:
    rng = np.random.default_rng(0)
    return rng.standard_normal((n_rows, n_columns), dtype=np.float32)


def quantizer(n_codes: int, **params: Any) -> DDCLQuantizer:
    return DDCLQuantizer(n_codes, device="cpu", random_state=0, **params)


def fit_quietly(model: Any, X: np.ndarray) -> Any:
    """Return the fitted model, without warnings that it could be fitted better."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return model.fit(X)


def measure_prediction(args: argparse.Namespace, journal: Journal) -> None:
    """Compare ways to find the nearest of the same codes."""
    tasks = predictions(random_rows(args.rows, args.columns), args.codes)
    reference = tasks["KMeans.predict"]()
    agree = {name: float((task() == reference).mean()) for name, task in tasks.items()}
    seconds = take_turns(tasks, args.repeats, warm_up=False)
    cpu = {name: [once.cpu for once in turns] for name, turns in seconds.items()}
    medians = {name: median(times) for name, times in cpu.items()}
    plain = [name for name in cpu if not name.endswith(".predict")]
    fastest = min(plain, key=medians.__getitem__)
    rows = []
    for name in sorted(cpu, key=medians.__getitem__):
        ratio = compare(cpu[OURS], cpu[name])
        mark = " (fastest plain)" if name == fastest else ""
        rows.append((name + mark, f"{medians[name]:.3f}", ratio, f"{agree[name]:.4%}"))
        journal.add(
            benchmark="codebook_speed",
            part="predict",
            rows=args.rows,
            columns=args.columns,
            n_codes=args.codes,
            competitor=name,
            fastest_plain=name == fastest,
            cpu=cpu[name],
            wall=[once.wall for once in seconds[name]],
            median_cpu=medians[name],
            ours_to_this=ratio.median,
            same_codes_as_kmeans=agree[name],
        )
    header = (f"{args.rows:,} x {args.columns}, K = {args.codes}", "CPU s")
    print(f"\n{format_table((*header, 'ours / this', 'codes as KMeans'), rows)}")


def predictions(X: np.ndarray, n_codes: int) -> dict[str, Callable[[], np.ndarray]]:
    """Return ways to find the nearest codes, all with the codebook of ours."""
    few = X[:20_000]
    ours = fit_quietly(quantizer(n_codes, max_epochs=10), few)
    codebook = np.ascontiguousarray(ours.cluster_centers_, dtype=np.float32)
    kmeans = fit_quietly(KMeans(n_codes, init=codebook, n_init=1, max_iter=1), few)
    kmeans.cluster_centers_ = codebook
    return {
        OURS: partial(ours.predict, X),
        "KMeans.predict": partial(kmeans.predict, X),
        **plain_formulations(X, codebook),
    }


def measure_memory(args: argparse.Namespace, journal: Journal) -> None:
    """Measure what a fit and a prediction need beyond those of few rows."""
    rows = []
    for model in ("DDCLQuantizer", "KMeans"):
        for task in TASKS:
            measure = partial(in_fresh_process, task, model)
            base = measure(4096, args.columns, args.codes)["peak_bytes"]
            found = measure(args.rows, args.columns, args.codes)
            peak, size = found["peak_bytes"] - base, found["table_bytes"]
            journal.add(
                benchmark="codebook_speed",
                part="memory",
                baseline_bytes=base,
                in_tables=peak / size,
                **found,
            )
            sizes = (size, found["codes_bytes"], peak)
            rows.append(
                (
                    f"{model}.{task}",
                    *(f"{n / MIB:.0f}" for n in sizes),
                    f"{peak / size:.2f}",
                )
            )
    header = (f"{args.rows:,} x {args.columns}", "table MiB", "codes MiB")
    header += ("peak - baseline MiB", "in tables")
    print(f"\npeak memory, the table included\n{format_table(header, rows)}")


def measure_growth(args: argparse.Namespace, journal: Journal) -> None:
    """Double the rows, then the codes, of passes and of whole fits."""
    n_codes = 64
    rows = doublings(args.min_rows, args.max_rows)
    cases = {n: (random_rows(n, args.columns), n_codes) for n in rows}
    grow("rows", cases, args, journal)
    X = random_rows(args.min_rows, args.columns)
    codes = doublings(32, args.max_codes)
    grow("codes", {k: (X, k) for k in codes}, args, journal)


def doublings(first: int, last: int) -> list[int]:
    """Return `first` and its doubles up to `last`."""
    sizes = [first]
    while 2 * sizes[-1] <= last:
        sizes.append(2 * sizes[-1])
    return sizes


def grow(
    what: str,
    cases: dict[int, tuple[np.ndarray, int]],
    args: argparse.Namespace,
    journal: Journal,
) -> None:
    """Print and keep how seconds grow when a size doubles."""
    lines = []
    before: tuple[float, ...] | None = None
    for size, (X, n_codes) in cases.items():
        per_pass = seconds_per_pass(X, n_codes)
        whole = quantizer(n_codes)
        total = time_once(partial(fit_quietly, whole, X)).cpu
        costs = (per_pass, total)
        ratios = [None, None] if before is None else list(_ratios(costs, before))
        before = costs
        journal.add(
            benchmark="codebook_speed",
            part=f"growth with {what}",
            rows=X.shape[0],
            columns=X.shape[1],
            n_codes=n_codes,
            pass_wall=per_pass,
            fit_cpu=total,
            n_passes=int(whole.n_iter_),
            pass_ratio=ratios[0],
            fit_ratio=ratios[1],
        )
        told = ["" if ratio is None else f"{ratio:.2f}" for ratio in ratios]
        cells = (f"{per_pass:.4f}", told[0], f"{total:.2f}", told[1], whole.n_iter_)
        lines.append((f"{size:,}", *cells))
    header = (what, "s/pass", "per doubling", "CPU s/fit", "per doubling", "passes")
    print(f"\n{format_table(header, lines)}")


def _ratios(costs: Iterable[float], before: Iterable[float]) -> Iterable[float]:
    return (a / b for a, b in zip(costs, before, strict=True))


def seconds_per_pass(X: np.ndarray, n_codes: int) -> float:
    """Return seconds of a pass over all rows, the median of the last of a fit.

    The first ones are soft, and look at a sample of the rows if they are many.
    """
    model = fit_quietly(quantizer(n_codes, max_epochs=60, n_relocations=0), X)
    return float(np.median(np.diff(model.history_["seconds"])[-15:]))


PARTS = {
    "predict": measure_prediction,
    "memory": measure_memory,
    "growth": measure_growth,
}


if __name__ == "__main__":
    main()
