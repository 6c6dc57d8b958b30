"""The fast way to the mean assigned distance."""

import torch
from torch.testing import assert_close

import sklearn_ddcl.functional as F


def test_it_is_the_loss_of_the_decomposition(z, prototypes):
    q = F.soft_assign(z, prototypes, 2.0)
    assert_close(F.distortion(z, prototypes, q), F.decompose(z, prototypes, q).loss)


def test_its_gradient_is_that_of_the_free_energy(z, prototypes):
    prototypes.requires_grad_()
    q = F.soft_assign(z, prototypes, 2.0).detach()

    (actual,) = torch.autograd.grad(F.distortion(z, prototypes, q), prototypes)
    (expected,) = torch.autograd.grad(F.free_energy(z, prototypes, 2.0), prototypes)

    assert_close(actual, expected)


def test_gradient(z, prototypes):
    def distortion(z, prototypes, logits):
        return F.distortion(z, prototypes, logits.softmax(-1))

    logits = torch.linspace(-1, 1, 24, dtype=torch.float64).reshape(4, 6)
    inputs = [x.requires_grad_() for x in (z[:4], prototypes, logits)]
    assert torch.autograd.gradcheck(distortion, inputs)
