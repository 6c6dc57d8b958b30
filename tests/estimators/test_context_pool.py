"""Encoders that pool columns with their neighbors."""

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV

import sklearn_ddcl
from sklearn_ddcl import DDCLClassifier, DDCLTransformer
from sklearn_ddcl.networks import AoTEncoder, TransformerEncoder


def make(context_pool, kind=TransformerEncoder):
    encoder = kind(2, d_token=8, n_heads=2, n_bins=4, context_pool=context_pool)
    return DDCLClassifier(6, encoder=encoder, max_epochs=5, random_state=0)


@pytest.mark.parametrize("context_pool", ["index", "correlation"])
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


def test_without_pooling_there_are_no_sizes(mixed):
    X, y = mixed
    classifier = make("correlation").fit(X, y)
    classifier.set_params(encoder__context_pool=None).fit(X, y)

    assert not hasattr(classifier, "pool_sizes_")


def test_columns_in_another_order_give_nearly_the_same_answers(blobs):
    # Only the draws of the first weights differ: the distances go with the columns.
    X, y = blobs
    sizes = [make("correlation").fit(table, y).pool_sizes_ for table in (X, X[:, ::-1])]

    assert sizes[0].shape == sizes[1].shape
    assert np.abs(sizes[0] - sizes[1][:, ::-1]).max() < 0.2 * sizes[0].max()


def test_a_grid_reaches_it(blobs):
    X, y = blobs
    grid = {"encoder__context_pool": [None, "index", "correlation"]}
    search = GridSearchCV(make(None), grid, cv=2).fit(X, y)

    assert len(search.cv_results_["params"]) == 3


def test_a_transformer_pools_too(blobs):
    encoder = AoTEncoder(1, d_token=8, n_heads=2, context_pool="correlation")
    transformer = DDCLTransformer(3, encoder=encoder, max_epochs=3, random_state=0)

    assert np.isfinite(transformer.fit(blobs[0]).transform(blobs[0])).all()


def test_an_unknown_order_is_refused(blobs):
    with pytest.raises(ValueError, match=r"context_pool must be one of .*'size'"):
        make("size").fit(*blobs)
