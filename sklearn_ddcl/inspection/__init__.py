"""Pictures of fitted estimators, and what their networks have learned."""

from sklearn_ddcl.inspection.codebook import CodebookDisplay
from sklearn_ddcl.inspection.context_pool import ContextPoolDisplay
from sklearn_ddcl.inspection.explanation import ExplanationDisplay
from sklearn_ddcl.inspection.growth import GrowthDisplay
from sklearn_ddcl.inspection.prototype_map import PrototypeMapDisplay
from sklearn_ddcl.inspection.token_snr import SubspaceSNR, subspace_snr
from sklearn_ddcl.inspection.training_history import TrainingHistoryDisplay

__all__ = [
    "CodebookDisplay",
    "ContextPoolDisplay",
    "ExplanationDisplay",
    "GrowthDisplay",
    "PrototypeMapDisplay",
    "SubspaceSNR",
    "TrainingHistoryDisplay",
    "subspace_snr",
]
