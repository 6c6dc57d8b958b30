"""Features without labels before logistic regression: which of them serve it best?"""

import argparse
import os
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

from harness.caps import DEFAULT_CAP
from harness.codebook_data import DATA, table_path
from harness.feature_models import (
    FEATURES,
    FeaturesBeforeLogistic,
    count_columns,
    make_features,
)
from harness.feature_report import describe_features
from harness.protocol import Table, evaluate, read_table, split_rows
from harness.records import RESULTS, Journal

ROOT = Path(__file__).resolve().parents[1]
KEY = ("set", "seed", "model", "width", "cap")
TABLES = (
    "ctg,vehicle,segment,credit_g,phoneme,vowel,titanic_full,mlc_churn,satimage,"
    "wine_quality_white,attrition,electrical_grid,splice,telco_churn,cells,"
    "contraceptive,mice_protein,adult,spambase,banana"
).split(",")
OWN = "own"
# What has as many columns as the table, whatever is asked for.
FIXED = ("raw", "QuantileTransformer")


def main() -> None:
    args = parse_arguments()
    journal = Journal(args.out, KEY)
    if not args.report:
        run(args, journal)
    print(text := describe_features(journal.results, args.rows))
    args.pictures.mkdir(parents=True, exist_ok=True)
    path = args.pictures / "features.md"
    path.write_text(f"{text}\n", encoding="utf-8")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=DATA, help="has tabular/*.csv")
    parser.add_argument("--sets", nargs="+", default=list(TABLES))
    parser.add_argument(
        "--widths",
        nargs="+",
        default=[OWN, "64"],
        help="columns of the features; 'own' for as many as the encoded table has",
    )
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--models", nargs="+", choices=FEATURES, default=list(FEATURES))
    parser.add_argument(
        "--rows", type=int, default=DEFAULT_CAP, help="per table, at most; 0 for all"
    )
    parser.add_argument("--quick", action="store_true", help="two tables, one seed")
    parser.add_argument("--report", action="store_true", help="measure nothing")
    parser.add_argument("--out", type=Path, default=RESULTS / "features.jsonl")
    parser.add_argument(
        "--pictures",
        type=Path,
        default=ROOT / "build" / "benchmarks",
        help="folder of features.md",
    )
    args = parser.parse_args()
    if args.quick:
        args.sets, args.seeds = args.sets[1:3] or args.sets, args.seeds[:1]
    return args


def run(args: argparse.Namespace, journal: Journal) -> None:
    """Score every kind of features on every case that is not known yet."""
    for seed in args.seeds:
        for name in args.sets:
            path = table_path(name, args.data)
            if not path.exists():
                print(f"{name} is skipped: there is no {path}; see --data.")
                continue
            whole = read_table(path, args.rows or None)
            for width in args.widths:
                for spec in args.models:
                    if spec in FIXED and width != OWN:
                        continue
                    key = {"set": name, "seed": seed, "model": spec, "width": width}
                    key["cap"] = args.rows
                    if tuple(key[field] for field in KEY) in journal:
                        continue
                    result = measure(whole, spec, width, seed)
                    journal.add(benchmark="features", **key, **result)
                    print(*list(key.values())[:4], in_short(result), flush=True)


def measure(whole: Table, spec: str, width: str, seed: int) -> dict[str, Any]:
    """Fit features and classifier to three quarters of the rows, score the rest."""
    train, test = split_rows(whole.classes, seed)
    own = count_columns(whole.features.iloc[train])
    wanted = own if width == OWN else int(width)
    made: list[FeaturesBeforeLogistic] = []

    def make() -> FeaturesBeforeLogistic:
        made.append(FeaturesBeforeLogistic(make_features(spec, wanted, seed), seed))
        return made[0]

    result = evaluate(make, whole, train, test)
    result |= {"n": len(train), "own_columns": own}
    if "error" not in result:
        model = made[0]
        result |= {"n_columns": model.n_columns_, "C": model.C_}
        result["features_cpu"] = model.features_cpu_
    return result


def in_short(result: dict[str, Any]) -> str:
    if "error" in result:
        return result["error"]
    line = "acc {acc:.4f}  ll {ll:.4f}  {n_columns} columns  {features_cpu:.2f} s"
    return line.format(**result)


if __name__ == "__main__":
    main()
