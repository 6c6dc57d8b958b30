"""A trained autoencoder codes rows one by one, keeps its state, and decodes."""

import numpy as np
import pytest
import torch

from sklearn_ddcl.estimators.autoencoder_fitting import fit_autoencoder
from sklearn_ddcl.estimators.fitted_autoencoder import FittedAutoencoder
from sklearn_ddcl.estimators.table_encoder import EncodedTable
from sklearn_ddcl.networks import ConvAutoencoder, MLPAutoencoder

SMALL = MLPAutoencoder(n_layers=1, d_hidden=24)
N_ROWS = 700


def table():
    rng = np.random.default_rng(0)
    group = np.arange(N_ROWS) % 5
    numbers = np.eye(5)[group, :3] * 3 + 0.2 * rng.standard_normal((N_ROWS, 3))
    numbers[::7, 1] = np.nan
    return EncodedTable(numbers, np.stack([group % 3 + 1, group // 3], 1))


def fit(encoder=SMALL, encoded=None, **params):
    encoded = encoded or table()
    cardinalities = (4, 3)[: encoded.codes.shape[1]]
    defaults = {"n_prototypes": 5, "max_epochs": 8, "lr": 1e-2, "seed": 0}
    return fit_autoencoder(
        *encoded,
        cardinalities,
        params.pop("weights", np.ones(len(encoded.numbers))),
        encoder=encoder,
        **defaults | params,
    )


@pytest.fixture(scope="module", params=["product", "residual", "periodic", "conv"])
def fitted(request):
    if request.param == "conv":
        rng = np.random.default_rng(0)
        images = rng.standard_normal((N_ROWS, 5 * 6 * 2))
        encoded = EncodedTable(images, np.empty((N_ROWS, 0), dtype=np.int64))
        encoder = ConvAutoencoder((5, 6, 2), (4, 8), d_hidden=16)
        return fit(encoder, encoded, max_epochs=2).fitted, encoded
    if request.param == "periodic":
        encoder = MLPAutoencoder(n_layers=1, d_hidden=20, numerical="periodic")
        return fit(encoder, n_codebooks=2).fitted, table()
    return fit(n_codebooks=3, quantization=request.param).fitted, table()


def take(encoded, rows):
    return EncodedTable(encoded.numbers[rows], encoded.codes[rows])


ANSWERS = ["encode", "latents", "assign", "distances", "losses"]


@pytest.mark.parametrize("ask", ANSWERS)
def test_a_row_is_answered_as_if_it_were_alone(fitted, ask):
    model, encoded = fitted
    rows = np.random.default_rng(1).permutation(N_ROWS)[:300]
    together = getattr(model, ask)(encoded)

    assert np.array_equal(getattr(model, ask)(take(encoded, rows)), together[rows])
    alone = getattr(model, ask)(take(encoded, rows[:1]))
    assert np.array_equal(alone, together[rows[:1]])


def test_a_code_is_decoded_as_if_it_were_alone(fitted):
    model, encoded = fitted
    codes = model.encode(encoded)
    together, reversed_ = model.decode(codes), model.decode(codes[::-1])

    for first, second in zip(together, reversed_, strict=True):
        assert np.array_equal(first, second[::-1])


def test_the_state_brings_back_every_bit(fitted):
    model, encoded = fitted
    state = model.get_state()
    again = FittedAutoencoder.from_state(state, torch.device("cpu"))

    for ask in ANSWERS:
        assert np.array_equal(
            getattr(again, ask)(encoded), getattr(model, ask)(encoded)
        )
    codes = model.encode(encoded)
    assert np.array_equal(again.decode(codes).numbers, model.decode(codes).numbers)
    assert np.array_equal(again.temperature, model.temperature)
    assert again.n_parameters == model.n_parameters


def test_the_state_holds_plain_values_and_arrays(fitted):
    def check(value):
        if isinstance(value, dict):
            assert all(isinstance(key, str) for key in value)
            return all(check(own) for own in value.values())
        if isinstance(value, list):
            return all(check(own) for own in value)
        return isinstance(value, str | int | float | bool | np.ndarray | None)

    assert check(fitted[0].get_state())


def test_codes_assignments_and_distances_agree(fitted):
    model, encoded = fitted
    codes = model.encode(encoded)

    assert codes.dtype == np.int64
    assert np.array_equal(model.distances(encoded).argmin(-1), codes)
    q = model.assign(encoded)
    np.testing.assert_allclose(q.sum(-1), 1, rtol=1e-5)
    if model.shape.quantization == "product":
        assert np.array_equal(q.argmax(-1), codes)


def test_one_hot_assignments_decode_like_codes(fitted):
    model, encoded = fitted
    codes = model.encode(encoded)
    one_hot = np.eye(model.shape.n_prototypes)[codes]

    direct, soft = model.decode(codes), model.decode_assignments(one_hot)

    np.testing.assert_allclose(soft.numbers, direct.numbers, rtol=1e-4, atol=1e-5)
    assert np.array_equal(soft.codes, direct.codes)


def test_the_loss_is_the_squared_error_of_what_decoding_gives(fitted):
    model, encoded = fitted
    if encoded.codes.shape[1]:
        pytest.skip("counts nats of categories as well")
    rebuilt = model.decode(model.encode(encoded)).numbers

    expected = ((rebuilt - encoded.numbers) ** 2).mean(1)
    np.testing.assert_allclose(model.losses(encoded), expected, rtol=1e-4)


def test_five_groups_come_back_from_one_code():
    trained = fit(max_epochs=40)
    encoded = table()
    codes = trained.fitted.encode(encoded)
    rebuilt = trained.fitted.decode(codes)
    present = ~np.isnan(encoded.numbers)

    groups = np.arange(N_ROWS) % 5
    assert len({*zip(codes[:, 0], groups, strict=True)}) == 5
    assert np.array_equal(rebuilt.codes[:, 0], encoded.codes[:, 0])
    error = (rebuilt.numbers - encoded.numbers)[present]
    assert np.sqrt((error**2).mean()) < 0.4


def test_an_unknown_category_is_never_the_answer():
    encoded = table()
    unknown = EncodedTable(encoded.numbers, np.zeros_like(encoded.codes))
    fitted = fit(encoded=unknown).fitted

    assert (fitted.decode(np.arange(5)[:, None]).codes > 0).all()


def test_the_same_seed_gives_the_same_bits():
    states = [fit(seed=seed).fitted.get_state()["weights"] for seed in (3, 3, 4)]
    equal = [
        all(np.array_equal(states[0][name], other[name]) for name in other)
        for other in states[1:]
    ]

    assert equal == [True, False]


def test_a_row_of_weight_zero_counts_as_absent():
    encoded = table()
    weights = np.ones(N_ROWS)
    weights[500:] = 0
    without = take(encoded, slice(500))

    first = fit(weights=weights).fitted.get_state()["weights"]
    second = fit(encoded=without).fitted.get_state()["weights"]

    assert all(np.array_equal(first[name], second[name]) for name in first)


def test_float64_and_a_fixed_temperature_are_kept():
    fitted = fit(dtype=torch.float64, temperature=0.5, n_codebooks=2).fitted

    assert fitted.latents(table()).dtype == np.float64
    assert fitted.temperature.tolist() == [0.5, 0.5]


def test_no_rows_give_no_codes():
    fitted = fit(max_epochs=1).fitted
    nothing = take(table(), slice(0))

    assert fitted.encode(nothing).shape == (0, 1)
    assert fitted.decode(np.empty((0, 1), dtype=np.int64)).numbers.shape == (0, 3)


def test_the_callers_parameter_object_stays_its_own():
    encoder = MLPAutoencoder(n_layers=1, d_hidden=8)
    fitted = fit(encoder, max_epochs=1).fitted
    encoder.d_hidden = 99

    assert fitted.shape.encoder.d_hidden == 8


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"encoder": "lstm"}, r"encoder must be one of \['aot', 'conv', .* got 'lstm'"),
        ({"encoder": MLPAutoencoder(d_hidden=0)}, "d_hidden must be at least 1"),
        ({"weights": np.zeros(N_ROWS)}, "at least one must count"),
        ({"quantization": "tree"}, "quantization must be one of"),
    ],
)
def test_unusable_arguments_are_refused(params, message):
    with pytest.raises(ValueError, match=message):
        fit(**params)
