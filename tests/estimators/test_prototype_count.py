"""With n_prototypes="auto" estimators find out how many prototypes they need."""

import pickle

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import make_blobs, make_moons
from sklearn.model_selection import GridSearchCV

import sklearn_ddcl
from sklearn_ddcl import (
    DDCLClassifier,
    DDCLDocumentCompressor,
    DDCLQuantizer,
    DDCLTransformer,
)


@pytest.fixture(scope="module")
def moons():
    return make_moons(240, noise=0.1, random_state=0)


@pytest.fixture(scope="module")
def classifier(moons):
    return classify().fit(*moons)


@pytest.fixture(scope="module")
def blobs():
    return make_blobs(400, 6, centers=5, random_state=1)[0]


def classify(**params):
    quick = {"max_epochs": 40, "random_state": 0}
    return DDCLClassifier("auto").set_params(**quick | params)


def documents(n_centers=6):
    rng = np.random.default_rng(0)
    centers = 8 * rng.normal(size=(n_centers, 5))
    lengths = rng.integers(20, 60, 30)
    return [
        centers[rng.integers(n_centers, size=n)] + rng.normal(size=(n, 5))
        for n in lengths
    ]


def test_a_classifier_keeps_what_held_out_rows_miss(classifier, moons):
    X, y = moons
    n = classifier.n_prototypes_

    assert 2 <= n < 128
    assert classifier.score(X, y) > 0.95
    assert classifier.prototypes_.shape[0] == n
    assert classifier.prototype_votes_.shape == (n, 2)
    assert classifier.prototype_examples_.shape == (n, 2)
    assert classifier.transform(X).shape == (240, n)
    assert len(classifier.get_feature_names_out()) == n
    assert classifier.n_parameters_ == sum(
        p.numel() for p in classifier.net_.module_.parameters()
    )


def test_the_parts_of_an_explanation_still_sum_to_the_decision(classifier, moons):
    X, _ = moons
    explained = classifier.explain(X[:9])

    evidence = explained.weights @ classifier.prototype_votes_
    assert evidence == pytest.approx(classifier.predict_proba(X[:9]), abs=1e-6)


def test_a_shrunk_bank_comes_back_from_files(classifier, moons, tmp_path):
    X, _ = moons
    classifier.save(tmp_path / "model.ddcl")

    for back in (
        sklearn_ddcl.load(tmp_path / "model.ddcl"),
        pickle.loads(pickle.dumps(classifier)),
    ):
        assert back.n_prototypes_ == classifier.n_prototypes_
        assert np.array_equal(back.predict_proba(X), classifier.predict_proba(X))


def test_the_same_seed_finds_the_same_bank(classifier, moons):
    again = clone(classifier).fit(*moons)

    assert np.array_equal(again.prototypes_, classifier.prototypes_)


def test_going_on_starts_from_the_bank_that_was_found(moons):
    X, y = moons
    model = classify(max_epochs=4, warm_start=True).fit(X, y)
    found = model.n_prototypes_

    assert model.fit(X, y).n_prototypes_ <= found
    found = model.n_prototypes_
    assert model.partial_fit(X, y).n_prototypes_ == found


def test_a_stream_drops_nothing(moons):
    assert classify().partial_fit(*moons).n_prototypes_ == 128


@pytest.mark.parametrize(
    "params",
    [
        {"early_stopping": True},
        {"early_stopping": False},
        {"encoder": "transformer", "max_epochs": 5},
        {"precision": "bf16", "max_epochs": 5},
    ],
    ids=str,
)
def test_any_judge_will_do(moons, params):
    X, y = moons
    model = classify(**params).fit(X, y)

    assert 2 <= model.n_prototypes_ <= 128
    assert model.predict_proba(X).shape == (240, 2)


def test_readouts_without_prototypes_find_none(moons):
    model = classify(readout="mean", max_epochs=2).fit(*moons)

    assert not hasattr(model, "n_prototypes_")


def test_a_given_number_is_kept(moons, blobs):
    assert classify(n_prototypes=7, max_epochs=2).fit(*moons).n_prototypes_ == 7
    assert DDCLQuantizer(7, random_state=0).fit(blobs).n_prototypes_ == 7


def test_a_search_may_choose_between_auto_and_numbers(moons):
    search = GridSearchCV(
        classify(max_epochs=2), {"n_prototypes": ["auto", 4]}, cv=2, error_score="raise"
    ).fit(*moons)

    assert search.best_estimator_.n_prototypes_ <= 128


@pytest.mark.parametrize("solver", ["em", "gradient", "dual"])
def test_a_quantizer_counts_round_clusters(blobs, solver):
    params = {} if solver == "em" else {"max_epochs": 20}
    quantizer = DDCLQuantizer("auto", solver=solver, random_state=0, **params)

    assert quantizer.fit(blobs).n_prototypes_ == 5
    assert quantizer.cluster_centers_.shape == (5, 6)
    assert quantizer.partial_fit(blobs[:50]).n_prototypes_ == 5


def test_missing_entries_are_no_obstacle(blobs):
    X = blobs.copy()
    X[np.random.default_rng(0).random(X.shape) < 0.1] = np.nan

    assert DDCLQuantizer("auto", allow_nan=True, random_state=0).fit(
        X
    ).n_prototypes_ in (5, 6)


def test_rows_without_weight_support_nothing(blobs):
    weights = np.ones(len(blobs))
    weights[DDCLQuantizer(5, random_state=0).fit_predict(blobs) == 0] = 0

    quantizer = DDCLQuantizer("auto", random_state=0)
    assert quantizer.fit(blobs, sample_weight=weights).n_prototypes_ == 4


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"n_codebooks": 2}, "n_codebooks=2; give a number"),
        ({"encoder": "mlp"}, "with an encoder; give a number"),
        ({"init": np.zeros((3, 6))}, "an array for init"),
    ],
    ids=str,
)
def test_what_cannot_be_counted_is_refused(blobs, params, match):
    with pytest.raises(ValueError, match=match):
        DDCLQuantizer("auto", **params).fit(blobs)


@pytest.mark.parametrize("model", [DDCLClassifier, DDCLQuantizer, DDCLTransformer])
def test_other_words_are_refused(model, moons):
    with pytest.raises(ValueError, match="'n_prototypes' parameter"):
        model("automatic").fit(*moons)


def test_a_transformer_counts_rows_and_leaves_room_for_merging(blobs):
    model = DDCLTransformer("auto", max_epochs=2, random_state=0)

    counted = model.fit(blobs).n_prototypes_
    merged = model.set_params(n_clusters=5).fit(blobs).n_prototypes_
    assert counted < merged == 50


def test_every_level_of_a_document_is_counted():
    docs = documents()
    found = DDCLDocumentCompressor("auto", random_state=0).fit(docs)

    assert found.n_prototypes_[0] == 6
    assert len(found.n_prototypes_) == 2
    assert found.transform(docs).shape == (30, 5 * found.n_prototypes_[1])
    assert found.n_prototypes_ == tuple(map(len, found.prototypes_))


def test_some_levels_may_be_counted():
    model = DDCLDocumentCompressor(("auto", 3), random_state=0).fit(documents())

    assert model.n_prototypes_ == (6, 3)
    with pytest.raises(ValueError, match='"auto" or a positive integer per level'):
        DDCLDocumentCompressor(("most", 3)).fit(documents())
