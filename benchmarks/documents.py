"""Documents as vectors: classes, clusters, compression, time and memory."""

import argparse
import os
from collections.abc import Callable, Iterator
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
from harness.codebook_data import DATA
from harness.document_data import (
    CACHE,
    SETS,
    Documents,
    NotAvailable,
    read_documents,
)
from harness.document_encoders import ENCODERS, make_pairs, measure_encoder
from harness.document_memory import stream_in_fresh_process
from harness.document_poolings import make_pooling
from harness.document_report import write_report
from harness.document_scores import cluster_scores, linear_accuracy
from harness.records import RESULTS, Journal
from harness.timing import time_once

ROOT = Path(__file__).resolve().parents[1]
KEY = ("part", "set", "split", "model")
MODELS = (
    "mean",
    "max",
    "mean+max",
    "vlad:16",
    "attention",
    "ddcl:16",
    "ddcl:64,16",
    "ddcl+y:16",
    "ddcl+y:64,16",
)
CLUSTERED = (
    "mean",
    "max",
    "mean+max",
    "vlad:16",
    "ddcl:16",
    "ddcl:64,16",
    "ddcl:64,32",
)
RATIO = ("ddcl:64,1", "ddcl:64,2", "ddcl:64,4", "ddcl:64,8", "ddcl:64,32")
_FOLDS = 5
_SST2_TRAINING = 3000
_PAIRS = 400
_SCALED_TOKENS = (125, 250, 500, 1000, 2000)


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
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--models", nargs="+", default=list(MODELS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1])
    parser.add_argument("--quick", action="store_true", help="one split, few models")
    parser.add_argument("--report", action="store_true", help="measure nothing")
    parser.add_argument("--data", type=Path, default=DATA, help="folder of the sets")
    parser.add_argument("--cache", type=Path, default=CACHE, help="of embeddings")
    parser.add_argument("--documents", type=int, default=10_000, help="to be streamed")
    parser.add_argument("--out", type=Path, default=RESULTS / "documents.jsonl")
    parser.add_argument(
        "--pictures",
        type=Path,
        default=ROOT / "build" / "benchmarks",
        help="folder of documents.md and its picture",
    )
    args = parser.parse_args()
    if args.quick:
        args.sets, args.seeds = args.sets[:1], args.seeds[:1]
        args.models = [spec for spec in args.models if spec in ("mean", "ddcl:16")]
        args.documents = min(args.documents, 200)
    return args


def measure_vectors(args: argparse.Namespace, journal: Journal) -> None:
    """Classify the vectors of all models, split by split."""
    for name, documents in available(args):
        for split, train, test in splits(documents, args):
            for spec in args.models:
                measure_split(journal, "vectors", name, split, spec)(
                    documents, train, test
                )


def measure_ratio(args: argparse.Namespace, journal: Journal) -> None:
    """Classify vectors of several sizes, in the splits of the first seed."""
    args = argparse.Namespace(**vars(args) | {"seeds": args.seeds[:1]})
    for name, documents in available(args):
        for split, train, test in splits(documents, args):
            for spec in RATIO[2:3] if args.quick else RATIO:
                measure_split(journal, "vectors", name, split, spec)(
                    documents, train, test
                )


def measure_split(
    journal: Journal, part: str, name: str, split: str, spec: str
) -> Callable[..., None]:
    """Return what fits a model in one split, unless that is done."""

    def measure(documents: Documents, train: np.ndarray, test: np.ndarray) -> None:
        if (part, name, split, spec) in journal:
            return
        tokens, classes = documents.tokens, documents.classes
        own, others = ([tokens[i] for i in some] for some in (train, test))
        pooling = make_pooling(spec, seed=int(split.split(".")[0]))
        fit = time_once(lambda: pooling.fit(own, classes[train]))
        vectors: list[np.ndarray] = []
        run = time_once(lambda: vectors.append(pooling.transform(others)))
        accuracy, strength = linear_accuracy(
            pooling.transform(own), classes[train], vectors[0], classes[test]
        )
        journal.add(
            benchmark="documents",
            part=part,
            set=name,
            split=split,
            model=spec,
            accuracy=accuracy,
            C=strength,
            n_columns=vectors[0].shape[1],
            n_train=len(train),
            n_test=len(test),
            numbers_per_document=float(np.mean([own.size for own in others])),
            fit_cpu=fit.cpu,
            transform_cpu=run.cpu,
        )
        print(f"{name} {split} {spec:14} {accuracy:.4f}  {fit.cpu:.1f} s", flush=True)

    return measure


def measure_clusters(args: argparse.Namespace, journal: Journal) -> None:
    """Find the 20 newsgroups by k-means among the vectors of all documents."""
    for name, documents in available(args, only=("newsgroups",)):
        for seed in args.seeds if args.quick else range(5):
            for spec in args.models if args.quick else CLUSTERED:
                if ("clusters", name, str(seed), spec) in journal:
                    continue
                pooling = make_pooling(spec, seed).fit(documents.tokens)
                vectors = pooling.transform(documents.tokens)
                scores = cluster_scores(vectors, documents.classes, seed)
                key = {"part": "clusters", "set": name, "split": str(seed)}
                journal.add(benchmark="documents", **key, model=spec, **scores)
                print(f"clusters {seed} {spec:14} {scores['accuracy']:.4f}", flush=True)


def measure_scaling(args: argparse.Namespace, journal: Journal) -> None:
    """Time documents of more and more tokens, and stream many through."""
    from sklearn_ddcl import DDCLDocumentCompressor

    rng = np.random.default_rng(0)
    few = [rng.standard_normal((500, 64), dtype=np.float32) for _ in range(20)]
    compressor = DDCLDocumentCompressor(random_state=0, device="cpu").fit(few)
    sizes = _SCALED_TOKENS[:2] if args.quick else _SCALED_TOKENS
    made = {
        n: [rng.standard_normal((n, 64), dtype=np.float32) for _ in range(200)]
        for n in sizes
    }
    compressor.transform(made[sizes[0]])
    for turn in range(3):
        for n in sizes:
            if ("scaling", str(n), str(turn), "ddcl:64,16") in journal:
                continue
            seconds = time_once(lambda n=n: compressor.transform(made[n]))
            key = {"part": "scaling", "set": str(n), "split": str(turn)}
            journal.add(
                benchmark="documents", **key, model="ddcl:64,16", **seconds._asdict()
            )
    if ("memory", str(args.documents), "0", "ddcl:64,16") not in journal:
        found = stream_in_fresh_process(args.documents, 500, 64)
        key = {"part": "memory", "set": str(args.documents), "split": "0"}
        journal.add(benchmark="documents", **key, model="ddcl:64,16", **found)


def measure_encoders(args: argparse.Namespace, journal: Journal) -> None:
    """Let tokens attend to each other first, in every way there is."""
    for name, split, train, test in encoded_cases(args):
        for encoder in ENCODERS[::3] if args.quick else ENCODERS:
            if ("encoders", name, split, encoder) in journal:
                continue
            seed = int(split.split(".")[0])
            found = measure_encoder(name, encoder, train, test, seed)
            key = {"part": "encoders", "set": name, "split": split, "model": encoder}
            journal.add(benchmark="documents", **key, **found)
            print(
                f"{name} {split} {encoder:12} {found['accuracy']:.4f} "
                f"{found['log_loss']:.4f} {found['fit_cpu']:.1f} s",
                flush=True,
            )


def encoded_cases(
    args: argparse.Namespace,
) -> Iterator[tuple[str, str, tuple, tuple]]:
    """Yield made-up pairs, then all sets: name, split, training and test documents."""
    n_pairs = 40 if args.quick else _PAIRS
    for seed in args.seeds:
        train, test = (make_pairs(n_pairs, 2 * seed + i) for i in range(2))
        yield "pairs", f"{seed}.0", train, test
    for name, documents in available(args):
        for split, *parts in splits(documents, args):
            train, test = (
                ([documents.tokens[i] for i in some], documents.classes[some])
                for some in parts
            )
            yield name, split, train, test


def available(
    args: argparse.Namespace, only: tuple[str, ...] = SETS
) -> Iterator[tuple[str, Documents]]:
    """Yield the sets that can be had, and say why others cannot."""
    for name in args.sets:
        if name not in only:
            continue
        try:
            yield name, read_documents(name, args.data, args.cache)
        except NotAvailable as reason:
            print(f"{name} is skipped: {reason}.")


def splits(
    documents: Documents, args: argparse.Namespace
) -> Iterator[tuple[str, np.ndarray, np.ndarray]]:
    """Yield names of splits with training and test documents."""
    from sklearn.model_selection import StratifiedKFold

    if documents.is_test is not None:
        given = np.flatnonzero(~documents.is_test)
        for seed in args.seeds:
            order = np.random.default_rng(seed).permutation(given)[:_SST2_TRAINING]
            yield f"{seed}.0", np.sort(order), np.flatnonzero(documents.is_test)
        return
    for seed in args.seeds:
        folds = StratifiedKFold(_FOLDS, shuffle=True, random_state=seed)
        parted = folds.split(documents.classes, documents.classes)
        for number, (train, test) in enumerate(parted):
            yield f"{seed}.{number}", train, test
            if args.quick:
                break


PARTS = {
    "clusters": measure_clusters,
    "vectors": measure_vectors,
    "ratio": measure_ratio,
    "scaling": measure_scaling,
    "encoders": measure_encoders,
}


if __name__ == "__main__":
    main()
