"""Dropout with one mask for all rows of a step."""

import copy
import pickle

import pytest
import torch
from torch.testing import assert_close

from sklearn_ddcl.layers import StepDropout


def make(p, seed=0):
    dropout = StepDropout(p)
    dropout.generator = torch.Generator().manual_seed(seed)
    return dropout


@pytest.fixture
def x(generator):
    return torch.randn(6, 4, 50, generator=generator)


def test_outside_training_nothing_happens(x):
    assert make(0.5).eval()(x) is x


def test_probability_zero_changes_nothing(x):
    assert make(0.0)(x) is x


def test_all_rows_share_the_mask(x):
    kept = make(0.5)(x) != 0

    assert 0 < kept[0].sum() < kept[0].numel()
    assert (kept == kept[0]).all()


def test_every_position_has_a_mask_of_its_own(x):
    kept = make(0.5)(x)[0] != 0
    assert not torch.equal(kept[0], kept[1])


def test_every_step_has_a_mask_of_its_own(x):
    dropout = make(0.5)
    assert not torch.equal(dropout(x), dropout(x))


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_what_is_kept_grows_so_that_the_mean_stays(p):
    n = 100_000

    y = make(p)(torch.ones(1, n))

    assert_close(y.unique(), torch.tensor([0.0, 1 / (1 - p)]))
    # Five standard errors of a mean of n draws.
    assert abs(y.mean().item() - 1) < 5 * (p / (1 - p) / n) ** 0.5


def test_a_row_does_not_feel_its_neighbors(x):
    alone, together = make(0.5)(x[2:3]), make(0.5)(x)
    assert torch.equal(alone[0], together[2])


def test_masks_follow_the_generator(x):
    assert torch.equal(make(0.5, seed=3)(x), make(0.5, seed=3)(x))
    assert not torch.equal(make(0.5, seed=3)(x), make(0.5, seed=4)(x))


def test_the_global_generator_is_left_alone(x):
    before = torch.get_rng_state()
    make(0.5)(x)
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.usefixtures("torch_seed")
def test_without_a_generator_the_global_one_serves(x):
    state = torch.get_rng_state()
    first = StepDropout(0.5)(x)
    torch.set_rng_state(state)
    assert torch.equal(StepDropout(0.5)(x), first)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_the_dtype_is_kept(x, dtype):
    assert make(0.5)(x.to(dtype)).dtype == dtype


@pytest.mark.parametrize(
    "travel", [copy.deepcopy, lambda d: pickle.loads(pickle.dumps(d))]
)
def test_a_copy_goes_on_with_the_same_masks(x, travel):
    dropout = make(0.5)
    dropout(x)
    assert torch.equal(travel(dropout)(x), dropout(x))


@pytest.mark.parametrize("p", [-0.1, 1.0, 2, float("nan")])
def test_wrong_probability(p):
    with pytest.raises(ValueError, match=rf"p must be in \[0, 1\), got p={p}"):
        StepDropout(p)
