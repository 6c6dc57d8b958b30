"""What every pass over the rows brought."""

import math
import time

import numpy as np
from torch import Tensor

from sklearn_ddcl.training.history import TrainingHistory


class Record:
    """History of the passes, and how many are still allowed.

    Parameters
    ----------
    max_passes : int
        Passes over the rows, at most.
    total_weight : float
        Weight of the rows, to turn sums into means.
    verbose : int, default=0
        1 prints every tenth pass, 2 every one.
    """

    def __init__(self, max_passes: int, verbose: int = 0) -> None:
        self.max_passes = max_passes
        self.verbose = verbose
        self.history = TrainingHistory()
        self._began = time.perf_counter()

    @property
    def left(self) -> int:
        """How many passes are still allowed."""
        return self.max_passes - len(self.history)

    def add(
        self,
        loss: float,
        mass: Tensor,
        *,
        temperature: float = 0.0,
        critical_temperature: float = math.nan,
        n_distinct: int | float = math.nan,
        n_relocated: int = 0,
    ) -> None:
        """Enter one pass.

        Parameters
        ----------
        loss : float
            Mean assigned squared distance.
        mass : Tensor of shape (K,)
            Weight assigned to every code.
        temperature : float, default=0.0
            Of the assignments; zero when they were hard.
        critical_temperature : float, default=nan
            Where codes split next, as far as it was measured.
        n_distinct : int, default=nan
            Codes that had parted by then, as far as it was counted.
        n_relocated : int, default=0
            Codes that had just been placed anew.
        """
        usage = mass.numpy(force=True).astype(np.float64)
        usage = usage[usage > 0] / usage.sum()
        row = {
            "epoch": len(self.history) + 1,
            "loss": loss,
            "temperature": temperature,
            "critical_temperature": critical_temperature,
            "perplexity": math.exp(-float(usage @ np.log(usage))),
            "n_distinct": n_distinct,
            "n_revived": n_relocated,
            "seconds": time.perf_counter() - self._began,
        }
        self.history.append(row)
        if self.verbose > 1 or (self.verbose and row["epoch"] % 10 == 0):
            print(
                f"pass {row['epoch']:>3}  loss {loss:.6g}  temperature "
                f"{temperature:.3g}  codes in use {row['perplexity']:.1f}",
                flush=True,
            )
