"""Every epoch is judged by what a rehearsal showed of it."""

from typing import Any

from skorch.callbacks import Callback

from sklearn_ddcl.training.messages import StopTraining


class Recall(Callback):
    """Record what a rehearsal measured in the same epoch, and stop where it was best.

    Parameters
    ----------
    judgments : list of dict
        Per epoch what :class:`Validate` recorded there; empty for epochs that were not
        judged. Training ends with the last one.
    """

    def __init__(self, judgments: list[dict[str, float]]) -> None:
        self.judgments = judgments

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Record loss, accuracy, and the factor on the temperature."""
        epoch = len(net.measurements)
        for name, value in self.judgments[epoch].items():
            net.history.record(name, value)
        if epoch + 1 == len(self.judgments):
            raise StopTraining
