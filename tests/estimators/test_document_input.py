"""Documents of every shape are read, and those that cannot be are refused in words."""

import numpy as np
import pandas as pd
import pytest
import torch

from sklearn_ddcl import DDCLDocumentCompressor
from sklearn_ddcl.estimators.document_input import DocumentReader


def draw(*shape):
    return np.random.default_rng(0).normal(size=shape)


def reader(n_levels=2, segment_length=4):
    return DocumentReader(n_levels, segment_length, np.float64)


def read(documents, **params):
    (block,) = reader(**params).blocks(documents)
    return block


def bounds(block):
    return [own.tolist() for own in block.bounds]


def test_flat_documents_are_cut_into_segments():
    block = read([draw(6, 3), draw(4, 3)])

    assert bounds(block) == [[0, 4, 6, 10], [0, 2, 3]]
    np.testing.assert_array_equal(block.tokens[:6], draw(6, 3))


def test_nested_documents_keep_their_sentences():
    block = read([[draw(2, 3), draw(5, 3)], [draw(1, 3)]])

    assert bounds(block) == [[0, 2, 7, 8], [0, 2, 3]]


def test_a_single_level_takes_tokens_as_they_are():
    assert bounds(read([draw(6, 3), draw(4, 3)], n_levels=1)) == [[0, 6, 10]]


def test_three_levels():
    parts = [[draw(2, 3), draw(1, 3)], [draw(3, 3)]]

    block = read([parts, parts[:1]], n_levels=3)

    assert bounds(block) == [[0, 2, 3, 6, 8, 9], [0, 2, 3, 5], [0, 2, 3]]


@pytest.mark.parametrize(
    "documents",
    [
        pytest.param(draw(2, 5, 3), id="3-d array"),
        pytest.param(list(draw(2, 5, 3)), id="list of arrays"),
        pytest.param(draw(2, 5, 3).tolist(), id="lists of lists of lists"),
        pytest.param(torch.from_numpy(draw(2, 5, 3)), id="tensor"),
        pytest.param([pd.DataFrame(part) for part in draw(2, 5, 3)], id="frames"),
        pytest.param((part for part in draw(2, 5, 3)), id="generator"),
        pytest.param([[list(t) for t in part] for part in draw(2, 5, 3)], id="tokens"),
    ],
)
def test_containers_do_not_matter(documents):
    block = read(documents, n_levels=1)

    assert bounds(block) == [[0, 5, 10]]
    np.testing.assert_array_equal(block.tokens, draw(2, 5, 3).reshape(10, 3))


def test_empty_sentences_are_passed_over():
    block = read([[[], draw(2, 3), np.empty((0, 3))], [draw(1, 3), []]])

    assert bounds(block) == [[0, 2, 3], [0, 1, 2]]


def test_blocks_are_bounded_and_lose_nothing(monkeypatch):
    monkeypatch.setattr("sklearn_ddcl.estimators.document_input._BLOCK_ENTRIES", 30)
    documents = [draw(n, 3) for n in (4, 7, 1, 2, 3, 9)]

    blocks = list(reader().blocks(documents))

    assert [len(block) for block in blocks] == [2, 4]
    tokens = np.concatenate([block.tokens for block in blocks])
    np.testing.assert_array_equal(tokens, np.concatenate(documents))


@pytest.mark.parametrize(
    ("documents", "match"),
    [
        ([draw(4, 3), np.empty((0, 3))], "Document 1 has no tokens. Leave it out"),
        ([draw(4, 3), []], "Document 1 has no tokens"),
        ([draw(4, 3), [[], []]], "Document 1 has no tokens"),
        ([draw(4, 3), draw(4, 2)], "document 1 have 2 numbers, expected 3"),
        ([draw(4, 3), np.full((2, 3), np.nan)], "Document 1 contains NaN"),
        ([draw(4, 3), np.full((2, 3), np.inf)], "Document 1 contains NaN, infinity"),
        ([draw(4, 3), "some text"], "document 1 holds text. Turn text into"),
        ([draw(4, 3), ["some", "text"]], "document 1 holds text"),
        ([draw(4, 3), np.array([["a", "b", "c"]])], "document 1 holds a ndarray"),
        ([draw(4, 3), draw(3)], "document 1 is a single vector"),
        ([draw(4, 3), 7.0], "document 1 is a single vector"),
        ([draw(4, 3), None], "document 1 holds a NoneType"),
        ([draw(4, 3), [[[draw(2, 3)]]]], "Document 1 has 4 levels"),
        ([draw(4, 3), [draw(2, 3), draw(3)]], "document 1 holds an array of shape"),
        ([draw(4, 3), [[1.0, 2.0, 3.0], [1.0]]], "document 1 holds a list"),
    ],
)
def test_a_document_that_cannot_be_read_is_named(documents, match):
    with pytest.raises(ValueError, match=match):
        read(documents)


@pytest.mark.parametrize(
    ("documents", "match"),
    [
        (draw(4, 3), r"got an array of shape \(4, 3\).*X\[:, None\]"),
        (pd.DataFrame(draw(4, 3)), r"got an array of shape \(4, 3\)"),
        ("text", "got text"),
        (7, "got a int"),
        ([], "Got no documents"),
        ((part for part in draw(2, 5, 3)), "needs a sequence, such as a list"),
    ],
)
def test_what_is_no_sequence_of_documents_is_refused(documents, match):
    with pytest.raises(ValueError, match=match):
        DDCLDocumentCompressor((4, 2)).fit(documents)


def test_a_series_of_documents_is_read():
    documents = [draw(4, 3), draw(6, 3)]
    compressor = DDCLDocumentCompressor(2, random_state=0).fit(documents)

    series = pd.Series(documents, index=[5, 3])

    np.testing.assert_array_equal(
        compressor.transform(series), compressor.transform(documents)
    )
