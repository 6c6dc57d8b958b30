"""Variants of DDCLClassifier that each take one thing away or change it."""

from collections.abc import Iterable

ABLATIONS = (
    "ddcl",
    "ddcl:readout=mean",
    "ddcl:readout=cls",
    "ddcl:encoder=transformer",
    "ddcl:encoder=aot",
    "ddcl:encoder__numerical=linear",
    "ddcl:encoder__numerical=periodic",
    "ddcl:temperature=2.0",
    "ddcl:prototype_lr_ratio=1",
    "ddcl:n_prototypes=8",
    "ddcl:n_prototypes=16",
    "ddcl:n_prototypes=64",
    "ddcl:distortion_weight=0",
    "ddcl:encoder__n_views=1",
)


def expand(specs: Iterable[str]) -> list[str]:
    """Return specs with ``ablations`` replaced by all of them, each spec once."""
    groups = (ABLATIONS if spec == "ablations" else (spec,) for spec in specs)
    return list(dict.fromkeys(spec for group in groups for spec in group))
