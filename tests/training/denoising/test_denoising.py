"""Corruption, losses and the training of a denoiser."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from sklearn_ddcl.layers.dense_rows import DenseRows
from sklearn_ddcl.networks import PlainMLPEncoder, RowDenoiser
from sklearn_ddcl.networks.table import TableSpec
from sklearn_ddcl.training import CollapseWarning
from sklearn_ddcl.training.data import Inputs
from sklearn_ddcl.training.denoising.corruption import swap_cells
from sklearn_ddcl.training.denoising.loss import rebuilding_losses, smoothing_losses
from sklearn_ddcl.training.denoising.net import make_denoising_net
from sklearn_ddcl.training.denoising.plan import DenoisingPlan
from sklearn_ddcl.training.denoising.rows import DenoisingRows

NAN = float("nan")


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


def batch(n=400):
    """Return a batch in which every cell tells its column and its row."""
    numbers = torch.arange(n * 3.0).reshape(n, 3)
    return Inputs(numbers, torch.arange(n * 2).reshape(n, 2))


@pytest.mark.parametrize("share", [0.0, 0.3, 1.0])
def test_a_share_of_the_cells_comes_from_other_rows_of_the_column(generator, share):
    inputs = batch()

    numbers, codes, _ = swap_cells(inputs, share, generator)

    assert bool((numbers % 3 == inputs.numbers % 3).all())
    assert bool((codes % 2 == inputs.codes % 2).all())
    swapped = torch.cat([numbers != inputs.numbers, codes != inputs.codes], 1)
    assert abs(float(swapped.double().mean()) - share) < 0.05
    assert float(swapped.double().std(0).mean()) > 0 or share in (0, 1)
    assert torch.equal(inputs.numbers, batch().numbers)


def test_losses_by_hand():
    dense = DenseRows(2, (2,), flagged=(1,))
    inputs = Inputs(torch.tensor([[1.0, NAN]]), torch.tensor([[1]]))
    rebuilt = torch.tensor([[3.0, 9.0, 0.5, 0.0, 0.0]])

    losses = rebuilding_losses(rebuilt, inputs, dense)

    # A number, no number where it is missing, a flag, a category at even odds.
    expected = (4.0 + 0.25 + np.log(2)) / 3
    assert_close(losses, torch.tensor([expected], dtype=torch.float32))


def test_sizes_of_neighborhoods_count_alike():
    predicted = torch.tensor([[[1.0, 1.0], [0.0, 2.0]]])
    assert smoothing_losses(predicted, torch.zeros(1, 2, 2)).tolist() == [1.0 + 2.0]


def train(distortion_weight=0.0, max_epochs=100, lr=1e-2, seed=0):
    """Train on two groups of rows; return the net."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(60) % 2
    numbers = torch.randn(60, 4, generator=generator) + 3.0 * labels[:, None]
    numbers = (numbers - numbers.mean(0)) / numbers.std(0)
    codes = torch.empty(60, 0, dtype=torch.int64)
    smoothed = numbers[:, None].repeat(1, 2, 1)
    rows = DenoisingRows(numbers, codes, smoothed, torch.ones(60))
    network = RowDenoiser(
        TableSpec(4, ()), PlainMLPEncoder(1, 16), d_latent=4, generator=generator
    )
    plan = DenoisingPlan(max_epochs, 16, lr, distortion_weight=distortion_weight)
    prototypes = torch.stack([numbers[labels == k].mean(0) for k in (0, 1)])
    net = make_denoising_net(
        network,
        plan,
        prototypes=prototypes,
        metric=torch.eye(4),
        temperature=0.5,
        seed=seed,
        device=torch.device("cpu"),
    )
    return net.initialize().partial_fit(rows)


def test_rows_and_neighborhoods_are_learned():
    history = train().measurements

    assert history[-1]["rebuilding"] < 0.3 * history[0]["rebuilding"]
    assert history[-1]["smoothing"] < 0.3 * history[0]["smoothing"]
    assert 0.7 < history[-1]["token_variance"] < 1.3
    assert history[-1]["perplexity"] == pytest.approx(2.0, abs=0.1)
    assert history[-1]["identity_residual"] < 1e-5


def test_the_same_seed_gives_the_same_weights():
    one, other = (train(max_epochs=3).module_.state_dict() for _ in range(2))
    for name, values in one.items():
        assert torch.equal(values, other[name])


def test_the_guard_keeps_rows_apart_under_the_competition_loss():
    last = train(distortion_weight=1.0).measurements[-1]

    assert last["token_variance"] > 0.4
    assert last["reconstruction"] < train().measurements[-1]["reconstruction"]


def test_a_competition_loss_that_drowns_all_others_is_warned_of(monkeypatch):
    # Prototypes that have fallen together, as they would if the loss moved them too.
    with pytest.warns(CollapseWarning, match="Lower distortion_weight"):
        collapse(monkeypatch)


def collapse(monkeypatch):
    from sklearn_ddcl.training.denoising import net as home

    make = home.make_denoising_net

    def fallen(*args, prototypes, **kwargs):
        return make(*args, prototypes=prototypes.mean(0, keepdim=True), **kwargs)

    monkeypatch.setitem(globals(), "make_denoising_net", fallen)
    train(distortion_weight=100.0)
