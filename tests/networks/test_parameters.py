"""Parameter objects keep the protocol of scikit-learn."""

import numpy as np
import pytest
from sklearn.base import clone

from sklearn_ddcl.networks import AoTEncoder, MLPEncoder, TransformerEncoder

encoders = pytest.mark.parametrize(
    "encoder_class", [MLPEncoder, TransformerEncoder, AoTEncoder]
)


@encoders
def test_a_clone_is_another_object_with_the_same_parameters(encoder_class):
    encoder = encoder_class(n_layers=5, dropout=0.3)

    twin = clone(encoder)

    assert twin is not encoder
    assert type(twin) is encoder_class
    assert twin.get_params() == encoder.get_params()
    assert twin == encoder


@encoders
def test_parameters_can_be_read_and_set(encoder_class):
    encoder = encoder_class()

    assert encoder.set_params(n_layers=4, d_token=16) is encoder

    params = encoder.get_params()
    assert (params["n_layers"], params["d_token"]) == (4, 16)
    assert encoder_class(**params) == encoder


@encoders
def test_an_unknown_parameter_is_named_beside_the_known_ones(encoder_class):
    match = rf"'n_layer' for {encoder_class.__name__}. .*'n_layers'"
    with pytest.raises(ValueError, match=match):
        encoder_class().set_params(n_layer=4)


@encoders
def test_the_defaults_are_usable(encoder_class):
    encoder_class().check()


def test_a_plain_number_needs_a_place_beside_its_curve():
    MLPEncoder(d_column=1, plain_numbers=False).check()
    with pytest.raises(ValueError, match="at least 2 with plain_numbers=True"):
        MLPEncoder(d_column=1).check()


BAD = [
    ("n_layers", -1, "at least 0, got -1"),
    ("d_token", 0, "at least 2, got 0"),
    ("n_bins", 0, "at least 1, got 0"),
    ("dropout", -0.1, "at least 0, got -0.1"),
    ("dropout", float("nan"), "at least 0, got nan"),
    ("d_token", "wide", "must be a number, got 'wide'"),
    ("n_layers", True, "must be a number, got True"),
    ("n_layers", None, "must be a number, got None"),
    ("n_layers", 1.5, "must be a whole number, got 1.5"),
    ("n_bins", 16.0, "must be a whole number, got 16.0"),
]


@encoders
@pytest.mark.parametrize(("name", "value", "match"), BAD)
def test_a_bad_value_is_named(encoder_class, name, value, match):
    encoder = encoder_class(**{name: value})
    with pytest.raises(ValueError, match=f"{encoder_class.__name__}.{name} .*{match}"):
        encoder.check()


def test_numbers_of_numpy_are_numbers():
    MLPEncoder(
        n_layers=np.int64(1), d_column=np.int32(4), dropout=np.float32(0)
    ).check()


@pytest.mark.parametrize("name", ["d_hidden", "n_views", "d_column"])
def test_sizes_of_the_perceptron_are_positive(name):
    with pytest.raises(ValueError, match=f"MLPEncoder.{name} must be at least 1"):
        MLPEncoder(**{name: 0}).check()


@pytest.mark.parametrize(("name", "smallest"), [("n_heads", "1"), ("expansion", "0.1")])
def test_sizes_of_the_transformer_are_positive(name, smallest):
    match = f"TransformerEncoder.{name} must be at least {smallest}"
    with pytest.raises(ValueError, match=match):
        TransformerEncoder(**{name: 0}).check()


@pytest.mark.parametrize("encoder", [MLPEncoder, TransformerEncoder, AoTEncoder])
@pytest.mark.parametrize("dropout", [1, 1.5, -0.1])
def test_dropout_must_be_a_probability_below_one(encoder, dropout):
    with pytest.raises(ValueError, match=r"dropout must be (below 1|at least 0)"):
        encoder(dropout=dropout).check()


def test_an_unknown_way_for_numbers_to_enter_is_refused_before_any_table():
    with pytest.raises(ValueError, match=r"'mixed', .*got 'spline'"):
        MLPEncoder(numerical="spline").check()


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"projection": "own"}, r"AoTEncoder.projection must be one of .*got 'own'"),
        ({"output": "free"}, r"AoTEncoder.output must be one of .*got 'free'"),
        ({"step_size": -1.0}, "AoTEncoder.step_size must be at least 0"),
        ({"n_heads": 0}, "AoTEncoder.n_heads must be at least 1"),
    ],
)
def test_choices_of_the_attention_only_encoder_are_checked(params, match):
    with pytest.raises(ValueError, match=match):
        AoTEncoder(**params).check()
