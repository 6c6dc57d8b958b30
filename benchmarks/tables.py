"""Many small tables: accuracy, log-loss, calibration and CPU time of every model."""

import argparse
import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import pandas as pd
from harness.models import make_model, parse_spec, warm_up
from harness.protocol import evaluate, read_table, split_rows
from harness.ranking import best_known, common_cases, summarize, wins_ties_losses
from harness.records import RESULTS, Journal, format_table, read_results

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data" / "tabular"
CORE = (
    "ctg,vehicle,segment,credit_g,phoneme,vowel,titanic_full,mlc_churn,satimage,"
    "wine_quality_white,attrition,electrical_grid,splice,telco_churn,cells,"
    "contraceptive,mice_protein,adult,spambase,banana"
).split(",")
MODELS = ("ddcl", "logreg", "rf", "histgb", "lgbm", "xgb", "mlp")
MAX_ROWS = 3000


def main() -> None:
    args = parse_arguments()
    journal = Journal(args.out, key=("set", "seed", "model"))
    if not args.report:
        run(args, journal)
    results = list(journal.results)
    for path in args.others:
        results += read_results(path)
    print(report(best_known(results), args.models, args.sets))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="folder of CSV files")
    parser.add_argument("--sets", nargs="+", default=CORE, help="names without .csv")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0])
    parser.add_argument("--models", nargs="+", default=list(MODELS))
    parser.add_argument("--rows", type=int, default=MAX_ROWS, help="per table, at most")
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
    if not args.report:
        for spec in args.models:
            parse_spec(spec)
    return args


def run(args: argparse.Namespace, journal: Journal) -> None:
    cases = [(name, seed) for seed in args.seeds for name in args.sets]
    wanted = [
        spec
        for spec in args.models
        if any((*case, spec) not in journal for case in cases)
    ]
    installed = warm_up(wanted)
    for name, seed in cases:
        specs = [spec for spec in installed if (name, seed, spec) not in journal]
        if not specs:
            continue
        table = read_table(find_table(args.data, name), args.rows)
        train, test = split_rows(table.classes, seed)
        shape = {"n": len(train), "d": table.features.shape[1]}
        for spec in specs:
            result = evaluate(partial(make_model, spec, seed), table, train, test)
            print(f"{name} seed {seed}  {spec:<28} {in_short(result)}", flush=True)
            key = {"set": name, "seed": seed, "model": spec}
            journal.add(benchmark="tables", **key, **shape, **result)


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


def report(results: pd.DataFrame, models: list[str], sets: list[str]) -> str:
    """Return the table of means over the cases that all models have."""
    results = results[results["set"].isin(sets)]
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
    n_cases = len(cases.drop_duplicates(["set", "seed"]))
    absent = [model for model in models if model not in known]
    note = f"\nno results of {', '.join(absent)}" if absent else ""
    return f"{n_cases} tables and seeds in common\n{format_table(header, rows)}{note}"


def number(value: float, digits: int) -> str:
    return "" if pd.isna(value) else f"{value:.{digits}f}"


if __name__ == "__main__":
    main()
