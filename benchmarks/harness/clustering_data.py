"""Data with known classes, which the clusterings do not see."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from .codebook_data import DATA, IMAGES, read_rows, table_path
from .protocol import read_table

TABLES = ("space", "space elements", "vowel", "segment", "satimage", "pendigits")
SETS = (*IMAGES, *TABLES)
ELEMENTS = (
    "mean_motion_revday",
    "eccentricity",
    "inclination_deg",
    "raan_deg",
    "argp_deg",
    "apogee_km",
    "perigee_km",
    "bstar",
)


class Labeled(NamedTuple):
    """Rows and what they are."""

    features: pd.DataFrame
    """Numbers, with gaps, and categories."""
    classes: np.ndarray
    """(n,), int64, 0 ... C - 1."""
    same_unit: bool
    """Whether all columns are pixels and so need no scale of their own."""

    @property
    def n_classes(self) -> int:
        """Number of classes."""
        return int(self.classes.max()) + 1


def path_of(name: str, folder: Path = DATA) -> Path | None:
    """Return the file a set needs, None if it comes with scikit-learn."""
    if name == "digits":
        return None
    if name == "mnist_5k":
        return folder / "text_image" / "mnist_5k.npz"
    if name.startswith("space"):
        return folder / "orbital" / "task_objtype_2023.csv.gz"
    return table_path(name, folder)


def read_labeled(name: str, folder: Path = DATA) -> Labeled:
    """Return a set; its file must exist.

    ``space`` is the catalogue of space objects with all its columns, ``space elements``
    the same objects by their orbits and drag alone.
    """
    if name in IMAGES:
        pixels = read_rows(name, folder)
        frame = pd.DataFrame(pixels, columns=[f"p{i}" for i in range(pixels.shape[1])])
        return Labeled(frame, _classes_of_images(name, folder), True)
    path = path_of(name, folder)
    features, classes, _ = read_table(path)
    if name == "space elements":
        features = features[list(ELEMENTS)]
    return Labeled(features, classes, False)


def _classes_of_images(name: str, folder: Path) -> np.ndarray:
    if name == "digits":
        from sklearn.datasets import load_digits

        return load_digits().target.astype(np.int64)
    with np.load(path_of(name, folder)) as arrays:
        return arrays["y"].astype(np.int64)
