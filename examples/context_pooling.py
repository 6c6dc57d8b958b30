"""Columns and pixels that take in their neighbors, as widely as they learn to.

Run it from the root of the repository:

    python examples/context_pooling.py

A spectrum is a table whose columns have an order. The example makes some up: two
substances absorb at almost the same wavelengths, in narrow lines on the left and in a
broad band on the right, and every reading is noisy. `DDCLClassifier` tells them apart
with an attention-only encoder, with and without context pooling, in the right order of
the columns and in a random one. The table says how much that helps; of 300 spectra to
judge by, two or three points are chance. Three pictures go to --out:

spectra.png
    Spectra of both substances, and below them how widely every wavelength takes in its
    neighbors.
order.png
    The sizes after the columns were put in a random order, drawn in the order that
    seriation found, in which wavelengths that rise and fall together are neighbors.
digits.png
    A small network for handwritten digits whose pooling is `ContextPool2d`: the digits,
    the weights that it gave to pixels, and the sizes that it chose for its outputs.
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from threadpoolctl import threadpool_limits

from sklearn_ddcl import DDCLClassifier
from sklearn_ddcl.inspection import ContextPoolDisplay
from sklearn_ddcl.layers import ContextPool2d
from sklearn_ddcl.networks import AoTEncoder

N_WAVELENGTHS = 36
COLORS = ("#3f90da", "#bd1f01")


def main() -> None:
    args = parse_arguments()
    args.out.mkdir(parents=True, exist_ok=True)
    n_spectra, n_epochs = (300, 10) if args.quick else (600, 30)
    with threadpool_limits(1):
        X, y = make_spectra(n_spectra, np.random.default_rng(0))
        in_order, seriated = compare_orders(X, y, n_epochs)
        network, accuracy = learn_digits(2 if args.quick else 20)
    print(f"\nDigits told apart with ContextPool2d  {accuracy:6.1%}")
    draw_spectra(X, y, in_order, args.out / "spectra.png")
    display = ContextPoolDisplay.from_estimator(seriated)
    display.figure_.savefig(args.out / "order.png", dpi=120)
    draw_digits(network, args.out / "digits.png")
    print(f"\nPictures are in {args.out}.")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("build/context_pooling"))
    parser.add_argument("--quick", action="store_true", help="a tenth of the training")
    return parser.parse_args()


def make_spectra(
    n_spectra: int, rng: np.random.Generator
) -> tuple[pd.DataFrame, np.ndarray]:
    """Return noisy spectra (n, N_WAVELENGTHS) of two substances, and which they are."""
    y = rng.integers(0, 2, n_spectra)
    places = np.arange(N_WAVELENGTHS)
    strength = rng.uniform(0.6, 1.4, (n_spectra, 2))
    drift = rng.normal(scale=0.6, size=n_spectra)
    spectra = np.zeros((n_spectra, N_WAVELENGTHS))
    for line in (3.0, 7.0, 12.0):
        # The second substance absorbs half a wavelength further on.
        center = line + 0.5 * y + 0.2 * drift
        spectra += strength[:, :1] * bump(places, center, 0.6)
    center = 26.0 + 1.5 * y + drift
    spectra += strength[:, 1:] * bump(places, center, 4.0)
    spectra += rng.normal(scale=0.35, size=spectra.shape)
    return pd.DataFrame(spectra, columns=[f"wavelength {j}" for j in places]), y


def bump(places: np.ndarray, centers: np.ndarray, width: float) -> np.ndarray:
    """Return bell curves, one per center."""
    return np.exp(-(((places - centers[:, None]) / width) ** 2) / 2)


def compare_orders(
    X: pd.DataFrame, y: np.ndarray, n_epochs: int
) -> tuple[DDCLClassifier, DDCLClassifier]:
    """Print accuracies, and return the models in order and after seriation."""
    moved = np.random.default_rng(1).permutation(N_WAVELENGTHS)
    cases = {
        "no pooling": (None, X),
        "neighbors in order": ("index", X),
        "in a random order": ("index", X.iloc[:, moved]),
        "random, then seriation": ("seriation", X.iloc[:, moved]),
    }
    print("Spectra told apart")
    fitted = []
    for name, (context_pool, table) in cases.items():
        encoder = AoTEncoder(n_bins=8, context_pool=context_pool)
        model = DDCLClassifier(encoder=encoder, max_epochs=n_epochs, random_state=0)
        train, test, y_train, y_test = train_test_split(
            table, y, test_size=0.5, stratify=y, random_state=0
        )
        model.fit(train, y_train)
        print(f"  {name:<24} {model.score(test, y_test):6.1%}", flush=True)
        fitted.append(model)
    found = moved[fitted[-1].feature_order_]
    print(f"\nWavelengths as seriation lines them up:\n  {' '.join(map(str, found))}")
    return fitted[1], fitted[-1]


def learn_digits(n_epochs: int) -> tuple[torch.nn.Module, float]:
    """Train a small network on digits of 8 x 8 pixels."""
    X, y = load_digits(return_X_y=True)
    images = torch.from_numpy(X.astype(np.float32) / 16).reshape(-1, 1, 8, 8)
    classes = torch.from_numpy(y)
    train, test = train_test_split(np.arange(len(y)), random_state=0, stratify=y)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = torch.nn.Sequential(
            ContextPool2d(1, stride=1, window=2),
            torch.nn.Conv2d(1, 16, 3, padding=1),
            torch.nn.ReLU(),
            ContextPool2d(16),
            torch.nn.Conv2d(16, 32, 3, padding=1),
            torch.nn.ReLU(),
            torch.nn.AdaptiveAvgPool2d(1),
            torch.nn.Flatten(),
            torch.nn.Linear(32, 10),
        )
        optimizer = torch.optim.Adam(network.parameters(), 5e-3)
        for _ in range(n_epochs):
            for rows in torch.from_numpy(train)[torch.randperm(len(train))].split(64):
                optimizer.zero_grad()
                loss = torch.nn.functional.cross_entropy(
                    network(images[rows]), classes[rows]
                )
                loss.backward()
                optimizer.step()
    with torch.inference_mode():
        hits = network(images[test]).argmax(1) == classes[test]
    return network, float(hits.double().mean())


def draw_spectra(
    X: pd.DataFrame, y: np.ndarray, model: DDCLClassifier, path: Path
) -> None:
    """Draw spectra above the sizes of the neighborhoods."""
    spectra = X.to_numpy()
    figure, (above, below) = plt.subplots(
        2, 1, figsize=(7.5, 5), sharex=True, layout="constrained"
    )
    for kind, color in enumerate(COLORS):
        above.plot(spectra[y == kind][:3].T, color=color, lw=0.6, alpha=0.6)
        mean = spectra[y == kind].mean(0)
        above.plot(mean, color=color, lw=2.5, label=f"substance {kind + 1}, mean")
    above.set(ylabel="absorbed", title="Spectra of two substances, three of each")
    above.legend(frameon=False)
    for layer, sizes in enumerate(model.pool_sizes_):
        below.plot(sizes, "o-", ms=3, label=f"layer {layer + 1}")
    below.set(xlabel="wavelength", ylabel="size, in columns")
    below.set_title("How widely they take in their neighbors")
    below.legend(frameon=False)
    for ax in (above, below):
        ax.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=120)
    plt.close(figure)


def draw_digits(network: torch.nn.Module, path: Path) -> None:
    """Draw digits, and what the first pooling makes of them."""
    images = torch.from_numpy(load_digits().images[:10].astype(np.float32) / 16)
    pool = network[0]
    with torch.inference_mode():
        logits, sizes = pool.predict(images[:, None])
        pooled = pool(images[:, None])[:, 0]
    rows = {
        "digit": (images, "gray_r"),
        "log weight": (logits, "RdBu_r"),
        "size": (sizes, "viridis"),
        "pooled": (pooled, "gray_r"),
    }
    figure, axes = plt.subplots(4, 10, figsize=(10, 4.3), layout="constrained")
    for line, (name, (values, cmap)) in zip(axes, rows.items(), strict=True):
        low, high = float(values.min()), float(values.max())
        if name == "log weight":
            high = max(abs(low), abs(high))
            low = -high
        for ax, image in zip(line, values, strict=True):
            drawn = ax.imshow(image, cmap=cmap, vmin=low, vmax=high)
            ax.set(xticks=[], yticks=[])
        line[0].set_ylabel(name)
        figure.colorbar(drawn, ax=line, aspect=8, pad=0.01)
    figure.savefig(path, dpi=120)
    plt.close(figure)


if __name__ == "__main__":
    main()
