"""A quantizer reads like a fitted KMeans, and codes rows of every kind."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits, make_blobs
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import adjusted_rand_score
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import sklearn_ddcl
from sklearn_ddcl import DDCLQuantizer


@pytest.fixture(scope="module")
def digits():
    """Return the digits of scikit-learn, and their classes."""
    return load_digits(return_X_y=True)


@pytest.fixture(scope="module")
def fitted(digits):
    """Return a quantizer of the digits; not to be changed."""
    return DDCLQuantizer(16, random_state=0).fit(digits[0])


def make(n_prototypes=4, **params):
    return DDCLQuantizer(n_prototypes, **{"random_state": 0} | params)


def squared_distances(X, codes):
    return ((X[:, None] - codes[None]) ** 2).sum(2)


def test_it_reads_like_a_fitted_kmeans(digits, fitted):
    X, _ = digits
    theirs = KMeans(16, n_init=1, random_state=0).fit(X)

    for name in ("cluster_centers_", "labels_"):
        assert getattr(fitted, name).shape == getattr(theirs, name).shape
        assert getattr(fitted, name).dtype == getattr(theirs, name).dtype
    assert fitted.score(X) == pytest.approx(-fitted.inertia_)
    assert fitted.inertia_ <= 1.01 * theirs.inertia_
    assert adjusted_rand_score(fitted.labels_, theirs.labels_) > 0.5
    np.testing.assert_allclose(
        fitted.transform(X), np.sqrt(squared_distances(X, fitted.cluster_centers_)),
        rtol=1e-3,
    )  # fmt: skip
    np.testing.assert_array_equal(fitted.predict(X), fitted.labels_)
    np.testing.assert_array_equal(make().fit_predict(X), make().fit(X).labels_)


def test_the_fitted_attributes_by_the_long_way(digits, fitted):
    X, _ = digits
    distances = squared_distances(X, fitted.cluster_centers_)
    counts = np.bincount(distances.argmin(1), minlength=16)
    usage = counts / len(X)

    np.testing.assert_array_equal(fitted.labels_, distances.argmin(1))
    assert fitted.inertia_ == pytest.approx(distances.min(1).sum(), rel=1e-5)
    np.testing.assert_allclose(fitted.codebook_usage_, usage)
    assert fitted.perplexity_ == pytest.approx(np.exp(-usage @ np.log(usage)))
    assert fitted.utilization_ == 1.0
    gaps = np.sqrt(squared_distances(*[fitted.codebook_] * 2))
    np.fill_diagonal(gaps, np.inf)
    assert fitted.min_code_distance_ == pytest.approx(gaps.min(), rel=1e-5)
    assert fitted.temperature_ == pytest.approx(2 * fitted.inertia_ / X.size)
    np.testing.assert_array_equal(fitted.prototype_indices_, distances.argmin(0))
    np.testing.assert_array_equal(
        fitted.prototype_examples_, X[fitted.prototype_indices_]
    )
    assert fitted.n_iter_ == len(fitted.history_)


def test_codes_are_small_and_their_rows_come_back(digits, fitted):
    X, _ = digits
    codes = fitted.predict(X)

    rows = fitted.inverse_transform(codes)

    assert codes.dtype == np.uint8
    np.testing.assert_array_equal(rows, fitted.cluster_centers_[codes])
    assert make(300).fit(X).predict(X[:5]).dtype == np.uint16


@pytest.mark.parametrize("output", ["distances", "assignments", "codes"])
def test_every_output_has_its_names(digits, output):
    X, _ = digits
    quantizer = make(output=output, n_codebooks=2).set_output(transform="pandas")

    frame = quantizer.fit_transform(X)

    n_columns = 2 if output == "codes" else 8
    assert list(frame) == [f"ddclquantizer{i}" for i in range(n_columns)]


def test_assignments_are_the_posterior_of_the_codes(digits):
    X, _ = digits
    quantizer = make(output="assignments").fit(X)

    q = quantizer.transform(X)

    logits = -squared_distances(X, quantizer.codebook_) / quantizer.temperature_
    expected = np.exp(logits - logits.max(1, keepdims=True))
    np.testing.assert_allclose(q, expected / expected.sum(1, keepdims=True), atol=1e-4)
    np.testing.assert_allclose(
        quantizer.inverse_transform(q), q @ quantizer.codebook_, rtol=1e-5
    )


def test_reconstructions_are_rows(digits):
    X, _ = digits
    quantizer = make(output="reconstruction").set_output(transform="pandas")
    names = [f"pixel {i}" for i in range(64)]

    frame = quantizer.fit_transform(pd.DataFrame(X, columns=names))

    assert list(frame) == names
    np.testing.assert_array_equal(frame, quantizer.codebook_[quantizer.labels_])


@pytest.mark.parametrize("quantization", ["product", "residual"])
def test_several_codebooks_add_up(digits, quantization):
    X, _ = digits
    one = make(16).fit(X)
    quantizer = make(16, n_codebooks=4, quantization=quantization).fit(X)

    codes = quantizer.predict(X)

    assert codes.shape == quantizer.labels_.shape == (len(X), 4)
    assert quantizer.codebook_.shape == (4, 16, 64)
    rows = sum(quantizer.codebook_[m][codes[:, m]] for m in range(4))
    np.testing.assert_allclose(quantizer.inverse_transform(codes), rows, atol=1e-5)
    assert quantizer.inertia_ == pytest.approx(((X - rows) ** 2).sum(), rel=1e-5)
    assert quantizer.inertia_ < 0.7 * one.inertia_
    for name in ("perplexity_", "utilization_", "min_code_distance_", "temperature_"):
        assert getattr(quantizer, name).shape == (4,)
    assert not hasattr(quantizer, "cluster_centers_")
    q = clone(quantizer).set_params(output="assignments").fit(X).transform(X)
    np.testing.assert_allclose(q.reshape(-1, 4, 16).sum(2), 1.0)
    assert quantizer.inverse_transform(q).shape == X.shape


def test_rows_of_weight_zero_count_as_absent(digits):
    X, _ = digits
    weights = np.arange(len(X)) % 2

    weighted = make(precision="float64").fit(X, sample_weight=weights)

    fitted = make(precision="float64").fit(X[1::2])
    np.testing.assert_allclose(weighted.codebook_, fitted.codebook_, rtol=1e-9)
    assert weighted.inertia_ == pytest.approx(fitted.inertia_)
    assert len(weighted.labels_) == len(X)
    assert weights[weighted.prototype_indices_].all()


def test_the_dual_solver_is_for_few_rows_of_many_columns():
    rng = np.random.default_rng(0)
    labels = np.arange(40) % 2
    X = rng.normal(size=(40, 500)) + 2.0 * labels[:, None]

    quantizer = make(2, solver="dual").fit(X)

    assert len(set(zip(labels, quantizer.labels_, strict=True))) == 2
    assert quantizer.n_iter_ == 500


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"encoder": "mlp"}, 'solver="dual" has no step for an encoder'),
        ({"allow_nan": True}, "cannot leave out missing entries"),
    ],
)
def test_what_the_dual_solver_cannot_do_is_refused(digits, params, match):
    with pytest.raises(ValueError, match=match):
        make(solver="dual", **params).fit(digits[0])


@pytest.mark.parametrize("solver", ["em", "gradient", "dual"])
def test_a_seed_gives_the_same_bits(digits, solver):
    X, _ = digits
    params = {"solver": solver, "max_epochs": 5}

    one, other = (make(**params).fit(X) for _ in range(2))

    np.testing.assert_array_equal(one.codebook_, other.codebook_)
    assert (make(**params, random_state=1).fit(X).codebook_ != one.codebook_).any()


def test_gradient_steps_come_near_the_closed_form(digits):
    X, _ = digits

    stepped = make(16, solver="gradient").fit(X)

    assert stepped.inertia_ < 1.05 * make(16).fit(X).inertia_
    assert stepped.utilization_ == 1.0


def test_a_code_does_not_depend_on_the_rows_beside_it(digits, fitted):
    X, _ = digits
    alone = np.concatenate([fitted.predict(row[None]) for row in X[:100]])

    np.testing.assert_array_equal(alone, fitted.predict(X)[:100])
    np.testing.assert_array_equal(
        np.vstack([fitted.transform(row[None]) for row in X[:20]]),
        fitted.transform(X)[:20],
    )


def test_missing_entries_are_refused_unless_allowed(digits):
    X = digits[0].copy()
    X[np.random.default_rng(0).random(X.shape) < 0.1] = np.nan

    with pytest.raises(ValueError, match="allow_nan=True"):
        make().fit(X)
    quantizer = make(16, allow_nan=True).fit(X)

    assert np.isfinite(quantizer.codebook_).all()
    whole = make(16).fit(digits[0])
    error = squared_distances(digits[0], quantizer.codebook_).min(1).sum()
    assert error < 1.1 * whole.inertia_


@pytest.fixture
def mixed():
    """Return a frame of numbers and text in three plain groups."""
    rng = np.random.default_rng(0)
    group = np.arange(150) % 3
    return pd.DataFrame(
        {
            "mass": group * 10.0 + rng.normal(size=150),
            "kind": np.array(["a", "b", "c"])[group],
            "big": group == 2,
        }
    )


def test_a_table_with_text_is_scaled_and_comes_back(mixed):
    quantizer = make(3).fit(mixed)

    rows = quantizer.inverse_transform(quantizer.predict(mixed))

    assert list(rows) == ["mass", "kind", "big"]
    assert (rows["kind"] == mixed["kind"]).all()
    assert np.abs(rows["mass"] - mixed["mass"]).max() < 4
    assert list(quantizer.prototype_examples_) == list(mixed)


def test_an_unknown_category_is_coded_by_the_rest(mixed):
    quantizer = make(3).fit(mixed)
    strange = mixed.assign(kind="never seen")

    np.testing.assert_array_equal(quantizer.predict(strange), quantizer.labels_)


def test_gaps_in_a_table_with_text(mixed):
    mixed.loc[::7, "mass"] = np.nan

    with pytest.raises(ValueError, match="allow_nan=True"):
        make(3).fit(mixed)

    labels = make(3, allow_nan=True).fit(mixed).labels_
    assert adjusted_rand_score(labels, mixed["kind"]) == 1.0


def test_a_stream_is_followed(digits):
    X, _ = digits
    quantizer = make(16)

    for part in np.array_split(X, 6):
        quantizer.partial_fit(part)

    assert quantizer.score(X) > -1.1 * make(16).fit(X).inertia_
    assert len(quantizer.labels_) == len(np.array_split(X, 6)[-1])
    assert quantizer.history_[-1]["epoch"] == quantizer.n_iter_
    assert quantizer.codebook_usage_.sum() == pytest.approx(1.0)


def test_a_heavy_batch_of_a_stream_moves_codes_further():
    X = np.array([[0.0], [0.1], [1.0], [1.1]])
    moved = []
    for weight in (1.0, 9.0):
        quantizer = make(2).fit(X)
        quantizer.partial_fit(X + 0.2, sample_weight=np.full(4, weight))
        moved.append(quantizer.codebook_.min() - 0.05)

    np.testing.assert_allclose(moved, [0.1, 0.18], rtol=1e-4)


def test_a_failed_step_leaves_everything_as_it_was(digits):
    X, _ = digits
    quantizer = make(16).fit(X)
    before = quantizer.predict(X), quantizer.n_iter_, quantizer.codebook_

    for wrong in (X[:, :5], np.full_like(X, np.inf)):
        with pytest.raises(ValueError, match=r"features|infinity"):
            quantizer.partial_fit(wrong)

    np.testing.assert_array_equal(quantizer.predict(X), before[0])
    assert quantizer.n_iter_ == before[1]
    assert quantizer.codebook_ is before[2]
    assert not [name for name in vars(quantizer) if name == "_space"]


def test_codes_may_start_where_the_user_wants(digits):
    X, _ = digits
    start = X[:4]

    quantizer = make(init=start, n_relocations=0, temperature=1e-3).fit(X)

    theirs = KMeans(4, init=start, n_init=1, tol=0).fit(X)
    assert quantizer.inertia_ == pytest.approx(theirs.inertia_, rel=1e-3)


def test_from_the_mean_codes_find_the_islands():
    X, y = make_blobs(300, 2, centers=5, cluster_std=0.05, random_state=0)

    quantizer = make(5, init="mean").fit(X)

    assert adjusted_rand_score(quantizer.labels_, y) == 1.0
    assert quantizer.history_["temperature"][0] > 100 * quantizer.temperature_


WRONG = [
    ({"n_prototypes": 0}, "n_prototypes"),
    ({"n_prototypes": 2000}, "n_samples=1797 should be >= n_prototypes=2000"),
    ({"n_codebooks": 65}, 'quantization="residual"'),
    ({"init": np.zeros((4, 3))}, r"init must be finite and of shape \(4, 64\)"),
    ({"init": np.full((4, 64), np.nan)}, "init must be finite"),
    ({"device": "nowhere"}, "cannot be used here"),
    ({"output": "embedding"}, "output"),
    ({"temperature": 0}, "temperature"),
]


@pytest.mark.parametrize(("params", "message"), WRONG)
def test_wrong_parameters_are_refused(digits, params, message):
    quantizer = make().set_params(**params)

    with pytest.raises(ValueError, match=message):
        quantizer.fit(digits[0])

    with pytest.raises(NotFittedError):
        quantizer.predict(digits[0])


@pytest.mark.parametrize(
    "wrong",
    [
        np.array([0, 16]),
        np.array([-1]),
        np.zeros((3, 2), dtype=int),
        np.zeros((3, 16)),
        np.full((3, 16), 0.2),
        np.array(["a"]),
    ],
)
def test_what_is_neither_code_nor_assignment_has_no_inverse(fitted, wrong):
    with pytest.raises(ValueError, match=r"Codes must lie|expects codes"):
        fitted.inverse_transform(wrong)


def test_fewer_different_rows_than_codes_are_told():
    X = np.repeat([[0.0, 1.0], [1.0, 0.0], [2.0, 2.0]], 5, axis=0)

    with pytest.warns(ConvergenceWarning, match="1 of 4 codes stand for no row"):
        quantizer = make(4).fit(X)

    assert quantizer.inertia_ == pytest.approx(0, abs=1e-9)
    assert quantizer.utilization_ == 0.75
    assert (make(3).fit(X).codebook_usage_ == 1 / 3).all()


def test_numbers_far_from_the_origin_lose_nothing(digits):
    X, _ = digits
    near, far = make(16).fit(X), make(16).fit(X + 1e8)

    assert far.inertia_ == pytest.approx(near.inertia_, rel=1e-3)
    np.testing.assert_allclose(far.codebook_ - 1e8, near.codebook_, atol=1e-3)
    np.testing.assert_array_equal(far.predict(X + 1e8), near.predict(X))


def test_codes_that_coincide_are_told(digits):
    X, _ = digits
    quantizer = make().fit(X)
    books = quantizer._fitted.codebooks.books
    books[0, 1] = books[0, 0] + 1e-6

    with pytest.warns(ConvergenceWarning, match="2 of 4 codes are duplicates"):
        quantizer._warn_of_duplicates(quantizer._fitted, X)


def test_annealing_ends_nearly_hard(digits, fitted):
    losses = fitted.history_["loss"]
    soft = [row["temperature"] > 0 for row in fitted.history_]
    last = max(i for i, is_soft in enumerate(soft) if is_soft)

    assert fitted.hardening_gap_ == pytest.approx(1 - losses[last] / losses[last + 1])
    assert abs(fitted.hardening_gap_) < 0.02


def test_one_code_is_the_mean(digits):
    X, _ = digits

    quantizer = make(1).fit(X)

    np.testing.assert_allclose(quantizer.codebook_[0], X.mean(0), atol=1e-4)
    assert quantizer.min_code_distance_ == np.inf
    assert (quantizer.labels_ == 0).all()


def test_as_many_codes_as_rows_are_the_rows():
    X = np.random.default_rng(0).normal(size=(20, 3))

    quantizer = make(20).fit(X)

    assert quantizer.inertia_ == pytest.approx(0, abs=1e-9)
    assert sorted(quantizer.labels_) == list(range(20))


def test_constant_columns_do_no_harm(digits):
    X, _ = digits
    wide = np.hstack([X, np.full((len(X), 3), 7.0)])

    quantizer = make().fit(wide)

    assert quantizer.inertia_ == pytest.approx(make().fit(X).inertia_, rel=0.02)
    np.testing.assert_allclose(quantizer.codebook_[:, -3:], 7.0, rtol=1e-6)


def test_it_works_in_pipelines_and_searches(digits):
    X, y = digits
    model = make_pipeline(
        StandardScaler(), make(random_state=0), LogisticRegression(max_iter=2000)
    )
    grid = {"ddclquantizer__n_prototypes": [4, 32]}

    search = GridSearchCV(model, grid, cv=3).fit(X, y)

    assert search.best_params_["ddclquantizer__n_prototypes"] == 32
    assert search.best_score_ > 0.85


def test_it_is_read_without_torch():
    code = (
        "import sys, sklearn_ddcl; sklearn_ddcl.__all__; "
        "assert 'DDCLQuantizer' in dir(sklearn_ddcl); assert 'torch' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"n_codebooks": 3, "quantization": "residual", "allow_nan": True},
        {"n_codebooks": 2, "precision": "float64", "output": "assignments"},
    ],
)
def test_a_saved_quantizer_answers_the_same(digits, tmp_path, params):
    X, _ = digits
    quantizer = make(**params).fit(X)
    quantizer.save(tmp_path / "quantizer.ddcl")

    loaded = sklearn_ddcl.load(tmp_path / "quantizer.ddcl")

    for method in ("predict", "transform"):
        np.testing.assert_array_equal(
            getattr(loaded, method)(X), getattr(quantizer, method)(X)
        )
    codes = quantizer.predict(X)
    np.testing.assert_array_equal(
        loaded.inverse_transform(codes), quantizer.inverse_transform(codes)
    )
    np.testing.assert_array_equal(loaded.codebook_, quantizer.codebook_)
    loaded.partial_fit(X[:100])


def test_a_saved_table_with_text_comes_back(mixed, tmp_path):
    quantizer = make(3).fit(mixed)
    quantizer.save(tmp_path / "quantizer.ddcl")

    loaded = sklearn_ddcl.load(tmp_path / "quantizer.ddcl")

    rows = loaded.inverse_transform(loaded.predict(mixed))
    pd.testing.assert_frame_equal(
        rows, quantizer.inverse_transform(quantizer.predict(mixed))
    )


@pytest.mark.parametrize(
    ("precision", "size", "cure"),
    [("float32", 1e20, 'set precision="float64"'), ("float64", 1e160, "Scale")],
)
def test_numbers_whose_squares_overflow_are_refused(digits, precision, size, cure):
    X = digits[0][:200].copy()
    quantizer = make(precision=precision).fit(X)
    before = quantizer.cluster_centers_
    X[7, 20] = -size
    for method in (quantizer.fit, quantizer.partial_fit, quantizer.predict):
        with pytest.raises(ValueError, match=f"away from their middle.*{cure}"):
            method(X)
    with pytest.raises(ValueError, match="overflow"):
        quantizer.transform(X[7:8])
    np.testing.assert_array_equal(quantizer.cluster_centers_, before)


def test_large_numbers_are_no_hindrance(digits):
    X = digits[0][:200]
    # The second are as far from zero as nanoseconds since 1970.
    for change in (lambda X: X * 2.0**50, lambda X: X * 2.0**20 + 2.0**60):
        quantizer = make().fit(change(X))
        assert np.isfinite(quantizer.inertia_)
        assert np.isfinite(quantizer.transform(change(X))).all()


def test_what_is_masked_is_missing(digits):
    X = digits[0][:200]
    mask = np.random.default_rng(0).random(X.shape) < 0.1
    masked = np.ma.masked_array(X, mask)
    with pytest.raises(ValueError, match="contains NaN"):
        make().fit(masked)
    quantizer = make(allow_nan=True).fit(masked)
    missing = np.where(mask, np.nan, X)
    np.testing.assert_array_equal(quantizer.labels_, quantizer.predict(missing))
    np.testing.assert_array_equal(quantizer.predict(masked), quantizer.labels_)
