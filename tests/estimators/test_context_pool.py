"""Encoders that pool columns with their neighbors."""

import pickle

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV

import sklearn_ddcl
from sklearn_ddcl import DDCLClassifier, DDCLTransformer
from sklearn_ddcl.networks import AoTEncoder, TransformerEncoder


def make(context_pool, kind=TransformerEncoder):
    encoder = kind(2, d_token=8, n_heads=2, n_bins=4, context_pool=context_pool)
    return DDCLClassifier(6, encoder=encoder, max_epochs=5, random_state=0)


POOLS = ["index", "seriation", "correlation", "learned"]


@pytest.mark.parametrize("context_pool", POOLS)
@pytest.mark.parametrize("kind", [TransformerEncoder, AoTEncoder])
def test_sizes_that_were_learned_can_be_read(mixed, context_pool, kind, tmp_path):
    X, y = mixed
    classifier = make(context_pool, kind).fit(X, y)

    assert classifier.pool_sizes_.shape == (2, X.shape[1])
    assert (classifier.pool_sizes_ > 0).all()
    classifier.save(tmp_path / "model")
    loaded = sklearn_ddcl.load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.predict_proba(X), classifier.predict_proba(X))
    np.testing.assert_array_equal(loaded.pool_sizes_, classifier.pool_sizes_)
    pickled = pickle.loads(pickle.dumps(classifier))
    np.testing.assert_array_equal(pickled.predict_proba(X), classifier.predict_proba(X))
    again = clone(classifier).fit(X, y)
    np.testing.assert_array_equal(again.predict_proba(X), classifier.predict_proba(X))
    for name in ("feature_order_", "feature_distances_"):
        assert (
            hasattr(classifier, name) == hasattr(loaded, name) == hasattr(again, name)
        )
        if hasattr(classifier, name):
            found = [getattr(one, name) for one in (classifier, loaded, again)]
            np.testing.assert_array_equal(found[0], found[1])
            np.testing.assert_array_equal(found[0], found[2])


def test_what_tells_neighbors_is_said_in_columns_of_the_table(mixed):
    X, y = mixed
    n_columns = X.shape[1]

    order = make("seriation").fit(X, y)
    apart = make("correlation").fit(X, y)
    learned = make("learned").fit(X, y)

    assert sorted(order.feature_order_) == list(range(n_columns))
    assert not hasattr(order, "feature_distances_")
    for classifier in (apart, learned):
        assert not hasattr(classifier, "feature_order_")
        distances = classifier.feature_distances_
        assert distances.shape == (n_columns, n_columns)
        np.testing.assert_array_equal(distances, distances.T)
        assert (distances.diagonal() == 0).all()
    assert apart.feature_distances_.max() <= np.sqrt(2) + 1e-6


def test_sizes_and_distances_stand_in_the_order_of_the_table():
    # A category in front, which the network sees last.
    rng = np.random.default_rng(0)
    numbers = rng.normal(size=(80, 2))
    X = pd.DataFrame({"kind": np.where(numbers[:, 0] > 0, "a", "b")})
    X[["one", "other"]] = numbers

    classifier = make("correlation").fit(X, numbers[:, 0] > 0)

    near = classifier.feature_distances_
    assert near[0, 1] < near[0, 2]
    assert near[0, 1] < near[1, 2]
    sizes = classifier._fitted.network.encoder.pool_sizes(
        *classifier._fitted.to_tensors(classifier._fitted.table.transform(X))
    )
    inside = sizes.mean(0).detach().numpy()[:, [2, 0, 1]]
    np.testing.assert_allclose(classifier.pool_sizes_, inside, rtol=1e-5)


def test_seriation_follows_a_chain_of_columns_in_any_order():
    rng = np.random.default_rng(0)
    chain = np.cumsum(rng.normal(size=(300, 8)), axis=1)
    moved = rng.permutation(8)
    y = chain[:, -1] > 0

    classifier = make("seriation").fit(chain, y)
    other = make("seriation").fit(chain[:, moved], y)
    mirrored = make("seriation").fit(chain[:, ::-1], y)

    order = classifier.feature_order_
    assert abs(np.corrcoef(order, np.arange(8))[0, 1]) > 0.95
    np.testing.assert_array_equal(moved[other.feature_order_], order)
    np.testing.assert_array_equal(7 - mirrored.feature_order_, order)
    np.testing.assert_array_equal(classifier.fit(chain, y).feature_order_, order)


@pytest.mark.parametrize("context_pool", ["seriation", "correlation"])
def test_only_training_rows_tell_neighbors(blobs, context_pool):
    X, y = blobs
    strange = X.copy()
    strange[:, 0] = 5 * strange[:, 2]
    alone = make(context_pool).fit(X, y, X_val=X[:30], y_val=y[:30])

    # Rows for validation, and rows without weight.
    beside = make(context_pool).fit(X, y, X_val=strange, y_val=y)
    weights = np.repeat([1.0, 0.0], len(X))
    doubled = make(context_pool)
    doubled.fit(np.r_[X, strange], np.r_[y, y], weights, X_val=X[:30], y_val=y[:30])

    name = "feature_order_" if context_pool == "seriation" else "feature_distances_"
    for other in (beside, doubled):
        np.testing.assert_allclose(getattr(other, name), getattr(alone, name))


@pytest.mark.parametrize("context_pool", POOLS)
def test_a_row_is_answered_alike_in_any_company(mixed, context_pool):
    X, y = mixed
    classifier = make(context_pool).fit(X, y)

    some = classifier.predict_proba(X.iloc[10:13])

    np.testing.assert_array_equal(some, classifier.predict_proba(X)[10:13])


@pytest.mark.parametrize("context_pool", POOLS)
def test_a_single_column_has_no_neighbors(blobs, context_pool):
    X, y = blobs
    classifier = make(context_pool).fit(X[:, :1], y)

    assert np.isfinite(classifier.predict_proba(X[:, :1])).all()
    assert classifier.pool_sizes_.shape == (2, 1)


def test_without_pooling_there_are_no_sizes(mixed):
    X, y = mixed
    classifier = make("correlation").fit(X, y)
    classifier.set_params(encoder__context_pool=None).fit(X, y)

    assert not hasattr(classifier, "pool_sizes_")
    assert not hasattr(classifier, "feature_distances_")


def test_columns_in_another_order_give_nearly_the_same_answers(blobs):
    # Only the draws of the first weights differ: the distances go with the columns.
    X, y = blobs
    sizes = [make("correlation").fit(table, y).pool_sizes_ for table in (X, X[:, ::-1])]

    assert sizes[0].shape == sizes[1].shape
    assert np.abs(sizes[0] - sizes[1][:, ::-1]).max() < 0.2 * sizes[0].max()


def test_a_grid_reaches_it(blobs):
    X, y = blobs
    grid = {"encoder__context_pool": [None, *POOLS]}
    search = GridSearchCV(make(None), grid, cv=2).fit(X, y)

    assert len(search.cv_results_["params"]) == 5


@pytest.mark.parametrize("context_pool", ["seriation", "learned"])
def test_a_transformer_pools_too(blobs, context_pool, tmp_path):
    X, _ = blobs
    encoder = AoTEncoder(1, d_token=8, n_heads=2, context_pool=context_pool)
    transformer = DDCLTransformer(3, encoder=encoder, max_epochs=3, random_state=0)

    moved = transformer.fit(X).transform(X)

    assert np.isfinite(moved).all()
    assert transformer.pool_sizes_.shape == (1, 3)
    assert hasattr(transformer, "feature_order_") == (context_pool == "seriation")
    transformer.save(tmp_path / "model")
    loaded = sklearn_ddcl.load(tmp_path / "model")
    np.testing.assert_array_equal(loaded.transform(X), moved)
    np.testing.assert_array_equal(loaded.pool_sizes_, transformer.pool_sizes_)


def test_a_file_from_before_there_were_other_orders_is_read(blobs):
    X, y = blobs
    for context_pool in (None, "correlation"):
        classifier = make(context_pool).fit(X, y)
        state = classifier._fitted.get_state()
        names = [name for name in state["weights"] if "pools" in name]
        assert not any(name.endswith(("order", "positions")) for name in names)
        if context_pool is None:
            # Or distances.
            del state["architecture"]["has_distances"]
            del state["architecture"]["encoder_params"]["context_pool"]

        loaded = type(classifier._fitted).from_state(state, torch.device("cpu"))

        encoded = classifier._fitted.table.transform(X)
        np.testing.assert_array_equal(
            loaded.predict_proba(encoded), classifier.predict_proba(X)
        )


def test_an_unknown_order_is_refused(blobs):
    with pytest.raises(ValueError, match=r"context_pool must be one of .*'size'"):
        make("size").fit(*blobs)
