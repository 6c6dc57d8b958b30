"""Autoencoders take tables and images apart and put them together again."""

import pytest
import torch

from sklearn_ddcl.networks import (
    ConvAutoencoder,
    MLPAutoencoder,
    QuantizedAutoencoder,
)
from sklearn_ddcl.networks.autoencoder import choose_d_code
from sklearn_ddcl.networks.table import TableSpec, choose_knots

NUMBERS = torch.tensor([[0.0, 1.0], [float("nan"), 2.0], [3.0, float("nan")]])
CODES = torch.tensor([[1, 0], [2, 3], [0, 1]])
KINDS = ["product", "residual"]


def make(encoder=None, kind="product", seed=0, m=3, k=5):
    encoder = encoder or MLPAutoencoder(d_hidden=16, n_bins=2)
    spec = TableSpec(2, (3, 4), choose_knots(NUMBERS, 2))
    return QuantizedAutoencoder(
        spec,
        encoder,
        n_prototypes=k,
        n_codebooks=m,
        quantization=kind,
        generator=torch.Generator().manual_seed(seed),
    ).eval()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "numerical", ["plain", "piecewise_linear", "periodic", "linear"]
)
def test_a_mixed_table_is_rebuilt_without_gaps(numerical, kind):
    network = make(MLPAutoencoder(d_hidden=16, numerical=numerical), kind)

    codes = network.encode(NUMBERS, CODES)
    rebuilt = network.decode(codes)

    assert codes.shape == (3, 3)
    assert codes.dtype == torch.int64
    assert rebuilt.shape == (3, 2 + 7)
    assert rebuilt.isfinite().all()
    assert network(NUMBERS, CODES).shape == rebuilt.shape


def test_tables_of_one_kind_of_columns_do(torch_seed):
    encoder = MLPAutoencoder(d_hidden=16)
    numbers = QuantizedAutoencoder(TableSpec(2, ()), encoder)
    categories = QuantizedAutoencoder(TableSpec(0, (3, 4)), encoder)

    no_codes = torch.empty(3, 0, dtype=torch.int64)
    assert numbers(NUMBERS, no_codes).shape == (3, 2)
    assert categories(torch.empty(3, 0), CODES).shape == (3, 7)


def test_rebuilding_is_the_decoding_of_quantized_latents():
    network = make()
    latents = network.latents(NUMBERS, CODES)
    codes = network.codebook.encode(latents)

    assert torch.equal(network.encode(NUMBERS, CODES), codes)
    expected = network.rebuild(network.codebook.decode(codes))
    assert torch.equal(network.decode(codes), expected)


def test_the_same_seed_gives_the_same_weights():
    first, second, other = (make(seed=seed).state_dict() for seed in (0, 0, 1))

    assert all(torch.equal(first[name], second[name]) for name in first)
    assert not all(torch.equal(first[name], other[name]) for name in first)


def test_weights_come_from_the_private_generator_alone():
    before = torch.get_rng_state()
    make()
    make_conv((5, 7, 3))

    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize(
    ("m", "product", "residual"), [(1, 6, 6), (4, 4, 16), (8, 2, 16), (32, 2, 64)]
)
def test_latents_stay_narrow(m, product, residual):
    assert choose_d_code(m, "product") == product
    assert choose_d_code(m, "residual") == residual


def make_conv(image_shape, channels=(4, 8)):
    n_pixels = torch.Size(image_shape).numel()
    return QuantizedAutoencoder(
        TableSpec(n_pixels, ()),
        ConvAutoencoder(image_shape, channels, d_hidden=16),
        n_prototypes=5,
        n_codebooks=2,
        generator=torch.Generator().manual_seed(0),
    )


@pytest.mark.parametrize("image_shape", [(8, 8, 3), (5, 7, 1), (28, 28), (1, 3)])
def test_images_of_any_size_come_back_in_their_size(image_shape):
    network = make_conv(image_shape)
    n_pixels = network.spec.n_numbers
    images, nothing = torch.zeros(4, n_pixels), torch.empty(4, 0, dtype=torch.int64)
    images[0, 0] = float("nan")

    assert network.encode(images, nothing).shape == (4, 2)
    rebuilt = network(images, nothing)
    assert rebuilt.shape == images.shape
    assert rebuilt.isfinite().all()


def test_pixels_are_in_the_order_height_width_channel():
    # A change of one pixel reaches, through one convolution, only its neighborhood.
    network = make_conv((16, 16, 2), channels=(4,))
    images = torch.zeros(2, 16 * 16 * 2)
    images[1].view(16, 16, 2)[12, 3, 1] = 1.0
    shown = images.unflatten(1, (16, 16, 2)).permute(0, 3, 1, 2)
    seen = []
    network.autoencoder.down[0].register_forward_pre_hook(
        lambda _, inputs: seen.append(inputs[0])
    )
    network.latents(images, torch.empty(2, 0, dtype=torch.int64))

    assert torch.equal(seen[0], shown)


def test_a_table_that_holds_no_such_images_is_refused():
    with pytest.raises(ValueError, match=r"Images of shape \(8, 8\) have 64 numbers"):
        make(ConvAutoencoder(image_shape=(8, 8)))


@pytest.mark.parametrize(
    ("encoder", "message"),
    [
        (MLPAutoencoder(d_hidden=0), "d_hidden must be at least 1"),
        (MLPAutoencoder(d_code=0), "d_code must be at least 1"),
        (MLPAutoencoder(numerical="cubic"), "numerical must be one of"),
        (ConvAutoencoder(d_code=0), "d_code must be at least 1"),
        (ConvAutoencoder(image_shape=(8,)), "image_shape must hold 2 or 3"),
        (ConvAutoencoder(image_shape=64), "image_shape must hold 2 or 3"),
        (ConvAutoencoder(channels=(0,)), "channels must hold 1 to 8"),
        (ConvAutoencoder(channels=()), "channels must hold 1 to 8"),
    ],
)
def test_unusable_parameters_are_refused(encoder, message):
    with pytest.raises(ValueError, match=message):
        encoder.check()


@pytest.mark.parametrize("encoder", [MLPAutoencoder(), ConvAutoencoder()])
def test_default_parameters_are_usable(encoder):
    encoder.check()
