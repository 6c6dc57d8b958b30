"""Rows as a mixture of subspaces."""

import pytest
import torch
from torch.testing import assert_close

from sklearn_ddcl.training.k_subspaces import energies, fit_subspaces


def mixture(seed=0, n_rows=300, noise=0.0):
    """Return rows of three planes in ten dimensions, and who is where."""
    generator = torch.Generator().manual_seed(seed)
    draw = torch.randn(10, 10, generator=generator, dtype=torch.float64)
    planes = torch.linalg.qr(draw).Q[:, :6].unflatten(1, (3, 2)).transpose(0, 1)
    labels = torch.arange(n_rows) % 3
    inside = torch.randn(n_rows, 2, generator=generator, dtype=torch.float64)
    rows = torch.einsum("np,ndp->nd", inside, planes[labels])
    noise = noise * torch.randn(rows.shape, generator=generator, dtype=torch.float64)
    return rows + noise, planes, labels


@pytest.mark.parametrize("noise", [0.0, 0.05])
def test_the_planes_that_rows_were_drawn_from_are_found(noise):
    rows, planes, labels = mixture(noise=noise)

    found = fit_subspaces(rows, 3, 2, torch.Generator().manual_seed(0))

    assert found.captured > 0.9
    counts = torch.zeros(3, 3)
    counts.index_put_((labels, found.labels), torch.ones(len(rows)), accumulate=True)
    assert float(counts.amax(1).sum()) / len(rows) > 0.95
    for k in range(3):
        angles = torch.linalg.svdvals(found.bases[k].T @ planes[counts[:, k].argmax()])
        assert_close(angles, torch.ones(2).double(), rtol=0, atol=0.02)


def test_bases_are_orthonormal_and_labels_are_the_nearest():
    rows, _, _ = mixture(noise=0.5)
    found = fit_subspaces(rows, 4, 3, torch.Generator().manual_seed(0))

    for basis in found.bases:
        assert_close(basis.T @ basis, torch.eye(3).double())
    energy = energies(rows, found.bases)
    assert torch.equal(energy.argmax(1), found.labels)
    share = float(energy.amax(1).sum() / rows.square().sum())
    assert found.captured == pytest.approx(share)


def test_one_subspace_is_that_of_the_principal_components():
    rows, _, _ = mixture(noise=0.3)
    found = fit_subspaces(rows, 1, 4, torch.Generator().manual_seed(0))

    expected = torch.linalg.svd(rows, full_matrices=False).Vh[:4].T
    assert_close(found.bases[0] @ found.bases[0].T, expected @ expected.T)


def test_rows_of_zeros_have_subspaces_too():
    found = fit_subspaces(torch.zeros(6, 3).double(), 2, 1, torch.Generator())
    assert found.captured == 1.0
    assert bool(found.bases.isfinite().all())
