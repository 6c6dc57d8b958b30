"""The competitors by name, with the preprocessing that each of them needs.

Everything has its default parameters and one thread. A spec is a name, or a name with
options such as ``ddcl:readout=mean,encoder=transformer`` or ``rf:n_estimators=500``.
"""

import ast
import contextlib
import warnings
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import numpy as np
import pandas as pd
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from .deep import Pytabkit, TabNet

TREES = ("histgb", "rf", "lgbm", "xgb", "catboost")


def parse_spec(spec: str) -> tuple[str, dict[str, Any]]:
    """Return the name and the options of a spec."""
    name, _, rest = spec.partition(":")
    options = {}
    for item in filter(None, rest.split(",")):
        key, equals, text = item.partition("=")
        if not key or not equals:
            raise ValueError(
                f"Options must look like name:key=value,key=value; got {spec!r}."
            )
        try:
            options[key] = ast.literal_eval(text)
        except (ValueError, SyntaxError):
            options[key] = text
    if name not in MODELS:
        raise ValueError(f"Model must be one of {sorted(MODELS)}, got {name!r}.")
    return name, options


def make_model(spec: str, seed: int) -> Any:
    """Return a new model.

    Raises ImportError where the package is missing that it comes from.
    """
    name, options = parse_spec(spec)
    return MODELS[name](seed, options)


def warm_up(specs: Iterable[str]) -> list[str]:
    """Fit each model to a tiny table, and return those whose package is installed.

    What a library loads on its first fit then counts for no table.
    """
    rng = np.random.default_rng(0)
    X = pd.DataFrame({"number": rng.standard_normal(90)})
    X["text"] = pd.Categorical(rng.choice(["a", "b", "c"], 90))
    y = np.arange(90) % 3
    installed = []
    for spec in specs:
        try:
            model = make_model(spec, 0)
        except ImportError as error:
            print(f"{spec} is skipped: {error}")
            continue
        installed.append(spec)
        # Whatever is wrong will show again, and be recorded, on a real table.
        with contextlib.suppress(Exception), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            model.fit(X, y).predict_proba(X)
    return installed


def _ddcl(seed: int, options: dict[str, Any]) -> Any:
    from sklearn_ddcl import DDCLClassifier

    return DDCLClassifier(random_state=seed).set_params(**options)


def _logreg(seed: int, options: dict[str, Any]) -> Any:
    from sklearn.linear_model import LogisticRegression

    return make_pipeline(_as_numbers(), LogisticRegression(max_iter=500, **options))


def _rf(seed: int, options: dict[str, Any]) -> Any:
    from sklearn.ensemble import RandomForestClassifier

    forest = RandomForestClassifier(random_state=seed, **options)
    return make_pipeline(_as_numbers(), forest)


def _mlp(seed: int, options: dict[str, Any]) -> Any:
    from sklearn.neural_network import MLPClassifier

    options = {"early_stopping": True, "max_iter": 200} | options
    return make_pipeline(_as_numbers(), MLPClassifier(random_state=seed, **options))


def _histgb(seed: int, options: dict[str, Any]) -> Any:
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(
        categorical_features="from_dtype", random_state=seed, **options
    )


def _lgbm(seed: int, options: dict[str, Any]) -> Any:
    from lightgbm import LGBMClassifier

    return LGBMClassifier(n_jobs=1, verbose=-1, random_state=seed, **options)


def _xgb(seed: int, options: dict[str, Any]) -> Any:
    from xgboost import XGBClassifier

    return XGBClassifier(
        n_jobs=1,
        enable_categorical=True,
        tree_method="hist",
        random_state=seed,
        **options,
    )


def _catboost(seed: int, options: dict[str, Any]) -> Any:
    return CatBoost(seed, **options)


def _tabnet(seed: int, options: dict[str, Any]) -> Any:
    return TabNet(seed, **options)


def _pytabkit(name: str, seed: int, options: dict[str, Any]) -> Any:
    return Pytabkit(name, seed, **options)


def _shuffled(seed: int, options: dict[str, Any]) -> Any:
    return Shuffled(_ddcl(seed, options), seed)


class Shuffled:
    """An estimator that gets its columns in an order drawn by the seed."""

    def __init__(self, model: Any, seed: int) -> None:
        self.model = model
        self.seed = seed

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> "Shuffled":
        """Draw an order and fit to a frame in it."""
        order = np.random.default_rng(self.seed).permutation(X.shape[1])
        self.columns = X.columns[order]
        self.model.fit(X[self.columns], y)
        return self

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        """Return class probabilities."""
        return self.model.predict_proba(X[self.columns])


class CatBoost:
    """CatBoost, told which columns are categories only when it sees the table."""

    def __init__(self, seed: int, **options: Any) -> None:
        from catboost import CatBoostClassifier

        defaults = {"thread_count": 1, "verbose": 0, "allow_writing_files": False}
        self.model = CatBoostClassifier(random_seed=seed, **defaults | options)

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> "CatBoost":
        """Fit to a frame of numbers and categories."""
        self.model.fit(X, y, cat_features=list(X.select_dtypes("category")))
        return self

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        """Return class probabilities."""
        return self.model.predict_proba(X)


MODELS: dict[str, Callable[[int, dict[str, Any]], Any]] = {
    "ddcl": _ddcl,
    "shuffled": _shuffled,
    "logreg": _logreg,
    "rf": _rf,
    "mlp": _mlp,
    "histgb": _histgb,
    "lgbm": _lgbm,
    "xgb": _xgb,
    "catboost": _catboost,
    "realmlp": partial(_pytabkit, "realmlp"),
    "tabm": partial(_pytabkit, "tabm"),
    "ftt": partial(_pytabkit, "ftt"),
    "tabnet": _tabnet,
}


def _as_numbers() -> Any:
    """Return a transformer to imputed, standardized and one-hot columns."""
    numbers = make_pipeline(
        SimpleImputer(strategy="median", keep_empty_features=True), StandardScaler()
    )
    categories = OneHotEncoder(
        handle_unknown="ignore", sparse_output=False, max_categories=50
    )
    return make_column_transformer(
        (numbers, make_column_selector(dtype_include="number")),
        (categories, make_column_selector(dtype_include="category")),
    )
