"""Numbers under a soft limit."""

import pytest
import torch
from torch.testing import assert_close

from sklearn_ddcl.functional import soft_clip

WIDE = torch.tensor([-1e30, -30.0, -3.0, -0.01, 0.0, 0.01, 3.0, 30.0, 1e30])


def test_a_small_number_is_itself_and_a_large_one_the_limit():
    clipped = soft_clip(WIDE)

    assert_close(clipped[3:6], WIDE[3:6], rtol=1e-5, atol=0)
    assert_close(clipped[[0, -1]], torch.tensor([-3.0, 3.0]))
    assert 2.9 < clipped[-2] < 3


def test_the_order_and_the_sign_stay():
    clipped = soft_clip(WIDE)

    assert (clipped.diff() > 0).all()
    assert_close(clipped, -soft_clip(-WIDE))


@pytest.mark.parametrize("limit", [0.5, 3.0, 10.0])
def test_at_its_limit_a_number_has_lost_its_share(limit):
    x = torch.tensor(limit, dtype=torch.float64)
    assert_close(soft_clip(x, limit), x / 2**0.5)


def test_its_slope(torch_seed):
    x = torch.linspace(-9, 9, 19, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(soft_clip, x)
    assert torch.autograd.gradgradcheck(soft_clip, x)
