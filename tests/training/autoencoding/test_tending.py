"""Codebooks are placed, cooled and kept alive between epochs."""

import pytest
import torch

from sklearn_ddcl.layers import Codebook
from sklearn_ddcl.training.autoencoding.plan import AutoencoderPlan
from sklearn_ddcl.training.autoencoding.tending import (
    jitter,
    measure_cells,
    place,
    relocate_dead,
    set_temperature,
)


@pytest.fixture
def generator():
    return torch.Generator().manual_seed(0)


def make(prototypes, quantization="product"):
    values = torch.tensor(prototypes, dtype=torch.float64)
    codebook = Codebook(
        *values.shape, quantization=quantization, generator=torch.Generator()
    ).double()
    codebook.prototypes.requires_grad_(False).copy_(values)
    return codebook


def test_cells_of_two_prototypes_by_hand():
    codebook = make([[[0.0], [10.0]]])
    latents = torch.tensor([[[1.0]], [[-1.0]], [[12.0]]], dtype=torch.float64)
    weights = torch.tensor([1.0, 1.0, 2.0], dtype=torch.float64)

    cells = measure_cells(codebook, latents, weights)

    assert cells.gaps[:, 0].tolist() == [1, 1, 4]
    assert cells.mass.tolist() == [[0.5, 0.5]]


def test_a_residual_book_is_measured_on_what_is_left():
    codebook = make([[[0.0], [10.0]], [[-1.0], [2.0]]], "residual")
    latents = torch.tensor([[[1.0]], [[12.0]]], dtype=torch.float64)

    cells = measure_cells(codebook, latents, torch.ones(2).double())

    assert cells.inputs[:, 1].tolist() == [[1.0], [2.0]]
    assert cells.gaps[:, 1].tolist() == [1, 0]


def test_the_temperature_follows_the_width_of_the_cells():
    codebook = make([[[0.0, 0.0], [10.0, 0.0]]])
    latents = torch.tensor([[[1.0, 0.0]], [[10.0, 1.0]]], dtype=torch.float64)
    cells = measure_cells(codebook, latents, torch.ones(2).double())
    plan = AutoencoderPlan(max_epochs=30, batch_size=10, lr=1e-3)

    set_temperature(codebook, cells, plan, epoch=3)

    # A squared distance of one over two dimensions, twice that, twice at the start.
    assert codebook.temperature.tolist() == [2.0]


def test_latents_without_any_width_leave_a_positive_temperature():
    codebook = make([[[1.0], [1.0]]])
    cells = measure_cells(
        codebook, torch.ones(4, 1, 1).double(), torch.ones(4).double()
    )

    set_temperature(codebook, cells, AutoencoderPlan(30, 10, 1e-3), epoch=3)

    assert 0 < codebook.temperature.item() < 1e-3


def test_a_dead_prototype_moves_to_a_far_latent(generator):
    codebook = make([[[0.0], [1.0], [-500.0]]])
    latents = torch.tensor([[[0.0]], [[1.0]], [[30.0]]], dtype=torch.float64)
    cells = measure_cells(codebook, latents, torch.ones(3).double())

    n_moved = relocate_dead(codebook, cells, generator)

    assert n_moved == 1
    assert codebook.prototypes.flatten().tolist() == [0.0, 1.0, 30.0]


def test_a_prototype_with_latents_stays(generator):
    codebook = make([[[0.0], [1.0]]])
    before = codebook.prototypes.clone()
    latents = torch.tensor([[[0.1]], [[1.1]]], dtype=torch.float64)
    cells = measure_cells(codebook, latents, torch.ones(2).double())

    assert relocate_dead(codebook, cells, generator) == 0
    assert torch.equal(codebook.prototypes, before)


def test_the_jitter_parts_duplicates_and_is_small(generator):
    codebook = make([[[1.0], [1.0]]])
    latents = torch.tensor([[[0.0]], [[2.0]]], dtype=torch.float64)
    cells = measure_cells(codebook, latents, torch.ones(2).double())

    jitter(codebook, cells, generator)

    first, second = codebook.prototypes.flatten().tolist()
    assert 0 < abs(first - second) < 0.01


def test_residual_books_are_placed_one_after_the_other(generator):
    codebook = make([[[0.0], [0.0]], [[0.0], [0.0]]], "residual")
    points = torch.tensor([-10.0, -8.0, 8.0, 10.0], dtype=torch.float64)

    place(codebook, points[:, None, None], torch.ones(4).double(), generator)

    assert sorted(codebook.prototypes[0].flatten().tolist()) == [-9.0, 9.0]
    assert sorted(codebook.prototypes[1].flatten().tolist()) == [-1.0, 1.0]
