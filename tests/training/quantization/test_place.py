"""Codes are placed on rows far from each other."""

import numpy as np
import torch
from sklearn.datasets import make_blobs

from sklearn_ddcl.training.quantization.passes import hard_pass
from sklearn_ddcl.training.quantization.place import spread
from sklearn_ddcl.training.quantization.rows import Rows


def test_every_island_is_found(generator):
    values, islands = make_blobs(160, 3, centers=8, cluster_std=0.01, random_state=0)
    rows = Rows(torch.from_numpy(values), dtype=torch.float64)

    codes = spread(rows, 8, generator)

    labels = hard_pass(rows, codes).labels.numpy()
    assert len({*zip(islands, labels, strict=True)}) == 8


def test_rows_without_weight_are_never_chosen(generator):
    values = torch.tensor([[0.0], [1.0], [100.0]])
    rows = Rows(values, torch.tensor([1.0, 1.0, 0.0]))

    codes = spread(rows, 2, generator) + rows.center

    np.testing.assert_allclose(codes.flatten().sort().values, [0, 1], atol=1e-6)


def test_once_every_row_is_a_code_they_repeat(generator):
    rows = Rows(torch.tensor([[0.0], [1.0], [2.0]]))

    codes = spread(rows, 6, generator) + rows.center

    assert set(codes.flatten().round().tolist()) == {0.0, 1.0, 2.0}


def test_more_codes_go_where_the_distance_is(generator):
    values = torch.cat([torch.zeros(50, 1), torch.tensor([[10.0], [20.0]])])
    rows = Rows(values)
    distances = values.flatten().square()

    codes = spread(rows, 2, generator, distances, n_candidates=8) + rows.center

    np.testing.assert_allclose(codes.flatten().sort().values, [10, 20], atol=1e-5)
