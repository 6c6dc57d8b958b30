"""Growth: which heads are missing, which are not needed, and how they change."""

from sklearn_ddcl.training.growth.controller import GrowthController

__all__ = ["GrowthController"]
