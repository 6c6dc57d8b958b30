"""Images from few bits: our learned codebooks beside hard vector quantizers."""

import argparse
import os
import time
from collections import defaultdict
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path
from statistics import geometric_mean
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import torch
from harness.learned_data import EPOCHS, SETS, SHARED, Images
from harness.learned_picture import draw_codebook, draw_reconstructions
from harness.learned_vq import COMPETITORS, HardAutoencoder
from harness.records import RESULTS, Journal, format_table

from sklearn_ddcl.estimators.autoencoder_fitting import fit_autoencoder
from sklearn_ddcl.estimators.fitted_autoencoder import AutoencoderShape
from sklearn_ddcl.estimators.table_encoder import EncodedTable
from sklearn_ddcl.networks import MLPAutoencoder
from sklearn_ddcl.networks.table import TableSpec
from sklearn_ddcl.training import make_generator
from sklearn_ddcl.training.autoencoding.plan import AutoencoderPlan

OURS = "DDCL"
KEY = ("set", "n_codebooks", "n_prototypes", "d_code", "lr", "epochs", "model", "seed")
PICTURES = Path(__file__).resolve().parents[1] / "build" / "benchmarks"


def main() -> None:
    args = parse_arguments()
    if not args.data.is_dir():
        raise SystemExit(
            f"{args.data} is not there, so there is nothing to measure. Give the "
            "folder that holds mnist_5k.npz and cifar10_4k.npz with --data."
        )
    models = [OURS, *available(args.models)]
    journal = Journal(args.out, KEY)
    results = []
    for name in args.sets:
        splits = {seed: SETS[name](args.data, seed) for seed in {0, *args.seeds}}
        for n_codebooks in args.codebooks:
            for n_prototypes in args.prototypes:
                case = {
                    "set": name,
                    "n_codebooks": n_codebooks,
                    "n_prototypes": n_prototypes,
                    "d_code": args.d_code,
                    "lr": args.lr,
                    "epochs": max(1, round(EPOCHS[name] * args.length)),
                }
                results += measure(journal, splits, case, models, args.seeds)
        draw(splits[0], name, args)
    report(results)
    print(f"\nwritten to {args.out}, pictures to {args.pictures}")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=SHARED)
    parser.add_argument("--sets", nargs="+", choices=SETS, default=list(SETS))
    parser.add_argument("--codebooks", nargs="+", type=int, default=[1, 4, 8])
    parser.add_argument("--prototypes", nargs="+", type=int, default=[64, 256])
    parser.add_argument("--d-code", type=int, help="by default what ours chooses")
    parser.add_argument("--models", nargs="*", default=list(COMPETITORS))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--length", type=float, default=1.0, help="factor on epochs")
    parser.add_argument("--out", default=RESULTS / "codebook_learned.jsonl")
    parser.add_argument("--pictures", type=Path, default=PICTURES)
    parser.add_argument("--quick", action="store_true", help="one seed, fewer budgets")
    args = parser.parse_args()
    if args.quick:
        args.codebooks, args.seeds = [1, 8], [0]
        args.models = ["hard VQ, EMA"]
    return args


def available(models: list[str]) -> list[str]:
    """Return the competitors that can run here, and say which cannot."""
    try:
        import vector_quantize_pytorch  # noqa: F401
    except ImportError:
        print(
            f"Without {', '.join(models)}: vector-quantize-pytorch is not installed. "
            "`pip install vector-quantize-pytorch` adds them."
        )
        return []
    return models


def measure(
    journal: Journal,
    splits: dict[int, Images],
    case: dict,
    models: list[str],
    seeds: list[int],
) -> Iterator[dict[str, Any]]:
    """Yield the results of all models, measured now unless they are in the journal."""
    for seed in seeds:
        images = splits[seed]
        for model in models:
            key = (*case.values(), model, seed)
            if key not in journal:
                train = train_ours if model == OURS else train_hard
                began = time.process_time()
                rebuild, more = train(images.train, case, model, seed)
                seconds = time.process_time() - began
                measured = score(rebuild, images, case["n_prototypes"])
                journal.add(
                    **case, model=model, seed=seed, cpu=seconds, **measured, **more
                )
            known = [r for r in journal.results if journal._key_of(r) == key]
            yield known[-1]


def train_ours(rows: np.ndarray, case: dict, model: str, seed: int) -> tuple:
    """Return a function that rebuilds rows, and what training tells of itself."""
    trained = fit_autoencoder(
        *table(rows),
        cardinalities=(),
        weights=np.ones(len(rows)),
        encoder=MLPAutoencoder(d_code=case["d_code"]),
        n_prototypes=case["n_prototypes"],
        n_codebooks=case["n_codebooks"],
        max_epochs=case["epochs"],
        lr=case["lr"],
        seed=seed,
    )
    fitted, last = trained.fitted, trained.history[-1]

    def rebuild(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        codes = fitted.encode(table(rows))
        return fitted.decode(codes).numbers, codes

    gap = last["hard_reconstruction"] / last["soft_reconstruction"] - 1
    min_distance = last["min_prototype_distance"]
    return rebuild, {"hard_soft_gap": gap, "min_prototype_distance": min_distance}


def train_hard(rows: np.ndarray, case: dict, model: str, seed: int) -> tuple:
    """Return a function that rebuilds rows, and the version of the library."""
    shape = AutoencoderShape(
        MLPAutoencoder(d_code=case["d_code"]),
        case["n_prototypes"],
        case["n_codebooks"],
        "product",
        TableSpec(rows.shape[1], ()),
    )
    plan = AutoencoderPlan(max_epochs=case["epochs"], batch_size=128, lr=case["lr"])
    network = shape.build(make_generator(seed))
    fitted = HardAutoencoder(network, seed, **COMPETITORS[model]).fit(rows, plan)
    return fitted.rebuild, {"version": metadata.version("vector-quantize-pytorch")}


def table(rows: np.ndarray) -> EncodedTable:
    return EncodedTable(rows, np.empty((len(rows), 0), dtype=np.int64))


def score(rebuild: Any, images: Images, n_prototypes: int) -> dict[str, float]:
    """Return errors per pixel on both parts, and how the test part uses the codes."""
    errors = {}
    for part in ("train", "test"):
        rows = getattr(images, part)
        rebuilt, codes = rebuild(rows)
        errors[f"{part}_error"] = float(((rebuilt - rows) ** 2).mean())
    shares = np.stack([np.bincount(own, minlength=n_prototypes) for own in codes.T])
    shares = shares / shares.sum(1, keepdims=True)
    entropy = -(shares * np.log(np.where(shares > 0, shares, 1))).sum(1)
    return {
        **errors,
        "perplexity": float(np.exp(entropy).mean()),
        "utilization": float((shares > 0).mean()),
    }


def report(results: list[dict[str, Any]]) -> None:
    """Print errors, and the ratios of ours to every competitor, over the seeds."""
    cases: dict[tuple, dict[str, list]] = defaultdict(lambda: defaultdict(list))
    for result in results:
        case = result["set"], result["n_codebooks"], result["n_prototypes"]
        cases[case][result["model"]].append(result)
    models = [model for model in (OURS, *COMPETITORS) if cases_with(cases, model)]
    lines, ratios = [], defaultdict(list)
    for (name, n_codebooks, n_prototypes), by_model in cases.items():
        errors = {m: [r["test_error"] for r in by_model[m]] for m in models}
        own = errors[OURS]
        line = [name, f"{n_codebooks} x {n_prototypes}", f"{np.mean(own):.4f}"]
        for model in models[1:]:
            each = [a / b for a, b in zip(own, errors[model], strict=True)]
            ratios[model].append(geometric_mean(each))
            line.append(f"{geometric_mean(each):.3f} ({min(each):.3f}-{max(each):.3f})")
        usage = [np.mean([r["perplexity"] for r in by_model[m]]) for m in models[:2]]
        gap = np.mean([r["hard_soft_gap"] for r in by_model[OURS]])
        line += [" / ".join(f"{value:.0f}" for value in usage), f"{gap:.1%}"]
        lines.append(line)
    titles = [f"to {model}" for model in models[1:]]
    header = ("images", "books", "our error", *titles, "perplexity", "hard - soft")
    print(format_table(header, lines))
    for model, each in ratios.items():
        print(
            f"ours / {model}: geometric mean {geometric_mean(each):.3f}, from "
            f"{min(each):.3f} to {max(each):.3f} over {len(each)} cases"
        )


def cases_with(cases: dict, model: str) -> bool:
    return all(model in by_model for by_model in cases.values())


def draw(images: Images, name: str, args: argparse.Namespace) -> None:
    """Save reconstructions with the first competitor, and a codebook of its own."""
    case = {"n_codebooks": 8, "n_prototypes": 64, "d_code": args.d_code, "lr": args.lr}
    case["epochs"] = max(1, round(EPOCHS[name] * args.length))
    rows = images.test[:12]
    shown = {"original": images.show(rows)}
    rebuild, _ = train_ours(images.train, case, OURS, 0)
    shown["ours"] = images.show(rebuild(rows)[0])
    if available(args.models):
        rebuild, _ = train_hard(images.train, case, "hard VQ, EMA", 0)
        shown["hard VQ"] = images.show(rebuild(rows)[0])
    stem = name.split()[0]
    draw_reconstructions(args.pictures / f"codebook_learned_{stem}.png", shown)
    trained = fit_autoencoder(
        *table(images.train),
        cardinalities=(),
        weights=np.ones(len(images.train)),
        encoder="mlp",
        n_prototypes=64,
        max_epochs=case["epochs"],
        lr=args.lr,
    )
    fitted = trained.fitted
    usage = np.bincount(fitted.encode(table(images.train))[:, 0], minlength=64)
    decoded = fitted.decode(np.arange(64)[:, None]).numbers
    path = args.pictures / f"codebook_learned_{stem}_codebook.png"
    draw_codebook(path, images.show(decoded), usage)


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
