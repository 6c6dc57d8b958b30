"""Leave an estimator as it was when a fit fails."""

import copy
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def all_or_nothing(estimator: Any) -> Iterator[None]:
    """Undo every change to an estimator if the block raises.

    Parameters
    ----------
    estimator : estimator
        Its attributes are restored, and the weights of its network, which training
        changes in place.

    Yields
    ------
    None
    """
    before = dict(vars(estimator))
    fitted = before.get("_fitted")
    weights = copy.deepcopy(fitted.network.state_dict()) if fitted else None
    try:
        yield
    except BaseException:
        vars(estimator).clear()
        vars(estimator).update(before)
        if fitted:
            fitted.network.load_state_dict(weights)
        raise
