"""Encoded tables and nets that train an autoencoder on them."""

import pytest
import torch

from sklearn_ddcl.networks import MLPAutoencoder, QuantizedAutoencoder
from sklearn_ddcl.networks.table import TableSpec
from sklearn_ddcl.training import EncodedRows
from sklearn_ddcl.training.autoencoding.net import make_autoencoder_net
from sklearn_ddcl.training.autoencoding.plan import AutoencoderPlan


@pytest.fixture
def rows():
    """Return 240 rows in six groups, of two numbers and a category, some missing."""
    generator = torch.Generator().manual_seed(0)
    group = torch.arange(240) % 6
    angle = group * torch.pi / 3
    numbers = 2 * torch.stack([angle.cos(), angle.sin()], 1)
    numbers = numbers + 0.1 * torch.randn(240, 2, generator=generator)
    numbers[::9, 1] = float("nan")
    codes = (group % 3)[:, None] + 1
    return EncodedRows(numbers, codes, torch.zeros(240).long(), torch.ones(240))


@pytest.fixture
def make():
    """Return a function that makes an initialized net for such rows."""

    def build(seed=0, k=6, m=1, kind="product", callbacks=(), dtype=None, **params):
        network = QuantizedAutoencoder(
            TableSpec(2, (4,)),
            MLPAutoencoder(n_layers=1, d_hidden=32, d_code=3),
            n_prototypes=k,
            n_codebooks=m,
            quantization=kind,
            generator=torch.Generator().manual_seed(0),
        ).to(dtype or torch.float32)
        mixed_precision = params.pop("mixed_precision", False)
        defaults = {"max_epochs": 10, "batch_size": 40, "lr": 1e-2}
        return make_autoencoder_net(
            network,
            AutoencoderPlan(**defaults | params),
            seed=seed,
            device=torch.device("cpu"),
            mixed_precision=mixed_precision,
            extra_callbacks=callbacks,
        ).initialize()

    return build
