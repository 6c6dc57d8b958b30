"""How tables are read and split, and how predictions are scored."""

import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from sklearn.metrics import balanced_accuracy_score, log_loss
from sklearn.model_selection import train_test_split

MIN_CLASS_ROWS = 8
N_CALIBRATION_BINS = 15
_MISSING = "(missing)"


class Table(NamedTuple):
    """A classification task."""

    features: pd.DataFrame
    """Numbers, and categories among which "missing" is one."""
    classes: np.ndarray
    """(n,), int64, 0 ... C - 1."""
    groups: np.ndarray | None = None
    """(n,), rows that belong together; None if the table does not say."""


def read_table(path: str | Path, max_rows: int | None = None) -> Table:
    """Read a CSV with a column ``target`` and perhaps a column ``group``.

    Classes of fewer than 8 rows are dropped. Of more than `max_rows` rows as many are
    drawn, stratified, always the same ones. Text and booleans become categories.
    """
    frame = pd.read_csv(path)
    if "target" not in frame:
        raise ValueError(f"{path} must have a column 'target', has {list(frame)}.")
    classes = _number(frame.pop("target").to_numpy(dtype=object).astype(str))
    rows = np.flatnonzero(np.bincount(classes)[classes] >= MIN_CLASS_ROWS)
    if max_rows is not None and len(rows) > max_rows:
        drawn, _ = train_test_split(
            np.arange(len(rows)),
            train_size=max_rows,
            stratify=classes[rows],
            random_state=0,
        )
        rows = rows[np.sort(drawn)]
    frame = frame.iloc[rows].reset_index(drop=True)
    groups = None
    if "group" in frame:
        groups = frame.pop("group").astype(str).to_numpy(dtype=object)
    return Table(_with_categories(frame), _number(classes[rows]), groups)


def _number(labels: np.ndarray) -> np.ndarray:
    return np.unique(labels, return_inverse=True)[1].astype(np.int64)


def _with_categories(frame: pd.DataFrame) -> pd.DataFrame:
    columns = {}
    for name in frame:
        column = frame[name]
        number = pd.api.types.is_numeric_dtype(column)
        if not number or pd.api.types.is_bool_dtype(column):
            text = column.astype("string").fillna(_MISSING).astype(object)
            column = pd.Series(pd.Categorical(text))
        columns[name] = column
    return pd.DataFrame(columns)


def split_rows(classes: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return train and test rows: three to one, stratified."""
    return tuple(
        train_test_split(
            np.arange(len(classes)), test_size=0.25, stratify=classes, random_state=seed
        )
    )


def calibration_error(
    classes: np.ndarray, proba: np.ndarray, n_bins: int = N_CALIBRATION_BINS
) -> float:
    """Return the expected calibration error of the most probable class.

    Confidences fall into bins of equal width; the gap between mean confidence and
    accuracy of each bin counts by its share of the rows.
    """
    confidence = proba.max(axis=1)
    hits = proba.argmax(axis=1) == classes
    bins = np.minimum((confidence * n_bins).astype(int), n_bins - 1)
    gaps = np.bincount(bins, hits - confidence, minlength=n_bins)
    return float(np.abs(gaps).sum() / len(classes))


def score(classes: np.ndarray, proba: np.ndarray) -> dict[str, float]:
    """Return accuracy, balanced accuracy, log-loss and calibration error."""
    predicted = proba.argmax(axis=1)
    return {
        "acc": float((predicted == classes).mean()),
        "bal": float(balanced_accuracy_score(classes, predicted)),
        "ll": float(log_loss(classes, proba, labels=np.arange(proba.shape[1]))),
        "ece": calibration_error(classes, proba),
    }


def evaluate(
    make_model: Callable[[], Any], table: Table, train: np.ndarray, test: np.ndarray
) -> dict[str, Any]:
    """Fit a model on some rows, score it on others, and measure the CPU seconds.

    A model that fails yields its ``error``; names of warnings are kept beside scores.
    """
    X, y, _ = table
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            model = make_model()
            began = time.process_time()
            model.fit(X.iloc[train], y[train])
            fitted = time.process_time()
            proba = np.asarray(model.predict_proba(X.iloc[test]), dtype=np.float64)
            predicted = time.process_time()
    except Exception as error:
        return {"error": f"{type(error).__name__}: {error}"[:300]}
    proba /= proba.sum(axis=1, keepdims=True)
    result: dict[str, Any] = score(y[test], proba)
    result |= {"fit_cpu": fitted - began, "pred_cpu": predicted - fitted}
    if names := sorted({warning.category.__name__ for warning in caught}):
        result["warnings"] = names
    return result
