"""Seeds from any random state, and generators of one's own."""

import numpy as np
import pytest
import torch

from sklearn_ddcl.training import draw_seed, make_generator


def test_an_integer_always_gives_the_same_seed():
    assert draw_seed(5) == draw_seed(5) == draw_seed(np.random.RandomState(5))
    assert draw_seed(5) != draw_seed(6)


def test_a_random_state_moves_on():
    source = np.random.RandomState(5)

    assert draw_seed(source) != draw_seed(source)


@pytest.mark.usefixtures("numpy_seed")
def test_without_a_state_the_global_one_is_drawn_from():
    assert draw_seed(None) != draw_seed(None)


@pytest.mark.parametrize("wrong", ["seed", 1.5, np.random.default_rng(0)])
def test_other_states_are_refused(wrong):
    with pytest.raises(ValueError, match="cannot be used to seed"):
        draw_seed(wrong)


def test_a_generator_repeats_and_leaves_the_global_one_alone():
    before = torch.get_rng_state()
    first, second = (torch.rand(3, generator=make_generator(7)) for _ in range(2))

    assert torch.equal(first, second)
    assert torch.equal(torch.get_rng_state(), before)
