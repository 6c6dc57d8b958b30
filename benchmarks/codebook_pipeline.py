"""Codebooks as a step before a linear classifier: which features serve it best?"""

import argparse
import os
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import pandas as pd
from harness.caps import DEFAULT_CAP, holds_for
from harness.codebook_data import DATA, table_path
from harness.codebook_steps import STEPS, make_pipeline_with
from harness.markdown import number, table
from harness.protocol import Table, evaluate, read_table, split_rows
from harness.provenance import describe_environments
from harness.ranking import best_known, common_cases, n_cases, summarize
from harness.records import RESULTS, Journal

ROOT = Path(__file__).resolve().parents[1]
KEY = ("set", "seed", "model", "n_codes", "cap")
TABLES = (
    "vehicle,vowel,segment,ctg,cells,phoneme,satimage,wine_quality_white,optdigits,"
    "pendigits"
).split(",")


def main() -> None:
    args = parse_arguments()
    journal = Journal(args.out, KEY)
    if not args.report:
        run(args, journal)
    print(text := report(journal.results, args.rows))
    args.pictures.mkdir(parents=True, exist_ok=True)
    path = args.pictures / "codebook_pipeline.md"
    path.write_text(f"{text}\n", encoding="utf-8")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="has tabular/*.csv")
    parser.add_argument("--sets", nargs="+", default=list(TABLES))
    parser.add_argument("--codes", nargs="+", type=int, default=[32, 128])
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--models", nargs="+", choices=STEPS, default=list(STEPS))
    parser.add_argument(
        "--rows", type=int, default=DEFAULT_CAP, help="per table, at most; 0 for all"
    )
    parser.add_argument("--quick", action="store_true", help="two tables, one seed")
    parser.add_argument("--report", action="store_true", help="measure nothing")
    parser.add_argument("--out", type=Path, default=RESULTS / "codebook_pipeline.jsonl")
    parser.add_argument(
        "--pictures",
        type=Path,
        default=ROOT / "build" / "benchmarks",
        help="folder of codebook_pipeline.md",
    )
    args = parser.parse_args()
    if args.quick:
        args.sets, args.codes, args.seeds = args.sets[:2], args.codes[:1], [0]
    return args


def run(args: argparse.Namespace, journal: Journal) -> None:
    """Score every kind of features on every case that is not known yet."""
    for name in args.sets:
        whole = read_table(table_path(name, args.data), args.rows or None)
        numbers = Table(whole.features.select_dtypes("number"), whole.classes)
        for seed in args.seeds:
            train, test = split_rows(numbers.classes, seed)
            for n_codes in args.codes:
                for spec in args.models:
                    key = {"set": name, "seed": seed, "model": spec}
                    key |= {"n_codes": n_codes, "cap": args.rows}
                    if tuple(key[field] for field in KEY) in journal:
                        continue
                    make: Callable[[], Any]
                    make = partial(make_pipeline_with, spec, n_codes, seed)
                    result = evaluate(make, numbers, train, test)
                    shape = {"n": len(train), "d": numbers.features.shape[1]}
                    journal.add(benchmark="codebook_pipeline", **key, **shape, **result)
                    print(name, seed, n_codes, spec, in_short(result), flush=True)


def in_short(result: dict[str, Any]) -> str:
    if "error" in result:
        return result["error"]
    return "acc {acc:.4f}  ll {ll:.4f}  {fit_cpu:.2f} s".format(**result)


def report(results: list[dict[str, Any]], cap: int) -> str:
    """Return tables of mean ranks and scores, one per size of the codebook."""
    held = [result for result in results if holds_for(result, cap)]
    parts = ["# Codebooks before a linear classifier"]
    for n_codes in sorted({result["n_codes"] for result in held}):
        here = [result for result in held if result["n_codes"] == n_codes]
        known = best_known(here, cap)
        models = [spec for spec in STEPS if (known["model"] == spec).any()]
        cases = common_cases(known, models)
        if cases.empty:
            continue
        parts += [f"## K = {n_codes}", describe(cases)]
    parts += ["## Machines and versions", describe_environments(held)]
    return "\n\n".join(parts)


def describe(cases: pd.DataFrame) -> str:
    """Return mean ranks and scores over seeds, then tables."""
    rows = [
        (
            spec,
            number(line["rank"], 2),
            number(line["rank_ll"], 2),
            *(number(line[field], 4) for field in ("acc", "bal", "ll", "ece")),
            number(line["fit_cpu"], 2),
        )
        for spec, line in summarize(cases).iterrows()
    ]
    header = ("features", "rank acc", "rank ll", "accuracy", "balanced acc.")
    header += ("log-loss", "ECE", "fit CPU s")
    return f"{n_cases(cases)} tables and seeds in common.\n\n{table(header, rows)}"


if __name__ == "__main__":
    main()
