"""Encoders by name: the tokens of the columns in, the tokens for the readout out.

A new encoder is one file with a parameter object (fields, ``check``, ``build``) and one
line in `ENCODERS` or `ROW_ENCODERS`.
"""

from sklearn_ddcl.networks.encoders.aot import AoTEncoder
from sklearn_ddcl.networks.encoders.incrt import INCRTEncoder
from sklearn_ddcl.networks.encoders.mlp import MLPEncoder
from sklearn_ddcl.networks.encoders.plain_mlp import PlainMLPEncoder
from sklearn_ddcl.networks.encoders.transformer import TransformerEncoder

ENCODERS = {
    "mlp": MLPEncoder,
    "transformer": TransformerEncoder,
    "aot": AoTEncoder,
    "incrt": INCRTEncoder,
}
"""Of a classifier."""

ROW_ENCODERS = {
    "mlp": PlainMLPEncoder,
    "transformer": TransformerEncoder,
    "aot": AoTEncoder,
    "incrt": INCRTEncoder,
}
"""Of a transformer, whose rows have to be near each other where they are alike."""

DOCUMENT_ENCODERS = {
    "transformer": TransformerEncoder,
    "aot": AoTEncoder,
    "incrt": INCRTEncoder,
}
"""Of a compressor of documents, of which the blocks are used."""

__all__ = [
    "DOCUMENT_ENCODERS",
    "ENCODERS",
    "ROW_ENCODERS",
    "AoTEncoder",
    "INCRTEncoder",
    "MLPEncoder",
    "PlainMLPEncoder",
    "TransformerEncoder",
]
