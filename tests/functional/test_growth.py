"""What is known of growth on paper: which operators see a missing head."""

import math
from itertools import pairwise

import pytest
import torch
from torch.testing import assert_close

import sklearn_ddcl.functional as F


def random(generator, *shape):
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def orthonormal(generator, n, d):
    return torch.linalg.qr(random(generator, d, n)).Q.T


@pytest.fixture
def operator(generator):
    """Return a symmetric operator whose eigenvalues are well apart."""
    frame = orthonormal(generator, 6, 6)
    values = torch.tensor([5.0, 3.0, 1.0, -0.5, -2.0, -4.0], dtype=torch.float64)
    return frame.T @ torch.diag(values) @ frame, frame


def test_demand_and_context_are_what_loops_give(generator):
    x, r = random(generator, 2, 5, 3), random(generator, 2, 5, 3)

    demands, contexts = F.demand_moments(x, r), F.context_moments(x)

    for b in range(2):
        demand = sum(torch.outer(x[b, i], r[b, i]) for i in range(5)) / 5
        gaps = [x[b, j] - x[b].mean(0) for j in range(5)]
        context = sum(torch.outer(gap, gap) for gap in gaps) / 5
        assert_close(demands[b], demand, rtol=0, atol=1e-12)
        assert_close(contexts[b], context, rtol=0, atol=1e-12)


def test_a_single_token_holds_what_it_is(generator):
    x = random(generator, 2, 1, 3)
    assert_close(F.context_moments(x), x.mT @ x)


def test_tokens_that_do_not_exist_neither_ask_nor_hold(generator):
    x, r = random(generator, 2, 5, 3), random(generator, 2, 5, 3)
    mask = torch.tensor([[True] * 5, [True, True, True, False, False]])
    alone = x[1:, :3], r[1:, :3]

    assert_close(F.demand_moments(x, r, mask)[1:], F.demand_moments(*alone))
    assert_close(F.context_moments(x, mask)[1:], F.context_moments(alone[0]))


def test_a_head_lowers_a_squared_loss_as_the_moments_say(generator):
    x, r = random(generator, 1, 7, 4), random(generator, 1, 7, 4)
    form, out = random(generator, 4, 4), random(generator, 4, 4)
    small = 1e-6
    weights = (small * x @ form @ x.mT).softmax(-1)
    # To first order, without the mean that even attention would add.
    added = (weights @ x - x.mean(1, keepdim=True)) @ out.T
    slope = (r * added).sum() / 7 / small

    demand, context = F.demand_moments(x, r)[0], F.context_moments(x)[0]

    expected = (demand * (form @ context @ out.T)).sum()
    assert float(slope / expected) == pytest.approx(1, abs=1e-4)


def test_shapes_that_do_not_fit_are_named():
    with pytest.raises(ValueError, match=r"\(2, 3, 4\) and \(2, 3, 5\)"):
        F.demand_moments(torch.zeros(2, 3, 4), torch.zeros(2, 3, 5))


def test_oja_finds_the_leading_direction(operator, generator):
    matrix, frame = operator
    v = random(generator, 6)
    v = v / v.norm()
    for _ in range(400):
        v = F.oja_step(v, matrix @ v, 0.1)
    assert abs(float(v @ frame[0])) == pytest.approx(1, abs=1e-9)


def test_mca_finds_the_trailing_direction(operator, generator):
    matrix, frame = operator
    w = random(generator, 6)
    w = w / w.norm()
    for _ in range(400):
        w = F.mca_step(w, matrix @ w, 0.1)
    assert abs(float(w @ frame[-1])) == pytest.approx(1, abs=1e-9)


def test_too_large_a_rate_misses_the_leading_direction(operator, generator):
    matrix, frame = operator
    v = random(generator, 6)
    v = v / v.norm()
    # The range of the spectrum is nine.
    for _ in range(400):
        v = F.oja_step(v, matrix @ v, 1.9 / 4.0)
    assert abs(float(v @ frame[0])) < 0.99


def test_deflation_never_raises_the_energy_that_is_left(generator):
    matrix = random(generator, 8, 8)
    energies = [float(torch.linalg.matrix_norm(matrix, 2))]
    for _ in range(8):
        u, _, vh = torch.linalg.svd(matrix)
        matrix = F.deflate(matrix, u.T[:1], vh[:1])
        energies.append(float(torch.linalg.matrix_norm(matrix, 2)))
    assert all(b <= a + 1e-12 for a, b in pairwise(energies))
    assert energies[-1] < 1e-12


def test_any_owned_directions_leave_no_more_energy(generator):
    matrix = random(generator, 8, 8)
    before = torch.linalg.svdvals(matrix)
    left, right = orthonormal(generator, 3, 8), orthonormal(generator, 2, 8)
    assert (torch.linalg.svdvals(F.deflate(matrix, left, right)) <= before).all()


@pytest.mark.parametrize("threshold", [0.05, 0.2, 0.5, 1.0])
def test_greedy_growth_ends_at_the_stationary_count(generator, threshold):
    matrix = random(generator, 8, 8) / 3
    expected = F.stationary_count(torch.linalg.svdvals(matrix), threshold)
    n_heads = 0
    while torch.linalg.matrix_norm(matrix, 2) > threshold:
        u, _, vh = torch.linalg.svd(matrix)
        matrix = F.deflate(matrix, u.T[:1], vh[:1])
        n_heads += 1
    assert n_heads == expected


@pytest.mark.parametrize("seed", range(20))
def test_the_bound_holds_for_any_spectrum(seed):
    generator = torch.Generator().manual_seed(seed)
    energies = torch.rand(10, generator=generator, dtype=torch.float64) ** 3
    threshold = float(0.01 + 0.3 * torch.rand((), generator=generator))
    assert F.head_bound(energies, threshold) >= F.stationary_count(energies, threshold)


def test_the_bound_by_hand():
    # 8, 4, 2, 2: what is left is 16, 8, 4, 2, at most twice the largest of it.
    energies = torch.tensor([2.0, 8.0, 4.0, 2.0])
    assert F.head_bound(energies, 1.0) == pytest.approx(2 * math.log(16))


def test_without_energy_no_head_is_bounded():
    assert F.head_bound(torch.tensor([0.5, 0.1]), 1.0) == 0


def test_the_bound_needs_a_threshold():
    with pytest.raises(ValueError, match="threshold must be positive"):
        F.head_bound(torch.ones(2), 0.0)


def test_the_published_operator_is_half_a_commutator_of_trace_zero(generator):
    tokens, form = random(generator, 50, 5), random(generator, 5, 5)
    gram = tokens.T @ tokens
    product = gram @ (form - form.T) / 2

    operator = F.directed_residual(gram, form)

    assert_close(operator, (product + product.T) / 2)
    assert float(operator.trace()) == pytest.approx(0, abs=1e-9)
    assert torch.linalg.eigvalsh(operator)[0] < 0 < torch.linalg.eigvalsh(operator)[-1]


def test_the_published_operator_is_blind_for_white_tokens(generator):
    form = random(generator, 5, 5)
    assert F.directed_residual(3 * torch.eye(5).double(), form).abs().max() < 1e-12


def test_the_published_operator_is_blind_for_what_heads_own(generator):
    owned = orthonormal(generator, 2, 5)
    form = owned.T @ random(generator, 2, 2) @ owned
    tokens = random(generator, 50, 5)
    operator = F.directed_residual(tokens.T @ tokens, form, owned)
    assert operator.abs().max() < 1e-10
