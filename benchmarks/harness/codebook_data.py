"""Rows for codebooks: standardized columns of tables, and pixels as they are."""

import sys
from pathlib import Path

import numpy as np

from .protocol import read_table

DATA = Path(__file__).resolve().parents[3] / "shared" / "data"
TABLES = (
    "vehicle,vowel,segment,ctg,cells,phoneme,satimage,wine_quality_white,optdigits,"
    "pendigits,spambase,electrical_grid,mammography,shuttle40k"
).split(",")
IMAGES = ("digits", "mnist_5k")
SETS = (*TABLES, *IMAGES)


def read_rows(name: str, folder: Path = DATA) -> np.ndarray:
    """Return the rows of a set, float64, without the columns that never vary.

    Parameters
    ----------
    name : str
        ``digits`` (scikit-learn's), ``mnist_5k``, or the name of a table.
    folder : Path
        With the tables in ``tabular`` and the images in ``text_image``.
    """
    if name == "digits":
        from sklearn.datasets import load_digits

        return _varying(load_digits().data / 16)
    if name == "mnist_5k":
        with np.load(_existing(folder / "text_image" / "mnist_5k.npz")) as arrays:
            images = arrays["X"]
        return _varying(images.reshape(len(images), -1) / 255)
    path = _existing(table_path(name, folder))
    numbers = read_table(path).features.select_dtypes("number")
    return standardized(numbers.dropna().to_numpy(np.float64))


def table_path(name: str, folder: Path = DATA) -> Path:
    """Return where a table should be, packed or not."""
    plain = folder / "tabular" / f"{name}.csv"
    return plain if plain.exists() else plain.with_name(f"{name}.csv.gz")


def standardized(X: np.ndarray) -> np.ndarray:
    """Return columns of mean zero and variance one, without constant ones."""
    X = _varying(X)
    return (X - X.mean(0)) / X.std(0)


def _varying(X: np.ndarray) -> np.ndarray:
    return np.ascontiguousarray(X[:, np.ptp(X, axis=0) > 0])


def _existing(path: Path) -> Path:
    if path.exists():
        return path
    sys.exit(
        f"There is no {path}. Give a folder with tabular/*.csv and "
        "text_image/mnist_5k.npz as --data, or other names as --sets: 'digits' needs "
        "no file."
    )
