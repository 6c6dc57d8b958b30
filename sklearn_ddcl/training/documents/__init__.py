"""How documents are compressed: slots in closed form, or trained for a task.

`levels` places prototypes level by level with the solver of codebooks, `net` trains all
levels together, `batches` feeds it.
"""

from sklearn_ddcl.training.documents.batches import DocumentRows
from sklearn_ddcl.training.documents.levels import fit_levels, shared_temperature
from sklearn_ddcl.training.documents.net import (
    DocumentNet,
    DocumentPlan,
    make_document_net,
)

__all__ = [
    "DocumentNet",
    "DocumentPlan",
    "DocumentRows",
    "fit_levels",
    "make_document_net",
    "shared_temperature",
]
