"""Codebooks of rows: distortion and CPU time beside k-means and VectorQuantize."""

import argparse
import os
import warnings
from collections.abc import Iterator
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from harness.codebook_data import DATA, SETS, read_rows
from harness.codebook_models import COMPETITORS, OURS, Codebook, fit_codebook
from harness.codebook_report import write_report
from harness.codebook_scores import score_codebook
from harness.codebook_vq import SETTINGS, train_codebook
from harness.records import RESULTS, Journal
from harness.timing import time_once

ROOT = Path(__file__).resolve().parents[1]
KEY = ("part", "set", "n_codes", "seed", "model", "precision")
# The last point of the curve costs as much as all the rest, so it gets one seed.
ONE_SEED = ("KMeans:n_init=30",)
VQ_SETS = ("phoneme", "satimage", "optdigits", "pendigits", "spambase", "mnist_5k")
VQ_CODES = (64, 256, 1024)
QUICK_SETS = ("vehicle", "segment", "digits")


def main() -> None:
    args = parse_arguments()
    journal = Journal(args.out, KEY)
    if not args.report:
        for part in args.parts:
            PARTS[part](args, journal)
    print(write_report(journal.results, args.precision, args.pictures))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", nargs="+", choices=PARTS, default=list(PARTS))
    parser.add_argument("--sets", nargs="+", help=f"some of {', '.join(SETS)}")
    parser.add_argument("--codes", nargs="+", type=int, help="sizes of the codebook")
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument(
        "--models", nargs="+", choices=COMPETITORS, default=list(COMPETITORS)
    )
    parser.add_argument(
        "--precision",
        choices=("float32", "float64"),
        default="float32",
        help="of the rows, and of the computation",
    )
    parser.add_argument("--quick", action="store_true", help="three small sets")
    parser.add_argument("--report", action="store_true", help="measure nothing")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the sets")
    parser.add_argument("--out", type=Path, default=RESULTS / "codebook_rows.jsonl")
    parser.add_argument(
        "--pictures",
        type=Path,
        default=ROOT / "build" / "benchmarks",
        help="folder of codebook_rows.md and its pictures",
    )
    args = parser.parse_args()
    if args.quick:
        args.sets = args.sets or list(QUICK_SETS)
        args.codes = args.codes or [16, 64]
        args.models = [spec for spec in args.models if spec not in ONE_SEED]
    return args


def measure_rows(args: argparse.Namespace, journal: Journal) -> None:
    """Fit all competitors to every set, in turns."""
    warm_up(args.models)
    for name in args.sets or SETS:
        X = read_rows(name, args.data).astype(args.precision)
        for n_codes in args.codes or (16, 64, 256):
            for turn, seed in enumerate(args.seeds):
                key = {"part": "rows", "set": name, "n_codes": n_codes, "seed": seed}
                for spec in rotated(args.models, turn):
                    if spec in ONE_SEED and turn:
                        continue
                    make = partial(fit_codebook, spec, X, n_codes, seed)
                    add(journal, make, X, **key, model=spec)


def measure_vq(args: argparse.Namespace, journal: Journal) -> None:
    """Train VectorQuantize for as many epochs as ours makes passes."""
    if find_spec("vector_quantize_pytorch") is None:
        print("VectorQuantize is skipped: vector-quantize-pytorch is not installed.")
        return
    for spec in SETTINGS:
        train(spec, np.eye(20, 3, dtype=np.float32), 4, 1, 0)
    for name in args.sets or VQ_SETS:
        X = read_rows(name, args.data).astype(args.precision)
        for n_codes in args.codes or VQ_CODES:
            for seed in args.seeds[:1]:
                key = {"part": "vq", "set": name, "n_codes": n_codes, "seed": seed}
                make = partial(fit_codebook, OURS, X, n_codes, seed)
                ours = add(journal, make, X, **key, model=OURS)
                if "error" in ours:
                    continue
                n_epochs = ours["n_passes"]
                for spec in SETTINGS:
                    make = partial(train, spec, X, n_codes, n_epochs, seed)
                    add(journal, make, X, **key, model=spec)


PARTS = {"rows": measure_rows, "vq": measure_vq}


def train(spec: str, X: np.ndarray, n_codes: int, n_epochs: int, seed: int) -> Codebook:
    codes = train_codebook(X, n_codes, n_epochs, seed, **SETTINGS[spec])
    return Codebook(codes, n_epochs)


def rotated(names: list[str], turn: int) -> Iterator[str]:
    """Yield names, each turn beginning with another one."""
    first = turn % len(names)
    yield from names[first:] + names[:first]


def warm_up(models: list[str]) -> None:
    """Fit each once, so that what a library loads first counts for no set."""
    X = np.random.default_rng(0).standard_normal((200, 3)).astype(np.float32)
    for spec in models:
        fit_codebook(spec, X, 4, 0)


def add(journal: Journal, make: Any, X: np.ndarray, **key: Any) -> dict[str, Any]:
    """Measure what is not known yet, and return it."""
    key["precision"] = str(X.dtype)
    for known in journal.results:
        if "error" not in known and all(known.get(f) == key[f] for f in KEY):
            return known
    result = measure(make, X)
    print("  ".join(f"{value}" for value in key.values()), in_short(result), flush=True)
    shape = {"n": X.shape[0], "d": X.shape[1]}
    journal.add(benchmark="codebook_rows", **key, **shape, **result)
    return result


def measure(make: Any, X: np.ndarray) -> dict[str, Any]:
    """Return seconds and scores of a fit, or its error."""
    made: list[Codebook] = []
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            seconds = time_once(lambda: made.append(make()))
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"[:300]}
    result = score_codebook(X, made[0].codes)
    result |= {"n_passes": int(made[0].n_passes), "fit_cpu": seconds.cpu}
    if names := sorted({warning.category.__name__ for warning in caught}):
        result["warnings"] = names
    return result


def in_short(result: dict[str, Any]) -> str:
    if "error" in result:
        return result["error"]
    return "inertia {inertia:.6g}  used {used}  {fit_cpu:.3f} s".format(**result)


if __name__ == "__main__":
    main()
