"""Codes that hardly matter are moved to where they matter."""

import torch
from torch import Tensor

from sklearn_ddcl.training.quantization.lloyd import settle
from sklearn_ddcl.training.quantization.passes import HardPass, hard_pass
from sklearn_ddcl.training.quantization.place import spread
from sklearn_ddcl.training.quantization.record import Record
from sklearn_ddcl.training.quantization.rows import Rows

_ROUGH, _PASSES_ROUGH = 3e-4, 10
_FINE, _PASSES_FINE = 1e-4, 20
# Gains that are kept, and those that are worth another round of the same size.
_ANY, _WORTH_IT = 1e-6, 1e-3
_TRIALS = 2
_CANDIDATES = 16
_ROUNDS, _CODES_PER_ROUND = 2, 8


def relocate(
    rows: Rows,
    codes: Tensor,
    found: HardPass,
    generator: torch.Generator,
    record: Record,
    max_rounds: int | None = None,
) -> tuple[Tensor, HardPass]:
    """Improve a codebook that has settled, by moving several codes at a time.

    A round adds some codes where the distortion is, lets all settle, takes as many away
    that are missed least, and lets the rest settle again. It is kept if the distortion
    fell. Rounds begin with an eighth of the codes and go on with half as many when they
    pay no more.

    Parameters
    ----------
    rows : Rows
        What is quantized.
    codes : Tensor of shape (K, d)
        Relative to the center of the rows.
    found : HardPass
        What a pass finds with them.
    generator : torch.Generator
        Source of the draws.
    record : Record
        Gets every pass; rounds end when it allows no more.
    max_rounds : int, optional
        Rounds, at most. By default some, and more for more codes: small codebooks gain
        little from the later ones, which are most of the time.

    Returns
    -------
    codes : Tensor of shape (K, d)
        The best codes that were found.
    found : HardPass
        What a pass finds with them.

    References
    ----------
    .. [1] B. Fritzke, "The k-means-u* algorithm: non-local jumps and greedy retries
       improve k-means++ clustering", arXiv:1706.09059, 2017.
    .. [2] B. Fritzke, "Breathing k-means", arXiv:2006.15666, 2020.
    """
    n_codes = len(codes)
    n_moved = max(1, min(n_codes // 4, 2), n_codes // 8) if n_codes > 1 else 0
    if max_rounds is None:
        max_rounds = _ROUNDS + n_codes // _CODES_PER_ROUND
    failures = n_rounds = 0
    while n_moved and record.left > 0 and found.distortion > 0:
        if n_rounds == max_rounds:
            break
        n_rounds += 1
        more = spread(
            rows, n_moved, generator, found.distances, n_candidates=_CANDIDATES
        )
        many, _ = settle(
            rows,
            torch.cat([codes, more]),
            record,
            max_passes=_PASSES_ROUGH,
            tolerance=_ROUGH,
            n_relocated=n_moved,
        )
        fewer = many[most_useful(rows, many, n_codes)]
        moved, now = settle(
            rows, fewer, record, max_passes=_PASSES_FINE, tolerance=_FINE
        )
        gain = 1 - now.distortion / found.distortion
        if gain > _ANY:
            codes, found = moved, now
        if gain > _WORTH_IT * (1.0 if n_moved > 1 else 0.1):
            failures = 0
            continue
        failures += 1
        if failures == _TRIALS or n_moved > 2:
            n_moved, failures = n_moved // 2, 0
    return codes, found


def most_useful(rows: Rows, codes: Tensor, n_codes: int) -> Tensor:
    """Return which codes to keep.

    A code is missed as much as its rows are farther from their second nearest code. The
    nearest neighbor of a code that goes must stay: each is dispensable only thanks to
    the other.

    Parameters
    ----------
    rows : Rows
        What is quantized.
    codes : Tensor of shape (K, d)
        All codes, relative to the center of the rows.
    n_codes : int
        How many to keep.

    Returns
    -------
    kept : Tensor of shape (n_codes,), int64
        Their positions, increasing.
    """
    found = hard_pass(rows, codes, second=True)
    assert found.second is not None
    loss = found.second - found.distances
    if rows.weights is not None:
        loss = loss * rows.weights
    missed = codes.new_zeros(len(codes)).index_add_(0, found.labels.long(), loss)
    between = torch.cdist(codes, codes).fill_diagonal_(torch.inf)
    neighbors = between.argmin(1).tolist()
    # Rounding must not decide between codes that are missed equally.
    unit = 1e-6 * float(missed.max()) or 1.0
    by_use = (missed / unit).round().argsort(stable=True).tolist()
    n_gone = len(codes) - n_codes
    gone: set[int] = set()
    staying: set[int] = set()
    for code in by_use:
        if len(gone) < n_gone and code not in staying:
            gone.add(code)
            staying.add(neighbors[code])
    for code in by_use:
        if len(gone) < n_gone:
            gone.add(code)
    kept = [code for code in range(len(codes)) if code not in gone]
    return torch.tensor(kept, device=codes.device)
