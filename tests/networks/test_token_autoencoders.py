"""Autoencoders that see the columns of a row as tokens."""

import numpy as np
import pytest
import torch
from sklearn.datasets import make_blobs

from sklearn_ddcl import DDCLQuantizer, load
from sklearn_ddcl.networks import (
    AoTAutoencoder,
    INCRTAutoencoder,
    QuantizedAutoencoder,
    TransformerAutoencoder,
)
from sklearn_ddcl.networks.table import TableSpec
from sklearn_ddcl.training.growth import GrowthController

ENCODERS = {
    "transformer": TransformerAutoencoder(1, d_token=8, n_heads=2, d_hidden=16),
    "aot": AoTAutoencoder(1, d_token=8, n_heads=2, d_hidden=16),
    "incrt": INCRTAutoencoder(1, d_token=8, d_head=4, d_hidden=16),
}


@pytest.fixture(params=ENCODERS)
def encoder(request):
    return ENCODERS[request.param]


@pytest.fixture(scope="module")
def blobs():
    return make_blobs(400, 5, centers=4, random_state=0)[0]


def test_mixed_rows_are_rebuilt(encoder, generator, torch_seed):
    params = type(encoder)(**encoder.get_params() | {"numerical": "linear"})
    spec = TableSpec(2, (3, 4))
    network = QuantizedAutoencoder(spec, params, n_codebooks=2, generator=generator)
    numbers = torch.tensor([[0.0, torch.nan], [1.0, 2.0]])
    codes = torch.tensor([[1, 0], [2, 3]])

    assert network.encode(numbers, codes).shape == (2, 2)
    rebuilt = network(numbers, codes)
    assert rebuilt.shape == (2, 2 + 7)
    assert rebuilt.isfinite().all()


def test_a_quantizer_takes_them(encoder, blobs, tmp_path):
    quantizer = DDCLQuantizer(
        4, encoder=encoder, n_codebooks=2, max_epochs=30, random_state=0
    ).fit(blobs)
    rebuilt = quantizer.inverse_transform(quantizer.predict(blobs))
    lost = ((blobs - rebuilt) ** 2).sum() / ((blobs - blobs.mean(0)) ** 2).sum()
    assert lost < 0.5
    quantizer.save(tmp_path / "model.ddcl")
    copy = load(tmp_path / "model.ddcl")
    np.testing.assert_array_equal(copy.transform(blobs), quantizer.transform(blobs))


@pytest.mark.parametrize("name", ENCODERS)
def test_a_name_will_do(name, blobs):
    quantizer = DDCLQuantizer(2, encoder=name, max_epochs=10, random_state=0)
    quantizer.set_params(encoder__n_layers=1).fit(blobs)
    assert quantizer.encoder.n_layers == 1
    assert hasattr(quantizer, "n_heads_") == (name == "incrt")


@pytest.mark.filterwarnings("ignore:Head .* could go")
def test_it_grows_behind_a_quantizer_too(blobs, monkeypatch, tmp_path):
    monkeypatch.setattr(GrowthController, "n_missing", lambda self, number: 99)
    # They are of no use to four blobs, and would be swept away in the end.
    monkeypatch.setattr(GrowthController, "_sweep", lambda *_: ["none"])
    quantizer = DDCLQuantizer(
        4, encoder=ENCODERS["incrt"], max_epochs=60, random_state=0
    ).fit(blobs)
    assert quantizer.n_heads_[0] > 1
    assert len(quantizer.growth_history_) == 60
    quantizer.save(tmp_path / "model.ddcl")
    copy = load(tmp_path / "model.ddcl")
    np.testing.assert_array_equal(copy.transform(blobs), quantizer.transform(blobs))
    quantizer.set_params(encoder=None).fit(blobs)
    assert not hasattr(quantizer, "n_heads_")


@pytest.mark.parametrize("wrong", [{"d_hidden": 0}, {"d_code": 0}, {"n_layers": -1}])
def test_wrong_sizes_are_named(encoder, wrong, blobs):
    params = type(encoder)(**encoder.get_params() | wrong)
    with pytest.raises(ValueError, match=next(iter(wrong))):
        DDCLQuantizer(4, encoder=params, random_state=0).fit(blobs)
