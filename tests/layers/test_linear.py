"""The affine map."""

import pytest
import torch
from torch.testing import assert_close

from sklearn_ddcl.layers import Linear


def test_it_is_that_of_torch(generator):
    linear = Linear(3, 5, generator=generator)
    linear.bias.data.normal_(generator=generator)
    x = torch.randn(2, 4, 3, generator=generator)

    assert_close(linear(x), torch.nn.functional.linear(x, linear.weight, linear.bias))


def test_weights_start_uniform_within_the_inverse_root_of_the_width(generator):
    linear = Linear(25, 4000, generator=generator)

    assert linear.weight.abs().max() <= 0.2
    assert linear.weight.std().item() == pytest.approx(0.2 / 3**0.5, rel=0.02)
    assert linear.bias.abs().max() == 0


def test_the_bias_can_be_left_out(generator):
    linear = Linear(3, 5, bias=False, generator=generator)

    assert linear.bias is None
    assert linear(torch.zeros(1, 3)).tolist() == [[0.0] * 5]


def test_a_table_without_columns_maps_to_the_bias(generator):
    assert Linear(0, 2, generator=generator)(torch.zeros(3, 0)).shape == (3, 2)


def test_its_text_shows_the_widths(generator):
    assert repr(Linear(3, 5, generator=generator)) == "Linear(3, 5, bias=True)"
