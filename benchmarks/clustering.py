"""Clusters of rows: do they find classes that nobody told them?"""

import argparse
import os
import time
import warnings
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from harness.clustering_data import SETS, Labeled, path_of, read_labeled
from harness.clustering_dual import COLUMNS, SOLVERS, few_rows, make_solver
from harness.clustering_models import MODELS, make_clustering, reason_to_skip
from harness.clustering_report import write_report
from harness.clustering_scores import score_clusters
from harness.codebook_data import DATA
from harness.protocol import split_rows
from harness.records import RESULTS, Journal

ROOT = Path(__file__).resolve().parents[1]
KEY = ("part", "set", "seed", "model", "n_columns")
QUICK_SETS = ("digits", "vowel")


def main() -> None:
    args = parse_arguments()
    journal = Journal(args.out, KEY)
    if not args.report:
        for part in args.parts:
            PARTS[part](args, journal)
    print(write_report(journal.results, args.pictures))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the sets")
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--models", nargs="+", choices=MODELS, default=list(MODELS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2, 3, 4])
    parser.add_argument(
        "--columns", nargs="+", type=int, default=list(COLUMNS), help="of part 'dual'"
    )
    parser.add_argument("--quick", action="store_true", help="two sets, two seeds")
    parser.add_argument("--report", action="store_true", help="measure nothing")
    parser.add_argument("--out", type=Path, default=RESULTS / "clustering.jsonl")
    parser.add_argument(
        "--pictures",
        type=Path,
        default=ROOT / "build" / "benchmarks",
        help="folder of clustering.md",
    )
    args = parser.parse_args()
    if args.quick:
        args.sets, args.seeds = list(QUICK_SETS), args.seeds[:2]
        args.columns = args.columns[:2]
    return args


def measure_all(args: argparse.Namespace, journal: Journal) -> None:
    """Cluster all rows of every set."""
    measure(args, journal, "all rows")


def measure_held_out(args: argparse.Namespace, journal: Journal) -> None:
    """Cluster three quarters of the rows, and ask for the clusters of the others."""
    measure(args, journal, "held out")


def measure(args: argparse.Namespace, journal: Journal, part: str) -> None:
    """Score every model on every set and seed that is not known yet."""
    for name in args.sets:
        path = path_of(name, args.data)
        if path is not None and not path.exists():
            print(f"{name} is skipped: there is no {path}; see --data.")
            continue
        data = read_labeled(name, args.data)
        for spec in args.models:
            if reason := reason_to_skip(spec, data, held_out=part == "held out"):
                print(f"{spec} is skipped on {name}: {reason}.")
                continue
            for seed in args.seeds:
                key = {"part": part, "set": name, "seed": seed, "model": spec}
                key["n_columns"] = data.features.shape[1]
                if tuple(key[field] for field in KEY) not in journal:
                    add(journal, key, attempt(spec, data, part, seed))


def attempt(spec: str, data: Labeled, part: str, seed: int) -> dict[str, Any]:
    """Return the scores of a fit, or its error."""
    fitted = scored = np.arange(len(data.classes))
    if part == "held out":
        fitted, scored = split_rows(data.classes, seed)
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model = make_clustering(spec, data, seed)
            began = time.process_time()
            if spec == "SpectralClustering":
                labels = model.fit_predict(data.features)
            else:
                model.fit(data.features.iloc[fitted])
                labels = model.predict(data.features.iloc[scored])
            seconds = time.process_time() - began
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"[:300]}
    result: dict[str, Any] = score_clusters(data.classes[scored], np.asarray(labels))
    result |= {"n": len(fitted), "fit_cpu": seconds}
    if names := sorted({warning.category.__name__ for warning in caught}):
        result["warnings"] = names
    return result


def measure_dual(args: argparse.Namespace, journal: Journal) -> None:
    """Find two clusters of 100 rows by the quantizer's solvers."""
    for n_columns in args.columns:
        for seed in args.seeds:
            X, y = few_rows(n_columns, seed)
            for spec in SOLVERS:
                key = {"part": "dual", "set": "make_classification", "seed": seed}
                key |= {"model": spec, "n_columns": n_columns}
                if tuple(key[field] for field in KEY) in journal:
                    continue
                began = time.process_time()
                model = make_solver(spec, seed).fit(X)
                result: dict[str, Any] = {"fit_cpu": time.process_time() - began}
                result |= score_clusters(y, np.asarray(model.labels_))
                add(journal, key, result | {"inertia": float(model.inertia_)})


PARTS = {"all": measure_all, "held-out": measure_held_out, "dual": measure_dual}


def add(journal: Journal, key: dict[str, Any], result: dict[str, Any]) -> None:
    journal.add(benchmark="clustering", **key, **result)
    print(*key.values(), in_short(result), flush=True)


def in_short(result: dict[str, Any]) -> str:
    if "error" in result:
        return result["error"]
    return "acc {acc:.4f}  nmi {nmi:.4f}  {fit_cpu:.2f} s".format(**result)


if __name__ == "__main__":
    main()
