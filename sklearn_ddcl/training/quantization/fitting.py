"""Fit one or several codebooks to rows."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from sklearn_ddcl.training.history import TrainingHistory
from sklearn_ddcl.training.quantization.codebooks import Codebooks, columns_of
from sklearn_ddcl.training.quantization.count import count_prototypes
from sklearn_ddcl.training.quantization.descend import descend
from sklearn_ddcl.training.quantization.dual import descend_dually
from sklearn_ddcl.training.quantization.joint import refine_jointly
from sklearn_ddcl.training.quantization.passes import hard_pass, weigh
from sklearn_ddcl.training.quantization.rows import MaskedRows, Rows
from sklearn_ddcl.training.quantization.solver import solve


@dataclass(frozen=True)
class CodebookPlan:
    """Decisions made before a codebook is fitted.

    Parameters
    ----------
    n_codes : int or None
        Codes per codebook; None for as many as the rows support, of one codebook.
    n_codebooks : int
        Number of codebooks.
    quantization : {"product", "residual"}
        What they stand for.
    solver : {"em", "gradient", "dual"}
        How codes are found.
    init : {"k-means++", "mean"} or Tensor of shape (n_codes, n_columns)
        Where they start.
    temperature : float or None
        First temperature, None for the critical one.
    max_epochs : int
        Passes over the rows, at most, per codebook.
    n_relocations : int or None
        Rounds of relocation, at most, per codebook.
    batch_size : int
        Rows per gradient step.
    lr : float
        Rate of the gradient steps.
    verbose : int
        How much is printed.
    """

    n_codes: int | None
    n_codebooks: int = 1
    quantization: str = "product"
    solver: str = "em"
    init: str | Tensor = "k-means++"
    temperature: float | None = None
    max_epochs: int = 300
    n_relocations: int | None = None
    batch_size: int = 1024
    lr: float = 0.02
    verbose: int = 0


def fit_codebooks(
    values: Tensor,
    weights: Tensor | None,
    plan: CodebookPlan,
    generator: torch.Generator,
    *,
    dtype: torch.dtype,
    device: torch.device,
    masked: bool = False,
) -> tuple[Codebooks, TrainingHistory]:
    """Fit codebooks to rows.

    Parameters
    ----------
    values : Tensor of shape (n_rows, n_columns)
        Rows; NaN only if `masked`.
    weights : Tensor of shape (n_rows,) or None
        Importance of the rows, positive.
    plan : CodebookPlan
        What to fit and how.
    generator : torch.Generator
        Source of everything random.
    dtype : torch.dtype
        Type that is computed in.
    device : torch.device
        Where it is computed.
    masked : bool, default=False
        Whether rows may have missing entries.

    Returns
    -------
    codebooks : Codebooks
        On the CPU.
    history : TrainingHistory
        One entry per pass, of one codebook after the other.
    """
    kind = MaskedRows if masked else Rows
    n_columns = values.shape[1]
    n_codes = plan.n_codes
    if n_codes is None:
        rows = kind(values, weights, dtype=dtype, device=device)
        n_codes = count_prototypes(rows).n_prototypes
    # As precise as the rows, whatever is computed in.
    wide = torch.promote_types(values.dtype, dtype)
    books = torch.zeros(plan.n_codebooks, n_codes, n_columns, dtype=wide)
    mass = torch.zeros(plan.n_codebooks, n_codes, dtype=dtype)
    history = TrainingHistory()
    left = values
    seeds = torch.randint(2**62, (plan.n_codebooks,), generator=generator).tolist()
    for m in range(plan.n_codebooks):
        columns = columns_of(m, n_columns, plan.n_codebooks, plan.quantization)
        rows = kind(left[:, columns], weights, dtype=dtype, device=device)
        codes, labels, more = _fit_one(rows, n_codes, plan, columns, seeds[m])
        books[m, :, columns] = codes.cpu()
        mass[m] = weigh(labels.cpu(), weights, n_codes)
        _append(history, more, m, plan.n_codebooks)
        if plan.quantization == "residual" and m + 1 < plan.n_codebooks:
            left = left - books[m][labels.cpu().long()].to(left)
    codebooks = Codebooks(
        books,
        mass,
        quantization=plan.quantization,
        masked=masked,
        dtype=dtype,
        device=device,
    )
    if plan.n_codebooks > 1 and plan.quantization == "residual" and not masked:
        codebooks = refine_jointly(codebooks, values, weights)
    return codebooks, history


def _fit_one(
    rows: Rows, n_codes: int, plan: CodebookPlan, columns: slice, seed: int
) -> tuple[Tensor, Tensor, TrainingHistory]:
    generator = torch.Generator().manual_seed(seed)
    init = plan.init
    if isinstance(init, torch.Tensor):
        init = init[:, columns]
    if plan.solver in ("gradient", "dual"):
        start: dict[str, Any] = {"init": init, "temperature": plan.temperature}
        if plan.solver == "gradient":
            codes, record = descend(
                rows,
                n_codes,
                generator,
                epochs=plan.max_epochs,
                batch_size=plan.batch_size,
                lr=plan.lr,
                verbose=plan.verbose,
                **start,
            )
        else:
            codes, record = descend_dually(
                rows,
                n_codes,
                generator,
                steps=plan.max_epochs,
                lr=plan.lr,
                verbose=plan.verbose,
                **start,
            )
        labels = hard_pass(rows, codes).labels
        return codes + rows.center, labels, record.history
    solution = solve(
        rows,
        n_codes,
        generator,
        init=init,
        temperature=plan.temperature,
        max_passes=plan.max_epochs,
        max_relocations=plan.n_relocations,
        verbose=plan.verbose,
    )
    return solution.codes, solution.labels, solution.history


def _append(
    history: TrainingHistory, more: TrainingHistory, m: int, n_codebooks: int
) -> None:
    before = history[-1]["seconds"] if history else 0.0
    for row in more:
        row["epoch"] = len(history) + 1
        row["seconds"] += before
        history.append(row | {"codebook": m} if n_codebooks > 1 else row)
