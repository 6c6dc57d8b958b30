"""From a table to fitted codebooks, on the rows themselves or behind an encoder."""

from typing import Any

import numpy as np
import torch

from sklearn_ddcl.estimators.auto import given, weight_dtype
from sklearn_ddcl.estimators.autoencoder_fitting import fit_autoencoder
from sklearn_ddcl.estimators.growth import publish_growth
from sklearn_ddcl.estimators.learned_coder import LearnedCoder
from sklearn_ddcl.estimators.progress import PrintReconstruction, printers
from sklearn_ddcl.estimators.row_coder import RowCoder, as_tensor
from sklearn_ddcl.estimators.row_space import RowSpace, check_squares
from sklearn_ddcl.estimators.table_encoder import EncodedTable
from sklearn_ddcl.estimators.table_space import TableSpace
from sklearn_ddcl.training import (
    TrainingHistory,
    make_generator,
    one_thread,
    resolve_device,
)
from sklearn_ddcl.training.quantization import (
    CodebookPlan,
    fit_codebooks,
    follow_all,
)

_MAX_PASSES = 300
_DUAL_STEPS = 500
# Of gradient steps on rows: batches, how many steps are enough, and their rate.
_SMALLEST_BATCH, _LARGEST_BATCH = 64, 1024
_WANTED_STEPS, _LEAST_EPOCHS = 1500, 20
_LR, _RATIO = 0.01, 10.0
# Of autoencoders.
_LEARNED_EPOCHS, _LEARNED_BATCH = 50, 128
_LEARNED_LR, _LEARNED_RATIO = 3e-3, 5.0


def fit_row_coder(
    estimator: Any, space: RowSpace, points: np.ndarray, weights: np.ndarray, seed: int
) -> tuple[RowCoder, TrainingHistory]:
    """Fit codebooks in the space of the rows.

    Parameters
    ----------
    estimator : DDCLQuantizer
        Where the parameters come from.
    space : RowSpace
        Turned the table into points.
    points : ndarray of shape (n, d)
        Rows.
    weights : ndarray of shape (n,)
        Their importance; rows of weight zero count as absent.
    seed : int
        Seeds everything random.

    Returns
    -------
    coder : RowCoder
    history : TrainingHistory
        One entry per pass.
    """
    values, shares = _used(points, weights)
    dtype = weight_dtype(estimator.precision)
    check_squares(points, points.shape[1], dtype)
    with one_thread():
        codebooks, history = fit_codebooks(
            values,
            shares,
            make_plan(estimator, *points.shape),
            make_generator(seed),
            dtype=dtype,
            device=resolve_device(estimator.device),
            masked=estimator.allow_nan,
        )
    return RowCoder.fitted_to(space, codebooks, points, weights), history


def follow_rows(
    coder: RowCoder, points: np.ndarray, weights: np.ndarray, seed: int
) -> tuple[RowCoder, dict[str, float]]:
    """Move codebooks by some more rows of a stream.

    Parameters
    ----------
    coder : RowCoder
        As it is; it is not changed.
    points : ndarray of shape (n, d)
        The rows that have come.
    weights : ndarray of shape (n,)
        Their importance.
    seed : int
        Seeds the places of codes that are placed anew.

    Returns
    -------
    coder : RowCoder
        As it is now.
    measured : dict
        An entry for the history.
    """
    values, shares = _used(points, weights)
    with one_thread():
        codebooks, measured = follow_all(
            coder.codebooks, values, shares, make_generator(seed)
        )
    return RowCoder.fitted_to(coder.space, codebooks, points, weights), measured


def fit_learned_coder(
    estimator: Any,
    space: TableSpace,
    rows: EncodedTable,
    weights: np.ndarray,
    seed: int,
) -> tuple[LearnedCoder, TrainingHistory]:
    """Train an autoencoder with codebooks in its latent space.

    Parameters
    ----------
    estimator : DDCLQuantizer
        Where the parameters come from.
    space : TableSpace
        Encoded the table.
    rows : EncodedTable
        Rows.
    weights : ndarray of shape (n,)
        Their importance; rows of weight zero count as absent.
    seed : int
        Seeds everything random.

    Returns
    -------
    coder : LearnedCoder
    history : TrainingHistory
        One entry per epoch.
    """
    trained = fit_autoencoder(
        rows.numbers,
        rows.codes,
        space.cardinalities,
        weights,
        encoder=estimator.encoder,
        n_prototypes=estimator.n_prototypes,
        n_codebooks=estimator.n_codebooks,
        quantization=estimator.quantization,
        max_epochs=given(estimator.max_epochs, _LEARNED_EPOCHS),
        batch_size=given(estimator.batch_size, _LEARNED_BATCH),
        lr=given(estimator.lr, _LEARNED_LR),
        prototype_lr_ratio=given(estimator.prototype_lr_ratio, _LEARNED_RATIO),
        temperature=given(estimator.temperature, None),
        seed=seed,
        device=resolve_device(estimator.device),
        dtype=weight_dtype(estimator.precision),
        mixed_precision=estimator.precision == "bf16",
        extra_callbacks=printers(PrintReconstruction, estimator.verbose),
    )
    fitted = trained.fitted
    used = type(rows)(*(part[weights > 0] for part in rows))
    publish_growth(estimator, fitted.network, trained.net, used, fitted.mixed_precision)
    coder = LearnedCoder.fitted_to(space, fitted, rows, weights)
    return coder, trained.history


def make_plan(estimator: Any, n_rows: int, n_columns: int) -> CodebookPlan:
    """Return the decisions that can be made before codebooks are fitted to rows.

    Parameters
    ----------
    estimator : DDCLQuantizer
        Where the parameters come from.
    n_rows, n_columns : int
        Shape of the points.

    Returns
    -------
    plan : CodebookPlan

    Raises
    ------
    ValueError
        If an array for `init` has another shape.
    """
    solver = "em" if estimator.solver == "auto" else estimator.solver
    usual = min(_LARGEST_BATCH, max(_SMALLEST_BATCH, n_rows // 16))
    batch_size = given(estimator.batch_size, usual)
    enough = round(_WANTED_STEPS / max(1, round(n_rows / batch_size)))
    epochs = {
        "em": _MAX_PASSES,
        "gradient": max(_LEAST_EPOCHS, enough),
        "dual": _DUAL_STEPS,
    }
    init = estimator.init
    if not isinstance(init, str):
        init = np.asarray(init, dtype=np.float64)
        wanted = estimator.n_prototypes, n_columns
        if init.shape != wanted or not np.isfinite(init).all():
            raise ValueError(
                f"init must be finite and of shape {wanted}, one row per code, got "
                f"shape {init.shape}."
            )
        init = torch.from_numpy(init)
    return CodebookPlan(
        n_codes=given(estimator.n_prototypes, None),
        n_codebooks=estimator.n_codebooks,
        quantization=estimator.quantization,
        solver=solver,
        init=init,
        temperature=given(estimator.temperature, None),
        max_epochs=given(estimator.max_epochs, epochs[solver]),
        n_relocations=given(estimator.n_relocations, None),
        batch_size=batch_size,
        lr=given(estimator.lr, _LR) * given(estimator.prototype_lr_ratio, _RATIO),
        verbose=int(estimator.verbose),
    )


def _used(points: np.ndarray, weights: np.ndarray) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the points of positive weight, and their weights."""
    if not weights.all():
        used = np.flatnonzero(weights)
        points, weights = points[used], weights[used]
    return as_tensor(points), as_tensor(weights)
