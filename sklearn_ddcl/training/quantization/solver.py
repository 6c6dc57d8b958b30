"""A codebook for rows, from nothing to settled."""

from typing import NamedTuple

import torch
from torch import Tensor

from sklearn_ddcl.training.history import TrainingHistory
from sklearn_ddcl.training.quantization.anneal import anneal, critical_temperature
from sklearn_ddcl.training.quantization.lloyd import settle
from sklearn_ddcl.training.quantization.passes import HardPass, hard_pass
from sklearn_ddcl.training.quantization.place import spread
from sklearn_ddcl.training.quantization.record import Record
from sklearn_ddcl.training.quantization.relocate import relocate
from sklearn_ddcl.training.quantization.rows import Rows

# Codes are looked for among this many rows, and settle among all.
_SEARCH_ROWS, _SEARCH_ROWS_PER_CODE = 2**15, 64
_SETTLING_PASSES = 20
_SETTLED = 1e-4
_RESCUES = 5


class Solution(NamedTuple):
    """A codebook and what is known about it."""

    codes: Tensor
    """(K, d), in the space of the rows."""
    labels: Tensor
    """(n,), int32, code of every row."""
    distances: Tensor
    """(n,), squared distance to it."""
    history: TrainingHistory
    """One entry per pass."""


def solve(
    rows: Rows,
    n_codes: int,
    generator: torch.Generator,
    *,
    init: str | Tensor = "k-means++",
    temperature: float | None = None,
    max_passes: int = 300,
    max_relocations: int | None = None,
    verbose: int = 0,
) -> Solution:
    """Find a codebook of low distortion, with every code in use if that is possible.

    Parameters
    ----------
    rows : Rows
        What is quantized.
    n_codes : int
        Size of the codebook.
    generator : torch.Generator
        Source of everything random.
    init : {"k-means++", "mean"} or Tensor of shape (n_codes, d), default="k-means++"
        Where codes start: on rows far from each other, all at the mean, or as given.
    temperature : float, optional
        First temperature of the annealing; by default the critical one of the start.
    max_passes : int, default=300
        Passes over the rows, at most.
    max_relocations : int, optional
        Rounds of relocation, at most.
    verbose : int, default=0
        1 prints every tenth pass, 2 every one.

    Returns
    -------
    solution : Solution
        The codebook.
    """
    record = Record(max_passes, verbose)
    enough = max(_SEARCH_ROWS, _SEARCH_ROWS_PER_CODE * n_codes)
    if len(rows) <= enough:
        codes, found = _search(
            rows, n_codes, generator, record, init, temperature, max_relocations
        )
        if record.left > 0:
            codes, found = settle(rows, codes, record)
    else:
        few = rows.sample(enough)
        codes, _ = _search(
            few, n_codes, generator, record, init, temperature, max_relocations
        )
        codes = codes + (few.center - rows.center).to(codes)
        # Of a table so long that memory counts.
        del few, _
        codes, found = settle(rows, codes, record, tolerance=_SETTLED)
    codes, found = _rescue(rows, codes, found, generator, record)
    return Solution(codes + rows.center, found.labels, found.distances, record.history)


def _search(
    rows: Rows,
    n_codes: int,
    generator: torch.Generator,
    record: Record,
    init: str | Tensor,
    temperature: float | None,
    max_relocations: int | None,
) -> tuple[Tensor, HardPass]:
    """Place, cool, settle and relocate codes."""
    if isinstance(init, Tensor):
        codes = (init.to(rows.center) - rows.center).to(rows.dtype)
    elif init == "mean":
        codes = rows.empty(n_codes, rows.n_columns).zero_()
    else:
        codes = spread(rows, n_codes, generator)
    start = temperature
    if start is None:
        labels = hard_pass(rows, codes).labels
        start = critical_temperature(rows, codes, labels, generator)
    if start > 0:
        from_the_mean = isinstance(init, str) and init == "mean"
        codes = anneal(
            rows, codes, start, generator, record, from_the_mean=from_the_mean
        )
    codes, found = settle(
        rows, codes, record, max_passes=_SETTLING_PASSES, tolerance=_SETTLED
    )
    return relocate(rows, codes, found, generator, record, max_relocations)


def _rescue(
    rows: Rows,
    codes: Tensor,
    found: HardPass,
    generator: torch.Generator,
    record: Record,
) -> tuple[Tensor, HardPass]:
    """Place codes without any row where the distortion is."""
    for _ in range(_RESCUES):
        unused = found.mass == 0
        n_unused = int(unused.sum())
        if not n_unused or not found.distortion > 0:
            break
        codes = codes.clone()
        codes[unused] = spread(rows, n_unused, generator, found.distances)
        codes, found = settle(rows, codes, record, n_relocated=n_unused)
    return codes, found
