"""How much of the tokens of a network lies in the subspaces of its layers."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ddcl import DDCLClassifier
from sklearn_ddcl.estimators.subspace_probe import (
    mean_cosine,
    measure_block,
    random_bases,
)
from sklearn_ddcl.inspection import subspace_snr
from sklearn_ddcl.layers import SubspaceAttention
from sklearn_ddcl.networks import AoTEncoder


def make(**params):
    encoder = AoTEncoder(**{"n_layers": 3, "d_token": 8, "n_heads": 2} | params)
    return DDCLClassifier(6, encoder=encoder, max_epochs=3, random_state=0)


@pytest.fixture(scope="module", params=["separate", "shared"])
def trained(request, iris):
    return make(projection=request.param).fit(*iris)


def block_along_axes():
    """Return a block whose two subspaces are the first two axes and the next two."""
    generator = torch.Generator().manual_seed(0)
    block = SubspaceAttention(5, n_heads=2, d_head=2, norm=False, generator=generator)
    axes = torch.eye(5)[:4]
    # Neither orthogonal nor of length one, but the span is the same.
    axes[1] += 3 * axes[0]
    block.bases.data = 2.0 * axes
    return block


def test_energies_by_hand():
    before = torch.tensor([[[3.0, 4.0, 1.0, 0.0, 2.0], [0.0, 1.0, 6.0, 0.0, 0.0]]])
    after = torch.tensor([[[1.0, 1.0, 9.0, 9.0, 0.0], [0.0, 2.0, 0.0, 3.0, 1.0]]])

    energies = measure_block(block_along_axes(), before, after)

    # The first token belongs to the first subspace also after it left for the second.
    expected = [25 + 36, (1 + 4) + 1, 2 + 9, 2 * 81 + (4 + 1)]
    assert_allclose([e.item() for e in energies[:4]], expected, rtol=1e-6)
    assert energies[4].tolist() == [[1, 1]]


def test_the_theorem_shows_in_a_network_made_for_it():
    generator = torch.Generator().manual_seed(0)
    block = SubspaceAttention(
        128, n_heads=4, output="tied", norm=False, scale=1.0, threshold=0.6,
        step_size=0.1, generator=generator,
    ).double()  # fmt: skip
    bases = torch.linalg.qr(block.bases.data.T).Q.T
    block.bases.data = bases
    labels = torch.arange(100) % 4
    parts = 0.05 * torch.randn(100, 4, 32, generator=generator, dtype=torch.float64)
    parts[torch.arange(100), labels] *= 20
    tokens = (parts.flatten(1) @ bases)[None]

    inside, outside, moved_inside, moved_outside, chosen = measure_block(
        block, tokens, block(tokens)
    )

    assert chosen.tolist() == [[25] * 4]
    gain = ((moved_inside / moved_outside) / (inside / outside)).sqrt()
    assert gain.item() == pytest.approx(1.06, rel=1e-9)


def test_ratios_are_those_of_the_tokens_of_the_layers(trained, iris):
    found = subspace_snr(trained, iris[0])

    network = trained._fitted.network
    numbers, codes = trained._fitted.to_tensors(trained._encode(iris[0]))
    with torch.no_grad():
        encoder = network.encoder
        x = encoder.tokenizer(numbers, codes) + encoder.column
        for layer, block in enumerate(encoder.blocks):
            ratios = []
            y = block(x)
            z, moved = block.norm(x).numpy(), block.norm(y).numpy()
            z, moved = z.reshape(-1, 8), moved.reshape(-1, 8)
            spans = block.bases.numpy()[-8:].reshape(2, 4, 8)
            projectors = [np.linalg.pinv(span) @ span for span in spans]
            own = np.argmax([np.square(z @ p).sum(1) for p in projectors], 0)
            for tokens in (z, moved):
                kept = np.stack([tokens @ p for p in projectors])
                kept = kept[own, np.arange(len(own))]
                ratios.append(np.linalg.norm(kept) / np.linalg.norm(tokens - kept))
            assert_allclose(
                [found.before[layer], found.after[layer]], ratios, rtol=1e-4
            )
            assert_allclose(found.head_shares[layer, 0], (own == 0).mean(), rtol=1e-6)
            x = y
    assert_allclose(found.gain, found.after / found.before)
    assert_allclose(
        found.untrained_gain, found.untrained_after / found.untrained_before
    )
    assert found.token_cosine.shape == found.untrained_token_cosine.shape == (4,)


def test_random_subspaces_are_those_of_chance(iris):
    # Half of the dimensions each: the larger of two halves of a random direction.
    generator = torch.Generator().manual_seed(0)
    block = SubspaceAttention(64, n_heads=2, norm=False, generator=generator)
    tokens = torch.randn(50, 40, 64, generator=generator)

    (drawn,) = random_bases([block], generator)
    inside, outside, *_ = measure_block(block, tokens, tokens, drawn)

    assert_allclose((drawn.mT @ drawn).numpy(), [np.eye(32)] * 2, atol=1e-12)
    assert 1.0 < (inside.sum() / outside.sum()).sqrt().item() < 1.25


def test_the_cosine_between_tokens_by_hand():
    tokens = torch.tensor([[[1.0, 0.0], [0.0, 2.0], [3.0, 3.0]]])
    expected = (0 + np.sqrt(0.5) + np.sqrt(0.5)) / 3

    assert mean_cosine(tokens).item() == pytest.approx(expected)
    assert mean_cosine(tokens[:, :1]).isnan().all()
    assert mean_cosine(torch.ones(1, 4, 2)).item() == pytest.approx(1.0)


def test_the_same_question_gets_the_same_answer(trained, iris):
    answers = [subspace_snr(trained, iris[0], n_draws=2) for _ in range(2)]

    assert_allclose(answers[0].untrained_before, answers[1].untrained_before)
    assert_allclose(answers[0].random_subspaces, answers[1].random_subspaces)
    other = subspace_snr(trained, iris[0], n_draws=2, random_state=1)
    assert not np.allclose(other.untrained_before, answers[0].untrained_before)
    assert_allclose(other.before, answers[0].before)


def test_a_network_that_was_not_trained_is_one_of_the_untrained(iris):
    # The wider the tokens, the less untrained networks differ.
    clf = make(d_token=64, n_layers=2).set_params(max_epochs=1, lr=1e-12).fit(*iris)

    found = subspace_snr(clf, iris[0])

    assert_allclose(found.before, found.untrained_before, rtol=0.2)
    assert_allclose(found.gain, found.untrained_gain, rtol=0.2)


def test_a_pipeline_is_measured_at_its_end(iris):
    X, y = iris
    pipeline = make_pipeline(StandardScaler(), make()).fit(X, y)

    found = subspace_snr(pipeline, X)

    alone = subspace_snr(pipeline[-1], pipeline[0].transform(X))
    assert_allclose(found.before, alone.before)


def test_it_prints_a_line_per_layer(trained, iris):
    found = subspace_snr(trained, iris[0])

    header, *lines = str(found).splitlines()
    assert header.split() == [
        "layer", "before", "after", "untrained", "random", "cosine",
    ]  # fmt: skip
    assert len(lines) == 3
    assert float(lines[2].split()[1]) == pytest.approx(found.before[2], abs=1e-3)


@pytest.mark.parametrize("encoder", ["mlp", "transformer", AoTEncoder(n_layers=0)])
def test_other_encoders_are_refused(iris, encoder):
    clf = DDCLClassifier(6, encoder=encoder, max_epochs=1, random_state=0).fit(*iris)

    with pytest.raises(ValueError, match=r'encoder="aot" and at least one layer, got'):
        subspace_snr(clf, iris[0])


def test_draws_are_counted(trained, iris):
    with pytest.raises(ValueError, match="n_draws must be at least 1, got 0"):
        subspace_snr(trained, iris[0], n_draws=0)
