"""Products that round every row alike."""

import pytest
import torch
from torch.testing import assert_close

from sklearn_ddcl.layers.full_vectors import full_vectors, multiply_groups


@pytest.mark.parametrize(("width", "padded"), [(1, 16), (5, 16), (16, 16), (17, 32)])
def test_the_width_grows_to_whole_vectors_of_zeros(generator, width, padded):
    matrix = torch.randn(2, 3, width, generator=generator)

    full = full_vectors(matrix)

    assert full.shape == (2, 3, padded)
    assert torch.equal(full[..., :width], matrix)
    assert full[..., width:].abs().sum() == 0


@pytest.mark.parametrize("width", [1, 5, 16, 20])
def test_every_group_is_multiplied_by_its_own_matrix(generator, width):
    x = torch.randn(7, 3, 4, generator=generator, dtype=torch.float64)
    weight = torch.randn(3, 4, width, generator=generator, dtype=torch.float64)

    products = multiply_groups(x, weight)

    assert products.shape == (7, 3, width)
    for group in range(3):
        assert_close(products[:, group], x[:, group] @ weight[group])


@pytest.mark.parametrize("width", [5, 7])
def test_a_row_has_the_same_bits_wherever_it_stands(generator, width):
    x = torch.randn(37, 3, 48, generator=generator)
    weight = torch.randn(3, 48, width, generator=generator)
    products = multiply_groups(x, weight)

    for shift in range(1, 37):
        moved = multiply_groups(x.roll(shift, 0), weight)
        assert torch.equal(moved, products.roll(shift, 0))
