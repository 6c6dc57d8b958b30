"""Leave an estimator as it was when a fit fails."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

# scikit-learn needs them to tear its callbacks down, and then removes them.
_TO_TEAR_DOWN = ("_callback_fit_ctx", "_skl_callbacks_to_teardown")


@contextmanager
def all_or_nothing(estimator: Any) -> Iterator[None]:
    """Undo every change to an estimator if the block raises.

    Parameters
    ----------
    estimator : estimator
        Its attributes are restored, and the weights of its network and its history,
        which training changes in place.

    Yields
    ------
    None
    """
    before = dict(vars(estimator))
    fitted, history = before.get("_fitted"), before.get("history_", [])
    network = getattr(fitted, "network", None)
    weights = copy.deepcopy(network.state_dict()) if network else None
    n_epochs = len(history)
    try:
        yield
    except BaseException:
        now = vars(estimator)
        needed = {name: now[name] for name in _TO_TEAR_DOWN if name in now}
        now.clear()
        now.update(before | needed)
        if network:
            network.load_state_dict(weights)
        if fitted:
            del history[n_epochs:]
        raise
