"""The benchmark of token sequences: its sets, its models, its report."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from benchmarks.harness.token_models import make_classifier, parse_spec
from benchmarks.harness.token_report import describe, write_report
from benchmarks.harness.token_sets import Part, TokenSet, make_motifs, read_tokens

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def tokens():
    rng = np.random.default_rng(0)
    tokens = rng.normal(size=(12, 9, 5)).astype(np.float32)
    mask = np.arange(9) < rng.integers(3, 10, 12)[:, None]
    part = Part(tokens * mask[:, :, None], mask, np.arange(12) % 3)
    return TokenSet(part, part, grid=None, n_epochs=1)


def make(spec, tokens):
    return make_classifier(spec, tokens, torch.Generator().manual_seed(0)).eval()


def logits(model, part):
    with torch.no_grad():
        return model(torch.from_numpy(part.tokens), torch.from_numpy(part.mask))


@pytest.mark.parametrize(
    ("spec", "n_weights"),
    [
        # 4 d^2 and 8 d^2, biases, norms and steps.
        ("aot:n_layers=3", 3 * (4 * 32**2 + 3 * 32 + 1)),
        ("aot:n_layers=4,projection=shared", 4 * (2 * 32**2 + 3 * 32 + 1)),
        ("transformer:n_layers=2", 2 * (8 * 32**2 + 11 * 32)),
        # A pool looks at three tokens, twice.
        (
            "aot:n_layers=1,pool=learned",
            4 * 32**2 + 3 * 32 + 1 + (3 * 32 * 16 + 16) + (3 * 16 * 2 + 2),
        ),
        ("aot:n_layers=1,pool=fixed", 4 * 32**2 + 3 * 32 + 1),
    ],
)
def test_the_weights_of_an_encoder(tokens, spec, n_weights):
    assert make(spec, tokens).n_encoder_parameters == n_weights


@pytest.mark.parametrize(
    "spec",
    [
        "transformer",
        "aot:n_layers=1,pool=learned",
        "aot:n_layers=2,pool=learned,shuffled=1",
        "aot:n_layers=1,pool=fixed",
    ],
)
def test_padding_changes_nothing(tokens, spec):
    model, part = make(spec, tokens), tokens.train
    # Sizes that differ, so that pooling does something.
    for pooling in model.pools:
        pooling.pool.blend.weight.data += 0.3
    together = logits(model, part)

    for row in range(len(part.tokens)):
        n = part.mask[row].sum()
        alone = Part(part.tokens[row : row + 1, :n], part.mask[row : row + 1, :n], None)
        torch.testing.assert_close(logits(model, alone)[0], together[row])


def test_a_random_order_has_other_neighbors_and_the_same_number_of_weights(tokens):
    ordered = make("aot:n_layers=1,pool=learned", tokens)
    shuffled = make("aot:n_layers=1,pool=learned,shuffled=1", tokens)
    weights = ordered.state_dict()
    priority = shuffled.pools[0].priority
    shuffled.load_state_dict(weights | {"pools.0.priority": priority})

    assert shuffled.n_encoder_parameters == ordered.n_encoder_parameters
    assert not torch.allclose(
        logits(ordered, tokens.train), logits(shuffled, tokens.train)
    )
    # In the order that tokens have anyway there is no difference.
    shuffled.pools[0].priority.copy_(torch.arange(9))
    torch.testing.assert_close(
        logits(ordered, tokens.train), logits(shuffled, tokens.train)
    )


def test_only_neighbors_tell_motifs_apart():
    part = make_motifs(40, np.random.default_rng(0))
    strong = part.tokens[:, :, :4] > 1.2
    counts = strong.sum(1)
    beside = (strong[:, 1:] & strong[:, :-1]).sum(1)

    assert part.tokens.shape == (40, 512, 8)
    own = np.arange(40), part.classes
    assert abs(counts[own].mean() - counts.mean()) < 0.05 * counts.mean()
    assert (beside.argmax(1) == part.classes).mean() > 0.6


def test_digits_are_pixels_on_a_grid():
    digits = read_tokens("digits", 0)

    assert digits.train.tokens.shape == (1347, 64, 1)
    assert digits.test.tokens.shape == (450, 64, 1)
    assert digits.grid == (8, 8)
    other = read_tokens("digits", 1)
    assert not np.array_equal(other.test.classes, digits.test.classes)


def test_patches_of_images_are_in_order(tmp_path):
    folder = tmp_path / "text_image"
    folder.mkdir()
    images = np.arange(20 * 28 * 28).reshape(20, 28, 28) % 251
    np.savez(folder / "mnist_5k.npz", X=images.astype(np.uint8), y=np.arange(20) % 2)

    mnist = read_tokens("mnist", 0, data=tmp_path)

    tokens = np.concatenate([mnist.train.tokens, mnist.test.tokens])
    assert tokens.shape == (20, 49, 16)
    first = tokens[:, 8].reshape(-1, 4, 4) * 255
    patches = images[:, 4:8, 4:8]
    assert all((np.abs(patches - patch) < 1e-3).all((1, 2)).any() for patch in first)


@pytest.mark.parametrize(
    ("spec", "match"),
    [
        ("lstm:n_layers=1", "Blocks must be one of .*'lstm'"),
        ("aot:n_layers", "Options must look like"),
    ],
)
def test_unknown_models_are_refused(spec, match):
    with pytest.raises(ValueError, match=match):
        parse_spec(spec)


def test_an_unknown_pooling_is_refused(tokens):
    with pytest.raises(ValueError, match=r"pool must be one of .*'max'"):
        make("aot:pool=max", tokens)


def test_models_have_readable_names():
    assert describe("aot:n_layers=1,pool=learned") == "aot, 1 layer, pooled"
    assert (
        describe("aot:n_layers=2,pool=learned,shuffled=1")
        == "aot, 2 layers, pooled in random order"
    )
    assert describe("aot:n_layers=2,pool=fixed") == "aot, 2 layers, fixed width"


def test_the_report_compares_few_layers_to_twice_as_many():
    def result(model, seed, acc, weights):
        return {
            "set": "toy", "seed": seed, "model": model, "acc": acc, "ll": 0.5,
            "encoder_parameters": weights, "fit_cpu": 2.0, "fit_bytes": 2**20,
        }  # fmt: skip

    results = [
        result("aot:n_layers=2", 0, 0.80, 1000),
        result("aot:n_layers=2", 1, 0.90, 1000),
        result("aot:n_layers=1,pool=learned", 0, 0.88, 700),
        result("aot:n_layers=1,pool=learned,shuffled=1", 0, 0.7, 700),
    ]

    text = write_report(results)

    assert "| aot, 2 layers | 1,000 | 0.8500 | 0.0707 |" in text
    assert (
        "| toy | aot | 1 for 2 | 0.8500 | 0.8800 | 0.7000 |  | 0.70 | 1.00 | 1.00 |"
        in text
    )
    assert write_report([]) == "No results."


@pytest.mark.slow
def test_models_are_measured_reported_and_not_measured_again(tmp_path):
    models = ("aot:n_layers=1", "aot:n_layers=1,pool=learned,shuffled=1")
    # fmt: off
    command = [
        sys.executable, "benchmarks/tokens.py", "--quick", "--epochs", "1",
        "--models", *models, "--pictures", str(tmp_path),
        "--out", str(tmp_path / "tokens.jsonl"),
    ]
    # fmt: on
    printed = []
    for _ in range(2):
        finished = subprocess.run(
            command,
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            capture_output=True,
            text=True,
        )
        assert finished.returncode == 0, finished.stderr
        printed.append(finished.stdout)

    lines = (tmp_path / "tokens.jsonl").read_text().splitlines()
    results = [json.loads(line) for line in lines[1:]]
    assert [result["model"] for result in results] == list(models)
    assert all(
        0 <= result["acc"] <= 1 and result["fit_bytes"] > 0 for result in results
    )
    assert "digits  seed 0" in printed[0]
    assert "digits  seed 0" not in printed[1]
    assert "| aot, 1 layer, pooled in random order |" in printed[1]
    assert (tmp_path / "tokens.png").stat().st_size > 5000
