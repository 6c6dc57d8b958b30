"""Stop when validation no longer improves, and go back to the best epoch."""

from typing import Any

from skorch.callbacks import Callback
from torch import Tensor

from sklearn_ddcl.training.messages import StopTraining
from sklearn_ddcl.training.probe import BankState


class KeepBest(Callback):
    """Remember the weights and the temperature of the lowest validation loss.

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
        self.best_epoch_ = len(net.measurements)
        self.best_ratio_ = 1.0
        self.best_state_: dict[str, Tensor] | None = None
        self.best_bank_state_: BankState | None = None

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Compare, remember, and perhaps stop."""
        row, epoch = net.history[-1], len(net.measurements)
        if "valid_loss" not in row:
            # An epoch that was not judged is no reason to lose patience.
            return
        if row["valid_loss"] < self.best_loss_:
            self.best_loss_, self.best_ratio_ = row["valid_loss"], row["valid_ratio"]
            self.best_epoch_ = epoch
            self.best_state_ = {
                name: values.detach().clone()
                for name, values in net.module_.state_dict().items()
            }
            self.best_bank_state_ = getattr(net, "bank_state", None)
        elif self.patience is not None and epoch - self.best_epoch_ >= self.patience:
            raise StopTraining

    def on_train_end(self, net: Any, **kwargs: Any) -> None:
        """Go back to the best weights, and set the temperature that suits them."""
        if self.best_state_ is not None:
            net.module_.load_state_dict(self.best_state_)
            net.module_.readout.temperature.mul_(self.best_ratio_)
            net.best_epoch = self.best_epoch_
            net.bank_state = self.best_bank_state_
