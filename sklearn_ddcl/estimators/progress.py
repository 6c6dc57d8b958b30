"""A printed line per epoch."""

import math
from typing import Any

from skorch.callbacks import Callback


class PrintEpochs(Callback):
    """Print a line after every `every`-th epoch and after the last one.

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
        epoch = f"epoch {row['epoch']:>3}/{net.plan.max_epochs}"
        seconds = f"{row['seconds']:.1f} s"
        print("  ".join([epoch, *self.parts(row), seconds]), flush=True)

    def parts(self, row: dict[str, Any]) -> list[str]:
        """Return the most telling measurements of an epoch."""
        raise NotImplementedError


class PrintProgress(PrintEpochs):
    """Print how well a classifier does."""

    def parts(self, row: dict[str, Any]) -> list[str]:
        """Return loss, validation and usage."""
        parts = [f"loss {row['task_loss']:.4f}"]
        if not math.isnan(row["valid_loss"]):
            parts.append(f"valid {row['valid_loss']:.4f} ({row['valid_score']:.1%})")
        if not math.isnan(row["perplexity"]):
            parts.append(f"prototypes in use {row['perplexity']:.1f}")
        return parts


class PrintReconstruction(PrintEpochs):
    """Print how well an autoencoder rebuilds rows."""

    def parts(self, row: dict[str, Any]) -> list[str]:
        """Return the errors of what was trained and of hard codes, and usage."""
        parts = [f"reconstruction {row['reconstruction']:.4f}"]
        if not math.isnan(row["perplexity"]):
            parts.append(f"hard {row['hard_reconstruction']:.4f}")
            parts.append(f"codes in use {row['perplexity']:.1f}")
        return parts


class PrintDenoising(PrintEpochs):
    """Print how well a transformer rebuilds rows and their neighborhoods."""

    def parts(self, row: dict[str, Any]) -> list[str]:
        """Return both errors and usage."""
        return [
            f"rebuilding {row['rebuilding']:.4f}",
            f"smoothing {row['smoothing']:.4f}",
            f"prototypes in use {row['perplexity']:.1f}",
        ]


def printers(kind: type[PrintEpochs], verbose: int) -> tuple[PrintEpochs, ...]:
    """Return the callbacks that print as much as is wanted.

    Parameters
    ----------
    kind : type
        What they print.
    verbose : int
        0 prints nothing, 1 every tenth epoch, 2 every one.

    Returns
    -------
    callbacks : tuple of PrintEpochs
        One or none.
    """
    return (kind(every=10 if verbose == 1 else 1),) if verbose else ()
