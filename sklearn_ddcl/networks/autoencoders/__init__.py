"""Autoencoders by name: a row in, its latent out, and back.

A new autoencoder is one file with a parameter object (fields, ``check``, ``build``) and
one line in `AUTOENCODERS`. What ``build`` returns has ``encode(numbers, codes)``, which
gives latents (B, S, d), and ``decode(latents)``, which gives one answer per number and
one logit per known category, (B, F + C).
"""

from sklearn_ddcl.networks.autoencoders.conv import ConvAutoencoder
from sklearn_ddcl.networks.autoencoders.mlp import MLPAutoencoder
from sklearn_ddcl.networks.autoencoders.tokens import (
    AoTAutoencoder,
    INCRTAutoencoder,
    TransformerAutoencoder,
)

AUTOENCODERS = {
    "mlp": MLPAutoencoder,
    "conv": ConvAutoencoder,
    "transformer": TransformerAutoencoder,
    "aot": AoTAutoencoder,
    "incrt": INCRTAutoencoder,
}

__all__ = [
    "AUTOENCODERS",
    "AoTAutoencoder",
    "ConvAutoencoder",
    "INCRTAutoencoder",
    "MLPAutoencoder",
    "TransformerAutoencoder",
]
