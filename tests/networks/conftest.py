"""A small mixed table and every network that can read it."""

import pytest
import torch

from sklearn_ddcl.networks import (
    AoTEncoder,
    INCRTEncoder,
    MLPEncoder,
    TableClassifier,
    TransformerEncoder,
)
from sklearn_ddcl.networks.table import TableSpec, choose_knots

N_ROWS, N_CLASSES = 12, 3

ENCODERS = {
    "mlp": MLPEncoder(d_hidden=16, n_views=3, d_token=8, numerical="mixed", n_bins=4),
    "mlp-piecewise-linear": MLPEncoder(
        d_hidden=16, n_views=3, d_token=8, numerical="piecewise_linear", n_bins=4
    ),
    "mlp-linear": MLPEncoder(d_hidden=16, d_token=8, numerical="linear"),
    "mlp-periodic": MLPEncoder(d_hidden=16, d_token=8, numerical="periodic"),
    "transformer": TransformerEncoder(d_token=8, n_heads=2, n_bins=4),
    "aot": AoTEncoder(n_layers=3, d_token=8, n_heads=2, n_bins=4),
    "incrt": INCRTEncoder(n_heads=(2, 1), d_token=8, d_head=4, n_bins=4),
    "pooled": TransformerEncoder(
        d_token=8, n_heads=2, n_bins=4, context_pool="correlation"
    ),
    "pooled-in-order": AoTEncoder(
        n_layers=2, d_token=8, n_heads=2, n_bins=4, context_pool="index"
    ),
    "transformer-linear": TransformerEncoder(d_token=8, n_heads=2, numerical="linear"),
}
READOUTS = ["ddcl", "mean", "cls"]


@pytest.fixture
def generator():
    """Return a seeded generator."""
    return torch.Generator().manual_seed(0)


@pytest.fixture
def numbers(generator):
    """Return three numerical columns with a few missing values."""
    numbers = torch.randn(N_ROWS, 3, generator=generator)
    numbers[::5, 1] = float("nan")
    return numbers


@pytest.fixture
def codes(generator):
    """Return two categorical columns, of 4 and 3 codes."""
    columns = [torch.randint(0, n, (N_ROWS,), generator=generator) for n in (4, 3)]
    return torch.stack(columns, dim=1)


@pytest.fixture
def spec(numbers):
    """Return the shape of the table."""
    places = torch.arange(5.0)
    distances = (places[:, None] - places).abs()
    return TableSpec(3, (4, 3), choose_knots(numbers, n_bins=4), (), distances)


@pytest.fixture
def make(spec):
    """Return a function that builds a network by the names of its parts."""

    def build(encoder="mlp", readout="ddcl", seed=0, **params):
        return TableClassifier(
            spec,
            N_CLASSES,
            ENCODERS[encoder],
            readout=readout,
            n_prototypes=5,
            generator=torch.Generator().manual_seed(seed),
            **params,
        )

    return build
