"""Loss = reconstruction + diversity: an identity, and what it does not say."""

import pytest
import torch
from torch.testing import assert_close

import sklearn_ddcl.functional as F


def make_data(kind, generator, dtype):
    """Return tokens and prototypes that are hard on rounding in one way each."""
    z = torch.randn(60, 16, generator=generator, dtype=torch.float64)
    prototypes = torch.randn(7, 16, generator=generator, dtype=torch.float64)
    group = torch.arange(60) % 7
    if kind.startswith("offset"):
        offset = float(kind.split()[1])
        z, prototypes = z + offset, prototypes + offset
    elif kind == "tight cluster":
        z, prototypes = 50 + 1e-3 * z, 50 + 1e-3 * prototypes
    elif kind == "tight pairs far apart":
        # Prototypes k and k + 3 share a place, so that tokens there waver.
        z = 1e3 * prototypes[group % 3] + z
        prototypes = 1e3 * prototypes[torch.arange(7) % 3] + prototypes
    return z.to(dtype), prototypes.to(dtype)


def make_assignments(kind, z, prototypes, generator):
    """Return rows on the simplex, whether from a competition or not."""
    shape = (len(z), len(prototypes))
    if kind == "soft":
        return F.soft_assign(z, prototypes, 16.0)
    if kind == "one-hot":
        return torch.eye(shape[1], dtype=z.dtype)[torch.arange(shape[0]) % shape[1]]
    uniform = torch.rand(shape, generator=generator, dtype=z.dtype)
    exponential = -uniform.clamp_min(1e-30).log()  # normalized: Dirichlet(1, ..., 1)
    if kind == "sparse":
        exponential = exponential * (uniform < 0.4)
        exponential[:, 2] += 1e-3
    return exponential / exponential.sum(-1, keepdim=True)


DATA = ["centered", "offset 10", "offset 100", "tight cluster", "tight pairs far apart"]
ASSIGNMENTS = ["soft", "one-hot", "random", "sparse"]
TOLERANCE = {torch.float32: 1e-5, torch.float64: 1e-12}


@pytest.fixture(params=TOLERANCE, ids=str)
def dtype(request):
    return request.param


@pytest.fixture(params=DATA)
def world(request, generator, dtype):
    return make_data(request.param, generator, dtype)


def by_definition(z, prototypes, q):
    """Return loss, reconstruction and diversity per token, literally, in float64."""
    z, prototypes, q = z.double(), prototypes.double(), q.double()
    q = q / q.sum(-1, keepdim=True)
    # Relative to the token, so that no mean prototype is rounded away from it.
    gaps = prototypes - z[:, None]
    mean_gap = (q[..., None] * gaps).sum(1)
    loss = (q * gaps.square().sum(-1)).sum(-1)
    reconstruction = mean_gap.square().sum(-1)
    diversity = (q * (gaps - mean_gap[:, None]).square().sum(-1)).sum(-1)
    return loss, reconstruction, diversity


def test_one_token_by_hand():
    # The mean prototype is 0.75 * 1 + 0.25 * 5 = 2; the token stands at 0.
    z, prototypes = torch.tensor([[0.0]]), torch.tensor([[1.0], [5.0]])

    parts = F.decompose(z, prototypes, torch.tensor([[0.75, 0.25]]))

    assert parts == (7.0, 4.0, 3.0)
    assert parts.residual == 0


@pytest.mark.parametrize("kind", ASSIGNMENTS)
def test_the_identity_holds_to_rounding(world, dtype, generator, kind):
    q = make_assignments(kind, *world, generator)

    per_token = F.decompose(*world, q, reduction="none").residual
    of_the_mean = F.decompose(*world, q).residual

    assert per_token.shape == (60,)
    assert per_token.max() <= TOLERANCE[dtype]
    assert of_the_mean <= TOLERANCE[dtype]


@pytest.mark.parametrize("kind", ASSIGNMENTS)
def test_the_parts_are_those_of_the_definition(world, dtype, generator, kind):
    q = make_assignments(kind, *world, generator)

    actual = F.decompose(*world, q, reduction="none")

    for part, expected in zip(actual, by_definition(*world, q), strict=True):
        # A part may vanish while the loss does not, so rounding is the loss's.
        gap = (part.double() - expected).abs() / actual.loss.double()
        assert gap.max() <= TOLERANCE[dtype]
        assert part.dtype == dtype


@pytest.mark.parametrize("kind", ASSIGNMENTS)
def test_diversity_lies_between_zero_and_the_loss(world, generator, kind):
    q = make_assignments(kind, *world, generator)

    parts = F.decompose(*world, q, reduction="none")

    assert parts.diversity.min() >= 0
    assert parts.reconstruction.min() >= 0
    assert (parts.diversity <= parts.loss * (1 + 1e-6)).all()


def test_diversity_is_the_trace_of_the_prototypes_under_the_assignments(z, prototypes):
    q = F.soft_assign(z, prototypes, 2.0)
    covariance = torch.diag_embed(q) - q[:, :, None] * q[:, None]  # of a one-hot draw

    trace = torch.einsum("kd,tkj,jd->t", prototypes, covariance, prototypes)

    assert_close(F.decompose(z, prototypes, q, reduction="none").diversity, trace)


def test_diversity_is_half_the_mean_squared_distance_of_two_draws(z, prototypes):
    q = F.soft_assign(z, prototypes, 2.0)
    gaps = (prototypes[:, None] - prototypes).square().sum(-1)

    pairs = torch.einsum("tj,tk,jk->t", q, q, gaps) / 2

    assert_close(F.decompose(z, prototypes, q, reduction="none").diversity, pairs)


def test_diversity_vanishes_when_assignments_are_hard(z, prototypes):
    q = torch.eye(6, dtype=torch.float64)[torch.arange(40) % 6]
    assert F.decompose(z, prototypes, q, reduction="none").diversity.max() < 1e-30


def test_diversity_vanishes_when_all_prototypes_are_equal(z, prototypes):
    q = F.soft_assign(z, prototypes, 2.0)
    collapsed = prototypes[:1].expand(6, 5)
    assert F.decompose(z, collapsed, q, reduction="none").diversity.max() < 1e-28


def test_diversity_is_positive_whenever_answering_prototypes_differ(z, prototypes):
    q = F.soft_assign(z, prototypes, 2.0)
    assert F.decompose(z, prototypes, q, reduction="none").diversity.min() > 0


def test_reductions_agree(z, prototypes):
    q = F.soft_assign(z, prototypes, 2.0)

    none = F.decompose(z, prototypes, q, reduction="none")
    mean = F.decompose(z, prototypes, q)
    total = F.decompose(z, prototypes, q, reduction="sum")

    for each, average, together in zip(none, mean, total, strict=True):
        assert_close(each.mean(), average)
        assert_close(each.sum(), together)


def test_leading_dimensions_are_kept(z, prototypes):
    q = F.soft_assign(z, prototypes, 2.0)
    flat = F.decompose(z, prototypes, q, reduction="none")

    stacked = F.decompose(
        z.reshape(4, 10, 5), prototypes, q.reshape(4, 10, 6), reduction="none"
    )
    single = F.decompose(z[3], prototypes, q[3], reduction="none")

    assert_close(stacked.loss, flat.loss.reshape(4, 10))
    assert_close(single.diversity, flat.diversity[3])


def test_the_residual_shows_a_violation():
    parts = F.Decomposition(*torch.tensor([4.0, 2.0, 1.0]))
    assert parts.residual == 0.25


def test_the_residual_of_nothing_is_zero():
    assert F.Decomposition(*torch.zeros(3)).residual == 0


def test_gradient(z, prototypes):
    q = F.soft_assign(z, prototypes, 2.0)[:4].detach()

    def parts(z, prototypes):
        return tuple(F.decompose(z, prototypes, q, reduction="none"))

    inputs = (z[:4].requires_grad_(), prototypes.requires_grad_())
    assert torch.autograd.gradcheck(parts, inputs)


def test_unknown_reduction(z, prototypes):
    q = F.soft_assign(z, prototypes, 2.0)
    with pytest.raises(ValueError, match="\"none\", got 'max'"):
        F.decompose(z, prototypes, q, reduction="max")


@pytest.mark.parametrize("shape", [(40, 5), (39, 6), (6,), (1, 40, 6)])
def test_assignments_must_fit(z, prototypes, shape):
    with pytest.raises(ValueError, match=r"shape \(40, 6\), got"):
        F.decompose(z, prototypes, torch.ones(shape))


def test_nothing_to_decompose(prototypes):
    with pytest.raises(ValueError, match="at least one token"):
        F.decompose(prototypes[:0], prototypes, torch.zeros(0, 6))
