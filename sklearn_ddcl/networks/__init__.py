"""Networks: a tokenizer, an encoder by name and a readout by name, put together."""

from sklearn_ddcl.networks.autoencoder import QuantizedAutoencoder
from sklearn_ddcl.networks.autoencoders import (
    AUTOENCODERS,
    ConvAutoencoder,
    MLPAutoencoder,
)
from sklearn_ddcl.networks.classifier import Prediction, TableClassifier
from sklearn_ddcl.networks.denoiser import RowDenoiser
from sklearn_ddcl.networks.document import DocumentNetwork
from sklearn_ddcl.networks.encoders import (
    ENCODERS,
    ROW_ENCODERS,
    AoTEncoder,
    MLPEncoder,
    PlainMLPEncoder,
    TransformerEncoder,
)
from sklearn_ddcl.networks.readouts import READOUTS

__all__ = [
    "AUTOENCODERS",
    "ENCODERS",
    "READOUTS",
    "ROW_ENCODERS",
    "AoTEncoder",
    "ConvAutoencoder",
    "DocumentNetwork",
    "MLPAutoencoder",
    "MLPEncoder",
    "PlainMLPEncoder",
    "Prediction",
    "QuantizedAutoencoder",
    "RowDenoiser",
    "TableClassifier",
    "TransformerEncoder",
]
