"""Encoders by name: the tokens of the columns in, the tokens for the readout out.

A new encoder is one file with a parameter object (fields, ``check``, ``build``) and one
line in `ENCODERS`.
"""

from sklearn_ddcl.networks.encoders.aot import AoTEncoder
from sklearn_ddcl.networks.encoders.mlp import MLPEncoder
from sklearn_ddcl.networks.encoders.transformer import TransformerEncoder

ENCODERS = {"mlp": MLPEncoder, "transformer": TransformerEncoder, "aot": AoTEncoder}

__all__ = ["ENCODERS", "AoTEncoder", "MLPEncoder", "TransformerEncoder"]
