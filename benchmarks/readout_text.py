"""Prototype readouts beside mean and cls pooling, in a transformer trained on SST-2."""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from harness.codebook_data import DATA
from harness.document_data import CACHE, Documents, NotAvailable, read_documents
from harness.document_readout import train_readout
from harness.document_readout_report import write_report
from harness.records import RESULTS, Journal
from harness.timing import time_once

ROOT = Path(__file__).resolve().parents[1]
KEY = ("readout", "n_prototypes", "lr_ratio", "seed")
SIZES = (2, 4, 8, 16)
RATIOS = (0.1, 1.0, 10.0, 100.0)
SUMMARIES = ("assignments", "slots", "mean+assignments")
# At which the sizes are compared.
_USUAL_RATIO = 10.0


def main() -> None:
    args = parse_arguments()
    journal = Journal(args.out, KEY)
    if not args.report:
        try:
            documents = read_documents("sst2", args.data, args.cache)
        except NotAvailable as reason:
            sys.exit(f"Nothing can be measured: {reason}.")
        measure(documents, args, journal)
    print(write_report(journal.results, args.pictures))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--epochs", type=int, default=6)
    parser.add_argument("--sentences", type=int, default=3000, help="to learn from")
    parser.add_argument("--quick", action="store_true", help="four trainings")
    parser.add_argument("--report", action="store_true", help="measure nothing")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the sets")
    parser.add_argument("--cache", type=Path, default=CACHE, help="of embeddings")
    parser.add_argument("--out", type=Path, default=RESULTS / "readout_text.jsonl")
    parser.add_argument(
        "--pictures",
        type=Path,
        default=ROOT / "build" / "benchmarks",
        help="folder of readout_text.md and its picture",
    )
    return parser.parse_args()


def cases(quick: bool) -> list[dict[str, Any]]:
    """Return what is trained: readouts, sizes, and ratios of the time scales."""
    sizes = SIZES[:1] if quick else SIZES
    found = [
        {"readout": name, "n_prototypes": 0, "lr_ratio": 1.0}
        for name in ("mean", "cls")
    ]
    for size in sizes:
        for name in SUMMARIES:
            found.append(
                {"readout": name, "n_prototypes": size, "lr_ratio": _USUAL_RATIO}
            )
        others = () if quick else (r for r in RATIOS if r != _USUAL_RATIO)
        for ratio in others:
            found.append(
                {"readout": SUMMARIES[0], "n_prototypes": size, "lr_ratio": ratio}
            )
    return found


def measure(documents: Documents, args: argparse.Namespace, journal: Journal) -> None:
    """Train every case with every seed, the seeds also choosing the sentences."""
    given = np.flatnonzero(~documents.is_test)
    test = np.flatnonzero(documents.is_test)
    for seed in args.seeds[:1] if args.quick else args.seeds:
        train = np.random.default_rng(seed).permutation(given)[: args.sentences]
        for case in cases(args.quick):
            if (*case.values(), seed) in journal:
                continue
            found: dict[str, Any] = {}
            seconds = time_once(
                lambda case=case, seed=seed, found=found, train=train: found.update(
                    train_readout(
                        *take(documents, train),
                        *take(documents, test),
                        seed=seed,
                        n_epochs=args.epochs,
                        **case,
                    )
                )
            )
            journal.add(
                benchmark="readout_text", **case, seed=seed, cpu=seconds.cpu, **found
            )
            print(*case.values(), seed, f"{found['accuracy']:.4f}", flush=True)


def take(documents: Documents, some: np.ndarray) -> tuple[list, np.ndarray]:
    """Return some of the documents, and their classes."""
    return [documents.tokens[i] for i in some], documents.classes[some]


if __name__ == "__main__":
    main()
