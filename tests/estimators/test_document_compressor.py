"""A compressor of documents behaves as a transformer, and its slots can be read."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils import get_tags

import sklearn_ddcl
from sklearn_ddcl import DDCLDocumentCompressor
from sklearn_ddcl.estimators import document_fitting
from sklearn_ddcl.estimators.document_input import DocumentReader


def make_documents(n=60, seed=0):
    """Return documents of 4 to 30 tokens of four topics; classes have other topics."""
    rng = np.random.default_rng(seed)
    topics = 3.0 * np.eye(4, 6)
    y = np.arange(n) % 2
    documents = []
    for own in y:
        chances = [0.4, 0.4, 0.1, 0.1] if own else [0.1, 0.1, 0.4, 0.4]
        which = rng.choice(4, size=rng.integers(4, 31), p=chances)
        documents.append(topics[which] + 0.5 * rng.normal(size=(len(which), 6)))
    return documents, y


@pytest.fixture(scope="module")
def documents():
    return make_documents()[0]


@pytest.fixture(scope="module")
def fitted(documents):
    """Return a compressor; not to be changed."""
    return make().fit(documents)


def make(n_prototypes=(8, 4), **params):
    return DDCLDocumentCompressor(
        n_prototypes, **{"random_state": 0, "segment_length": 10} | params
    )


def nested(document):
    return [document[:3], document[3:]]


def test_a_vector_by_hand():
    # Two kinds of tokens, as far apart as to be shared by nobody else when it is cold.
    # Their mean is the center: directions are -1 and 1, times the roots of the shares.
    documents = [
        np.array([[0.0]] * 3 + [[4.0]]),
        np.array([[0.0], [4.0], [4.0], [4.0]]),
    ]
    compressor = make(2, temperature=1e-3).fit(documents)

    vectors = compressor.transform(documents)

    order = np.argsort(compressor.prototypes_[0][:, 0])
    np.testing.assert_allclose(compressor.prototypes_[0][order], [[0.0], [4.0]])
    wanted = np.sqrt([[0.75, 0.25], [0.25, 0.75]]) * [-1, 1]
    np.testing.assert_allclose(vectors[:, order], wanted, rtol=1e-6)


def test_attributes(documents, fitted):
    assert [p.shape for p in fitted.prototypes_] == [(8, 6), (4, 6)]
    assert fitted.temperature_.shape == (2,)
    assert (fitted.temperature_ > 0).all()
    assert fitted.n_features_in_ == 6
    assert fitted.n_iter_ == len(fitted.history_)
    assert fitted.n_parameters_ == (8 + 4) * 6
    assert not hasattr(fitted, "classes_")
    names = fitted.get_feature_names_out()
    assert names[0] == "ddcldocumentcompressor0"
    assert len(names) == fitted.transform(documents).shape[1] == 24


@pytest.mark.parametrize("levels", [1, 2])
def test_a_document_does_not_depend_on_its_neighbors(documents, levels):
    compressor = make((8, 4)[:levels]).fit(documents)

    together = compressor.transform(documents)

    alone = np.concatenate([compressor.transform([own]) for own in documents])
    np.testing.assert_allclose(alone, together, rtol=1e-5, atol=1e-7)
    order = np.random.default_rng(1).permutation(len(documents))
    shuffled = compressor.transform([documents[i] for i in order])
    np.testing.assert_allclose(shuffled, together[order], rtol=1e-5, atol=1e-7)


def test_the_order_of_tokens_within_a_segment_does_not_matter(documents, fitted):
    turned = [own[:10][::-1] for own in documents]

    np.testing.assert_allclose(
        fitted.transform(turned),
        fitted.transform([own[:10] for own in documents]),
        atol=1e-5,
    )


def test_sentences_as_long_as_segments_are_segments(documents, fitted):
    cut = [[own[i : i + 10] for i in range(0, len(own), 10)] for own in documents]

    np.testing.assert_array_equal(fitted.transform(cut), fitted.transform(documents))
    np.testing.assert_array_equal(
        make().fit(cut).transform(documents), fitted.transform(documents)
    )


def test_vectors_have_length_one_and_the_precision_asked_for(documents):
    for precision, dtype in (("float32", np.float32), ("float64", np.float64)):
        vectors = make(precision=precision).fit_transform(documents)

        assert vectors.dtype == dtype
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)


def test_a_seed_decides_everything(documents, fitted):
    again = make().fit(documents)

    assert np.array_equal(again.transform(documents), fitted.transform(documents))
    with pytest.warns(ConvergenceWarning):
        assert make(40, random_state=1).fit([documents[0]]).n_iter_ >= 1


def test_a_generator_is_compressed_as_it_comes(documents, fitted, monkeypatch):
    monkeypatch.setattr("sklearn_ddcl.estimators.document_input._BLOCK_ENTRIES", 500)

    streamed = fitted.transform(own for own in documents)

    np.testing.assert_allclose(
        streamed, fitted.transform(documents), rtol=1e-5, atol=1e-7
    )


def test_a_stream_holds_a_few_documents_at_a_time(fitted, monkeypatch):
    monkeypatch.setattr("sklearn_ddcl.estimators.document_input._BLOCK_ENTRIES", 1200)
    alive = most = 0

    class Counted(np.ndarray):
        def __del__(self):
            nonlocal alive
            if self.base is None:
                alive -= 1

    def stream():
        nonlocal alive, most
        rng = np.random.default_rng(0)
        for _ in range(100):
            own = np.ndarray.__new__(Counted, (20, 6))
            own[...] = rng.normal(size=(20, 6))
            alive += 1
            most = max(most, alive)
            yield own

    assert fitted.transform(stream()).shape == (100, 24)
    assert most <= 25


def test_prototypes_come_from_a_sample_when_documents_are_many(monkeypatch):
    documents, _ = make_documents(200)
    monkeypatch.setattr(
        "sklearn_ddcl.estimators.document_fitting._SAMPLE_ENTRIES", 3000
    )

    vectors = make().fit(documents).transform(documents)

    assert vectors.shape == (200, 24)
    documents[150] = documents[150][:, :3]
    with pytest.raises(ValueError, match="document 150 have 3 numbers, expected 6"):
        make().fit(documents)


def test_a_sample_of_documents_is_not_larger_than_allowed(documents, monkeypatch):
    monkeypatch.setattr(document_fitting, "_SAMPLE_ENTRIES", 1000)
    reader = DocumentReader(1, 10, np.float32)

    drawn = document_fitting._draw(reader, documents, torch.Generator())

    assert 500 < drawn.tokens.numel() <= 1000
    whole = {own.tobytes() for own in map(np.float32, documents)}
    parts = np.split(drawn.tokens.numpy(), drawn.bounds[0][1:-1])
    assert {part.tobytes() for part in parts} < whole


@pytest.mark.parametrize("n_prototypes", [4, (4,), (8, 4), (8, 4, 2)])
def test_slots_can_be_traced_to_tokens_and_sentences(documents, n_prototypes):
    compressor = make(n_prototypes, precision="float64")
    own = documents if np.size(n_prototypes) < 3 else list(map(nested, documents))
    compressor.fit(own)

    found = compressor.slots(own)

    vectors = compressor.transform(own)
    n_slots = np.atleast_1d(n_prototypes)[-1]
    center = np.concatenate(documents).mean(0)
    for tokens, slots, vector in zip(documents, found, vectors, strict=True):
        assert slots.weights.sum() == pytest.approx(1)
        np.testing.assert_allclose(slots.token_shares.sum(1), 1)
        np.testing.assert_allclose(slots.token_shares @ tokens, slots.vectors)
        np.testing.assert_allclose(slots.sentence_shares.sum(1), 1)
        directions = slots.vectors - center
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        expected = np.sqrt(slots.weights)[:, None] * directions
        np.testing.assert_allclose(vector.reshape(n_slots, 6), expected)


def test_sentences_are_counted_as_they_were_given(documents):
    compressor = make((4, 2)).fit(documents)
    own = documents[0]

    (slots,) = compressor.slots([[own[:1], [], own[1:]]])

    assert slots.sentence_shares.shape == (2, 3)
    np.testing.assert_allclose(slots.sentence_shares[:, 1], 0, atol=1e-6)
    np.testing.assert_allclose(
        slots.sentence_shares[:, 0], slots.token_shares[:, 0], atol=1e-6
    )


def test_top_tokens_are_those_of_the_largest_share(documents, fitted):
    (slots,) = fitted.slots(documents[:1])

    top = slots.top_tokens(1, n=3)

    shares = slots.token_shares[1]
    assert shares[top].min() >= np.delete(shares, top).max()


def test_a_class_is_easier_to_tell_with_its_help():
    # Beside 20 topics, the last two numbers have equal signs in one class and opposite
    # ones in the other: no mean differs, and prototypes part by topics.
    rng = np.random.default_rng(0)
    y = np.arange(120) % 2
    topics = 2.0 * rng.normal(size=(20, 8))
    documents = []
    for own in y:
        signs = rng.choice([-1.0, 1.0], size=15)
        both = 2.0 * np.stack([signs, signs * (1 if own else -1)], axis=1)
        both += 0.3 * rng.normal(size=both.shape)
        tokens = topics[rng.integers(20, size=15)] + rng.normal(size=(15, 8))
        documents.append(np.concatenate([tokens, both], axis=1))
    train, test = documents[:80], documents[80:]

    def accuracy(compressor):
        head = make_pipeline(StandardScaler(), LogisticRegression(C=0.01))
        head.fit(compressor.transform(train), y[:80])
        return head.score(compressor.transform(test), y[80:])

    without = make(4, supervised=False).fit(train, y[:80])
    trained = make(4, lr=0.03, max_epochs=50).fit(train, y[:80])

    assert trained.classes_.tolist() == [0, 1]
    assert set(trained.history_["level"]) == {0, 1}
    assert trained.history_["loss"][-1] < 0.2
    assert accuracy(trained) > 0.9
    assert accuracy(without) < 0.7


def test_classes_are_for_those_who_ask_for_them(documents):
    _, y = make_documents()
    fast = {"max_epochs": 2}

    trained = make(4, **fast).fit(documents, y)
    ignored = make(4, supervised=False).fit(documents, y)

    assert hasattr(trained, "classes_")
    np.testing.assert_array_equal(
        ignored.transform(documents), make(4).fit(documents).transform(documents)
    )
    assert not hasattr(trained.fit(documents), "classes_")


@pytest.mark.parametrize(
    ("params", "y", "match"),
    [
        ({"supervised": True}, None, "needs the class of every document"),
        ({}, np.arange(59) % 2, "60 documents and 59 classes"),
        ({}, np.zeros(60), "holds a single class"),
        (
            {},
            np.random.default_rng(0).normal(size=60),
            r"Unknown label type.*supervised=False",
        ),
        ({"n_prototypes": ()}, None, "positive integer per level"),
        ({"n_prototypes": (8, 0)}, None, "positive integer per level"),
        ({"n_prototypes": (8, 2.5)}, None, "positive integer per level"),
        ({"n_prototypes": 0}, None, "n_prototypes"),
        ({"segment_length": 0}, None, "segment_length"),
        ({"temperature": -1.0}, None, "temperature"),
    ],
)
def test_what_cannot_be_fitted_is_refused(documents, params, y, match):
    with pytest.raises(ValueError, match=match):
        make(**params).fit(documents, y)


def test_a_failed_fit_leaves_the_estimator_as_it_was(documents):
    compressor = make().fit(documents)
    before = compressor.transform(documents)

    with pytest.raises(ValueError, match="Document 1"):
        compressor.fit([documents[0], np.full((2, 6), np.nan)])

    np.testing.assert_array_equal(compressor.transform(documents), before)


def test_a_fit_that_ends_in_a_warning_as_error_did_not_happen():
    compressor = make(5)

    # Warnings are errors in these tests.
    with pytest.raises(ConvergenceWarning):
        compressor.fit([np.array([[0.0], [1.0]])])

    assert not hasattr(compressor, "prototypes_")
    with pytest.raises(NotFittedError):
        compressor.transform([np.array([[0.0]])])


def test_other_widths_are_refused_after_fitting(fitted):
    with pytest.raises(ValueError, match="document 0 have 5 numbers, expected 6"):
        fitted.transform([np.zeros((3, 5))])


def test_nothing_is_transformed_before_fitting(documents):
    for method in (make().transform, make().slots):
        with pytest.raises(NotFittedError):
            method(documents)


def test_more_prototypes_than_tokens_are_told():
    with pytest.warns(ConvergenceWarning, match="3 of 5 prototypes are nearest to no"):
        make(5).fit([np.array([[0.0], [1.0]])])


@pytest.mark.parametrize("supervised", [False, True])
def test_saved_and_pickled_ones_are_the_same(documents, tmp_path, supervised):
    _, y = make_documents()
    params = {"max_epochs": 2} if supervised else {}
    compressor = make(**params).fit(documents, y if supervised else None)
    compressor.save(tmp_path / "compressor.ddcl")

    for other in (
        sklearn_ddcl.load(tmp_path / "compressor.ddcl"),
        pickle.loads(pickle.dumps(compressor)),
    ):
        np.testing.assert_array_equal(
            other.transform(documents), compressor.transform(documents)
        )
        assert [p.shape for p in other.prototypes_] == [(8, 6), (4, 6)]
        assert other.history_["loss"] == compressor.history_["loss"]
        assert hasattr(other, "classes_") == supervised
        assert other.get_params() == compressor.get_params()


def test_it_works_before_a_classifier_in_a_search():
    documents, y = make_documents()
    pipeline = make_pipeline(make(max_epochs=3), LogisticRegression())
    name = "ddcldocumentcompressor"

    search = GridSearchCV(
        pipeline,
        {f"{name}__n_prototypes": [(4,), (8, 4)], f"{name}__supervised": [False, True]},
        cv=2,
        error_score="raise",
    ).fit(documents, y)

    assert search.best_score_ > 0.8
    assert search.predict(documents).shape == (60,)


@pytest.mark.parametrize("container", [list, "object", "cube"])
def test_it_can_be_cross_validated_in_every_container(container):
    documents, y = make_documents()
    if container == "cube":
        documents = np.stack([own[:4] for own in documents])
    elif container == "object":
        array = np.empty(len(documents), dtype=object)
        array[:] = documents
        documents = array

    pipeline = make_pipeline(make(4, supervised=False), LogisticRegression())
    scores = cross_val_score(pipeline, documents, y, cv=3, error_score="raise")

    assert scores.min() > 0.6


def test_output_can_be_a_frame(documents):
    frame = make().set_output(transform="pandas").fit_transform(documents)

    assert isinstance(frame, pd.DataFrame)
    assert frame.shape == (60, 24)
    assert frame.columns[-1] == "ddcldocumentcompressor23"


def test_clusters_of_vectors_are_topics():
    rng = np.random.default_rng(0)
    documents = [3.0 * np.eye(3, 6)[i % 3] + rng.normal(size=(8, 6)) for i in range(30)]
    vectors = make(4).fit_transform(documents)

    found = KMeans(3, n_init=3, random_state=0).fit_predict(vectors)

    assert len(set(zip(found, np.arange(30) % 3, strict=True))) == 3


def test_a_clone_is_unfitted_with_the_same_parameters(fitted):
    copy = clone(fitted)

    assert copy.get_params() == fitted.get_params()
    assert not hasattr(copy, "prototypes_")


def test_tags_say_that_a_table_is_no_input():
    tags = get_tags(make())

    assert not tags.input_tags.two_d_array
    assert tags.input_tags.three_d_array
    assert not tags.target_tags.required
    assert tags.transformer_tags.preserves_dtype == []
