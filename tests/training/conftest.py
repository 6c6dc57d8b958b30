"""A small encoded table, networks for it, and states of a bank by hand."""

import pytest
import torch

from sklearn_ddcl.networks import MLPEncoder, TableClassifier, TransformerEncoder
from sklearn_ddcl.networks.table import TableSpec, choose_knots
from sklearn_ddcl.training import EncodedRows, TrainingPlan, make_net
from sklearn_ddcl.training.callbacks.validate import Validate
from sklearn_ddcl.training.probe import measure

ENCODERS = {
    "mlp": MLPEncoder(n_layers=1, d_hidden=16, n_views=2, d_token=4, d_column=4),
    "five views": MLPEncoder(n_layers=2, d_hidden=16, n_views=5, d_token=4, d_column=4),
    "transformer": TransformerEncoder(n_layers=1, d_token=4, n_heads=2),
}


@pytest.fixture
def rows():
    """Return 60 rows of two numbers and a category, in two classes."""
    generator = torch.Generator().manual_seed(0)
    classes = torch.arange(60) % 2
    numbers = torch.randn(60, 2, generator=generator) + classes[:, None]
    numbers[::9, 1] = float("nan")
    codes = torch.randint(0, 3, (60, 1), generator=generator)
    return EncodedRows(numbers, codes, classes, torch.ones(60))


@pytest.fixture
def folded(rows):
    """Return the same rows with weights, dealt to folds."""
    weights = torch.arange(60) % 3 + 1.0
    return EncodedRows(*rows.tensors[:3], weights, torch.arange(60) // 2 % 4)


@pytest.fixture
def plan():
    """Return a function that makes a plan of three epochs, unless told otherwise."""

    def make(**params):
        defaults = {
            "max_epochs": 3,
            "batch_size": 20,
            "lr": 1e-2,
            "prototype_lr_ratio": 10.0,
            "weight_decay": 0.01,
            "distortion_weight": 0.3,
        }
        return TrainingPlan(**defaults | params)

    return make


@pytest.fixture
def make(rows, plan):
    """Return a function that makes an initialized net for the rows."""

    def build(encoder="mlp", readout="ddcl", seed=0, callbacks=(), **params):
        judge = params.pop("judge", None)
        if (validation := params.pop("validation", None)) is not None:
            judge = Validate(validation, params.pop("validate_every", 1))
        patience = params.pop("patience", None)
        mixed_precision = params.pop("mixed_precision", False)
        spec = TableSpec(2, (3,), choose_knots(rows.tensors[0], 4))
        network = TableClassifier(
            spec,
            2,
            ENCODERS[encoder],
            readout=readout,
            n_prototypes=4,
            generator=torch.Generator().manual_seed(0),
        )
        net = make_net(
            network,
            plan(**params),
            seed=seed,
            device=torch.device("cpu"),
            mixed_precision=mixed_precision,
            judge=judge,
            patience=patience,
            extra_callbacks=tuple(callbacks),
        )
        return net.initialize()

    return build


@pytest.fixture
def state_of():
    """Return a function that assigns one-dimensional tokens to prototypes."""

    def assign(tokens, prototypes, temperature=0.1, classes=None, weights=None):
        tokens = torch.as_tensor(tokens, dtype=torch.float64)[:, None, None]
        prototypes = torch.as_tensor(prototypes, dtype=torch.float64)[:, None]
        gaps = (tokens - prototypes.T).square()
        n = len(tokens)
        if classes is None:
            classes = torch.zeros(n, dtype=torch.int64)
        if weights is None:
            weights = torch.ones(n)
        weights = torch.as_tensor(weights, dtype=torch.float64)
        q = (-gaps / temperature).softmax(-1)
        return prototypes, measure(tokens, q, torch.as_tensor(classes), weights)

    return assign
