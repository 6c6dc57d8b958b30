"""Estimators that can be saved, pickled and loaded."""

from typing import Any

import torch
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from sklearn_ddcl.training import TrainingHistory, resolve_device


class PersistentEstimator(BaseEstimator):
    """Base of all estimators: what was fitted is kept in one object.

    A subclass sets `_fitted`, an object with ``get_state``, and `history_` in its
    ``fit``, and says how the object comes back in `_restore`.
    """

    device: str
    history_: TrainingHistory
    _fitted: Any

    def save(self, path):
        """Write the fitted estimator to a file, without pickle.

        Parameters
        ----------
        path : str or path-like
            File to write; read it with :func:`sklearn_ddcl.load`.
        """
        from sklearn_ddcl.persistence import save

        check_is_fitted(self)
        save(self, path)

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_fitted")

    def _restore(self, state: dict[str, Any], device: torch.device) -> Any:
        """Return the fitted object that a state describes, on a device."""
        raise NotImplementedError

    def __getstate__(self):
        """Return a state of NumPy arrays and plain values, without torch objects."""
        state: dict = dict(super().__getstate__())
        state.pop("net_", None)
        state.pop("_table", None)
        if "_fitted" in state:
            state["_fitted"] = state["_fitted"].get_state()
        return state

    def __setstate__(self, state):
        super().__setstate__(state)
        if "_fitted" in state:
            device = "auto" if self.device == "auto" else "cpu"
            self._fitted = self._restore(state["_fitted"], resolve_device(device))

    def _get_fitted_state(self) -> dict[str, Any]:
        """Return what :meth:`fit` learned, for persistence."""
        check_is_fitted(self)
        params = self.get_params(deep=False)
        state = {
            name: value for name, value in vars(self).items() if name not in params
        }
        kept = {
            name: value
            for name, value in state.items()
            if name.endswith("_") and name != "net_"
        }
        return kept | {"_fitted": self._fitted.get_state()}

    def _set_fitted_state(self, state: dict[str, Any], device: str = "auto") -> None:
        """Restore what :meth:`_get_fitted_state` returned."""
        for name, value in state.items():
            setattr(self, name, value)
        for name in ("history_", "growth_history_"):
            if name in state:
                setattr(self, name, TrainingHistory(state[name]))
        self._fitted = self._restore(state["_fitted"], resolve_device(device))
