"""The mathematics of soft competition and of denoising: stateless functions.

Symbols
-------
z : tokens, shape (..., d)
prototypes : the bank of learned vectors, shape (K, d)
distances : squared Euclidean distances, shape (..., K), never negative
assignments : soft assignments, shape (..., K), each row sums to one
temperature : divides `distances`, has their unit; low is hard, high is soft
weights : non-negative importance of every token, shape (...)
"""

from sklearn_ddcl.functional.competition import (
    Decomposition,
    decompose,
    free_energy,
    log_soft_assign,
    soft_assign,
)
from sklearn_ddcl.functional.distances import nearest, squared_distances
from sklearn_ddcl.functional.distortion import distortion
from sklearn_ddcl.functional.growth import (
    context_moments,
    deflate,
    demand_moments,
    directed_residual,
    head_bound,
    mca_step,
    oja_step,
    stationary_count,
)
from sklearn_ddcl.functional.image_pooling import pool_image, window_distances
from sklearn_ddcl.functional.pooling import pool_window, pooling_weights
from sklearn_ddcl.functional.soft_clip import soft_clip
from sklearn_ddcl.functional.subspaces import (
    Denoised,
    DepthBudgetWarning,
    attention_weights,
    denoise,
    denoising_step,
    depth_budget,
    subspace_snr,
)
from sklearn_ddcl.functional.temperature import (
    critical_temperature,
    token_covariance,
    top_eigenvalue,
)
from sklearn_ddcl.functional.tracking import centroids, tracking_error
from sklearn_ddcl.functional.usage import (
    min_prototype_distance,
    perplexity,
    utilization,
)

__all__ = [
    "Decomposition",
    "Denoised",
    "DepthBudgetWarning",
    "attention_weights",
    "centroids",
    "context_moments",
    "critical_temperature",
    "decompose",
    "deflate",
    "demand_moments",
    "denoise",
    "denoising_step",
    "depth_budget",
    "directed_residual",
    "distortion",
    "free_energy",
    "head_bound",
    "log_soft_assign",
    "mca_step",
    "min_prototype_distance",
    "nearest",
    "oja_step",
    "perplexity",
    "pool_image",
    "pool_window",
    "pooling_weights",
    "soft_assign",
    "soft_clip",
    "squared_distances",
    "stationary_count",
    "subspace_snr",
    "token_covariance",
    "top_eigenvalue",
    "tracking_error",
    "utilization",
    "window_distances",
]
