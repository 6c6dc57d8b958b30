"""Networks: a tokenizer, an encoder by name and a readout by name, put together."""

from sklearn_ddcl.networks.autoencoder import QuantizedAutoencoder
from sklearn_ddcl.networks.autoencoders import (
    AUTOENCODERS,
    AoTAutoencoder,
    ConvAutoencoder,
    INCRTAutoencoder,
    MLPAutoencoder,
    TransformerAutoencoder,
)
from sklearn_ddcl.networks.classifier import Prediction, TableClassifier
from sklearn_ddcl.networks.denoiser import RowDenoiser
from sklearn_ddcl.networks.document import DocumentNetwork
from sklearn_ddcl.networks.encoders import (
    DOCUMENT_ENCODERS,
    ENCODERS,
    ROW_ENCODERS,
    AoTEncoder,
    INCRTEncoder,
    MLPEncoder,
    PlainMLPEncoder,
    TransformerEncoder,
)
from sklearn_ddcl.networks.growth_rule import GrowthRule
from sklearn_ddcl.networks.readouts import READOUTS
from sklearn_ddcl.networks.token_encoder import TokenEncoder

__all__ = [
    "AUTOENCODERS",
    "DOCUMENT_ENCODERS",
    "ENCODERS",
    "READOUTS",
    "ROW_ENCODERS",
    "AoTAutoencoder",
    "AoTEncoder",
    "ConvAutoencoder",
    "DocumentNetwork",
    "GrowthRule",
    "INCRTAutoencoder",
    "INCRTEncoder",
    "MLPAutoencoder",
    "MLPEncoder",
    "PlainMLPEncoder",
    "Prediction",
    "QuantizedAutoencoder",
    "RowDenoiser",
    "TableClassifier",
    "TokenEncoder",
    "TransformerAutoencoder",
    "TransformerEncoder",
]
