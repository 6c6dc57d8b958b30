"""Rows for codebooks are standardized, and constant columns are left out."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.harness.codebook_data import read_rows


@pytest.fixture
def folder(tmp_path):
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "wide": 100 * rng.normal(size=40) + 5,
            "narrow": rng.normal(size=40),
            "constant": 1.5,
            "text": rng.choice(["a", "b"], 40),
            "target": np.arange(40) % 2,
        }
    )
    (tmp_path / "tabular").mkdir()
    frame.to_csv(tmp_path / "tabular" / "toy.csv.gz", index=False)
    return tmp_path


def test_numbers_of_a_table_are_standardized(folder):
    X = read_rows("toy", folder)
    assert X.shape == (40, 2)
    assert X.dtype == np.float64
    assert X.mean(0) == pytest.approx([0, 0], abs=1e-12)
    assert X.std(0) == pytest.approx([1, 1])


def test_pixels_stay_as_they_are(folder):
    images = np.zeros((6, 2, 2), dtype=np.uint8)
    images[:, 0, 1] = [0, 51, 102, 153, 204, 255]
    (folder / "text_image").mkdir()
    np.savez(folder / "text_image" / "mnist_5k.npz", X=images)

    X = read_rows("mnist_5k", folder)

    assert X == pytest.approx(np.array([[0, 0.2, 0.4, 0.6, 0.8, 1]]).T)


def test_digits_need_no_file(tmp_path):
    X = read_rows("digits", tmp_path)
    assert X.shape == (1797, 61)
    assert (X.min(), X.max()) == (0, 1)


def test_a_missing_table_says_what_to_do(tmp_path):
    with pytest.raises(SystemExit, match="Give a folder with tabular"):
        read_rows("nowhere", tmp_path)
