"""Tables as matrices, and maps that round every row alike."""

import torch
from torch.testing import assert_close

from sklearn_ddcl.layers.dense_rows import DenseRows
from sklearn_ddcl.layers.even_linear import EvenLinear


def test_numbers_flags_and_categories_stand_side_by_side():
    dense = DenseRows(3, (2, 3), flagged=(0, 2))
    nan = float("nan")
    numbers = torch.tensor([[1.0, 2.0, nan], [nan, nan, 3.0]])
    codes = torch.tensor([[1, 0], [0, 2]])

    expected = [
        [1.0, 2.0, 0.0, 0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0],
        [0.0, 0.0, 3.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0],
    ]
    assert_close(dense(numbers, codes), torch.tensor(expected))
    assert dense.width == 10


def test_a_table_may_lack_either():
    no_codes = torch.empty(2, 0, dtype=torch.int64)
    assert DenseRows(2, ())(torch.ones(2, 2), no_codes).shape == (2, 2)
    codes = torch.ones(2, 1, dtype=torch.int64)
    assert DenseRows(0, (4,))(torch.empty(2, 0), codes).shape == (2, 4)


def test_an_even_map_is_an_affine_map_that_rounds_alike_everywhere():
    generator = torch.Generator().manual_seed(0)
    layer = EvenLinear(37, 19, generator=generator)
    layer.bias.data.normal_(generator=generator)
    x = torch.randn(64, 37, generator=generator)

    expected = torch.nn.functional.linear(x, layer.weight, layer.bias)
    assert_close(layer(x), expected)
    assert torch.equal(layer(x.flip(0)).flip(0), layer(x))
