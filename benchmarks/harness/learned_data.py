"""Small images for learned codebooks, standardized: digits and patches of photos."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

SHARED = Path(__file__).resolve().parents[3] / "shared" / "data" / "text_image"


class Images(NamedTuple):
    """Rows that are images, with what it takes to look at them again."""

    train: np.ndarray
    """(n, F), centered pixel by pixel and divided by one scale."""
    test: np.ndarray
    shape: tuple[int, ...]
    center: np.ndarray
    scale: float

    def show(self, rows: np.ndarray) -> np.ndarray:
        """Return rows as images with values in [0, 1]."""
        pixels = (rows * self.scale + self.center) / 255
        return pixels.reshape(-1, *self.shape).clip(0, 1)


def digits(folder: Path, seed: int = 0, n_train: int = 4000) -> Images:
    """Return 28 x 28 digits of MNIST; every seed leaves out others."""
    X = np.load(folder / "mnist_5k.npz")["X"]
    order = np.random.default_rng(seed).permutation(len(X))
    X = X[order].reshape(len(X), -1)
    return _standardize(X[:n_train], X[4000:], (28, 28))


def patches(folder: Path, seed: int = 0, n_train: int = 10_000) -> Images:
    """Return 8 x 8 color patches of CIFAR-10; test patches are of other photos."""
    rng = np.random.default_rng(seed)
    data = np.load(folder / "cifar10_4k.npz")
    train, test = (rng.permutation(_cut(data[name])) for name in ("X_train", "X_test"))
    return _standardize(train[:n_train], test[:4000], (8, 8, 3))


def _cut(photos: np.ndarray) -> np.ndarray:
    tiles = photos.reshape(-1, 4, 8, 4, 8, 3).transpose(0, 1, 3, 2, 4, 5)
    return tiles.reshape(-1, 8 * 8 * 3)


def _standardize(train: np.ndarray, test: np.ndarray, shape: tuple[int, ...]) -> Images:
    train, test = train.astype(np.float32), test.astype(np.float32)
    center, scale = train.mean(0), float(train.std())
    return Images(
        (train - center) / scale, (test - center) / scale, shape, center, scale
    )


SETS = {"mnist_5k": digits, "cifar10_4k patches": patches}
EPOCHS = {"mnist_5k": 30, "cifar10_4k patches": 15}
"""Passes over the training rows; both make about a thousand steps."""
