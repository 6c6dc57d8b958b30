"""Stop when validation no longer improves, and go back to the best epoch."""

from typing import Any

from skorch.callbacks import Callback
from torch import Tensor

from sklearn_ddcl.training.messages import StopTraining


class KeepBest(Callback):
    """Remember the weights of the epoch with the lowest validation loss.

    Parameters
    ----------
    patience : int or None
        Epochs without improvement after which training ends; None never ends it.
    """

    def __init__(self, patience=None):
        self.patience = patience

    def on_train_begin(self, net: Any, **kwargs: Any) -> None:
        """Forget any earlier training."""
        self.best_loss_ = float("inf")
        self.best_epoch_: int | None = None
        self.best_state_: dict[str, Tensor] | None = None
        self.n_waited_ = 0

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Compare, remember, and perhaps stop."""
        loss = net.history[-1]["valid_loss"]
        if loss < self.best_loss_:
            self.best_loss_, self.n_waited_ = loss, 0
            self.best_epoch_ = len(net.measurements)
            self.best_state_ = {
                name: values.detach().clone()
                for name, values in net.module_.state_dict().items()
            }
            return
        self.n_waited_ += 1
        if self.patience is not None and self.n_waited_ >= self.patience:
            raise StopTraining

    def on_train_end(self, net: Any, **kwargs: Any) -> None:
        """Go back to the best weights."""
        if self.best_state_ is not None:
            net.module_.load_state_dict(self.best_state_)
            net.best_epoch = self.best_epoch_
