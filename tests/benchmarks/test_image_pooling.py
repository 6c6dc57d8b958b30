"""The benchmark of poolings of images runs, and its controls are what they say."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from benchmarks.harness.image_models import POOLS, FixedPool2d, make_network
from benchmarks.harness.image_training import read_images
from sklearn_ddcl.layers import ContextPool2d

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.usefixtures("torch_seed")


@pytest.fixture
def folder(tmp_path):
    """Write a few images in two brightnesses, as both sets are stored."""
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 700).astype(np.uint8)
    X = (rng.integers(0, 120, (1400, 9, 8)) + 100 * y[:, None, None]).astype(np.uint8)
    np.savez(tmp_path / "mnist_5k.npz", X=X, y=y)
    colored = np.repeat(X[..., None], 3, axis=3)
    parts = {"X_train": colored[::2], "y_train": y[::2]}
    parts |= {"X_test": colored[1::2], "y_test": y[1::2]}
    np.savez(tmp_path / "cifar10_4k.npz", **parts)
    return tmp_path


@pytest.mark.parametrize("name", ["mnist_5k", "cifar10_4k"])
def test_both_sets_are_standardized_and_have_all_classes_in_both_parts(folder, name):
    images = read_images(name, folder)

    assert images.train.shape[1:] == (1 if name == "mnist_5k" else 3, 9, 8)
    assert abs(float(images.train.mean())) < 1e-4
    for classes in (images.train_classes, images.test_classes):
        assert set(classes.tolist()) == {0, 1}


@pytest.mark.parametrize("pool", POOLS)
def test_every_network_halves_the_image_twice(pool):
    network = make_network(pool, 3, 10)
    images = torch.randn(2, 3, 9, 7)

    assert network(images).shape == (2, 10)
    sides = []
    for layer in network[:8]:
        images = layer(images)
        sides.append(tuple(images.shape[2:]))
    assert sides[3] == (5, 4)
    assert sides[7] == (3, 2)


def test_one_size_is_a_new_context_pool():
    # That starts with one size and equal weights, and would learn others.
    images = torch.randn(2, 8, 9, 7)
    assert_close(FixedPool2d(8)(images), ContextPool2d(8)(images))
    assert sum(p.numel() for p in FixedPool2d(8).parameters()) == 1


def test_shuffled_moves_all_but_the_center():
    shuffled, usual = POOLS["shuffled"](8), POOLS["ContextPool2d"](8)
    before, after = usual.distances, shuffled.distances

    assert torch.equal(before.flatten().sort().values, after.flatten().sort().values)
    assert float(after[2, 2]) == 0
    assert float((before == after).double().mean()) < 0.5
    assert torch.equal(after, POOLS["shuffled"](8).distances)


@pytest.mark.slow
def test_it_measures_and_reports(folder, tmp_path):
    out = tmp_path / "out.jsonl"
    # fmt: off
    command = [
        sys.executable, "benchmarks/image_pooling.py", "--quick", "--data", folder,
        "--out", out, "--pools", "max", "ContextPool2d", "--images", "200",
    ]
    # fmt: on
    environment = os.environ | {"PYTHONPATH": str(ROOT)}

    finished = subprocess.run(
        list(map(str, command)),
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
    )

    assert finished.returncode == 0, finished.stderr
    results = [json.loads(line) for line in out.read_text().splitlines()[1:]]
    assert {(r["set"], r["pool"]) for r in results} == {
        (name, pool)
        for name in ("mnist_5k", "cifar10_4k")
        for pool in ("max", "ContextPool2d")
    }
    assert all(r["step_bytes"] > 2**20 for r in results)
    assert "| ContextPool2d |" in finished.stdout
