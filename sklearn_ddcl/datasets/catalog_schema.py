"""The columns of a catalog of objects in orbit, and the Bunch they come in."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.utils import Bunch

NUMERIC_FEATURES = (
    "mean_motion_revday",
    "eccentricity",
    "inclination_deg",
    "raan_deg",
    "argp_deg",
    "apogee_km",
    "perigee_km",
    "bstar",
    "launch_year",
    "rcs_m2",
)
CATEGORICAL_FEATURES = ("rcs_size", "owner", "launch_site")
FEATURES = (*NUMERIC_FEATURES, *CATEGORICAL_FEATURES)
TARGET_NAMES = ("DEBRIS", "PAYLOAD", "ROCKET BODY")


def radar_size(rcs_m2: ArrayLike) -> NDArray:
    """Cut radar cross-sections at 0.1 and 1 m^2; blank where there is none.

    Examples
    --------
    >>> radar_size([0.05, 0.1, 2.0, float("nan")]).tolist()
    ['SMALL', 'MEDIUM', 'LARGE', nan]
    """
    rcs = np.asarray(rcs_m2, dtype=float)
    names = np.array(["SMALL", "MEDIUM", "LARGE", np.nan], dtype=object)
    # NaN sorts behind every number, hence behind the last class.
    return names[np.searchsorted([0.1, 1.0, np.inf], rcs, side="right")]


def make_bunch(frame: pd.DataFrame, descr: str, **extra: Any) -> Bunch:
    """Wrap a table with the columns ``target`` and ``group`` the way datasets come."""
    features = [name for name in FEATURES if name in frame.columns]
    return Bunch(
        data=frame[features],
        target=frame["target"],
        groups=frame["group"],
        frame=frame,
        feature_names=features,
        target_names=np.array(TARGET_NAMES),
        DESCR=descr,
        **extra,
    )
