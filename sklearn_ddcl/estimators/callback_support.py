"""scikit-learn's callbacks where its version has them (1.9 and later)."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from skorch.callbacks import Callback

from sklearn_ddcl.training.messages import StopTraining

try:
    from sklearn.callback import CallbackSupportMixin, with_callbacks
except ImportError:

    class CallbackSupportMixin:  # type: ignore[no-redef]
        """Stand-in for scikit-learn before 1.9."""

    def with_callbacks(method: Callable) -> Callable:
        """Return the method as it is."""
        return method


@contextmanager
def epoch_tasks(estimator: Any, net: Any, X: Any, y: Any) -> Iterator[None]:
    """Let scikit-learn's callbacks follow the training of a net.

    Parameters
    ----------
    estimator : estimator
        The one being fitted.
    net : DDCLNet
        Initialized; trained inside the block.
    X, y : array-like
        Training data, handed through to the callbacks.

    Yields
    ------
    None
    """
    if not hasattr(estimator, "_init_callback_context"):
        yield
        return
    context = estimator._init_callback_context(max_subtasks=net.plan.max_epochs)
    context.call_on_fit_task_begin(estimator=estimator, X=X, y=y)
    net.callbacks_.append(("epoch_tasks", EpochTasks(estimator, context, X, y)))
    try:
        yield
    finally:
        net.callbacks_.pop()
    context.call_on_fit_task_end(
        estimator=estimator,
        X=X,
        y=y,
        reconstruction_attributes=lambda: _fitted_attributes(estimator),
    )


class EpochTasks(Callback):
    """Tell scikit-learn's callbacks about every epoch, and stop when they ask for it.

    Parameters
    ----------
    estimator : estimator
        The one being fitted.
    context : sklearn.callback.CallbackContext
        Root context of the fit.
    X, y : array-like
        Training data, handed through to the callbacks.
    """

    def __init__(self, estimator, context, X, y):
        self.estimator = estimator
        self.context = context
        self.X = X
        self.y = y

    def on_epoch_begin(self, net: Any, **kwargs: Any) -> None:
        """Open a task for the epoch."""
        epoch = self.context.subcontext(task_name="epoch")
        self.epoch_ = epoch.call_on_fit_task_begin(
            estimator=self.estimator, X=self.X, y=self.y
        )

    def on_epoch_end(self, net: Any, **kwargs: Any) -> None:
        """Close it; a callback that answers True ends training."""
        stop = self.epoch_.call_on_fit_task_end(
            estimator=self.estimator,
            X=self.X,
            y=self.y,
            reconstruction_attributes=lambda: _fitted_attributes(self.estimator),
        )
        if stop:
            raise StopTraining


def _fitted_attributes(estimator: Any) -> dict[str, Any]:
    """Return what an estimator needs to predict as if training had ended now."""
    names = ("_fitted", "_table", "classes_", "n_features_in_", "feature_names_in_")
    known = vars(estimator)
    return {name: known[name] for name in names if name in known}
