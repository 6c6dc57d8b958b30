"""The network that rebuilds rows and predicts their neighborhoods."""

import pytest
import torch
from torch.testing import assert_close

from sklearn_ddcl.networks import (
    ROW_ENCODERS,
    AoTEncoder,
    INCRTEncoder,
    PlainMLPEncoder,
    RowDenoiser,
    TransformerEncoder,
)
from sklearn_ddcl.networks.table import TableSpec

ENCODERS = {
    "mlp": PlainMLPEncoder(n_layers=1, d_hidden=12),
    "transformer": TransformerEncoder(1, d_token=4, n_heads=2, numerical="linear"),
    "aot": AoTEncoder(1, d_token=4, n_heads=2, numerical="linear"),
    "incrt": INCRTEncoder(1, d_token=4, d_head=2, numerical="linear"),
}
SPEC = TableSpec(3, (4,), flagged=(1,))


@pytest.fixture(params=ENCODERS)
def network(request, generator):
    network = RowDenoiser(
        SPEC, ENCODERS[request.param], d_latent=5, generator=generator
    )
    return network.eval()


def rows(generator, n=6):
    numbers = torch.randn(n, 3, generator=generator)
    numbers[::2, 1] = float("nan")
    return numbers, torch.randint(0, 4, (n, 1), generator=generator)


def test_every_name_can_be_tried_here():
    assert set(ENCODERS) == set(ROW_ENCODERS)


def test_shapes(network, generator):
    width = 3 + 1 + 4

    answer = network.predict(*rows(generator))

    assert answer.hidden.shape == (6, network.d_hidden)
    assert answer.rebuilt.shape == (6, width)
    assert answer.smoothed.shape == (6, 2, width)
    assert network.width == width


def test_all_predictions_pass_through_few_dimensions(network, generator):
    answer = network.predict(*rows(generator, 40))

    together = torch.cat([answer.rebuilt, answer.smoothed.flatten(1)], 1)
    centered = together - together.mean(0)
    assert int(torch.linalg.matrix_rank(centered, rtol=1e-4)) <= 5


def test_what_is_linear_passes_without_the_encoder(generator):
    network = RowDenoiser(SPEC, ENCODERS["mlp"], d_latent=8, generator=generator)
    with torch.no_grad():
        network.from_hidden.weight.zero_()
        network.from_row.weight.copy_(torch.eye(8))
        network.to_row.weight.copy_(torch.eye(8))
    numbers, codes = rows(generator)

    rebuilt = network.predict(numbers, codes).rebuilt

    assert_close(rebuilt, network.dense(numbers, codes))


def test_rows_do_not_see_each_other(network, generator):
    numbers, codes = rows(generator)

    for one, all_ in zip(
        network(numbers[2:3], codes[2:3]), network(numbers, codes), strict=True
    ):
        assert_close(one[0], all_[2])


@pytest.mark.parametrize(("name", "value"), [("n_layers", 0), ("d_hidden", 0)])
def test_sizes_of_the_perceptron_are_positive(name, value):
    with pytest.raises(ValueError, match=f"PlainMLPEncoder.{name} must be at least 1"):
        PlainMLPEncoder(**{name: value}).check()
