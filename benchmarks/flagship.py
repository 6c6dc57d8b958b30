"""Debris, payload or rocket body? Five folds of a real satellite catalog."""

import argparse
import os
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from statistics import mean
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from harness.models import TREES, make_model, parse_spec, warm_up
from harness.protocol import Table, evaluate, read_table
from harness.records import RESULTS, Journal, format_table
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data" / "orbital" / "task_objtype_2023.csv.gz"
MODELS = ("ddcl", "ddcl:readout=mean", "ddcl:encoder=transformer", "histgb", "rf")
N_FOLDS = 5
SCORES = {"acc": "accuracy", "bal": "balanced acc.", "ll": "log-loss", "ece": "ECE"}
COSTS = {"fit_cpu": "fit CPU s", "pred_cpu": "predict CPU s"}


def main() -> None:
    args = parse_arguments()
    journal = Journal(args.out, key=("data", "split", "fold", "model"))
    if not args.report:
        run(args, journal)
    for split in args.splits:
        chosen = [
            result
            for result in journal.results
            if (result["data"], result["split"]) == (data_name(args), split)
        ]
        print(f"\n{report(chosen, split)}")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", nargs="?", type=Path, default=DATA)
    parser.add_argument("--models", nargs="+", default=[*MODELS, "lgbm"])
    parser.add_argument("--splits", nargs="+", choices=SPLITS, default=["by_launch"])
    parser.add_argument(
        "--folds", nargs="+", type=int, choices=range(N_FOLDS), default=range(N_FOLDS)
    )
    parser.add_argument("--rows", type=int, help="draw so many rows, for a quick look")
    parser.add_argument("--report", action="store_true", help="only print results")
    parser.add_argument("--out", type=Path, default=RESULTS / "flagship.jsonl")
    args = parser.parse_args()
    for spec in args.models:
        parse_spec(spec)
    return args


def run(args: argparse.Namespace, journal: Journal) -> None:
    if not args.data.exists():
        sys.exit(
            f"There is no {args.data}. Give the path of a CSV with columns 'target' "
            "and 'group' (the launch), or use --report to read earlier results."
        )
    table = read_table(args.data, args.rows)
    name = data_name(args)
    todo = [
        (split, fold, spec)
        for split in args.splits
        for fold in args.folds
        for spec in args.models
        if (name, split, fold, spec) not in journal
    ]
    installed = warm_up(dict.fromkeys(spec for _, _, spec in todo))
    folds = {split: list(SPLITS[split](table)) for split in args.splits}
    for split, fold, spec in todo:
        if spec not in installed:
            continue
        rows = folds[split][fold]
        result = evaluate(partial(make_model, spec, fold), table, *rows)
        print(f"{split} fold {fold}  {spec:<28} {in_short(result)}", flush=True)
        key = {"data": name, "split": split, "fold": fold, "model": spec}
        journal.add(benchmark="flagship", **key, **result)


def data_name(args: argparse.Namespace) -> str:
    return args.data.name if args.rows is None else f"{args.data.name}[{args.rows}]"


def by_launch(table: Table) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    folds = StratifiedGroupKFold(N_FOLDS, shuffle=True, random_state=0)
    return folds.split(table.features, table.classes, table.groups)


def at_random(table: Table) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    folds = StratifiedKFold(N_FOLDS, shuffle=True, random_state=0)
    return folds.split(table.features, table.classes)


SPLITS = {"by_launch": by_launch, "random": at_random}


def in_short(result: dict[str, Any]) -> str:
    if "error" in result:
        return result["error"]
    return "acc {acc:.4f}  bal {bal:.4f}  ll {ll:.4f}  {fit_cpu:.1f} s".format(**result)


def report(results: list[dict[str, Any]], split: str) -> str:
    """Return means per model, and how far each is from the best tree of every fold."""
    models: dict[str, dict[int, dict[str, Any]]] = {}
    for result in results:
        if "error" not in result:
            models.setdefault(result["model"], {})[result["fold"]] = result
    if not models:
        return f"{split}: no results"
    rows = [
        (
            spec,
            len(folds),
            *(f"{mean(r[field] for r in folds.values()):.4f}" for field in SCORES),
            *(f"{mean(r[field] for r in folds.values()):.2f}" for field in COSTS),
        )
        for spec, folds in models.items()
    ]
    header = (split, "folds", *SCORES.values(), *COSTS.values())
    parts = [format_table(header, rows)]
    parts += [gaps_to_trees(models, field) for field in ("acc", "bal", "ll")]
    return "\n\n".join(filter(None, parts))


def gaps_to_trees(models: dict[str, dict[int, dict[str, Any]]], field: str) -> str:
    """Return a table of differences to the tree that is best, fold by fold."""
    trees = [folds for spec, folds in models.items() if is_tree(spec)]
    best = min if field == "ll" else max
    marks = {
        fold: best(folds[fold][field] for folds in trees if fold in folds)
        for fold in sorted(set().union(*trees))
    }
    rows = []
    for spec, folds in models.items():
        gaps = {f: folds[f][field] - marks[f] for f in marks if f in folds}
        if gaps:
            cells = [f"{gaps[f]:+.4f}" if f in gaps else "" for f in marks]
            rows.append((spec, *cells, f"{mean(gaps.values()):+.4f}"))
    header = (f"{SCORES[field]} - best tree", *(f"fold {f}" for f in marks), "mean")
    return format_table(header, rows) if rows else ""


def is_tree(spec: str) -> bool:
    return parse_spec(spec)[0] in TREES


if __name__ == "__main__":
    main()
