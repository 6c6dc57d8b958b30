"""Categories to tokens."""

import pytest
import torch
from torch.testing import assert_close

from sklearn_ddcl.layers import CategoryTokenizer
from sklearn_ddcl.layers.categorical import UNKNOWN

CODES = torch.tensor([[2, 1], [0, 0], [1, 4], [2, 1]])


def make(generator, p_hidden=0.01, cardinalities=(3, 5)):
    """Return a tokenizer that also hides by the generator."""
    tokenizer = CategoryTokenizer(
        list(cardinalities), 8, p_hidden=p_hidden, generator=generator
    )
    tokenizer.generator = generator
    return tokenizer


def test_every_code_of_every_column_has_a_token_of_its_own(generator):
    tokenizer = make(generator).eval()

    tokens = tokenizer(CODES)

    # Codes of the second column follow the three of the first.
    rows = torch.tensor([[2, 4], [0, 3], [1, 7], [2, 4]])
    assert_close(tokens, tokenizer.weight[rows])
    assert len(tokenizer.weight) == 8


def test_code_zero_is_the_unknown_of_its_column(generator):
    tokenizer = make(generator).eval()

    tokens = tokenizer(torch.full((1, 2), UNKNOWN))[0]

    assert_close(tokens, tokenizer.weight[[0, 3]])


def test_categories_are_hidden_in_training_only(generator):
    tokenizer = make(generator, p_hidden=1.0)
    everything_unknown = tokenizer.weight[[0, 3]].expand(4, 2, 8)

    assert_close(tokenizer.train()(CODES), everything_unknown)
    assert_close(
        tokenizer.eval()(CODES), tokenizer.weight[CODES + torch.tensor([0, 3])]
    )


def test_without_hiding_training_changes_nothing(generator):
    tokenizer = make(generator, p_hidden=0.0)
    assert_close(tokenizer.train()(CODES), tokenizer.eval()(CODES))


def test_a_category_is_hidden_in_all_rows_or_in_none(generator):
    tokenizer = make(generator, p_hidden=0.5, cardinalities=(50,)).train()
    codes = torch.arange(1, 50).repeat(3)[:, None]

    first, second, third = tokenizer(codes).split(49)

    assert torch.equal(first, second)
    assert torch.equal(first, third)
    n_hidden = (first == tokenizer.weight[0]).all(-1).sum()
    assert 5 < n_hidden < 45


def test_each_step_hides_the_wanted_share(generator):
    n, p = 20_000, 0.1
    tokenizer = make(generator, p_hidden=p, cardinalities=(n + 1,)).train()
    codes = torch.arange(1, n + 1)[:, None]

    hidden = (tokenizer(codes) == tokenizer.weight[0]).all(-1).double()

    # Five standard errors.
    assert abs(hidden.mean().item() - p) < 5 * (p * (1 - p) / n) ** 0.5


def test_what_is_hidden_follows_the_generator(generator):
    tokenizer = make(generator, p_hidden=0.5, cardinalities=(50,)).train()
    codes = torch.arange(50)[:, None]

    def answer(seed):
        tokenizer.generator = torch.Generator().manual_seed(seed)
        return tokenizer(codes)

    before = torch.get_rng_state()
    assert torch.equal(answer(3), answer(3))
    assert not torch.equal(answer(3), answer(4))
    assert torch.equal(torch.get_rng_state(), before)


def test_hidden_categories_train_the_unknown_token(generator):
    tokenizer = make(generator, p_hidden=1.0).train()
    tokenizer(CODES).sum().backward()
    assert tokenizer.weight.grad.abs().sum(-1).nonzero().flatten().tolist() == [0, 3]


def test_a_table_without_categories(generator):
    tokenizer = make(generator, cardinalities=()).train()
    assert tokenizer(torch.zeros(5, 0, dtype=torch.int64)).shape == (5, 0, 8)


@pytest.mark.parametrize("dtype", [torch.float64, torch.bfloat16])
def test_the_dtype_is_kept(generator, dtype):
    assert make(generator).to(dtype).eval()(CODES).dtype == dtype
