"""Prototype-based deep learning with the scikit-learn interface."""

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# Loaded on first use: torch alone takes seconds to import.
_HOMES = {
    "DDCLClassifier": "sklearn_ddcl.estimators.classifier",
    "DDCLDocumentCompressor": "sklearn_ddcl.estimators.document_compressor",
    "DDCLQuantizer": "sklearn_ddcl.estimators.quantizer",
    "DDCLTransformer": "sklearn_ddcl.estimators.transformer",
    "SubspaceDenoiser": "sklearn_ddcl.estimators.subspace_denoiser",
    "load": "sklearn_ddcl.persistence",
}

__all__ = [
    "DDCLClassifier",
    "DDCLDocumentCompressor",
    "DDCLQuantizer",
    "DDCLTransformer",
    "SubspaceDenoiser",
    "__version__",
    "load",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
