"""How many prototypes: is what `n_prototypes="auto"` finds as good as a grid search?"""

import argparse
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

from harness.codebook_data import DATA, read_rows, table_path
from harness.count_report import describe_counts, draw_counts
from harness.count_scores import (
    COUNTERS,
    measure_blobs,
    measure_classifier,
    measure_codebook,
    measure_documents,
    measure_features,
)
from harness.document_data import NotAvailable, read_documents
from harness.protocol import read_table
from harness.records import RESULTS, Journal

ROOT = Path(__file__).resolve().parents[1]
KEY = ("part", "set", "seed", "model")
PARTS = ("blobs", "codebook", "classifier", "features", "documents")
CLASSIFIED = (
    "vehicle,contraceptive,banana,cells,vowel,credit_g,phoneme,wine_quality_white"
).split(",")
CODED = ("segment", "ctg", "cells", "satimage")
FEATURED = ("vehicle", "vowel", "cells", "phoneme")
GRID = ("8", "16", "32", "64", "128")
BLOBS = [(d, k, s) for d in (2, 5, 20) for k in (1, 3, 8, 20) for s in (1.0, 2.0)]
LEVELS = ("auto,auto", "64,4", "64,16", "64,64")
MAX_ROWS = 1500


def main() -> None:
    args = parse_arguments()
    journal = Journal(args.out, KEY)
    if not args.report:
        for part in args.parts:
            run(part, args, journal)
    print(text := describe_counts(journal.results))
    args.pictures.mkdir(parents=True, exist_ok=True)
    (args.pictures / "prototype_count.md").write_text(f"{text}\n", encoding="utf-8")
    if any(result["part"] == "classifier" for result in journal.results):
        draw_counts(journal.results).savefig(args.pictures / "prototype_count.png")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--data", type=Path, default=DATA, help="has tabular/*.csv")
    parser.add_argument("--sets", nargs="+", help="instead of the usual tables")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1])
    parser.add_argument(
        "--rows", type=int, default=MAX_ROWS, help="of classified tables, at most"
    )
    parser.add_argument("--quick", action="store_true", help="two cases, one seed")
    parser.add_argument("--report", action="store_true", help="measure nothing")
    parser.add_argument("--out", type=Path, default=RESULTS / "prototype_count.jsonl")
    parser.add_argument(
        "--pictures", type=Path, default=ROOT / "build" / "benchmarks", help="folder"
    )
    args = parser.parse_args()
    if args.quick:
        args.seeds = args.seeds[:1]
    return args


def run(part: str, args: argparse.Namespace, journal: Journal) -> None:
    """Measure every case of a part that is not known yet."""
    seeds = args.seeds[:1] if part in ("codebook", "documents") else args.seeds
    for seed in seeds:
        for name, data, models in cases(part, args):
            for model in models:
                key = {"part": part, "set": name, "seed": seed, "model": model}
                if tuple(key.values()) in journal:
                    continue
                result = MEASURE[part](data, model, seed)
                journal.add(benchmark="prototype_count", **key, **result)
                print(*key.values(), in_short(result), flush=True)


def cases(part: str, args: argparse.Namespace) -> Iterator[tuple[str, Any, tuple]]:
    """Yield name, data and models of every case of a part."""
    if part == "blobs":
        for d, k, std in BLOBS[2:4] if args.quick else BLOBS:
            yield f"d={d} k={k} std={std:g}", (d, k, std), COUNTERS
        return
    if part == "documents":
        try:
            yield "newsgroups", read_documents("newsgroups", args.data), LEVELS
        except NotAvailable as missing:
            print(f"newsgroups is skipped: {missing}")
        return
    usual = {"codebook": CODED, "classifier": CLASSIFIED, "features": FEATURED}[part]
    grid: tuple[str, ...] = ("auto", *GRID)
    if part == "codebook":
        grid = ("auto", "2", "4", *GRID, "256")
    elif part == "features":
        grid = tuple(
            f"{output} {size}"
            for output in ("embedding", "assignments")
            for size in ("auto", "8", "32", "64")
        )
    if args.quick:
        grid = grid[:2]
    for name in args.sets or usual:
        path = table_path(name, args.data)
        if not path.exists():
            print(f"{name} is skipped: there is no {path}; see --data.")
        elif part == "codebook":
            yield name, read_rows(name, args.data), grid
        else:
            yield name, read_table(path, args.rows or None), grid


MEASURE = {
    "blobs": measure_blobs,
    "codebook": measure_codebook,
    "classifier": measure_classifier,
    "features": measure_features,
    "documents": measure_documents,
}


def in_short(result: dict[str, Any]) -> str:
    shown = ("found", "n_prototypes", "acc", "ll", "held_out", "fit_cpu", "error")
    return "  ".join(
        f"{name} {value:.4g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in result.items()
        if name in shown
    )


if __name__ == "__main__":
    main()
