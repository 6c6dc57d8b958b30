"""Made-up tables of any size; only their shape matters to a timing."""

import numpy as np
import pandas as pd


def numbers_table(n_rows: int, n_columns: int = 20) -> tuple[np.ndarray, np.ndarray]:
    """Return a float64 array and three classes that depend on its first columns."""
    X = np.random.default_rng(0).standard_normal((n_rows, n_columns))
    return X, _classes(X[:, 0] * X[:, 1 % n_columns])


def mixed_table(n_rows: int, n_columns: int = 20) -> tuple[pd.DataFrame, np.ndarray]:
    """Return a frame, half of it text of 3 to 40 categories, a twentieth missing."""
    rng = np.random.default_rng(0)
    n_numbers = n_columns // 2
    numbers = rng.standard_normal((n_rows, n_numbers))
    classes = _classes(numbers[:, 0] * numbers[:, 1 % n_numbers])
    numbers[rng.random(numbers.shape) < 0.05] = np.nan
    frame = pd.DataFrame(numbers, columns=[f"number_{j}" for j in range(n_numbers)])
    sizes = np.linspace(3, 40, n_columns - n_numbers).round().astype(int)
    for j, size in enumerate(sizes):
        text = np.array([f"category {c}" for c in range(size)], dtype=object)
        column = text[rng.integers(size, size=n_rows)]
        column[rng.random(n_rows) < 0.05] = None
        frame[f"text_{j}"] = column
    return frame, classes


def _classes(value: np.ndarray) -> np.ndarray:
    return np.digitize(value, [-0.3, 0.3])
