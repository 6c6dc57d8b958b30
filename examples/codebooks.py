"""Handwritten digits in a few bits each: codebooks by DDCLQuantizer.

Run it from the root of the repository:

    python examples/codebooks.py

The digits come with scikit-learn: 1,797 images of 8 x 8 pixels, 4 bits per pixel, 256
bits an image. The first table compares the distortion of a single codebook with that of
KMeans; the second one spends bits in different ways, on images that were not learned
from. Four pictures go to --out:

codes.png
    The 64 codes of one codebook, the most used first.
cooling.png
    What happens while the temperature falls, from one code to all of them: each
    step down is a split. Beside it all passes, and how the codes are used.
reconstructions.png
    Images and what is left of them when they are coded.
rate.png
    Error against bits, for several ways to spend them.
"""

import argparse
import time
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits, make_blobs
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from threadpoolctl import threadpool_limits

from sklearn_ddcl import DDCLQuantizer
from sklearn_ddcl.inspection import CodebookDisplay
from sklearn_ddcl.networks import MLPAutoencoder

WAYS = {
    "product": {"quantization": "product"},
    "residual": {"quantization": "residual"},
    "learned": {"encoder": MLPAutoencoder()},
}
"""How bits are spent, 6 on each codebook."""


def main() -> None:
    args = parse_arguments()
    args.out.mkdir(parents=True, exist_ok=True)
    X, _ = load_digits(return_X_y=True)
    train, test = train_test_split(X, test_size=0.25, random_state=0)
    # With few images a learned codebook may leave a code unused; that is no harm here.
    warnings.simplefilter("ignore", ConvergenceWarning)
    with threadpool_limits(1):
        compare_with_kmeans(train, args.quick)
        draw_codes(train, args.out / "codes.png")
        draw_cooling(args.out / "cooling.png")
        spend_bits(train, test, args)
    print(f"\nPictures are in {args.out}.")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("build/codebooks"))
    parser.add_argument("--quick", action="store_true", help="a tenth of the training")
    return parser.parse_args()


def compare_with_kmeans(train: np.ndarray, quick: bool) -> None:
    """Print distortion and CPU time of both, for codebooks of several sizes."""
    print("One codebook, medians of 3 seeds")
    print(f"{'codes':>6} {'distortion/KMeans':>18} {'CPU/KMeans':>11} {'used':>6}")
    for n_codes in (16, 64) if quick else (16, 64, 256):
        results = []
        for seed in range(3):
            theirs, their_time = timed(
                KMeans(n_codes, n_init=10, random_state=seed), train
            )
            ours, our_time = timed(DDCLQuantizer(n_codes, random_state=seed), train)
            results.append(
                (
                    ours.inertia_ / theirs.inertia_,
                    our_time / their_time,
                    ours.utilization_,
                )
            )
        distortion, cpu, used = np.median(results, axis=0)
        print(f"{n_codes:>6} {distortion:>18.3f} {cpu:>11.2f} {used:>6.0%}")


def timed(estimator, rows: np.ndarray) -> tuple:
    """Return the fitted estimator and the CPU seconds it took."""
    began = time.process_time()
    estimator.fit(rows)
    return estimator, time.process_time() - began


def draw_codes(train: np.ndarray, path: Path) -> None:
    """Draw all codes of a codebook as images."""
    quantizer = DDCLQuantizer(64, random_state=0).fit(train)
    by_use = np.argsort(-quantizer.codebook_usage_)
    figure, axes = plt.subplots(4, 16, figsize=(12, 3.6), layout="constrained")
    for ax, code in zip(axes.flat, by_use, strict=True):
        show(ax, quantizer.cluster_centers_[code])
        ax.set_title(f"{quantizer.codebook_usage_[code]:.1%}", fontsize=7)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def draw_cooling(path: Path) -> None:
    """Draw how codes part one after the other in a table with islands of islands."""
    coarse, _ = make_blobs(900, 2, centers=3, cluster_std=0.001, random_state=5)
    offsets = np.array([[0, 1], [1, -1], [-1, -1]])
    rng = np.random.default_rng(0)
    rows = coarse + 1.2 * offsets[rng.integers(0, 3, 900)]
    rows += rng.normal(scale=0.15, size=rows.shape)
    quantizer = DDCLQuantizer(9, init="mean", random_state=0).fit(rows)
    display = CodebookDisplay.from_estimator(quantizer)
    display.figure_.savefig(path, dpi=150)
    plt.close(display.figure_)


def spend_bits(train: np.ndarray, test: np.ndarray, args: argparse.Namespace) -> None:
    """Print and draw what different ways to spend bits leave of unseen images."""
    total = ((test - train.mean(axis=0)) ** 2).sum()
    print("\nShare of the variance of unseen images that is lost")
    print(f"{'bits':>5} " + " ".join(f"{way:>13}" for way in WAYS))
    curves = {way: [] for way in WAYS}
    rebuilt = {"original": test[:12]}
    for n_codebooks in (1, 2, 4, 8):
        bits = 6 * n_codebooks
        line = [f"{bits:>5}"]
        for way, params in WAYS.items():
            if way == "learned":
                params = params | {"max_epochs": 10 if args.quick else 100}
            quantizer = DDCLQuantizer(
                64, n_codebooks=n_codebooks, random_state=0, **params
            ).fit(train)
            rows = quantizer.inverse_transform(quantizer.predict(test))
            lost = ((test - rows) ** 2).sum() / total
            curves[way].append((bits, lost))
            line.append(f"{lost:>13.3f}")
            if n_codebooks == 4 or (n_codebooks == 1 and way == "product"):
                name = "one codebook" if n_codebooks == 1 else way
                rebuilt[f"{name}, {bits} bits"] = rows[:12]
        print(" ".join(line), flush=True)
    draw_rate(curves, args.out / "rate.png")
    draw_reconstructions(rebuilt, args.out / "reconstructions.png")


def draw_rate(curves: dict, path: Path) -> None:
    """Draw error against bits."""
    figure, ax = plt.subplots(figsize=(6, 4), layout="constrained")
    for way, curve in curves.items():
        bits, lost = zip(*curve, strict=True)
        ax.plot(bits, lost, "o-", label=way)
    ax.set_xlabel("bits per image")
    ax.set_ylabel("share of the variance that is lost")
    ax.set_ylim(bottom=0)
    ax.set_xticks([6, 12, 24, 48])
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def draw_reconstructions(rebuilt: dict[str, np.ndarray], path: Path) -> None:
    """Draw images below each other, as they were and as they were rebuilt."""
    figure, axes = plt.subplots(
        len(rebuilt), 12, figsize=(11, 1.0 * len(rebuilt)), layout="constrained"
    )
    for line, (name, rows) in zip(axes, rebuilt.items(), strict=True):
        for ax, row in zip(line, rows, strict=True):
            show(ax, row)
        line[0].set_ylabel(name, rotation=0, ha="right", va="center", fontsize=8)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def show(ax, row: np.ndarray) -> None:
    """Draw one image."""
    ax.imshow(row.reshape(8, 8), cmap="gray_r", vmin=0, vmax=16)
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set_visible(False)


if __name__ == "__main__":
    main()
