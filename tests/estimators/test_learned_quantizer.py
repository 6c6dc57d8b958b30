"""A quantizer behind an encoder answers like one of rows."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV

import sklearn_ddcl
from sklearn_ddcl import DDCLQuantizer
from sklearn_ddcl.networks import ConvAutoencoder, MLPAutoencoder


@pytest.fixture(scope="module")
def digits():
    """Return the digits of scikit-learn."""
    return load_digits().data


def small(n_prototypes=8, **params):
    encoder = MLPAutoencoder(n_layers=1, d_hidden=64)
    params = {"encoder": encoder, "max_epochs": 12, "random_state": 0} | params
    return DDCLQuantizer(n_prototypes, **params)


@pytest.fixture(scope="module")
def fitted(digits):
    """Return a quantizer of the digits with four books; not to be changed."""
    encoder = MLPAutoencoder(d_hidden=128)
    return small(16, n_codebooks=4, encoder=encoder, max_epochs=30).fit(digits)


def test_four_books_behind_an_encoder_beat_four_of_the_columns(digits, fitted):
    ours = DDCLQuantizer(16, n_codebooks=4, random_state=0).fit(digits)

    assert fitted.inertia_ < 0.9 * ours.inertia_


def test_the_fitted_attributes_by_the_long_way(digits, fitted):
    codes = fitted.predict(digits)
    rebuilt = fitted.inverse_transform(codes)

    assert codes.dtype == np.uint8
    assert codes.shape == (len(digits), 4)
    np.testing.assert_array_equal(codes, fitted.labels_)
    assert fitted.inertia_ == pytest.approx(((digits - rebuilt) ** 2).sum(), rel=1e-4)
    assert fitted.score(digits) == pytest.approx(-fitted.inertia_)
    usage = np.array([np.bincount(own, minlength=16) for own in codes.T]) / len(digits)
    np.testing.assert_allclose(fitted.codebook_usage_, usage)
    assert (fitted.utilization_ == 1).all()
    assert fitted.codebook_.shape[:2] == (4, 16)
    assert (fitted.min_code_distance_ > 0).all()
    assert fitted.n_iter_ == len(fitted.history_) == 30
    assert fitted.n_parameters_ > 64 * 64


def test_hard_codes_cost_next_to_nothing_in_the_end(fitted):
    last = fitted.history_[-1]

    assert abs(fitted.hardening_gap_) < 0.03
    gap = 1 - last["soft_reconstruction"] / last["hard_reconstruction"]
    assert abs(gap) < 0.03


@pytest.mark.parametrize("output", ["distances", "assignments"])
def test_outputs_follow_the_codes(digits, fitted, output):
    own = clone(fitted).set_params(output=output)
    own.__setstate__(fitted.__getstate__() | {"output": output})

    values = own.transform(digits).reshape(-1, 4, 16)

    best = values.argmin(2) if output == "distances" else values.argmax(2)
    assert (best == fitted.labels_).mean() > 0.999
    if output == "assignments":
        np.testing.assert_allclose(values.sum(2), 1.0)
        mixed = own.inverse_transform(values.reshape(len(values), -1))
        assert ((digits - mixed) ** 2).sum() < 1.1 * fitted.inertia_


def test_one_book_has_centers_among_the_rows(digits):
    quantizer = small(max_epochs=20).fit(digits)

    assert quantizer.cluster_centers_.shape == (8, 64)
    np.testing.assert_allclose(
        quantizer.cluster_centers_[quantizer.labels_],
        quantizer.inverse_transform(quantizer.predict(digits)),
        rtol=1e-5,
    )
    rows = quantizer.prototype_indices_
    np.testing.assert_array_equal(quantizer.prototype_examples_, digits[rows])
    np.testing.assert_array_equal(quantizer.labels_[rows], np.arange(8))


def test_a_row_is_coded_as_if_it_were_alone(digits, fitted):
    alone = np.vstack([fitted.predict(row[None]) for row in digits[:50]])

    np.testing.assert_array_equal(alone, fitted.predict(digits)[:50])


def test_a_seed_gives_the_same_bits(digits):
    one, other = (small(max_epochs=4).fit(digits) for _ in range(2))

    np.testing.assert_array_equal(one.codebook_, other.codebook_)
    assert (
        small(max_epochs=4, random_state=1).fit(digits).codebook_ != one.codebook_
    ).any()


def test_a_saved_one_answers_the_same(digits, fitted, tmp_path):
    fitted.save(tmp_path / "quantizer.ddcl")

    loaded = sklearn_ddcl.load(tmp_path / "quantizer.ddcl")

    codes = fitted.predict(digits)
    np.testing.assert_array_equal(loaded.predict(digits), codes)
    np.testing.assert_array_equal(loaded.transform(digits), fitted.transform(digits))
    np.testing.assert_array_equal(
        loaded.inverse_transform(codes), fitted.inverse_transform(codes)
    )


def test_gaps_in_the_rows_cost_nothing(digits):
    gappy = digits.copy()
    gappy[np.random.default_rng(0).random(digits.shape) < 0.2] = np.nan

    quantizer = small(16, n_codebooks=4, allow_nan=True, max_epochs=20).fit(gappy)

    rebuilt = quantizer.inverse_transform(quantizer.predict(gappy))
    missing = np.isnan(gappy)
    naive = ((digits - np.nanmean(gappy, axis=0)) ** 2)[missing].mean()
    assert ((digits - rebuilt) ** 2)[missing].mean() < 0.7 * naive


def test_a_table_with_text_comes_back():
    rng = np.random.default_rng(0)
    group = rng.integers(0, 4, 400)
    X = pd.DataFrame(
        {
            "size": group * 5.0 + rng.normal(size=400),
            "kind": np.array(["a", "b", "c", "d"])[group],
            "even": group % 2 == 0,
        }
    )

    quantizer = small(4, max_epochs=60, batch_size=32).fit(X)

    rows = quantizer.inverse_transform(quantizer.predict(X))
    assert list(rows) == list(X)
    assert (rows["kind"] == X["kind"]).mean() > 0.95
    assert np.abs(rows["size"] - X["size"]).median() < 1.5


def test_images_pass_through_convolutions(digits):
    encoder = ConvAutoencoder(image_shape=(8, 8), channels=(8, 16), d_hidden=32)

    quantizer = small(16, n_codebooks=4, encoder=encoder, max_epochs=30).fit(digits)

    total = ((digits - digits.mean(0)) ** 2).sum()
    assert quantizer.inertia_ < 0.5 * total


def test_its_sizes_can_be_searched(digits):
    grid = {"encoder__d_hidden": [2, 64]}

    search = GridSearchCV(small(max_epochs=6), grid, cv=2).fit(digits)

    assert search.best_params_ == {"encoder__d_hidden": 64}


def test_a_name_gives_the_usual_sizes(digits):
    quantizer = DDCLQuantizer(4, encoder="mlp", max_epochs=2, random_state=0)

    nested = clone(quantizer).set_params(encoder__d_hidden=32)

    assert nested.encoder.d_hidden == 32
    assert quantizer.fit(digits).n_parameters_ > nested.fit(digits).n_parameters_


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"solver": "em"}, "has no step for an encoder"),
        ({"init": "mean"}, "cannot be used with an encoder"),
        ({"encoder": "rnn"}, "encoder"),
        ({"encoder": ConvAutoencoder(image_shape=(5, 5))}, "image_shape"),
        ({"encoder": MLPAutoencoder(d_hidden=0)}, "d_hidden"),
    ],
)
def test_what_does_not_go_with_an_encoder_is_refused(digits, params, message):
    with pytest.raises(ValueError, match=message):
        small(**params).fit(digits)


def test_a_stream_needs_the_rows_themselves():
    with pytest.raises(AttributeError, match="partial_fit"):
        small().partial_fit  # noqa: B018


def test_verbose_prints_a_line_per_epoch(digits, capsys):
    small(max_epochs=4, verbose=2).fit(digits[:200])

    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines] == ["1/4", "2/4", "3/4", "4/4"]
    assert "hard" in lines[-1]
    assert "codes in use" in lines[-1]
