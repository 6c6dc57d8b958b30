"""Numbers and categories of a row, side by side."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from sklearn_ddcl.layers import CategoryTokenizer, LinearTokenizer, TableTokenizer


@pytest.fixture
def tokenizer(generator):
    return TableTokenizer(
        LinearTokenizer(2, 8, generator=generator),
        CategoryTokenizer([4, 3], 8, generator=generator),
    ).eval()


def test_numbers_come_first(tokenizer):
    numbers, codes = torch.tensor([[1.0, 2.0]]), torch.tensor([[3, 1]])

    tokens = tokenizer(numbers, codes)

    assert_close(tokens[:, :2], tokenizer.numbers(numbers))
    assert_close(tokens[:, 2:], tokenizer.categories(codes))


@pytest.fixture
def uncalled():
    class Uncalled(nn.Module):
        def forward(self, columns):
            raise AssertionError("asked although there are no such columns")

    return Uncalled()


def test_a_kind_without_columns_is_not_asked(tokenizer, uncalled):
    numbers, codes = torch.zeros(5, 2), torch.zeros(5, 2, dtype=torch.int64)

    only_numbers = TableTokenizer(tokenizer.numbers, uncalled)(numbers, codes[:, :0])
    only_codes = TableTokenizer(uncalled, tokenizer.categories)(numbers[:, :0], codes)

    assert_close(only_numbers, tokenizer.numbers(numbers))
    assert_close(only_codes, tokenizer.categories(codes))
