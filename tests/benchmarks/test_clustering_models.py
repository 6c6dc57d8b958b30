"""What clusterings are compared with does what it is said to do."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.harness.clustering_data import Labeled, path_of, read_labeled
from benchmarks.harness.clustering_dual import SOLVERS, few_rows, make_solver
from benchmarks.harness.clustering_models import (
    MERGED,
    MODELS,
    OURS,
    make_clustering,
    reason_to_skip,
)
from benchmarks.harness.clustering_scores import matched_accuracy

RIVALS = [spec for spec in MODELS if spec not in (OURS, MERGED)]


@pytest.fixture
def blobs():
    rng = np.random.default_rng(0)
    classes = np.arange(210) % 3
    frame = pd.DataFrame(rng.normal(size=(210, 2)) + 9 * classes[:, None] ** [1, 2])
    frame.columns = ["a", "b"]
    frame["text"] = pd.Categorical(np.where(classes == 2, "x", "y"))
    return Labeled(frame, classes, False)


@pytest.mark.filterwarnings("ignore:Graph is not fully connected")
@pytest.mark.parametrize("spec", RIVALS)
def test_a_rival_finds_three_blobs(blobs, spec):
    model = make_clustering(spec, blobs, seed=0)
    labels = model.fit_predict(blobs.features)
    # Quantiles close the gaps between the blobs, so that a few rows change sides.
    assert matched_accuracy(blobs.classes, labels) > 0.97


@pytest.mark.slow
@pytest.mark.parametrize("spec", [OURS, MERGED])
def test_ours_finds_three_blobs(blobs, spec):
    model = make_clustering(spec, blobs, seed=0).fit(blobs.features)
    labels = model.predict(blobs.features)
    assert matched_accuracy(blobs.classes, labels) == 1


def test_what_cannot_be_measured_has_a_reason(blobs):
    assert reason_to_skip("SpectralClustering", blobs, held_out=False) is None
    assert "new rows" in reason_to_skip("SpectralClustering", blobs, held_out=True)
    many = blobs._replace(classes=np.zeros(7001, dtype=int))
    assert "7000 rows" in reason_to_skip("SpectralClustering", many, held_out=False)
    pixels = blobs._replace(same_unit=True)
    assert "pixels" in reason_to_skip("KMeans:n_init=10,quantiles", pixels, False)


def test_digits_need_no_file(tmp_path):
    data = read_labeled("digits", tmp_path)
    assert data.features.shape == (1797, 61)
    assert data.n_classes == 10
    assert data.same_unit
    assert path_of("digits", tmp_path) is None


def test_a_table_is_read_with_its_gaps(tmp_path):
    frame = pd.DataFrame({"a": [1.0, None] * 20, "b": ["x", None] * 20})
    frame["target"] = np.repeat(["u", "v"], 20)
    path = path_of("vowel", tmp_path)
    path.parent.mkdir()
    frame.to_csv(path, index=False)

    data = read_labeled("vowel", tmp_path)

    assert data.features["a"].isna().sum() == 20
    assert set(data.features["b"]) == {"x", "(missing)"}
    assert data.n_classes == 2
    assert not data.same_unit


def test_few_rows_have_two_classes_in_five_columns():
    X, y = few_rows(200, seed=3)
    assert X.shape == (100, 200)
    assert X.std(0) == pytest.approx(np.ones(200))
    between = np.abs(X[y == 0].mean(0) - X[y == 1].mean(0))
    # Two spreads of a noise column's difference of means: 0.4.
    assert (between > 0.8).sum() <= 5
    assert between.max() > 0.8


@pytest.mark.parametrize("spec", SOLVERS)
def test_a_solver_has_labels_and_inertia(spec):
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 4)) + 20 * (np.arange(30) % 2)[:, None]
    model = make_solver(spec, seed=0).fit(X)
    means = np.array([X[::2].mean(0), X[1::2].mean(0)])[np.arange(30) % 2]
    assert matched_accuracy(np.arange(30) % 2, model.labels_) == 1
    assert model.inertia_ == pytest.approx(((X - means) ** 2).sum(), rel=1e-2)
