"""The theorem on subspace denoising: how the signal-to-noise ratio grows."""

import math
import warnings

import numpy as np
import pytest
import torch
from torch.testing import assert_close

import sklearn_ddcl.functional as F

N_SUBSPACES, STEP, THRESHOLD = 4, 0.1, 0.6


def mixture(noise, n_tokens=100, d_subspace=32, seed=0):
    """Return tokens near orthogonal subspaces, the bases, and who belongs where."""
    rng = np.random.default_rng(seed)
    d_token = N_SUBSPACES * d_subspace
    frame = np.linalg.qr(rng.normal(size=(d_token, d_token)))[0]
    bases = frame.reshape(d_token, N_SUBSPACES, d_subspace).transpose(1, 0, 2)
    labels = np.arange(n_tokens) % N_SUBSPACES
    coordinates = noise * rng.normal(size=(N_SUBSPACES, n_tokens, d_subspace))
    own = rng.normal(size=(n_tokens, d_subspace))
    coordinates[labels, np.arange(n_tokens)] = own
    tokens = np.einsum("knp,kdp->nd", coordinates, bases)
    return tuple(torch.from_numpy(x.copy()) for x in (tokens, bases, labels))


@pytest.mark.parametrize("noise", [0.05, 0.1])
@pytest.mark.parametrize(("step_size", "n_layers"), [(0.1, 12), (0.5, 2)])
def test_every_step_multiplies_the_ratio_by_the_same_factor(noise, step_size, n_layers):
    tokens, bases, labels = mixture(noise)

    denoised = F.denoise(tokens, bases, labels, n_layers, step_size=step_size)

    factor = 1 + step_size * THRESHOLD
    expected = torch.full((n_layers, N_SUBSPACES), factor, dtype=torch.float64)
    assert_close(denoised.snr[1:] / denoised.snr[:-1], expected, rtol=1e-9, atol=0)


def test_too_many_steps_for_the_noise_are_warned_of_and_spoil_the_ratio():
    tokens, bases, labels = mixture(0.2, n_tokens=200)

    with pytest.warns(F.DepthBudgetWarning, match="noise of 0.201 times the signal"):
        snr = F.denoise(tokens, bases, labels, 16).snr.mean(1)

    peak = int(snr.argmax())
    assert 6 <= peak < 16
    assert 1.4 < float(snr[peak] / snr[0]) < 2.0
    assert bool((snr[peak:].diff() < 0).all())


def test_growth_is_exact_before_it_breaks():
    tokens, bases, labels = mixture(0.2)

    with pytest.warns(F.DepthBudgetWarning):
        snr = F.denoise(tokens, bases, labels, 16).snr

    off = (snr[1:] / snr[:-1] - (1 + STEP * THRESHOLD)).abs().amax(1)
    assert float(off[:4].max()) < 1e-9
    assert float(off[8:].min()) > 1e-4


def test_within_the_budget_nothing_is_warned_of():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        F.denoise(*mixture(0.1), 12)


def test_the_budget_by_hand():
    # (1 + 0.1 * 0.6)^l * 0.1 * sqrt(25) = 1.25
    expected = math.log(2.5) / math.log(1.06)
    assert F.depth_budget(0.1, 25, STEP, THRESHOLD) == pytest.approx(expected)
    assert F.depth_budget(0.0, 25, STEP, THRESHOLD) == math.inf
    assert F.depth_budget(10.0, 25, STEP, THRESHOLD) == 0.0


def test_no_token_attends_to_another_one():
    tokens, bases, labels = mixture(0.05)
    coordinates = torch.einsum("nd,kdp->knp", tokens, bases)

    weights = F.attention_weights(coordinates, coordinates, threshold=THRESHOLD)

    own = torch.nn.functional.one_hot(labels).T.double()
    assert_close(weights, torch.diag_embed(THRESHOLD * own), rtol=0, atol=0)


def test_subspaces_too_small_for_the_number_of_tokens_break_the_theorem():
    # No threshold above one half is below the weight of a token with itself.
    tokens, bases, labels = mixture(0.05, d_subspace=16)

    snr = F.denoise(tokens, bases, labels, 2).snr

    ratios = snr[1:] / snr[:-1]
    assert float((ratios - (1 + STEP * THRESHOLD)).abs().max()) > 1e-3


def test_the_ratio_of_the_input_is_that_of_the_model():
    noise = 0.2
    tokens, bases, labels = mixture(noise, n_tokens=2000)

    snr = F.subspace_snr(tokens, bases, labels)

    expected = 1 / (noise * math.sqrt(N_SUBSPACES - 1))
    assert_close(snr, torch.full_like(snr, expected), rtol=0.03, atol=0)


@pytest.mark.parametrize("threshold", [None, THRESHOLD])
def test_a_step_is_the_formula_written_out(threshold):
    tokens, bases, _ = mixture(0.5, n_tokens=7, d_subspace=3)
    Z, expected = tokens.numpy(), tokens.numpy().copy()
    for U in bases.numpy():
        gram = Z @ U @ U.T @ Z.T
        for i in range(len(Z)):
            weights = np.exp(0.7 * (gram[i] - gram[i].max()))
            weights /= weights.sum()
            if threshold is not None:
                weights = threshold * (weights > threshold)
            for j in range(len(Z)):
                expected[i] += 0.3 * weights[j] * (U @ (U.T @ Z[j]))

    answer = F.denoising_step(tokens, bases, 0.3, scale=0.7, threshold=threshold)

    np.testing.assert_allclose(answer, expected, rtol=0, atol=1e-12)


def test_a_step_can_be_learned_through():
    tokens, bases, _ = mixture(0.5, n_tokens=5, d_subspace=2)
    step = torch.tensor(0.3, dtype=torch.float64)
    inputs = [x.requires_grad_() for x in (tokens, bases, step)]

    assert torch.autograd.gradcheck(F.denoising_step, inputs)


def test_masked_tokens_are_not_attended_to():
    tokens, bases, _ = mixture(0.5, n_tokens=6, d_subspace=2)
    mask = torch.tensor([True, True, True, True, False, False])

    answer = F.denoising_step(tokens, bases, 0.3, mask=mask)

    alone = F.denoising_step(tokens[:4], bases, 0.3)
    assert_close(answer[:4], alone)
    nobody = F.denoising_step(tokens, bases, 0.3, mask=torch.zeros_like(mask))
    assert_close(nobody, tokens)


def test_widths_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"same width d, got \(5, 3\) and \(2, 4, 1\)"):
        F.denoising_step(torch.zeros(5, 3), torch.zeros(2, 4, 1), 0.1)
