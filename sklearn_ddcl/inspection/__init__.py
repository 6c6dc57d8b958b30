"""Pictures of fitted estimators: their training, their prototypes, their decisions."""

from sklearn_ddcl.inspection.codebook import CodebookDisplay
from sklearn_ddcl.inspection.explanation import ExplanationDisplay
from sklearn_ddcl.inspection.prototype_map import PrototypeMapDisplay
from sklearn_ddcl.inspection.training_history import TrainingHistoryDisplay

__all__ = [
    "CodebookDisplay",
    "ExplanationDisplay",
    "PrototypeMapDisplay",
    "TrainingHistoryDisplay",
]
