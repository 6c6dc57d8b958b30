"""Model files: numbers as safetensors, the rest as JSON, nothing that can run."""

from sklearn_ddcl.persistence.errors import ModelFileError
from sklearn_ddcl.persistence.model_file import load, save

__all__ = ["ModelFileError", "load", "save"]
