"""Deep competitors behind the preparation that they leave to their user."""

import contextlib
import io
import logging
import tempfile
from typing import Any

import numpy as np
import pandas as pd
from sklearn.impute import SimpleImputer
from sklearn.model_selection import train_test_split

_PYTABKIT = {
    "realmlp": "RealMLP_TD_Classifier",
    "tabm": "TabM_D_Classifier",
    "ftt": "FTT_D_Classifier",
}
_TABNET_TRAINING = ("max_epochs", "patience", "batch_size", "virtual_batch_size")


class Pytabkit:
    """A model of pytabkit with its default parameters, on one thread.

    None of them takes missing numbers, so medians of the training rows stand in.

    Parameters
    ----------
    name : {"realmlp", "tabm", "ftt"}
        The model.
    seed : int
        Its random state.
    **options
        Parameters that differ from the defaults.
    """

    def __init__(self, name: str, seed: int, **options: Any) -> None:
        import pytabkit

        self.name = name
        for logger in ("lightning", "pytorch_lightning", "lightning.pytorch"):
            logging.getLogger(logger).setLevel(logging.ERROR)
        options = {"device": "cpu", "n_threads": 1, "verbosity": 0} | options
        self.model = getattr(pytabkit, _PYTABKIT[name])(random_state=seed, **options)

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> "Pytabkit":
        """Fit to a frame of numbers and categories."""
        numbers = X.select_dtypes("number")
        self.medians = numbers.median().fillna(0.0)
        with tempfile.TemporaryDirectory() as folder:
            if self.name == "ftt":
                # It keeps its best epoch in a file, otherwise in the working directory.
                self.model.set_params(tmp_folder=folder)
            # It prints every epoch, too, whatever its verbosity.
            with contextlib.redirect_stdout(io.StringIO()):
                self.model.fit(self._without_gaps(X), y)
        return self

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        """Return class probabilities."""
        return self.model.predict_proba(self._without_gaps(X))

    def _without_gaps(self, X: pd.DataFrame) -> pd.DataFrame:
        numbers = X[self.medians.index].astype("float64")
        return X.assign(**numbers.fillna(self.medians))


class TabNet:
    """TabNet of its authors' library, with default parameters.

    Categories become codes, unknown ones a code of their own. Its default of stopping
    early needs rows to watch: a fifth of the training rows, stratified. The last batch
    is kept, contrary to the default, without which it would learn nothing from tables
    smaller than its batch of 1,024 rows.

    Parameters
    ----------
    seed : int
        Seed of the model and of the split.
    **options
        Parameters that differ from the defaults: ``max_epochs``, ``patience``,
        ``batch_size`` and ``virtual_batch_size`` of its ``fit``, others of the model.
    """

    def __init__(self, seed: int, **options: Any) -> None:
        from pytorch_tabnet.tab_model import TabNetClassifier

        self.seed = seed
        self.make = TabNetClassifier
        self.training = {
            name: options.pop(name) for name in _TABNET_TRAINING if name in options
        }
        self.options = {"seed": seed, "verbose": 0, "device_name": "cpu"} | options

    def fit(self, X: pd.DataFrame, y: np.ndarray) -> "TabNet":
        """Fit to a frame of numbers and categories."""
        self.categories = {
            name: list(X[name].unique()) for name in X.select_dtypes("category")
        }
        numbers = [name for name in X if name not in self.categories]
        self.imputer = SimpleImputer(strategy="median", keep_empty_features=True)
        if numbers:
            self.imputer.fit(X[numbers])
        places = [i for i, name in enumerate(X) if name in self.categories]
        self.model = self.make(
            cat_idxs=places,
            cat_dims=[len(known) + 1 for known in self.categories.values()],
            **self.options,
        )
        train, watch = train_test_split(
            np.arange(len(y)), test_size=0.2, stratify=y, random_state=self.seed
        )
        values = self._as_numbers(X)
        with contextlib.redirect_stdout(io.StringIO()):
            self.model.fit(
                values[train],
                y[train],
                eval_set=[(values[watch], y[watch])],
                drop_last=False,
                **self.training,
            )
        return self

    def predict_proba(self, X: pd.DataFrame) -> np.ndarray:
        """Return class probabilities."""
        return self.model.predict_proba(self._as_numbers(X))

    def _as_numbers(self, X: pd.DataFrame) -> np.ndarray:
        columns = {
            name: X[name].cat.set_categories(known).cat.codes.astype(float) + 1
            for name, known in self.categories.items()
        }
        numbers = [name for name in X if name not in self.categories]
        if numbers:
            filled = self.imputer.transform(X[numbers])
            columns |= dict(zip(numbers, filled.T, strict=True))
        return np.column_stack([columns[name] for name in X])
