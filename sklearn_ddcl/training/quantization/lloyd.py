"""Hard assignments and centroids in turn, until nothing changes."""

from torch import Tensor

from sklearn_ddcl.training.quantization.passes import HardPass, hard_pass
from sklearn_ddcl.training.quantization.record import Record
from sklearn_ddcl.training.quantization.rows import Rows


def settle(
    rows: Rows,
    codes: Tensor,
    record: Record,
    *,
    max_passes: int | None = None,
    tolerance: float = 0.0,
    n_relocated: int = 0,
) -> tuple[Tensor, HardPass]:
    """Move codes to the centroids of their rows, pass after pass.

    Parameters
    ----------
    rows : Rows
        What is quantized.
    codes : Tensor of shape (K, d)
        Relative to the center of the rows.
    record : Record
        Gets every pass; no more are taken than it allows, but for one.
    max_passes : int, optional
        Passes, at most.
    tolerance : float, default=0.0
        Ends when a pass lowers the distortion by no more than this share.
    n_relocated : int, default=0
        Codes that had just been placed anew, for the record.

    Returns
    -------
    codes : Tensor of shape (K, d)
        The codes of the last pass.
    found : HardPass
        What it found with them.
    """
    allowed = record.left if max_passes is None else min(max_passes, record.left)
    before = float("inf")
    weight = rows.total_weight
    while True:
        found = hard_pass(rows, codes)
        record.add(found.distortion / weight, found.mass, n_relocated=n_relocated)
        allowed, n_relocated = allowed - 1, 0
        if allowed <= 0 or before - found.distortion <= tolerance * found.distortion:
            return codes, found
        before, codes = found.distortion, found.centroids
        # Its arrays are as long as the table; the next pass brings its own.
        del found
