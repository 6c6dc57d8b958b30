"""Pictures of what codes keep of images, and of a codebook."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np


def draw_reconstructions(path: Path, rows: Mapping[str, np.ndarray]) -> None:
    """Save rows of images (n, H, W[, C]) in [0, 1] below each other, each named."""
    from matplotlib.figure import Figure

    n_images = len(next(iter(rows.values())))
    figure = Figure(figsize=(0.8 * n_images + 1.6, 0.9 * len(rows)), layout="tight")
    axes = figure.subplots(len(rows), n_images, squeeze=False)
    for line, (name, images) in zip(axes, rows.items(), strict=True):
        for ax, image in zip(line, images, strict=True):
            _show(ax, image)
        line[0].set_ylabel(name, rotation=0, ha="right", va="center")
    _save(figure, path)


def draw_codebook(path: Path, images: np.ndarray, usage: np.ndarray) -> None:
    """Save decoded prototypes (K, H, W[, C]), the most used first."""
    from matplotlib.figure import Figure

    order = np.argsort(-usage, kind="stable")
    n_columns = round(len(images) ** 0.5)
    n_lines = -(-len(images) // n_columns)
    figure = Figure(figsize=(0.7 * n_columns, 0.7 * n_lines), layout="tight")
    axes = figure.subplots(n_lines, n_columns, squeeze=False).ravel()
    for ax in axes[len(images) :]:
        ax.set_visible(False)
    for ax, k in zip(axes, order, strict=False):
        _show(ax, images[k])
    _save(figure, path)


def _show(ax, image: np.ndarray) -> None:
    ax.imshow(image, cmap="gray", vmin=0, vmax=1)
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set_visible(False)


def _save(figure, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
