"""DDCLTransformer: features, prototypes and clusters without labels."""

import pickle

import numpy as np
import pandas as pd
import pytest
from scipy.optimize import linear_sum_assignment
from sklearn.base import clone
from sklearn.datasets import load_digits, make_blobs, make_moons
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

import sklearn_ddcl
from sklearn_ddcl import DDCLTransformer
from sklearn_ddcl.networks import AoTEncoder, PlainMLPEncoder, TransformerEncoder


def make(n_prototypes=6, **params):
    """Return a transformer that trains in a moment."""
    quick = {
        "max_epochs": 150,
        "lr": 5e-3,
        "encoder": PlainMLPEncoder(1, 32),
        "random_state": 0,
    }
    return DDCLTransformer(n_prototypes, **quick | params)


@pytest.fixture(scope="module")
def blobs():
    """Return 200 rows of four columns in three groups."""
    return make_blobs(200, 4, centers=3, cluster_std=1.5, random_state=1)


@pytest.fixture(scope="module")
def fitted(blobs):
    return make().fit(blobs[0])


def accuracy(labels, found):
    """Return the share of rows in the cluster that was matched with their class."""
    counts = np.zeros((labels.max() + 1, found.max() + 1))
    np.add.at(counts, (labels, found), 1)
    return counts[linear_sum_assignment(-counts)].sum() / len(labels)


def test_groups_are_found(blobs):
    X, y = blobs
    transformer = make(3).fit(X)

    assert accuracy(y, transformer.labels_) > 0.95
    assert accuracy(y, transformer.predict(X)) > 0.95


def test_moons_are_found_by_merging_prototypes():
    X, y = make_moons(300, noise=0.05, random_state=0)
    transformer = DDCLTransformer(40, n_clusters=2, random_state=0).fit(X)

    assert accuracy(y, transformer.predict(X)) > 0.98
    assert set(transformer.prototype_clusters_) == {0, 1}


@pytest.mark.slow
def test_digits_are_told_apart_better_than_the_paper_does():
    X, y = load_digits(return_X_y=True)
    # The paper reports 0.576.
    plain = DDCLTransformer(10, scaling="common", random_state=0).fit(X)
    merged = DDCLTransformer(128, n_clusters=10, scaling="common", random_state=0)

    assert accuracy(y, plain.labels_) > 0.75
    assert accuracy(y, merged.fit(X).labels_) > 0.85


def test_features_say_more_to_a_linear_model_than_the_columns():
    rng = np.random.default_rng(0)
    X = rng.uniform(-1, 1, (600, 4))
    y = (np.hypot(X[:, 0], X[:, 1]) < 0.7).astype(int)
    pipeline = make_pipeline(
        DDCLTransformer(16, n_components=16, random_state=0),
        LogisticRegression(max_iter=1000),
    )
    learned = pipeline.fit(X[:400], y[:400]).score(X[400:], y[400:])
    plain = LogisticRegression().fit(X[:400], y[:400]).score(X[400:], y[400:])

    assert learned > plain + 0.1


@pytest.mark.parametrize(
    ("output", "width"), [("embedding", 4), ("assignments", 6), ("distances", 6)]
)
def test_outputs_and_their_names(blobs, fitted, output, width):
    transformer = clone(fitted).set_params(output=output).fit(blobs[0])

    values = transformer.transform(blobs[0])

    assert values.shape == (200, width)
    names = transformer.get_feature_names_out()
    assert names.tolist() == [f"ddcltransformer{i}" for i in range(width)]
    frame = transformer.set_output(transform="pandas").transform(blobs[0])
    assert frame.columns.tolist() == names.tolist()


def test_assignments_are_those_of_the_distances(blobs, fitted):
    X, _ = blobs
    squared = clone(fitted).set_params(output="distances").fit(X).transform(X) ** 2
    weights = np.exp(-(squared - squared.min(1, keepdims=True)) / fitted.temperature_)

    expected = weights / weights.sum(1, keepdims=True)
    np.testing.assert_allclose(fitted.assign(X), expected, atol=1e-4)
    np.testing.assert_allclose(fitted.assign(X).sum(1), 1.0)


def test_stability_is_the_gap_between_the_two_nearest(blobs, fitted):
    X, _ = blobs
    distances = clone(fitted).set_params(output="distances").fit(X).transform(X)
    first, second = np.sort(distances, axis=1)[:, :2].T

    scores = fitted.stability_score(X)

    np.testing.assert_allclose(scores, (second - first) / (second + first), atol=1e-4)
    assert (make(1).fit(X).stability_score(X) == 1).all()


def test_the_parts_of_the_loss_sum_to_it(blobs, fitted):
    parts = fitted.decomposition(blobs[0])

    whole = parts.reconstruction + parts.diversity
    np.testing.assert_allclose(parts.loss, whole, rtol=1e-4, atol=1e-6)
    assert (parts.diversity > -1e-6).all()


def test_a_row_is_explained_by_real_rows(blobs, fitted):
    X, _ = blobs
    likeness = fitted.explain(X[:5])

    np.testing.assert_allclose(likeness.weights, fitted.assign(X[:5]))
    assert likeness.to_frame(2).shape == (10, 5)
    best = likeness.top(1)[0, 0]
    assert f"prototype {best}, like training row" in likeness.describe(0)
    examples = X[fitted.prototype_indices_]
    np.testing.assert_array_equal(fitted.prototype_examples_, examples)
    # Every prototype is nearest to its own example, but for those without rows.
    assert (fitted.predict(examples) == np.arange(6)).mean() > 0.8


def test_prototypes_are_typical_rows(blobs, fitted):
    X, _ = blobs
    standardized = (X - X.mean(0)) / X.std(0)
    gaps = np.linalg.norm(standardized[:, None] - fitted.prototypes_, axis=2).min(1)

    assert fitted.prototypes_.shape == (6, 4)
    assert gaps.mean() < 0.8 * np.linalg.norm(standardized, axis=1).mean()


def test_embeddings_can_be_inverted(blobs):
    X, _ = blobs
    transformer = make(n_components=12, scaling="columns").fit(X)

    back = transformer.inverse_transform(transformer.transform(X))

    assert np.abs(back - X).mean() < 0.1 * X.std()


def test_assignments_can_be_inverted(blobs):
    X, _ = blobs
    transformer = make(20, output="assignments").fit(X)

    back = transformer.inverse_transform(transformer.transform(X))

    assert np.square(back - X).mean() < 0.3 * X.var()
    with pytest.raises(ValueError, match=r"of shape \(n, 20\); got shape \(1, 3\)"):
        transformer.inverse_transform([[1, 2, 3]])
    transformer.set_params(output="distances")
    with pytest.raises(ValueError, match="Distances cannot be inverted"):
        transformer.inverse_transform(transformer.transform(X))


def test_tables_of_everything(mixed):
    X, y = mixed
    transformer = make(8, n_components=10).fit(X)

    assert np.isfinite(transformer.transform(X)).all()
    back = transformer.inverse_transform(transformer.transform(X))
    assert back.columns.tolist() == X.columns.tolist()
    known = X["color"].notna()
    assert (back["color"][known] == X["color"][known]).mean() > 0.8
    strange = X.copy()
    strange["color"] = "never seen"
    assert np.isfinite(transformer.transform(strange)).all()
    assert isinstance(transformer.prototype_examples_, pd.DataFrame)
    assert accuracy(y, transformer.labels_) > 0.4


@pytest.mark.parametrize(
    "encoder",
    [
        "mlp",
        "transformer",
        AoTEncoder(1, d_token=8, n_heads=2),
        TransformerEncoder(1, d_token=8, n_heads=2, numerical="periodic"),
    ],
)
def test_every_encoder_learns(mixed, encoder, tmp_path):
    X, _ = mixed
    transformer = make(encoder=encoder, max_epochs=5).fit(X)
    transformer.save(tmp_path / "model")

    loaded = sklearn_ddcl.load(tmp_path / "model")

    np.testing.assert_array_equal(loaded.transform(X), transformer.transform(X))


def test_a_grid_reaches_encoder_and_prototypes(blobs):
    X, y = blobs
    pipeline = make_pipeline(make(max_epochs=2), LogisticRegression())
    grid = {
        "ddcltransformer__n_prototypes": [2, 4],
        "ddcltransformer__encoder__d_hidden": [4, 8],
    }
    search = GridSearchCV(pipeline, grid, cv=2).fit(X, y)

    assert len(search.cv_results_["params"]) == 4


def test_a_row_of_weight_two_is_two_rows(blobs):
    X, _ = blobs
    weights = np.random.default_rng(0).integers(0, 3, len(X))
    weighted = make(precision="float64").fit(X, sample_weight=weights)

    repeated = make(precision="float64").fit(np.repeat(X, weights, axis=0)[::-1])

    np.testing.assert_allclose(
        weighted.transform(X), repeated.transform(X), rtol=0, atol=1e-9
    )
    np.testing.assert_allclose(weighted.prototypes_, repeated.prototypes_, atol=1e-9)
    assert weights[weighted.prototype_indices_].all()


def test_prototypes_depend_on_the_rows_and_not_on_the_seed(blobs):
    one, other = (make(random_state=seed).fit(blobs[0]) for seed in (0, 1))

    np.testing.assert_allclose(one.prototypes_, other.prototypes_, atol=1e-6)
    assert not np.allclose(one.transform(blobs[0]), other.transform(blobs[0]))


def test_a_seed_gives_the_same_bits(blobs):
    X, _ = blobs
    one, other = (make().fit(X).transform(X) for _ in range(2))

    np.testing.assert_array_equal(one, other)


def test_a_row_does_not_depend_on_the_rows_beside_it(blobs, fitted):
    X, _ = blobs
    alone = np.vstack([fitted.transform(row[None]) for row in X[:30]])

    np.testing.assert_array_equal(alone, fitted.transform(X)[:30])


def test_pickled_and_saved_it_is_the_same(blobs, fitted, tmp_path):
    X, _ = blobs
    fitted.save(tmp_path / "model")
    for other in (
        pickle.loads(pickle.dumps(fitted)),
        sklearn_ddcl.load(tmp_path / "model"),
    ):
        np.testing.assert_array_equal(other.transform(X), fitted.transform(X))
        np.testing.assert_array_equal(other.predict(X), fitted.predict(X))
        assert other.history_ == fitted.history_
        np.testing.assert_array_equal(
            other.prototype_examples_, fitted.prototype_examples_
        )


def test_a_stream_goes_on(blobs):
    X, _ = blobs
    transformer = make(3).partial_fit(X[:100])
    before, n_epochs = transformer.prototypes_.copy(), transformer.n_iter_
    embedding = transformer._fitted.embedding

    transformer.partial_fit(X[100:] + 1.0)

    assert transformer.n_iter_ > n_epochs
    assert not np.allclose(transformer.prototypes_, before)
    assert transformer._fitted.embedding is embedding
    assert transformer.labels_.shape == (100,)
    assert transformer._fitted.bank.mass.sum() == pytest.approx(200)
    assert transformer.history_["epoch"] == list(range(1, transformer.n_iter_ + 1))


def test_a_stream_that_fails_leaves_everything_as_it_was(blobs):
    X, _ = blobs
    transformer = make(3).fit(X)
    before = transformer.transform(X)

    with pytest.raises(ValueError, match="features"):
        transformer.partial_fit(X[:, :2])
    with pytest.raises(ValueError, match="sample_weight"):
        transformer.partial_fit(X, sample_weight=[1.0])

    np.testing.assert_array_equal(transformer.transform(X), before)


def test_few_rows_of_many_columns_have_a_solver_of_their_own():
    X, y = make_blobs(40, 200, centers=2, random_state=0)
    transformer = make(2, solver="dual").fit(X)

    assert accuracy(y, transformer.labels_) > 0.95


def test_a_long_table_is_sampled(monkeypatch):
    from sklearn_ddcl.estimators import denoiser_fitting

    monkeypatch.setattr(denoiser_fitting, "_MOST_ROWS", 50)
    X = np.random.default_rng(0).normal(size=(300, 3))

    transformer = make(4).fit(X)

    assert transformer._fitted.bank.mass.sum() == pytest.approx(50)
    assert transformer.labels_.shape == (300,)


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"n_prototypes": 300}, "n_samples=200 different rows should be >= n_prot"),
        ({"n_clusters": 7}, "n_clusters=7 cannot be more than n_prototypes=6"),
        ({"n_components": 500}, "n_components=500 is more than the"),
        ({"encoder": "conv"}, "encoder"),
        ({"corruption": 1.5}, "corruption"),
        ({"output": "codes"}, "output"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_left(blobs, params, match):
    transformer = make().set_params(**params)

    with pytest.raises(ValueError, match=match):
        transformer.fit(blobs[0])
    assert not hasattr(transformer, "_fitted")
    assert not hasattr(transformer, "n_features_in_")


def test_equal_rows_are_one_prototype():
    X = np.ones((10, 3))

    assert make(1).fit(X).labels_.tolist() == [0] * 10
    with pytest.raises(ValueError, match="n_samples=1 different rows"):
        make(2).fit(X)
    assert make("auto").fit(X).prototypes_.shape == (1, 3)


def test_the_number_of_prototypes_follows_the_rows(blobs):
    assert make(None).fit(blobs[0]).prototypes_.shape[0] == 25


def test_prototypes_that_will_be_merged_follow_the_number_of_rows(blobs):
    model = make("auto", n_clusters=3).fit(blobs[0])

    assert model.prototypes_.shape[0] == model.n_prototypes_ == 25
