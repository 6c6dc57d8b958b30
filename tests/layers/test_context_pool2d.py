"""Context pooling of images as a layer: what it predicts, and in its limits."""

import pytest
import torch
from torch.testing import assert_close

import sklearn_ddcl.functional as F
from sklearn_ddcl.layers import ContextPool2d

N_CHANNELS = 3


@pytest.fixture
def make(generator):
    def build(**params):
        layer = ContextPool2d(N_CHANNELS, generator=generator, **params).double()
        for values in layer.parameters():  # also those that start at zero
            values.data += 0.3 * torch.randn(
                values.shape, generator=generator, dtype=torch.float64
            )
        return layer

    return build


@pytest.fixture
def images(generator):
    return torch.randn(2, N_CHANNELS, 7, 6, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("stride", [1, 2, 3, 5, 9])
@pytest.mark.parametrize("shape", [(7, 6), (1, 8), (9, 1)])
def test_the_smaller_side_is_the_larger_one_by_the_stride_rounded_up(
    make, generator, stride, shape
):
    height, width = shape
    images = torch.randn(2, N_CHANNELS, height, width, generator=generator).double()

    pooled = make(stride=stride)(images)

    assert pooled.shape == (2, N_CHANNELS, -(-height // stride), -(-width // stride))
    assert pooled.isfinite().all()


def test_a_new_layer_weighs_all_pixels_alike_at_half_the_reach(generator, images):
    layer = ContextPool2d(N_CHANNELS, reach=2.0, generator=generator)

    logits, sizes = layer.predict(images.float())

    assert bool((logits == 0).all())
    assert_close(sizes, torch.full_like(sizes, 0.3 + 1.0))


@pytest.mark.usefixtures("torch_seed")
def test_prediction_is_two_convolutions(make, images):
    layer = make()
    look = torch.nn.Conv2d(N_CHANNELS, 4, 3, padding=1).double()
    blend = torch.nn.Conv2d(4, 2, 3, padding=1).double()
    for convolution, linear in ((look, layer.look), (blend, layer.blend)):
        convolution.weight.data = linear.weight.data.view_as(convolution.weight)
        convolution.bias.data = linear.bias.data
    expected = blend(look(images).relu())

    logits, sizes = layer.predict(images)

    assert_close(logits, expected[:, 0])
    assert_close(sizes, 0.3 + 2.0 * expected[:, 1, ::2, ::2].sigmoid())


def test_without_reach_it_takes_every_other_pixel(make, images):
    layer = make(reach=0.0, min_size=0.02)

    assert torch.equal(layer(images), images[:, :, ::2, ::2])


def test_pixels_beyond_the_window_do_not_matter(make, images):
    layer = make(window=1)
    moved = images.clone()
    moved[:, :, 6] += 1.0
    # The output of row 2 takes in rows 1 to 3, which see two rows further.
    assert torch.equal(layer(moved)[:, :, :1], layer(images)[:, :, :1])
    assert not torch.allclose(layer(moved)[:, :, 3], layer(images)[:, :, 3])


def test_what_it_returns_is_pooled_by_what_it_predicts(make, images):
    layer = make(window=3)
    logits, sizes = layer.predict(images)

    distances = F.window_distances(3).double()
    assert_close(layer(images), F.pool_image(images, logits, sizes, distances, 2))


def test_gradients_are_those_of_the_differences(make, images):
    assert torch.autograd.gradcheck(make(), [images[:1].requires_grad_()])


def test_sizes_and_weights_can_be_learned_from_the_start(generator, images):
    layer = ContextPool2d(N_CHANNELS, generator=generator)

    layer(images.float()).square().sum().backward()

    assert bool((layer.blend.weight.grad.abs().amax(1) > 1e-3).all())
    assert float(layer.blend.bias.grad[1].abs()) > 1e-3


@pytest.mark.parametrize(
    ("params", "match"),
    [
        ({"stride": 0}, "at least 1, got 0 and 0"),
        ({"window": 0}, "at least 1, got 2 and 0"),
        ({"kernel": 4}, "odd and positive, got 4"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(params, match):
    with pytest.raises(ValueError, match=match):
        ContextPool2d(N_CHANNELS, **params)
