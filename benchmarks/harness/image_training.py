"""Training of small image classifiers: accuracy, CPU time and peak memory."""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from .image_models import make_network
from .peak_memory import peak_bytes

_MEMORY_IMAGES, _MEMORY_SIDE = 512, 32


class Images(NamedTuple):
    """A set of images, split."""

    train: Tensor
    """(n, C, H, W), float32, standardized."""
    train_classes: Tensor
    test: Tensor
    test_classes: Tensor


def read_images(name: str, folder: Path, n_train: int | None = None) -> Images:
    """Return mnist_5k, of which a fixed 1,000 are for testing, or cifar10_4k."""
    with np.load(folder / f"{name}.npz") as file:
        if "X" in file:
            # They come by class.
            order = np.random.default_rng(0).permutation(len(file["y"]))
            X, y = file["X"][order, ..., None], file["y"][order]
            parts = X[:-1000], y[:-1000], X[-1000:], y[-1000:]
        else:
            parts = tuple(
                file[f"{kind}_{part}"] for part in ("train", "test") for kind in "Xy"
            )
    train, classes, test, test_classes = parts
    some = np.random.default_rng(0).permutation(len(train))[:n_train]
    train, classes = train[some], classes[some]
    mean = train.mean((0, 1, 2), dtype=np.float64)
    scale = train.std((0, 1, 2), dtype=np.float64)
    as_images = [
        torch.from_numpy(((part - mean) / scale).astype(np.float32)).permute(0, 3, 1, 2)
        for part in (train, test)
    ]
    as_classes = [
        torch.from_numpy(part.astype(np.int64)) for part in (classes, test_classes)
    ]
    return Images(as_images[0], as_classes[0], as_images[1], as_classes[1])


def train(
    images: Images,
    pool: str,
    seed: int,
    *,
    n_epochs: int,
    batch_size: int = 64,
    lr: float = 3e-3,
) -> dict[str, Any]:
    """Train with Adam, the rate falling to zero, and score on the test images."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        n_classes = int(images.train_classes.max()) + 1
        network = make_network(pool, images.train.shape[1], n_classes)
        n_batches = -(-len(images.train) // batch_size)
        optimizer = torch.optim.Adam(network.parameters(), lr)
        schedule = torch.optim.lr_scheduler.OneCycleLR(
            optimizer, 3 * lr, total_steps=n_epochs * n_batches
        )
        began = time.process_time()
        for _ in range(n_epochs):
            for rows in torch.randperm(len(images.train)).split(batch_size):
                optimizer.zero_grad()
                _loss(network, images.train[rows], images.train_classes[rows])
                optimizer.step()
                schedule.step()
        seconds = time.process_time() - began
    network.eval()
    with torch.inference_mode():
        scores = torch.cat([network(part) for part in images.test.split(500)])
    hits = (scores.argmax(1) == images.test_classes).double()
    loss = nn.functional.cross_entropy(scores, images.test_classes)
    return {
        "accuracy": float(hits.mean()),
        "log_loss": float(loss),
        "parameters": sum(values.numel() for values in network.parameters()),
        "fit_cpu": seconds,
    }


def _loss(network: nn.Module, images: Tensor, classes: Tensor) -> None:
    nn.functional.cross_entropy(network(images), classes).backward()


def step_memory_in_fresh_process(pool: str) -> int:
    """Return the bytes that a training step with 512 images of 32 x 32 pixels takes."""
    package = Path(__file__).resolve().parent
    done = subprocess.run(
        [sys.executable, "-m", f"{package.name}.image_training", pool],
        cwd=package.parent,
        check=True,
        capture_output=True,
        text=True,
    )
    return json.loads(done.stdout)


def _step_memory(pool: str) -> int:
    network = make_network(pool, 3, 10)
    images = torch.zeros(_MEMORY_IMAGES, 3, _MEMORY_SIDE, _MEMORY_SIDE)
    classes = torch.zeros(_MEMORY_IMAGES, dtype=torch.int64)
    # What a first step loads counts for no pooling.
    _loss(network, images[:1].expand(2, -1, -1, -1), classes[:2])
    before = peak_bytes()
    _loss(network, images, classes)
    return peak_bytes() - before


if __name__ == "__main__":
    print(json.dumps(_step_memory(sys.argv[1])))
