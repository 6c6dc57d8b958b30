"""Networks: a tokenizer, an encoder by name and a readout by name, put together."""

from sklearn_ddcl.networks.autoencoder import QuantizedAutoencoder
from sklearn_ddcl.networks.autoencoders import (
    AUTOENCODERS,
    ConvAutoencoder,
    MLPAutoencoder,
)
from sklearn_ddcl.networks.classifier import Prediction, TableClassifier
from sklearn_ddcl.networks.encoders import (
    ENCODERS,
    AoTEncoder,
    MLPEncoder,
    TransformerEncoder,
)
from sklearn_ddcl.networks.readouts import READOUTS

__all__ = [
    "AUTOENCODERS",
    "ENCODERS",
    "READOUTS",
    "AoTEncoder",
    "ConvAutoencoder",
    "MLPAutoencoder",
    "MLPEncoder",
    "Prediction",
    "QuantizedAutoencoder",
    "TableClassifier",
    "TransformerEncoder",
]
