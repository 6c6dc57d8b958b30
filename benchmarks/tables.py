"""Many small tables: accuracy, log-loss, calibration and CPU time of every model."""

import argparse
import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import pandas as pd
from harness.ablations import expand
from harness.caps import DEFAULT_CAP, holds_for
from harness.markdown import number
from harness.models import make_model, parse_spec, warm_up
from harness.protocol import Table, evaluate, read_table, split_rows
from harness.ranking import (
    best_known,
    common_cases,
    n_cases,
    summarize,
    wins_ties_losses,
)
from harness.records import RESULTS, Journal, format_table, read_results

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data" / "tabular"
CORE = (
    "ctg,vehicle,segment,credit_g,phoneme,vowel,titanic_full,mlc_churn,satimage,"
    "wine_quality_white,attrition,electrical_grid,splice,telco_churn,cells,"
    "contraceptive,mice_protein,adult,spambase,banana"
).split(",")
MODELS = ("ddcl", "logreg", "rf", "histgb", "lgbm", "xgb", "mlp")


def main() -> None:
    args = parse_arguments()
    journal = Journal(args.out)
    if not args.report:
        run(args, journal)
    results = list(journal.results)
    for path in args.others:
        results += read_results(path)
    known = best_known(results, args.rows)
    if args.sets is not None:
        known = known[known["set"].isin(args.sets)]
    print(report(known, args.models))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of CSV files")
    parser.add_argument(
        "--sets",
        nargs="+",
        help="names without .csv, or 'all' of the folder, the default; in the default "
        "folder it is 20 core tables",
    )
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument(
        "--models",
        nargs="+",
        default=list(MODELS),
        help="names, with options or not; 'ablations' are variants of ddcl",
    )
    parser.add_argument(
        "--rows", type=int, default=DEFAULT_CAP, help="per table, at most; 0 for all"
    )
    parser.add_argument("--report", action="store_true", help="only print results")
    parser.add_argument(
        "--with",
        dest="others",
        metavar="RESULTS",
        nargs="+",
        type=Path,
        default=[],
        help="further result files to report on; name their models in --models",
    )
    parser.add_argument("--out", type=Path, default=RESULTS / "tables.jsonl")
    args = parser.parse_args()
    args.models = expand(args.models)
    if not args.report:
        for spec in args.models:
            parse_spec(spec)
    args.sets = chosen_sets(args)
    return args


def chosen_sets(args: argparse.Namespace) -> list[str] | None:
    """Return names of tables; None, in a report, for whatever has results."""
    if args.sets is None and args.data == DATA:
        return list(CORE)
    if args.sets is not None and args.sets != ["all"]:
        return args.sets
    return None if args.report else tables_in(args.data)


def tables_in(folder: Path) -> list[str]:
    """Return the names of the CSV files that have a column ``target``."""
    paths = sorted([*folder.glob("*.csv"), *folder.glob("*.csv.gz")])
    names = [
        path.name.removesuffix(".gz").removesuffix(".csv")
        for path in paths
        if "target" in pd.read_csv(path, nrows=0)
    ]
    if not names:
        sys.exit(
            f"There is no .csv or .csv.gz with a column 'target' in {folder}. Give a "
            "folder of such files as --data."
        )
    return list(dict.fromkeys(names))


def run(args: argparse.Namespace, journal: Journal) -> None:
    done = {
        (result["set"], result["seed"], result["model"])
        for result in journal.results
        if "error" not in result and holds_for(result, args.rows)
    }
    cases = [(name, seed) for seed in args.seeds for name in args.sets]
    wanted = [
        spec for spec in args.models if any((*case, spec) not in done for case in cases)
    ]
    installed = warm_up(wanted)
    for name, seed in cases:
        specs = [spec for spec in installed if (name, seed, spec) not in done]
        if not specs:
            continue
        table = read_table(find_table(args.data, name), args.rows or None)
        train, test = split_rows(table.classes, seed)
        shape = {"cap": args.rows, "n": len(train), **shape_of(table)}
        for spec in specs:
            result = evaluate(partial(make_model, spec, seed), table, train, test)
            print(f"{name} seed {seed}  {spec:<28} {in_short(result)}", flush=True)
            key = {"set": name, "seed": seed, "model": spec}
            journal.add(benchmark="tables", **key, **shape, **result)


def shape_of(table: Table) -> dict[str, int]:
    """Return the numbers of columns, of categorical ones among them, and of classes."""
    return {
        "d": table.features.shape[1],
        "cat": table.features.select_dtypes("category").shape[1],
        "classes": int(table.classes.max()) + 1,
    }


def find_table(folder: Path, name: str) -> Path:
    for ending in (".csv", ".csv.gz"):
        if (path := folder / f"{name}{ending}").exists():
            return path
    sys.exit(
        f"There is no {name}.csv or {name}.csv.gz in {folder}. Give a folder of CSV "
        "files with a column 'target' as --data, and names of files as --sets."
    )


def in_short(result: dict[str, Any]) -> str:
    if "error" in result:
        return result["error"]
    return "acc {acc:.4f}  ll {ll:.4f}  ece {ece:.4f}  {fit_cpu:.1f} s".format(**result)


def report(results: pd.DataFrame, models: list[str]) -> str:
    """Return the table of means over the cases that all models have."""
    known = [model for model in models if (results["model"] == model).any()]
    cases = common_cases(results, known)
    if cases.empty:
        return f"No table has results of all of {', '.join(models)}."
    first = known[0]
    rows = []
    for model, means in summarize(cases).iterrows():
        compared = [
            "/".join(map(str, wins_ties_losses(cases, first, model, by)))
            for by in ("acc", "ll")
        ]
        rows.append(
            (
                model,
                f"{means['rank']:.2f}",
                f"{means['rank_ll']:.2f}",
                *(number(means[field], 4) for field in ("acc", "bal", "ll", "ece")),
                *(number(means[field], 2) for field in ("fit_cpu", "pred_cpu")),
                *(["", ""] if model == first else compared),
            )
        )
    header = ("model", "rank acc", "rank ll", "acc", "bal acc", "log-loss", "ECE")
    header += ("fit CPU s", "predict CPU s", f"{first} w/t/l acc", "w/t/l ll")
    absent = [model for model in models if model not in known]
    note = f"\nno results of {', '.join(absent)}" if absent else ""
    title = f"{n_cases(cases)} tables and seeds in common"
    return f"{title}\n{format_table(header, rows)}{note}"


if __name__ == "__main__":
    main()
