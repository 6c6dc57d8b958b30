"""SubspaceDenoiser: noise is taken off by attention among rows."""

import pickle

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import parametrize_with_checks

from sklearn_ddcl import SubspaceDenoiser


@pytest.fixture(scope="module")
def planes():
    """Return clean training and test rows of four subspaces, and who is where."""
    rng = np.random.default_rng(0)
    frame = np.linalg.qr(rng.normal(size=(32, 32)))[0]
    bases = frame[:, :16].reshape(32, 4, 4).transpose(1, 0, 2)
    labels = rng.integers(0, 4, 900)
    rows = np.einsum("np,ndp->nd", rng.normal(size=(900, 4)), bases[labels])
    return rows[:600], rows[600:], labels[:600]


def noisy(rows, noise, seed=0):
    return rows + noise * np.random.default_rng(seed).normal(size=rows.shape)


def best_pca(train, test, clean):
    """Return the error of PCA with the number of components that suits it best."""
    return min(
        np.square(pca.inverse_transform(pca.transform(test)) - clean).mean()
        for pca in (PCA(m).fit(train) for m in (2, 4, 8, 12, 16, 24))
    )


@pytest.mark.usefixtures("numpy_seed")
@parametrize_with_checks(
    [SubspaceDenoiser(2, random_state=0), SubspaceDenoiser(1, scale=np.inf, noise=0.1)]
)
def test_every_common_check_passes(estimator, check):
    check(estimator)


@pytest.mark.parametrize("noise", [0.1, 0.25, 0.5])
@pytest.mark.parametrize("n_components", [4, "auto"])
def test_subspaces_beat_the_best_pca(planes, noise, n_components):
    train, test, _ = planes
    denoiser = SubspaceDenoiser(4, n_components=n_components, random_state=0)
    denoiser.fit(noisy(train, noise))

    given = noisy(test, noise, seed=1)
    error = np.square(denoiser.transform(given) - test).mean()

    assert error < 0.8 * best_pca(noisy(train, noise), given, test)
    assert denoiser.noise_ == pytest.approx(noise, rel=0.1)


@pytest.mark.parametrize(("noise", "share"), [(0.25, 0.85), (0.5, 0.95)])
def test_attention_on_digits_beats_the_best_pca(noise, share):
    clean = load_digits().data / 16
    train, test = noisy(clean[:1300], noise), noisy(clean[1300:], noise, seed=1)

    denoiser = SubspaceDenoiser(1, n_components=16, random_state=0).fit(train)
    error = np.square(denoiser.transform(test) - clean[1300:]).mean()

    assert error < share * best_pca(train, test, clean[1300:])
    assert np.isfinite(denoiser.scale_)


def test_the_estimate_of_the_error_ranks_scales_without_seeing_clean_rows():
    clean = load_digits().data / 16
    train, test = noisy(clean[:1300], 0.25), noisy(clean[1300:], 0.25, seed=1)
    denoiser = SubspaceDenoiser(1, n_components=16, random_state=0).fit(train)

    errors = {}
    for _, scale in denoiser.risks_:
        other = SubspaceDenoiser(1, n_components=16, scale=scale, random_state=0)
        moved = other.fit(train).transform(test)
        errors[scale] = np.square(moved - clean[1300:]).mean()

    assert errors[denoiser.scale_] < 1.05 * min(errors.values())
    for scale, error in errors.items():
        assert denoiser.risks_[16, scale] == pytest.approx(error, rel=0.4)


def test_subspaces_are_those_that_rows_were_drawn_from(planes):
    train, _, labels = planes
    denoiser = SubspaceDenoiser(4, n_components=4, random_state=0)
    denoiser.fit(noisy(train, 0.1))

    counts = np.zeros((4, 4))
    np.add.at(counts, (labels, denoiser.labels_), 1)
    assert counts.max(1).sum() / len(labels) > 0.95
    assert denoiser.components_.shape == (4, 4, 32)


def test_the_signal_to_noise_ratio_grows_with_every_step(planes):
    train, _, _ = planes
    denoiser = SubspaceDenoiser(4, n_components=4, n_layers=3, random_state=0)
    path = denoiser.fit(noisy(train, 0.25)).snr_path_

    assert path.shape == (4, 4)
    # What is outside is halved in every step.
    assert (path[1:] / path[:-1] > 1.5).all()


def test_a_step_of_infinite_scale_and_size_one_is_a_projection(planes):
    train, test, _ = planes
    denoiser = SubspaceDenoiser(
        1, n_components=5, n_layers=1, step_size=1, scale=np.inf, random_state=0
    ).fit(train)
    pca = PCA(5).fit(train)

    expected = pca.inverse_transform(pca.transform(test))
    np.testing.assert_allclose(denoiser.transform(test), expected, atol=1e-9)


def test_a_row_does_not_depend_on_the_rows_beside_it(planes):
    train, test, _ = planes
    denoiser = SubspaceDenoiser(4, n_components=4, random_state=0)
    denoiser.fit(noisy(train, 0.5))

    alone = np.vstack([denoiser.transform(row[None]) for row in test[:20]])
    np.testing.assert_allclose(alone, denoiser.transform(test)[:20], atol=1e-12)


def test_the_dimension_follows_the_variance(planes):
    train, _, _ = planes
    wide = SubspaceDenoiser(1, n_components=0.9, random_state=0).fit(noisy(train, 0.1))
    split = SubspaceDenoiser(4, n_components=0.9, random_state=0)

    assert 13 <= wide.components_.shape[1] <= 16
    assert split.fit(noisy(train, 0.1)).components_.shape[1] == 4


def test_it_goes_into_a_pipeline_and_a_pickle(planes):
    train, test, _ = planes
    pipeline = make_pipeline(StandardScaler(), SubspaceDenoiser(random_state=0))
    moved = pipeline.fit(train).transform(test)

    other = pickle.loads(pickle.dumps(pipeline))
    np.testing.assert_array_equal(other.transform(test), moved)
    assert pipeline[-1].get_feature_names_out().tolist() == [f"x{i}" for i in range(32)]


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"n_components": 40}, "n_components=40 must be at most the number of col"),
        ({"step_size": 1.5}, "step_size"),
        ({"noise": -1.0}, "noise"),
        ({"n_subspaces": 0}, "n_subspaces"),
    ],
)
def test_what_cannot_be_is_refused(planes, params, match):
    with pytest.raises(ValueError, match=match):
        SubspaceDenoiser(random_state=0, **params).fit(planes[0])


def test_what_is_masked_is_missing():
    X = np.random.default_rng(0).normal(size=(50, 4))
    masked = np.ma.masked_array(X, X > 2)
    denoiser = SubspaceDenoiser(random_state=0).fit(X)
    for method in (denoiser.fit, denoiser.transform):
        with pytest.raises(ValueError, match="contains NaN"):
            method(masked)
