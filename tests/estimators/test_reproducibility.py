"""The same bits from the same seed, whatever else happens in the process."""

import copy
import io
import pickle

import joblib
import numpy as np
import pytest
import torch
from joblib import Parallel, delayed
from sklearn.base import clone
from sklearn.datasets import make_blobs
from sklearn.model_selection import cross_val_predict


def weights(classifier):
    """Return the bytes of everything that was trained, by name."""
    state = classifier.__getstate__()["_fitted"]["weights"]
    return {name: values.tobytes() for name, values in state.items()}


def readings(classifier, X):
    """Return all that a classifier says of some rows, side by side."""
    if classifier.readout != "ddcl":
        return classifier.predict_proba(X)
    parts = classifier.decomposition(X)
    columns = [parts.loss, parts.reconstruction, parts.diversity]
    return np.column_stack(
        [classifier.predict_proba(X), classifier.assign(X), *columns]
    )


@pytest.mark.parametrize("precision", ["float32", "float64", "bf16"])
@pytest.mark.parametrize("encoder", ["mlp", "transformer", "aot", "incrt"])
def test_two_fits_with_one_seed_are_the_same_bit_for_bit(
    small, mixed, encoder, precision
):
    first = small(encoder, precision=precision).fit(*mixed)
    second = small(encoder, precision=precision).fit(*mixed)

    assert weights(first) == weights(second)
    assert (readings(first, mixed[0]) == readings(second, mixed[0])).all()


def test_another_seed_gives_another_model(small, blobs):
    first = small(random_state=0).fit(*blobs)
    second = small(random_state=1).fit(*blobs)

    assert weights(first) != weights(second)


def test_fitting_again_gives_the_same_bits(small, blobs):
    classifier = small().fit(*blobs)
    before = weights(classifier)

    assert weights(classifier.fit(*blobs)) == before


def test_history_repeats_except_for_the_clock(small, blobs):
    def history():
        rows = small(early_stopping=True).fit(*blobs).history_
        return [{k: v for k, v in row.items() if k != "seconds"} for row in rows]

    assert repr(history()) == repr(history())


@pytest.mark.parametrize("encoder", ["mlp", "transformer", "aot", "incrt"])
def test_the_number_of_threads_changes_no_bit(small, blobs, encoder):
    before = torch.get_num_threads()
    X, y = (np.tile(part, (20, 1) if part.ndim == 2 else 20) for part in blobs)
    models = []
    try:
        for n_threads in (1, 2):
            torch.set_num_threads(n_threads)
            models.append(small(encoder, max_epochs=1).fit(X, y))
            assert torch.get_num_threads() == n_threads
        answers = [readings(model, X) for model in models]
    finally:
        torch.set_num_threads(before)

    assert weights(models[0]) == weights(models[1])
    assert (answers[0] == answers[1]).all()


@pytest.mark.usefixtures("numpy_seed", "torch_seed")
def test_global_seeds_change_no_bit(small, blobs):
    first = small().fit(*blobs)
    np.random.seed(1)  # noqa: NPY002
    torch.manual_seed(1)
    second = small().fit(*blobs)

    assert weights(first) == weights(second)


def test_global_state_is_left_alone(small, mixed):
    X, y = mixed
    numpy_state = np.random.get_state()[1].tobytes()  # noqa: NPY002
    torch_state = torch.get_rng_state()
    settings = (
        torch.get_num_threads(),
        torch.get_default_dtype(),
        torch.is_grad_enabled(),
        torch.is_autocast_enabled("cpu"),
    )

    classifier = small(early_stopping=True, precision="bf16").fit(X, y)
    classifier.explain(X)
    classifier.partial_fit(X, y)

    assert np.random.get_state()[1].tobytes() == numpy_state  # noqa: NPY002
    assert torch.equal(torch.get_rng_state(), torch_state)
    assert settings == (
        torch.get_num_threads(),
        torch.get_default_dtype(),
        torch.is_grad_enabled(),
        torch.is_autocast_enabled("cpu"),
    )


def test_concurrent_fits_in_threads_are_the_same_bit_for_bit(small, blobs):
    seeds = range(8)
    alone = [small(random_state=seed).fit(*blobs) for seed in seeds]
    together = Parallel(n_jobs=4, backend="threading")(
        delayed(small(random_state=seed).fit)(*blobs) for seed in seeds
    )

    assert [weights(a) for a in alone] == [weights(b) for b in together]


@pytest.mark.slow
def test_processes_change_no_bit(small, mixed):
    proba = [
        cross_val_predict(small(), *mixed, cv=4, n_jobs=n_jobs, method="predict_proba")
        for n_jobs in (1, 2)
    ]

    assert (proba[0] == proba[1]).all()


def test_a_random_state_object_is_drawn_from(small, blobs):
    def fit(random_state):
        return weights(small(random_state=random_state).fit(*blobs))

    source = np.random.RandomState(3)
    first, second = fit(source), fit(source)

    assert first != second
    assert first == fit(np.random.RandomState(3)) == fit(3)


@pytest.mark.usefixtures("numpy_seed")
def test_without_a_seed_two_fits_differ(small, blobs):
    first = small(random_state=None).fit(*blobs)
    second = small(random_state=None).fit(*blobs)

    assert weights(first) != weights(second)


@pytest.mark.parametrize("readout", ["ddcl", "mean", "cls"])
@pytest.mark.parametrize("encoder", ["mlp", "transformer", "aot", "incrt"])
@pytest.mark.parametrize(
    ("n_columns", "n_classes", "n_prototypes"),
    [(1, 2, 2), (3, 3, 7), (7, 5, 33), (17, 11, 13)],
)
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_a_row_is_answered_alike_whatever_stands_beside_it(
    small, encoder, readout, n_columns, n_classes, n_prototypes, precision
):
    X, y = make_blobs(600, n_columns, centers=n_classes, random_state=0)
    classifier = small(
        encoder,
        readout=readout,
        n_prototypes=n_prototypes,
        precision=precision,
        max_epochs=1,
    ).fit(X, y)
    expected = readings(classifier, X)
    order = np.random.default_rng(0).permutation(600)

    assert (readings(classifier, X[order]) == expected[order]).all()
    assert (readings(classifier, X[::7]) == expected[::7]).all()
    for row in (0, 1, 255, 256, 511, 512, 513, 598, 599):
        assert (readings(classifier, X[row : row + 1]) == expected[row]).all()


@pytest.mark.parametrize("encoder", ["mlp", "transformer", "aot", "incrt"])
def test_default_sizes_answer_alike_whatever_stands_beside_a_row(encoder, small):
    X, y = make_blobs(300, 5, centers=3, random_state=0)
    for precision in ("float32", "bf16"):
        classifier = clone(small(precision=precision, max_epochs=1))
        classifier.set_params(encoder=encoder, n_prototypes=32).fit(X, y)
        expected = readings(classifier, X)

        for rows in ([0], [299], list(range(299, -1, -1)), list(range(0, 300, 2))):
            assert (readings(classifier, X[rows]) == expected[rows]).all()


def by_pickle(classifier):
    return pickle.loads(pickle.dumps(classifier))


def by_joblib(classifier):
    stream = io.BytesIO()
    joblib.dump(classifier, stream)
    stream.seek(0)
    return joblib.load(stream)


@pytest.mark.parametrize("duplicate", [by_pickle, by_joblib, copy.deepcopy])
@pytest.mark.parametrize("precision", ["float32", "float64", "bf16"])
@pytest.mark.parametrize("encoder", ["mlp", "transformer", "aot", "incrt"])
def test_a_copy_answers_the_same_bit_for_bit(
    small, mixed, encoder, precision, duplicate
):
    X, y = mixed
    classifier = small(encoder, precision=precision).fit(X, y)
    other = duplicate(classifier)

    assert weights(other) == weights(classifier)
    assert (readings(other, X) == readings(classifier, X)).all()
    assert (other.predict(X) == classifier.predict(X)).all()
    assert other.history_["loss"] == classifier.history_["loss"]


def test_a_pickle_holds_no_torch_object(small, mixed):
    assert b"torch" not in pickle.dumps(small().fit(*mixed))


def test_a_copy_shares_nothing_with_the_original(small, blobs):
    X, y = blobs
    classifier = small().fit(X, y)
    expected = readings(classifier, X)

    copy.deepcopy(classifier).partial_fit(X, y)

    assert (readings(classifier, X) == expected).all()


@pytest.mark.parametrize("go_on", ["partial_fit", "fit"])
def test_a_copy_can_be_trained_further(small, blobs, go_on):
    classifier = small(warm_start=True).fit(*blobs)
    other = by_pickle(classifier)
    getattr(other, go_on)(*blobs)
    getattr(classifier, go_on)(*blobs)

    assert weights(other) == weights(classifier)
    assert other.n_iter_ == classifier.n_iter_ > 5
