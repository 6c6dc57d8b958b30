"""Codebooks of rows in closed form: expectation-maximization, annealed to hard.

`solver` finds one codebook: `rows` holds what is quantized, `passes` visits it once
with hard or soft assignments, `place` chooses the first codes, `anneal` cools them,
`lloyd` settles them, and `relocate` moves useless ones to where they are needed.
`fitting` does so for one or several codebooks, `joint` for all residual ones at once;
`descend` is the way by gradient steps, `stream` the one for rows that keep coming, and
`count` says how many codes rows support.
"""

from sklearn_ddcl.training.quantization.codebooks import (
    Codebooks,
    code_dtype,
)
from sklearn_ddcl.training.quantization.count import count_prototypes
from sklearn_ddcl.training.quantization.errors import (
    assignment_temperature,
    squared_errors,
)
from sklearn_ddcl.training.quantization.fitting import CodebookPlan, fit_codebooks
from sklearn_ddcl.training.quantization.rows import MaskedRows, Rows
from sklearn_ddcl.training.quantization.solver import Solution, solve
from sklearn_ddcl.training.quantization.stream import follow_all

__all__ = [
    "CodebookPlan",
    "Codebooks",
    "MaskedRows",
    "Rows",
    "Solution",
    "assignment_temperature",
    "code_dtype",
    "count_prototypes",
    "fit_codebooks",
    "follow_all",
    "solve",
    "squared_errors",
]
