"""Poolings, scores and the report of the benchmark of documents."""

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from benchmarks.harness.document_data import NotAvailable, read_documents
from benchmarks.harness.document_encoders import make_pairs, measure_encoder
from benchmarks.harness.document_poolings import Vlad, make_pooling
from benchmarks.harness.document_report import mean_and_sd, write_report
from benchmarks.harness.document_scores import (
    cluster_scores,
    linear_accuracy,
    linear_scores,
    matched_accuracy,
    turned,
)


def make_documents(n=40, d=3):
    rng = np.random.default_rng(0)
    y = np.arange(n) % 2
    documents = [
        (rng.normal(size=(rng.integers(1, 9), d)) + own).astype(np.float32) for own in y
    ]
    return documents, y


@pytest.mark.parametrize(
    ("name", "expected"),
    [("mean", [2, 3]), ("max", [4, 5]), ("mean+max", [2, 3, 4, 5])],
)
def test_poolings_by_hand(name, expected):
    tokens = np.array([[0.0, 1.0], [4.0, 5.0], [2.0, 3.0]])

    vectors = make_pooling(name, seed=0).fit([tokens]).transform([tokens])

    np.testing.assert_allclose(vectors, [expected])


def test_vlad_by_hand():
    # Centers 0 and 10; residuals of the document: -1 + 5 = 4 from 0, and 9 - 10 = -1.
    vlad = Vlad(2, seed=0).fit([np.array([[-1.0], [1.0], [9.0], [11.0]])])
    order = vlad.kmeans_.cluster_centers_[:, 0].argsort()

    (vector,) = vlad.transform([np.array([[-1.0], [4.9], [9.0]])])

    # Rooted and divided by their lengths, signs are left of one column.
    assert vector[order].tolist() == [1.0, -1.0]


@pytest.mark.parametrize(
    ("spec", "n_columns"),
    [("vlad:4", 12), ("attention", 3), ("ddcl:4", 12), ("ddcl+y:8,4", 12)],
)
def test_what_learns_gives_one_vector_per_document(spec, n_columns):
    documents, y = make_documents()

    vectors = make_pooling(spec, seed=0).fit(documents, y).transform(documents)

    assert vectors.shape == (40, n_columns)
    assert np.isfinite(vectors).all()


def test_attention_learns_which_tokens_matter():
    rng = np.random.default_rng(0)
    y = np.arange(200) % 2
    # The first number marks one token in ten, the second tells the class there only.
    documents = []
    for own in y:
        tokens = rng.normal(size=(20, 2)).astype(np.float32) * [0.1, 3.0]
        tokens[0] = [3.0, 2.0 if own else -2.0]
        documents.append(tokens.astype(np.float32))
    attention = make_pooling("attention", seed=0)
    attention.lr = 1e-2
    attention.fit(documents, y)

    def told(vectors):
        head = LogisticRegression().fit(vectors[:100], y[:100])
        return head.score(vectors[100:], y[100:])

    mean = np.stack([tokens.mean(0) for tokens in documents])
    assert told(attention.transform(documents)) > told(mean) + 0.1


def test_attention_does_not_see_padding():
    documents, y = make_documents()
    attention = make_pooling("attention", seed=0).fit(documents, y)

    alone = np.concatenate([attention.transform([own]) for own in documents])

    np.testing.assert_allclose(alone, attention.transform(documents), atol=1e-5)


def test_matched_accuracy_by_hand():
    clusters = np.array([0, 0, 0, 1, 1, 2])
    classes = np.array([1, 1, 0, 0, 0, 0])

    # Cluster 0 is class 1, cluster 1 is class 0, cluster 2 is left over.
    assert matched_accuracy(clusters, classes) == pytest.approx(4 / 6)


def test_clusters_of_far_classes_are_right():
    rng = np.random.default_rng(0)
    classes = np.arange(30) % 3
    vectors = 10 * np.eye(3)[classes] + rng.normal(size=(30, 3))

    scores = cluster_scores(vectors, classes, seed=0)

    assert scores == pytest.approx({"accuracy": 1.0, "nmi": 1.0})


def test_turning_rows_changes_no_penalized_decision():
    rng = np.random.default_rng(0)
    train, test = rng.normal(size=(20, 50)), rng.normal(size=(9, 50))
    y = np.arange(20) % 3

    def decide(train, test):
        model = LogisticRegression(C=0.1, tol=1e-10, max_iter=10_000)
        return model.fit(train, y).predict_proba(test)

    few = turned(train, test)

    assert few[0].shape[1] <= 20
    np.testing.assert_allclose(decide(*few), decide(train, test), atol=1e-5)


def test_linear_accuracy_of_what_is_easy():
    rng = np.random.default_rng(0)
    y = np.arange(60) % 2
    X = rng.normal(size=(60, 4)) + 5 * y[:, None]

    accuracy, strength = linear_accuracy(X[:40], y[:40], X[40:], y[40:])

    assert accuracy == 1.0
    assert 1e-4 <= strength <= 10


def test_a_set_that_is_not_there_says_why(tmp_path):
    with pytest.raises(NotAvailable, match=r"there is no .*newsgroups20"):
        read_documents("newsgroups", tmp_path, tmp_path)
    with pytest.raises(NotAvailable, match=r"there is no .*sst2_sentences"):
        read_documents("sst2", tmp_path, tmp_path)


def test_embeddings_are_read_from_the_cache(tmp_path):
    documents, y = make_documents(4)
    ends = np.cumsum([0, *map(len, documents)])
    tokens = np.concatenate(documents).astype(np.float16)
    np.savez(
        tmp_path / "sst2.npz", tokens=tokens, offsets=ends, classes=y, is_test=y > 0
    )

    found = read_documents("sst2", tmp_path / "nowhere", tmp_path)

    np.testing.assert_allclose(found.tokens[2], documents[2], atol=1e-2)
    assert found.is_test.tolist() == [False, True, False, True]


def test_mean_and_sd_by_hand():
    assert mean_and_sd([0.5, 0.7]) == "60.0 ± 14.1"
    assert mean_and_sd([0.5]) == "50.0"


def test_the_report_compares_in_the_same_splits_only(tmp_path):
    results = [
        {
            "part": "vectors",
            "set": "toy",
            "split": split,
            "model": model,
            "accuracy": accuracy,
            "n_columns": 6,
            "numbers_per_document": 30.0,
        }
        for split, model, accuracy in [
            ("0.0", "mean", 0.5),
            ("0.1", "mean", 0.7),
            ("0.0", "ddcl:64,4", 0.6),
            ("0.1", "ddcl:64,4", 0.9),
            ("0.0", "ddcl:64,2", 0.55),
        ]
    ]

    text = write_report(results, tmp_path)

    assert "| mean | 60.0 ± 14.1 |" in text
    assert "| toy | DDCL 64, 4 | mean | +15.0 | 5.0 | 2 of 2 |" in text
    assert "| toy | DDCL 64, 2 | 6 | 5.00 | 55.0 |" in text
    assert (tmp_path / "document_ratio.png").stat().st_size > 5_000
    assert (tmp_path / "documents.md").read_text(encoding="utf-8") == text


def test_the_log_loss_is_that_of_the_test_rows():
    rng = np.random.default_rng(0)
    y = np.arange(80) % 2
    X = rng.normal(size=(80, 2)) + y[:, None]

    scores = linear_scores(X[:40], y[:40], X[40:], y[40:])

    center, scale = X[:40].mean(0), X[:40].std(0)
    model = LogisticRegression(C=scores["C"], tol=1e-3, max_iter=300)
    model.fit((X[:40] - center) / scale, y[:40])
    chances = model.predict_proba((X[40:] - center) / scale)[np.arange(40), y[40:]]
    assert scores["log_loss"] == pytest.approx(-np.log(chances).mean(), rel=1e-3)
    assert (scores["accuracy"], scores["C"]) == (
        linear_accuracy(X[:40], y[:40], X[40:], y[40:])
    )


def test_pairs_agree_in_one_class_only():
    documents, y = make_pairs(40, seed=0)
    kinds = 2.0 * np.random.default_rng(7).normal(size=(12, 16))

    for document, own in zip(documents, y, strict=True):
        for tokens in document:
            assert tokens.shape == (8, 16)
            first, second = _signs(tokens, kinds)
            assert (first == second) == bool(own)
    # Neither sign alone says anything.
    signs = np.array([[_signs(t, kinds) for t in document] for document in documents])
    assert abs(signs[y == 0].mean() - signs[y == 1].mean()) < 0.3


def _signs(tokens, kinds):
    """Return the signs of the tokens of the first and of the second kind."""
    found = []
    for kind in range(2):
        beside = np.delete(np.arange(16), kind)
        gaps = np.square(tokens[:, beside] - kinds[kind, beside]).sum(1)
        found.append(np.sign(tokens[gaps.argmin(), kind] - kinds[kind, kind]))
    return found


@pytest.mark.slow
@pytest.mark.parametrize(("encoder", "grows"), [("none", False), ("incrt", True)])
def test_an_encoder_is_measured_beside_none(encoder, grows):
    documents, y = make_documents()

    found = measure_encoder(
        "toy", encoder, (documents[:30], y[:30]), (documents[30:], y[30:]), seed=0
    )

    assert found["accuracy"] > 0.5
    assert 0 < found["log_loss"] < 2
    assert (found["n_heads"] is not None) == grows
    assert (found["n_parameters"] > 16 * 3 + 9 + 2 * (48 + 1)) == grows


def test_the_report_compares_encoders_with_none(tmp_path):
    results = [
        {
            "part": "encoders",
            "set": "toy",
            "split": split,
            "model": model,
            "accuracy": accuracy,
            "log_loss": loss,
            "n_parameters": 1200,
            "n_heads": heads,
            "fit_cpu": 2.0,
        }
        for split, model, accuracy, loss, heads in [
            ("0.0", "none", 0.5, 0.7, None),
            ("1.0", "none", 0.7, 0.5, None),
            ("0.0", "incrt", 0.6, 0.6, [1, 2]),
            ("1.0", "incrt", 0.7, 0.6, [1, 1]),
            ("0.0", "aot", 0.6, 0.6, None),
        ]
    ]

    text = write_report(results, tmp_path)

    assert "| toy | none | 60.0 ± 14.1 | 0.600 |  |  | 1,200 |  | 2.0 |" in text
    assert (
        "| toy | incrt | 65.0 ± 7.1 | 0.600 | +5.0 ± 5.0 | +0.000 ± 0.100 | 1,200 "
        "| 1.25 | 2.0 |"
    ) in text
    assert "| toy | aot |" not in text
