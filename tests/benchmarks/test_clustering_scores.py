"""Clusters are scored against classes by hand."""

import itertools

import numpy as np
import pytest

from benchmarks.harness.clustering_scores import matched_accuracy, score_clusters


def test_names_of_clusters_do_not_matter():
    classes = np.array([0, 0, 1, 1, 2, 2])
    assert matched_accuracy(classes, np.array([2, 2, 0, 0, 1, 1])) == 1
    # Clusters 1 and 0 are matched, 7 has no class left: four of six.
    assert matched_accuracy(np.array([0, 0, 0, 1, 1, 1]), [1, 1, 7, 0, 0, 7]) == (
        pytest.approx(4 / 6)
    )


def test_the_best_matching_is_found_among_all():
    rng = np.random.default_rng(0)
    classes, labels = rng.integers(4, size=(2, 60))
    by_definition = max(
        np.mean(np.array(names)[labels] == classes)
        for names in itertools.permutations(range(4))
    )
    assert matched_accuracy(classes, labels) == pytest.approx(by_definition)


def test_a_class_is_matched_once():
    # Both clusters lie in class 0; only one of them may have it.
    assert matched_accuracy(np.zeros(5, dtype=int), [0, 0, 0, 1, 1]) == 3 / 5


def test_scores_of_a_perfect_and_of_an_independent_clustering():
    classes = np.repeat([0, 1], 50)
    perfect = score_clusters(classes, 1 - classes)
    assert perfect == pytest.approx({"acc": 1, "nmi": 1, "ari": 1, "n_clusters": 2})
    independent = score_clusters(classes, np.arange(100) % 2)
    assert independent["acc"] == pytest.approx(0.5)
    assert independent["nmi"] == pytest.approx(0, abs=1e-12)
    assert independent["ari"] == pytest.approx(-0.0102, abs=1e-3)
