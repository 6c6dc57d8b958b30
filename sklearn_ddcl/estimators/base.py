"""What the estimators share: a network behind a table, kept and restored."""

from typing import Any, Self

from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

from sklearn_ddcl.estimators.columns import as_table, with_names
from sklearn_ddcl.estimators.fitted_network import FittedNetwork
from sklearn_ddcl.estimators.table_encoder import EncodedTable, TableEncoder
from sklearn_ddcl.networks import ENCODERS
from sklearn_ddcl.training import DDCLNet, TrainingHistory, resolve_device


class TableEstimator(BaseEstimator):
    """Base of the estimators that put a network behind a table.

    A subclass sets `_fitted`, `_table` and `history_` in its ``fit``.
    """

    encoder: Any
    device: str
    history_: TrainingHistory
    net_: DDCLNet
    _fitted: FittedNetwork
    _table: TableEncoder

    def set_params(self, **params: Any) -> Self:
        """Set parameters; ``encoder__x`` also works while `encoder` is a name.

        Parameters
        ----------
        **params : dict
            Parameter name to value.

        Returns
        -------
        self : estimator
            The same object.
        """
        encoder = params.get("encoder", self.encoder)
        nested = any(name.startswith("encoder__") for name in params)
        if nested and isinstance(encoder, str) and encoder in ENCODERS:
            params["encoder"] = ENCODERS[encoder]()
        return super().set_params(**params)

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

    def _encode(self, X: Any) -> EncodedTable:
        check_is_fitted(self)
        X = as_table(X)
        validate_data(self, with_names(X), reset=False, skip_check_array=True)
        return self._fitted.table.transform(X)

    def _use_net(self, net: DDCLNet) -> None:
        """Take over a new net, which goes on with the history so far."""
        net.measurements = self.history_
        self.net_ = net

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
            device = resolve_device("auto" if self.device == "auto" else "cpu")
            self._fitted = FittedNetwork.from_state(state["_fitted"], device)
            self._table = self._fitted.table

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
        self.history_ = TrainingHistory(self.history_)
        fitted = FittedNetwork.from_state(state["_fitted"], resolve_device(device))
        self._fitted, self._table = fitted, fitted.table
