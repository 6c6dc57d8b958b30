"""Training: the skorch net, its batches and callbacks, seeding, devices, threads."""

from sklearn_ddcl.training.data import EncodedRows
from sklearn_ddcl.training.device import resolve_device
from sklearn_ddcl.training.folds import assign_folds
from sklearn_ddcl.training.history import TrainingHistory
from sklearn_ddcl.training.messages import (
    CollapseWarning,
    GrowthWarning,
    TimeScaleWarning,
)
from sklearn_ddcl.training.net import DDCLNet, make_net
from sklearn_ddcl.training.schedule import TrainingPlan
from sklearn_ddcl.training.seeding import draw_seed, make_generator
from sklearn_ddcl.training.threads import one_thread

__all__ = [
    "CollapseWarning",
    "DDCLNet",
    "EncodedRows",
    "GrowthWarning",
    "TimeScaleWarning",
    "TrainingHistory",
    "TrainingPlan",
    "assign_folds",
    "draw_seed",
    "make_generator",
    "make_net",
    "one_thread",
    "resolve_device",
]
