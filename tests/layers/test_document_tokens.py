"""Groups of tokens are cut, and tokens know their document."""

import pytest
import torch

from sklearn_ddcl.layers.document_tokens import (
    DocumentTokens,
    cut_groups,
    document_of_items,
)


def test_groups_are_cut_into_equal_parts_by_hand():
    bounds = torch.tensor([0, 4, 9, 10])

    assert cut_groups(bounds, 4).tolist() == [0, 4, 6, 9, 10]
    assert cut_groups(bounds, 1).tolist() == list(range(11))
    assert cut_groups(bounds, 5).tolist() == bounds.tolist()


@pytest.mark.parametrize("longest", [1, 2, 3, 7, 50])
def test_parts_are_few_and_nearly_equal(longest):
    lengths = torch.arange(1, 40)
    bounds = torch.cat([torch.zeros(1, dtype=torch.int64), lengths.cumsum(0)])

    parts = cut_groups(bounds, longest)

    assert set(bounds.tolist()) <= set(parts.tolist())
    for start, end in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        inside = parts[(parts >= start) & (parts <= end)].diff()
        assert len(inside) == -(-(end - start) // longest)
        assert inside.max() <= longest
        assert inside.max() - inside.min() <= 1


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        (([0, 2, 5],), [0, 0, 1, 1, 1]),
        (([0, 1, 3, 5], [0, 1, 3]), [0, 1, 1, 1, 1]),
        (([0, 1, 3, 5], [0, 1, 2, 3], [0, 2, 3]), [0, 0, 0, 1, 1]),
    ],
)
def test_tokens_know_their_document_on_any_level(bounds, expected):
    documents = DocumentTokens(torch.zeros(5, 2), tuple(map(torch.tensor, bounds)))

    assert document_of_items(documents).tolist() == expected
