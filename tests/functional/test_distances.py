"""Squared distances: by hand, against an oracle, their rounding, their blocks."""

import math

import pytest
import torch
from torch.testing import assert_close

import sklearn_ddcl.functional as F
from sklearn_ddcl.functional import distances

both_ways = pytest.mark.parametrize("direct", [False, True])


def slow_distances(z, prototypes):
    """Return distances one by one, in float64."""
    tokens = z.reshape(-1, z.shape[-1]).tolist()
    rows = [[math.dist(token, p) ** 2 for p in prototypes.tolist()] for token in tokens]
    rows = torch.tensor(rows, dtype=torch.float64)
    return rows.reshape(*z.shape[:-1], len(prototypes))


@both_ways
def test_two_triangles_by_hand(direct):
    z = torch.tensor([[0.0, 0.0], [1.0, 1.0]])
    prototypes = torch.tensor([[3.0, 4.0], [1.0, 1.0], [6.0, 13.0]])

    actual = F.squared_distances(z, prototypes, direct=direct)

    assert_close(actual, torch.tensor([[25.0, 2.0, 205.0], [13.0, 0.0, 169.0]]))


@both_ways
def test_distances_agree_with_the_slow_way(z, prototypes, direct):
    actual = F.squared_distances(z, prototypes, direct=direct)
    assert_close(actual, slow_distances(z, prototypes))


@both_ways
@pytest.mark.parametrize("leading", [(), (0,), (4,), (2, 3), (2, 0, 3)])
def test_leading_dimensions_are_kept(prototypes, generator, leading, direct):
    z = torch.randn(*leading, 5, generator=generator, dtype=torch.float64)

    actual = F.squared_distances(z, prototypes, direct=direct)

    assert actual.shape == (*leading, 6)
    assert_close(actual, slow_distances(z, prototypes))


def test_distances_are_never_negative(generator):
    # Long float32 vectors that meet themselves: the product form cancels below zero.
    prototypes = 1e3 * torch.randn(50, 64, generator=generator)

    actual = F.squared_distances(prototypes, prototypes)

    assert actual.min() >= 0


def test_direct_distances_of_equal_vectors_are_exactly_zero(generator):
    prototypes = 1e3 * torch.randn(50, 64, generator=generator)
    actual = F.squared_distances(prototypes, prototypes, direct=True)
    assert actual.diagonal().abs().max() == 0


def test_direct_distances_are_accurate_in_tight_clusters_far_apart(generator):
    # Within a cluster about 1e-3, between clusters and from the origin about 1e3.
    centers = 1e3 * torch.randn(4, 16, generator=generator)
    z = (centers[:, None] + 1e-3 * torch.randn(4, 9, 16, generator=generator)).flatten(
        0, 1
    )
    prototypes = centers + 1e-3 * torch.randn(4, 16, generator=generator)

    actual = F.squared_distances(z, prototypes, direct=True)

    assert_close(actual.double(), slow_distances(z, prototypes), rtol=1e-6, atol=0)


def test_rounding_does_not_grow_with_the_distance_from_the_origin(generator):
    z, prototypes = torch.randn(2, 30, 8, generator=generator).unbind()
    # Representable after the shift, so that only the computation rounds.
    z, prototypes = ((8 * x).round() / 8 + 4096 for x in (z, prototypes))

    actual = F.squared_distances(z, prototypes)

    assert_close(actual.double(), slow_distances(z, prototypes), rtol=0, atol=1e-4)


@both_ways
def test_a_common_shift_changes_nothing(z, prototypes, direct):
    shift = torch.linspace(-7, 20, 5, dtype=torch.float64)
    assert_close(
        F.squared_distances(z + shift, prototypes + shift, direct=direct),
        F.squared_distances(z, prototypes, direct=direct),
    )


@both_ways
@pytest.mark.usefixtures("torch_seed")  # gradgradcheck draws directions
def test_gradient(z, prototypes, direct):
    def distances_of(z, prototypes):
        return F.squared_distances(z, prototypes, direct=direct)

    inputs = (z[:5].requires_grad_(), prototypes.requires_grad_())

    assert torch.autograd.gradcheck(distances_of, inputs)
    assert torch.autograd.gradgradcheck(distances_of, inputs)


@both_ways
def test_the_gradient_far_from_the_origin_is_that_near_it(generator, direct):
    def gradient(offset):
        z = (near + offset).requires_grad_()
        actual = F.squared_distances(z, prototypes + offset, direct=direct)
        (importance * actual).sum().backward()
        return z.grad

    near, prototypes = torch.randn(2, 30, 8, generator=generator).unbind()
    # Representable after the shift, so that only the computation rounds.
    near, prototypes = ((8 * x).round() / 8 for x in (near, prototypes))
    importance = torch.rand(30, 30, generator=generator)

    assert_close(gradient(4096.0), gradient(0.0), rtol=1e-4, atol=1e-3)


@both_ways
def test_gradient_is_zero_where_a_token_meets_a_prototype(prototypes, direct):
    prototypes = prototypes.float()
    z = prototypes.clone().requires_grad_()

    F.squared_distances(z, prototypes, direct=direct).diagonal().sum().backward()

    assert_close(z.grad, torch.zeros_like(z), rtol=0, atol=1e-5)


@pytest.mark.parametrize("leading", [(), (0,), (7,), (2, 3)])
def test_the_nearest_prototype_is_that_of_the_smallest_distance(
    prototypes, generator, leading
):
    z = torch.randn(*leading, 5, generator=generator, dtype=torch.float64)
    expected = slow_distances(z, prototypes).argmin(-1)
    assert F.nearest(z, prototypes).tolist() == expected.tolist()


def test_of_equally_near_prototypes_the_first_is_nearest():
    z, prototypes = torch.tensor([[0.0]]), torch.tensor([[5.0], [1.0], [-1.0], [-5.0]])
    assert F.nearest(z, prototypes).item() == 1


def test_blocks_change_no_result(z, prototypes, monkeypatch):
    q = F.soft_assign(z, prototypes, 1.0)
    whole_nearest = F.nearest(z, prototypes)
    whole_parts = F.decompose(z, prototypes, q, reduction="none")

    monkeypatch.setattr(distances, "_BLOCK_ENTRIES", 50)  # 8 rows, and a rest

    assert F.nearest(z, prototypes).tolist() == whole_nearest.tolist()
    assert_close(F.decompose(z, prototypes, q, reduction="none"), whole_parts)


@pytest.mark.parametrize("n_rows", [0, 1, 7, 8, 9, 100])
def test_blocks_visit_every_row_once_and_stay_small(monkeypatch, n_rows):
    monkeypatch.setattr(distances, "_BLOCK_ENTRIES", 50)

    parts = [range(n_rows)[block] for block in distances.blocks(n_rows, 6)]

    assert [row for part in parts for row in part] == list(range(n_rows))
    assert all(6 * len(part) <= 50 for part in parts)


def test_a_block_has_a_row_even_where_that_is_too_much(monkeypatch):
    monkeypatch.setattr(distances, "_BLOCK_ENTRIES", 50)
    assert list(distances.blocks(2, 1000)) == [slice(0, 1), slice(1, 2)]


@pytest.mark.parametrize("function", [F.squared_distances, F.nearest])
@pytest.mark.parametrize(
    ("z_shape", "prototypes_shape", "match"),
    [
        ((4, 3), (5, 2), r"last dimension 2 .* tokens of shape \(4, 3\)"),
        ((), (5, 2), r"last dimension 2 .* tokens of shape \(\)"),
        ((4, 3), (3,), r"matrix .* got shape \(3,\)"),
        ((4, 3), (0, 3), r"at least one row, got shape \(0, 3\)"),
        ((4, 3), (1, 5, 3), r"matrix .* got shape \(1, 5, 3\)"),
    ],
)
def test_shapes_that_do_not_fit(function, z_shape, prototypes_shape, match):
    with pytest.raises(ValueError, match=match):
        function(torch.zeros(z_shape), torch.zeros(prototypes_shape))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_the_first_of_equal_entries_is_the_smallest(dtype):
    values = torch.tensor([[2.0, 1.0, 1.0], [0.0, 0.0, -1.0]], dtype=dtype)

    assert distances.first_smallest(values.requires_grad_()).tolist() == [1, 2]
