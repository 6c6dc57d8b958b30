"""What the estimators share that put a network behind a table."""

from typing import Any, ClassVar

import torch
from sklearn.utils.validation import check_is_fitted, validate_data

from sklearn_ddcl.estimators.columns import as_table, with_names
from sklearn_ddcl.estimators.fitted_network import FittedNetwork
from sklearn_ddcl.estimators.growth import growth_so_far
from sklearn_ddcl.estimators.named_encoder import NamedEncoderMixin
from sklearn_ddcl.estimators.persistent import PersistentEstimator
from sklearn_ddcl.estimators.table_encoder import EncodedTable, TableEncoder
from sklearn_ddcl.networks import ENCODERS
from sklearn_ddcl.training import DDCLNet


class TableEstimator(NamedEncoderMixin, PersistentEstimator):
    """Base of the estimators that put a network behind a table.

    A subclass sets `_fitted`, `_table` and `history_` in its ``fit``.
    """

    _encoders: ClassVar[dict] = ENCODERS
    net_: DDCLNet
    _fitted: FittedNetwork
    _table: TableEncoder

    def _encode(self, X: Any) -> EncodedTable:
        check_is_fitted(self)
        X = as_table(X)
        validate_data(self, with_names(X), reset=False, skip_check_array=True)
        return self._fitted.table.transform(X)

    def _use_net(self, net: DDCLNet) -> None:
        """Take over a new net, which goes on with the history so far."""
        net.measurements = self.history_
        net.growth_history = growth_so_far(self)
        self.net_ = net

    def _restore(self, state: dict[str, Any], device: torch.device) -> FittedNetwork:
        fitted = FittedNetwork.from_state(state, device)
        self._table = fitted.table
        return fitted
