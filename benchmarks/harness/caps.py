"""Which results hold for which cap on the rows of a table."""

import math
from collections.abc import Mapping
from typing import Any

DEFAULT_CAP = 3000


def holds_for(result: Mapping[str, Any], cap: int) -> bool:
    """Say whether a result is what a run with this cap would measure.

    Parameters
    ----------
    result : mapping
        Its ``cap`` is that of its own run, 3,000 if absent and 0 if there was none;
        ``n``, if present, is the number of training rows, three quarters of the table.
    cap : int
        At most so many rows per table; 0 for all.

    Notes
    -----
    A table that neither cap cuts is the same table under both.
    """
    own = result.get("cap", DEFAULT_CAP)
    if own == cap:
        return True
    if "n" not in result:
        return False
    # The quarter held out is rounded up, so this is up to two rows too few.
    rows = result["n"] * 4 / 3 + 2
    return rows < min(own or math.inf, cap or math.inf)
