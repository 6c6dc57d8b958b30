"""One or several codebooks, their codes and their streams."""

import numpy as np
import pytest
import torch

from sklearn_ddcl.training.quantization import (
    CodebookPlan,
    Codebooks,
    fit_codebooks,
    follow_all,
    squared_errors,
)
from sklearn_ddcl.training.quantization.codebooks import code_dtype, columns_of


def fit(values, generator, *, masked=False, weights=None, **plan):
    plan = CodebookPlan(**{"n_codes": 8} | plan)
    return fit_codebooks(
        values,
        weights,
        plan,
        generator,
        dtype=torch.float64,
        device=torch.device("cpu"),
        masked=masked,
    )


def error(codebooks, values):
    return squared_errors(codebooks, values, codebooks.encode(values), None)


def test_the_columns_of_a_product_are_shared_out():
    parts = [columns_of(m, 7, 3, "product") for m in range(3)]

    assert [list(range(7))[part] for part in parts] == [[0, 1], [2, 3], [4, 5, 6]]
    assert columns_of(1, 7, 3, "residual") == slice(0, 7)


@pytest.mark.parametrize(
    ("n_codes", "dtype"),
    [(1, torch.uint8), (256, torch.uint8), (257, torch.uint16), (70_000, torch.uint32)],
)
def test_codes_take_as_little_room_as_possible(n_codes, dtype):
    assert code_dtype(n_codes) == dtype


def test_a_product_codes_every_part_by_itself(values, generator, long_way):
    codebooks, _ = fit(values, generator, n_codebooks=2)

    codes = codebooks.encode(values)

    for m, columns in enumerate((slice(0, 2), slice(2, 5))):
        book = codebooks.books[m]
        nearest = long_way(values[:, columns], book[:, columns]).argmin(1)
        np.testing.assert_array_equal(codes[:, m], nearest)
        outside = [i for i in range(5) if not columns.start <= i < columns.stop]
        assert (book[:, outside] == 0).all()
        np.testing.assert_allclose(
            codebooks.decode(codes)[:, columns], book[nearest][:, columns]
        )


def test_a_residual_codebook_codes_what_is_left(values, generator, long_way):
    codebooks, _ = fit(values, generator, n_codebooks=3, quantization="residual")

    codes = codebooks.encode(values)

    left = values
    for m, book in enumerate(codebooks.books):
        nearest = long_way(left, book).argmin(1)
        np.testing.assert_array_equal(codes[:, m], nearest)
        left = left - book[nearest]
    assert error(codebooks, values) == pytest.approx(float(left.square().sum()))


@pytest.mark.parametrize("quantization", ["product", "residual"])
def test_more_codebooks_lower_the_error(values, generator, quantization):
    errors = [
        error(
            fit(values, generator, n_codebooks=n, quantization=quantization)[0], values
        )
        for n in (1, 2, 4)
    ]

    assert errors[0] > errors[1] > errors[2]


def test_residual_codebooks_are_fitted_together(values, generator, monkeypatch):
    module = "sklearn_ddcl.training.quantization.joint"
    plan = {"n_codebooks": 3, "quantization": "residual"}
    together, _ = fit(values, generator, **plan)
    monkeypatch.setattr(f"{module}._ROUNDS", 0)

    one_by_one, _ = fit(values, generator.manual_seed(0), **plan)

    assert error(together, values) < 0.99 * error(one_by_one, values)


def test_the_error_of_rows_with_gaps_is_the_masked_distance(gappy, generator, long_way):
    codebooks, _ = fit(gappy, generator, masked=True)
    codes = codebooks.encode(gappy)

    found = squared_errors(codebooks, gappy, codes, None)

    distances = long_way(gappy, codebooks.books[0])
    assert found == pytest.approx(distances.min(1).sum())
    assert codebooks.books.isfinite().all()


@pytest.mark.parametrize("quantization", ["product", "residual"])
def test_a_state_brings_the_same_codes_back(values, generator, quantization):
    codebooks, _ = fit(values, generator, n_codebooks=2, quantization=quantization)

    again = Codebooks.from_state(codebooks.get_state(), torch.device("cpu"))

    np.testing.assert_array_equal(again.encode(values), codebooks.encode(values))
    np.testing.assert_array_equal(again.mass, codebooks.mass)


@pytest.mark.parametrize("n_codebooks", [1, 2])
def test_the_gradient_comes_near_the_closed_form(values, generator, n_codebooks):
    plan = {"n_codebooks": n_codebooks, "batch_size": 32}
    closed, _ = fit(values, generator, n_codebooks=n_codebooks)

    stepped, history = fit(
        values, generator, solver="gradient", max_epochs=60, lr=0.05, **plan
    )

    assert error(stepped, values) < 1.1 * error(closed, values)
    assert len(history) == 60 * n_codebooks
    assert [row["epoch"] for row in history] == list(range(1, 60 * n_codebooks + 1))
    assert (stepped.mass > 0).all()


def test_gradient_steps_respect_weights(values, generator):
    weights = torch.ones(300, dtype=torch.float64)
    weights[:5] = 1e4

    codebooks, _ = fit(
        values, generator, weights=weights, solver="gradient", max_epochs=40, lr=0.05
    )

    first = squared_errors(codebooks, values[:5], codebooks.encode(values[:5]), None)
    assert first < 0.05 * error(codebooks, values)


def test_codes_stay_the_means_of_all_rows_of_a_stream(generator):
    values = torch.tensor([[0.0], [0.1], [1.0], [1.1]], dtype=torch.float64)
    codebooks, _ = fit(values, generator, n_codes=2)

    moved, measured = follow_all(codebooks, values + 0.01, None, generator)

    np.testing.assert_allclose(
        moved.books.flatten().sort().values, [0.055, 1.055], rtol=1e-6
    )
    assert moved.mass.tolist() == [[4.0, 4.0]]
    assert measured["loss"] == pytest.approx(0.05**2 + 0.01**2)
    assert measured["n_revived"] == 0


def test_a_stream_that_moves_on_takes_starved_codes_along(generator):
    rng = np.random.default_rng(0)
    old = torch.from_numpy(rng.normal(size=(100, 2)))
    new = torch.from_numpy(rng.normal(size=(1000, 2)) + 50)
    codebooks, _ = fit(old, generator)
    revived = 0

    for _ in range(30):
        codebooks, measured = follow_all(codebooks, new, None, generator)
        revived += measured["n_revived"]

    near_new = (codebooks.books[0] - 50).norm(dim=1) < 5
    assert revived > 0
    assert near_new.sum() >= 6


@pytest.mark.parametrize("quantization", ["product", "residual"])
def test_a_stream_lowers_the_error_of_several_codebooks(
    values, generator, quantization
):
    start, _ = fit(values[:20], generator, n_codebooks=2, quantization=quantization)
    codebooks = start

    for _ in range(5):
        codebooks, _ = follow_all(codebooks, values, None, generator)

    assert error(codebooks, values) < error(start, values)
