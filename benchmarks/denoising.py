"""How much noise do SubspaceDenoiser, PCA and kernel PCA leave on rows?"""

import argparse
import os
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from time import process_time
from typing import Any

os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pandas as pd
from harness.markdown import number, table
from harness.provenance import describe_environments
from harness.records import RESULTS, Journal
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA, KernelPCA
from sklearn.model_selection import train_test_split

from sklearn_ddcl import SubspaceDenoiser

KEY = ("set", "noise", "seed", "model")
NOISES = (0.1, 0.25, 0.5)
# Competitors get the parameters that suit the clean test rows best; SubspaceDenoiser
# never sees a clean row.
COMPONENTS = (2, 4, 8, 12, 16, 24, 31)
KERNELS = tuple(product((0.003, 0.01, 0.03, 0.1), (16, 32, 64), (0.01, 0.1, 1.0)))


def main() -> None:
    args = parse_arguments()
    journal = Journal(args.out, KEY)
    if not args.report:
        for name, noise, seed in product(SETS, args.noises, args.seeds):
            measure(name, noise, seed, journal)
    print(report(journal.results))


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--noises", nargs="+", type=float, default=list(NOISES))
    parser.add_argument("--seeds", nargs="+", type=int, default=[0, 1, 2])
    parser.add_argument("--quick", action="store_true", help="one noise, one seed")
    parser.add_argument("--report", action="store_true", help="measure nothing")
    parser.add_argument("--out", type=Path, default=RESULTS / "denoising.jsonl")
    args = parser.parse_args()
    if args.quick:
        args.noises, args.seeds = args.noises[-1:], args.seeds[:1]
    return args


def digits(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return clean training and test images."""
    X, y = load_digits(return_X_y=True)
    train, test = train_test_split(X / 16, random_state=seed, stratify=y)
    return train, test


def subspaces(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return clean rows of four subspaces of four dimensions each, among 32."""
    rng = np.random.default_rng(seed)
    frame = np.linalg.qr(rng.normal(size=(32, 32)))[0]
    bases = frame[:, :16].reshape(32, 4, 4).transpose(1, 0, 2)
    labels = rng.integers(0, 4, 900)
    rows = np.einsum("np,ndp->nd", rng.normal(size=(900, 4)), bases[labels])
    return rows[:600], rows[600:]


SETS: dict[str, Callable[[int], tuple[np.ndarray, np.ndarray]]] = {
    "digits": digits,
    "subspaces": subspaces,
}


def candidates(train: np.ndarray, seed: int) -> Iterator[tuple[str, Any]]:
    """Yield names and denoisers; of equal names the best on clean rows counts."""
    yield "SubspaceDenoiser(1)", SubspaceDenoiser(1, random_state=seed)
    yield "SubspaceDenoiser(4)", SubspaceDenoiser(4, random_state=seed)
    for n_components in COMPONENTS:
        yield "PCA, best", PCA(n_components, random_state=seed)
    scale = 10 * train.var() * train.shape[1] / 64
    for gamma, n_components, alpha in KERNELS:
        kernel = KernelPCA(
            n_components,
            kernel="rbf",
            gamma=gamma / scale,
            alpha=alpha,
            fit_inverse_transform=True,
            eigen_solver="randomized",
            random_state=seed,
        )
        yield "KernelPCA, best", kernel


def measure(name: str, noise: float, seed: int, journal: Journal) -> None:
    """Enter the best result of every model for one case."""
    clean_train, clean = SETS[name](seed)
    rng = np.random.default_rng(seed)
    train, test = (
        rows + noise * rng.normal(size=rows.shape) for rows in (clean_train, clean)
    )
    best: dict[str, dict[str, Any]] = {}
    for model, denoiser in candidates(train, seed):
        if (name, noise, seed, model) in journal:
            continue
        began = process_time()
        moved = denoiser.fit(train).transform(test)
        if hasattr(denoiser, "inverse_transform"):
            moved = denoiser.inverse_transform(moved)
        cpu = process_time() - began
        error = float(np.square(moved - clean).mean())
        if model not in best or error < best[model]["mse"]:
            best[model] = {"mse": error, "cpu": cpu}
    for model, result in best.items():
        key = {"set": name, "noise": noise, "seed": seed, "model": model}
        journal.add(benchmark="denoising", **key, **result)
        print(name, noise, seed, model, f"{result['mse']:.5f}", flush=True)


def report(results: list[dict[str, Any]]) -> str:
    """Return a table of the noise that is left."""
    if not results:
        return "No results."
    frame = pd.DataFrame(results)
    left = frame.mse / frame.noise**2
    cells = left.groupby([frame.model, frame.set, frame.noise]).mean().unstack([1, 2])
    seconds = frame.groupby("model").cpu.median()
    header = ("model", *(f"{name}, {noise:g}" for name, noise in cells), "CPU s")
    rows = [
        (model, *(number(value, 3) for value in line), number(seconds[model], 2))
        for model, line in cells.iterrows()
    ]
    parts = [
        "# Share of the noise that is left",
        "Mean squared error over the variance of the noise; means over splits.",
        table(header, rows),
        "## Machines and versions",
        describe_environments(results),
    ]
    return "\n\n".join(parts)


if __name__ == "__main__":
    main()
