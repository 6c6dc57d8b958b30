"""The mean of the tokens, and the first of them."""

import pytest
import torch
from torch.testing import assert_close

from sklearn_ddcl.layers import ClsPooling, MeanPooling

TOKENS = torch.tensor([[[1.0, 8.0], [3.0, 0.0]], [[5.0, 6.0], [7.0, 2.0]]])


def test_mean_by_hand():
    assert MeanPooling()(TOKENS).tolist() == [[2.0, 4.0], [6.0, 4.0]]


def test_masked_mean_by_hand():
    mask = torch.tensor([[True, False], [True, True]])
    assert MeanPooling()(TOKENS, mask).tolist() == [[1.0, 8.0], [6.0, 4.0]]


@pytest.mark.parametrize("padding", [1e9, float("nan"), float("inf")])
def test_what_stands_where_no_token_is_does_not_matter(padding):
    tokens, mask = TOKENS.clone(), torch.tensor([[True, False], [True, True]])
    tokens[0, 1] = padding
    tokens.requires_grad_()

    mean = MeanPooling()(tokens, mask)
    mean.sum().backward()

    assert mean.tolist() == [[1.0, 8.0], [6.0, 4.0]]
    assert tokens.grad.tolist() == [[[1, 1], [0, 0]], [[0.5, 0.5], [0.5, 0.5]]]


def test_a_row_without_tokens_has_mean_zero():
    mask = torch.tensor([[False, False], [True, True]])
    assert MeanPooling()(TOKENS, mask)[0].tolist() == [0.0, 0.0]


def test_the_first_token_is_the_summary():
    assert_close(ClsPooling()(TOKENS), TOKENS[:, 0])
