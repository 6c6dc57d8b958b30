"""A printed line per epoch."""

import math
from typing import Any

from skorch.callbacks import Callback


class PrintProgress(Callback):
    """Print the most telling measurements of every `every`-th epoch.

    Parameters
    ----------
    every : int
        1 prints all epochs.
    """

    def __init__(self, every=1):
        self.every = every

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Print one line."""
        row = net.measurements[-1]
        if row["epoch"] % self.every and row["epoch"] != net.plan.max_epochs:
            return
        parts = [
            f"epoch {row['epoch']:>3}/{net.plan.max_epochs}",
            f"loss {row['task_loss']:.4f}",
        ]
        if not math.isnan(row["valid_loss"]):
            parts.append(f"valid {row['valid_loss']:.4f} ({row['valid_score']:.1%})")
        if not math.isnan(row["perplexity"]):
            parts.append(f"prototypes in use {row['perplexity']:.1f}")
        print("  ".join([*parts, f"{row['seconds']:.1f} s"]), flush=True)


class PrintReconstruction(Callback):
    """Print how well an autoencoder rebuilds rows, after every `every`-th epoch.

    Parameters
    ----------
    every : int
        1 prints all epochs.
    """

    def __init__(self, every=1):
        self.every = every

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Print one line."""
        row = net.measurements[-1]
        if row["epoch"] % self.every and row["epoch"] != net.plan.max_epochs:
            return
        parts = [
            f"epoch {row['epoch']:>3}/{net.plan.max_epochs}",
            f"reconstruction {row['reconstruction']:.4f}",
        ]
        if not math.isnan(row["perplexity"]):
            parts.append(f"hard {row['hard_reconstruction']:.4f}")
            parts.append(f"codes in use {row['perplexity']:.1f}")
        print("  ".join([*parts, f"{row['seconds']:.1f} s"]), flush=True)
