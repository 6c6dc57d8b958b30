"""What codebooks are compared with does what it is said to do."""

import importlib.util

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.cluster import KMeans

from benchmarks.harness.codebook_memory import in_fresh_process
from benchmarks.harness.codebook_models import COMPETITORS, fit_codebook
from benchmarks.harness.codebook_predict import BLOCKS, plain_formulations
from benchmarks.harness.codebook_scores import score_codebook
from benchmarks.harness.codebook_steps import STEPS, OneHotCodes, make_pipeline_with
from benchmarks.harness.codebook_vq import SETTINGS, train_codebook


@pytest.fixture
def blobs():
    rng = np.random.default_rng(0)
    centers = 20 * np.array([[0, 0], [0, 1], [1, 0], [1, 1]])
    X = centers[np.arange(200) % 4] + rng.normal(size=(200, 2))
    return X.astype(np.float32)


@pytest.mark.parametrize("spec", COMPETITORS)
def test_a_competitor_finds_four_blobs(blobs, spec):
    made = fit_codebook(spec, blobs, 4, seed=0)

    score = score_codebook(blobs, made.codes)
    means = [blobs[i::4].mean(0, dtype=np.float64) for i in range(4)]
    assert score["inertia"] <= 1.05 * score_codebook(blobs, np.array(means))["inertia"]
    assert score["used"] == score["distinct"] == 4
    assert made.n_passes >= 1


def test_every_formulation_finds_the_nearest_code():
    rng = np.random.default_rng(0)
    # The last block is not full.
    X = rng.normal(size=(2 * BLOCKS[0] + 3, 4)).astype(np.float32)
    codebook = rng.normal(size=(9, 4)).astype(np.float32)
    expected = np.linalg.norm(X[:, None] - codebook, axis=2).argmin(1)

    ways = plain_formulations(X, codebook)

    assert len(ways) == 16
    for name, find in ways.items():
        assert (find() == expected).all(), name


def test_one_hot_codes_have_a_column_per_code(blobs):
    step = OneHotCodes(KMeans(4, n_init=1, random_state=0), 4).fit(blobs)
    codes = step.transform(blobs).toarray()
    assert codes.shape == (200, 4)
    assert (codes.argmax(1) == step.codebook.labels_).all()
    assert (codes.sum(1) == 1).all()


@pytest.mark.parametrize("spec", STEPS)
def test_a_pipeline_separates_blobs(blobs, spec):
    y = np.arange(200) % 4
    model = clone(make_pipeline_with(spec, 8, seed=0))
    assert model.fit(blobs, y).score(blobs, y) == 1


@pytest.mark.parametrize("spec", SETTINGS)
def test_vector_quantize_learns_and_leaves_the_global_generator(blobs, spec):
    if importlib.util.find_spec("vector_quantize_pytorch") is None:
        pytest.skip("vector-quantize-pytorch comes with the benchmarked competitors")
    before = torch.get_rng_state()

    codes = train_codebook(blobs, 16, 5, seed=0, **SETTINGS[spec])

    assert (torch.get_rng_state() == before).all()
    assert codes.shape == (16, 2)
    mean = blobs.mean(0, keepdims=True)
    alone = score_codebook(blobs, mean)["inertia"]
    assert score_codebook(blobs, codes)["inertia"] < 0.1 * alone


@pytest.mark.slow
@pytest.mark.parametrize("task", ["fit", "predict"])
def test_memory_is_that_of_another_process(task):
    found = in_fresh_process(task, "KMeans", 100_000, 16, 4)
    assert found["table_bytes"] == 100_000 * 16 * 4
    assert found["peak_bytes"] >= found["peak_bytes_before"] > found["table_bytes"]
