"""A codebook for rows."""

import warnings
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import torch
from sklearn.base import (
    ClassNamePrefixFeaturesOutMixin,
    ClusterMixin,
    TransformerMixin,
    _fit_context,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted

from sklearn_ddcl.estimators.all_or_nothing import all_or_nothing
from sklearn_ddcl.estimators.columns import as_table
from sklearn_ddcl.estimators.examples import take_rows
from sklearn_ddcl.estimators.fitted_quantizer import FittedQuantizer, as_tensor
from sklearn_ddcl.estimators.persistent import PersistentEstimator
from sklearn_ddcl.estimators.row_space import RowSpace
from sklearn_ddcl.estimators.weights import check_weights
from sklearn_ddcl.functional import min_prototype_distance
from sklearn_ddcl.training import (
    TrainingHistory,
    draw_seed,
    make_generator,
    one_thread,
    resolve_device,
)
from sklearn_ddcl.training.quantization import (
    QUANTIZATIONS,
    CodebookPlan,
    Codebooks,
    assignment_temperature,
    fit_codebooks,
    follow_all,
)

OUTPUTS = ("distances", "assignments", "codes", "reconstruction")
_MAX_PASSES = 300
# Of the gradient: batches, how many steps are enough, and their rate.
_SMALLEST_BATCH, _LARGEST_BATCH = 64, 1024
_WANTED_STEPS, _LEAST_EPOCHS = 1500, 20
_LR = 0.01


class DDCLQuantizer(
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    ClusterMixin,
    PersistentEstimator,
):
    r"""Quantizer that learns a codebook by competition annealed from soft to hard.

    Every row is replaced by the nearest of a few codes, so that the distortion, the sum
    of squared distances, becomes small:

    .. math::
        q_k(x) = \frac{e^{-\lVert x - p_k \rVert^2 / \tau}}
                      {\sum_j e^{-\lVert x - p_j \rVert^2 / \tau}},
        \qquad
        p_k \leftarrow \frac{\sum_x q_k(x) \, x}{\sum_x q_k(x)},
        \qquad \tau \to 0 .

    Codes start on rows far from each other, cool from their critical temperature, and
    those that hardly matter are moved to where the distortion is, as long as that pays.
    A fitted quantizer can be read like a fitted :class:`~sklearn.cluster.KMeans`.

    Parameters
    ----------
    n_prototypes : int, default=8
        Number of codes in a codebook.

    n_codebooks : int, default=1
        Number of codebooks. A row is then coded by as many codes, whose sum stands for
        it.

    quantization : {"product", "residual"}, default="product"
        What several codebooks stand for: "product" gives each some of the columns,
        "residual" what the ones before have left over.

    solver : {"auto", "em", "gradient"}, default="auto"
        "em" takes the closed-form step of expectation-maximization in every pass over
        the rows, "gradient" makes Adam steps on batches. "auto" is "em", which in all
        measurements came further in less time.

    init : {"k-means++", "mean"} or array-like, default="k-means++"
        Where codes start; an array has shape (n_prototypes, n_dimensions). With "mean"
        all start at the mean of the rows and part by themselves while the temperature
        falls, which shows how the rows are structured but takes longer.

    temperature : "auto" or float, default="auto"
        Where annealing starts, in the unit of a squared distance. "auto" is the
        critical temperature :math:`2 \lambda_{\max}` of the covariance of the rows
        around the first codes, above which codes would merge.

    n_relocations : "auto" or int, default="auto"
        Rounds in which codes are moved to where they are needed more, at most. "auto"
        goes on while it pays.

    max_epochs : "auto" or int, default="auto"
        Passes over the rows, at most. "auto" is 300 for "em", and for "gradient" what
        about 1,500 steps take, but at least 20.

    batch_size : "auto" or int, default="auto"
        Rows per gradient step; "auto" takes 64 to 1,024 by the number of rows.

    lr : "auto" or float, default="auto"
        Learning rate of gradient steps. Codes learn `prototype_lr_ratio` times as fast,
        in units of the standard deviation of the rows around the first codes. "auto" is
        0.01.

    prototype_lr_ratio : float, default=10.0
        See `lr`.

    output : str, default="distances"
        What :meth:`transform` returns: "distances", "assignments", "codes" or
        "reconstruction".

    allow_nan : bool, default=False
        Whether numbers may be missing. Rows are then compared by what they have: their
        squared distance over the present columns, times the number of all columns over
        that of the present ones.

    categorical_features : "from_dtype" or array-like, default="from_dtype"
        With "from_dtype" strings, categories and booleans are categorical. Names,
        indices or a mask mark further columns.

    device : str, default="auto"
        "auto" takes a CUDA device if there is one; otherwise a torch device name.

    precision : {"float32", "float64", "bf16"}, default="float32"
        Arithmetic of passes over the rows; "bf16" counts as "float32" there.

    verbose : int, default=0
        1 prints every tenth pass, 2 every one.

    random_state : int, RandomState instance or None, default=None
        Seeds everything random. Draws depend on the values of the rows, not on their
        order, and touch no global generator.

    Attributes
    ----------
    codebook_ : ndarray of shape (n_prototypes, n_dimensions)
        The codes; of several codebooks (n_codebooks, n_prototypes, n_dimensions).
        Those of a product are zero outside the columns that they stand for.

    cluster_centers_ : ndarray of shape (n_prototypes, n_dimensions)
        The same, only if there is one codebook.

    prototypes_ : ndarray
        The same as `codebook_`.

    prototype_indices_ : ndarray of shape (n_prototypes,)
        Nearest training row of every code, only if there is one codebook.

    prototype_examples_ : ndarray or frame of shape (n_prototypes, n_features)
        Those rows, as they were given.

    labels_ : ndarray of shape (n_samples,) or (n_samples, n_codebooks), dtype int32
        Codes of the training rows.

    inertia_ : float
        Sum of the squared errors of the training rows, by weight.

    codebook_usage_ : ndarray of shape (n_prototypes,) or (n_codebooks, n_prototypes)
        Share of the weight that every code stands for.

    perplexity_ : float or ndarray of shape (n_codebooks,)
        Effective number of codes in use.

    utilization_ : float or ndarray of shape (n_codebooks,)
        Share of the codes that stand for any row.

    min_code_distance_ : float or ndarray of shape (n_codebooks,)
        Smallest distance between two codes; infinite for a single one.

    temperature_ : float or ndarray of shape (n_codebooks,)
        Temperature of the assignments that :meth:`transform` returns: the one at which
        the codes, as a mixture of Gaussians, explain the training rows best.

    history_ : TrainingHistory
        Measurements of every pass; ``history_["loss"]`` is the mean assigned squared
        distance.

    n_iter_ : int
        Passes over the rows.

    n_features_in_ : int
        Number of columns seen in fit.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, when they are all strings.

    See Also
    --------
    sklearn.cluster.KMeans : The same objective, from several starts.

    Notes
    -----
    A table of numbers is taken in its own units, as KMeans takes it: scale it first if
    the units of its columns differ. A table with text, categories or booleans is scaled
    by the quantizer; dimensions are then the numbers, followed by one per category.

    Time is linear in rows, columns and codes. Beyond 65,536 rows the search goes on
    among so many, and all settle the codes.

    References
    ----------
    .. [1] K. Rose, "Deterministic annealing for clustering, compression,
       classification, regression, and related optimization problems", Proceedings of
       the IEEE 86(11), 1998.
    .. [2] B. Fritzke, "Breathing k-means", arXiv:2006.15666, 2020.
    .. [3] H. Jegou, M. Douze and C. Schmid, "Product quantization for nearest neighbor
       search", IEEE Transactions on Pattern Analysis and Machine Intelligence 33(1),
       2011.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn_ddcl import DDCLQuantizer
    >>> X, _ = load_digits(return_X_y=True)
    >>> quantizer = DDCLQuantizer(16, random_state=0).fit(X)
    >>> quantizer.predict(X[:3]).dtype
    dtype('uint8')
    >>> quantizer.inverse_transform(quantizer.predict(X[:3])).shape
    (3, 64)
    """

    _fitted: FittedQuantizer

    _parameter_constraints: ClassVar[dict] = {
        "n_prototypes": [Interval(Integral, 1, None, closed="left")],
        "n_codebooks": [Interval(Integral, 1, None, closed="left")],
        "quantization": [StrOptions(set(QUANTIZATIONS))],
        "solver": [StrOptions({"auto", "em", "gradient"})],
        "init": [StrOptions({"k-means++", "mean"}), "array-like"],
        "temperature": [
            StrOptions({"auto"}),
            Interval(Real, 0, None, closed="neither"),
        ],
        "n_relocations": [
            StrOptions({"auto"}),
            Interval(Integral, 0, None, closed="left"),
        ],
        "max_epochs": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
        ],
        "batch_size": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
        ],
        "lr": [StrOptions({"auto"}), Interval(Real, 0, None, closed="neither")],
        "prototype_lr_ratio": [Interval(Real, 0, None, closed="neither")],
        "output": [StrOptions(set(OUTPUTS))],
        "allow_nan": ["boolean"],
        "categorical_features": [StrOptions({"from_dtype"}), "array-like"],
        "device": [str],
        "precision": [StrOptions({"float32", "float64", "bf16"})],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_prototypes=8,
        *,
        n_codebooks=1,
        quantization="product",
        solver="auto",
        init="k-means++",
        temperature="auto",
        n_relocations="auto",
        max_epochs="auto",
        batch_size="auto",
        lr="auto",
        prototype_lr_ratio=10.0,
        output="distances",
        allow_nan=False,
        categorical_features="from_dtype",
        device="auto",
        precision="float32",
        verbose=0,
        random_state=None,
    ):
        self.n_prototypes = n_prototypes
        self.n_codebooks = n_codebooks
        self.quantization = quantization
        self.solver = solver
        self.init = init
        self.temperature = temperature
        self.n_relocations = n_relocations
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.lr = lr
        self.prototype_lr_ratio = prototype_lr_ratio
        self.output = output
        self.allow_nan = allow_nan
        self.categorical_features = categorical_features
        self.device = device
        self.precision = precision
        self.verbose = verbose
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        """Learn the codebook.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Training rows.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Importance of the rows. One of weight zero counts as absent, one of weight
            two like two rows.

        Returns
        -------
        self : DDCLQuantizer
            Fitted estimator. If anything goes wrong it is left as it was.

        Raises
        ------
        ValueError
            If rows, weights or parameters cannot be used; the message says what was
            expected.

        Warns
        -----
        ConvergenceWarning
            If codes are left without rows, because fewer rows than codes differ.
        """
        with all_or_nothing(self):
            X, points, weights = self._check_training_rows(X, sample_weight, reset=True)
            values, shares = _used(points, weights)
            device = resolve_device(self.device)
            with one_thread():
                codebooks, self.history_ = fit_codebooks(
                    values,
                    shares,
                    self._plan(points),
                    make_generator(draw_seed(self.random_state)),
                    dtype=self._dtype,
                    device=device,
                    masked=self.allow_nan,
                )
            self._publish(X, points, weights, codebooks)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None, sample_weight=None):
        """Follow a stream of rows.

        The first call learns a codebook from its rows as :meth:`fit` does; these should
        be many and typical. Later rows move the codes, each of which stays the mean of
        all rows that it ever won. Codes that win next to nothing are placed anew.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Rows.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Importance of the rows.

        Returns
        -------
        self : DDCLQuantizer
            The estimator, one step further; `labels_` and `inertia_` are those of these
            rows. If anything goes wrong it is left as it was.
        """
        if not hasattr(self, "_fitted"):
            return self.fit(X, sample_weight=sample_weight)
        with all_or_nothing(self):
            X, points, weights = self._check_training_rows(
                X, sample_weight, reset=False
            )
            values, shares = _used(points, weights)
            generator = make_generator(draw_seed(self.random_state) + self.n_iter_)
            with one_thread():
                codebooks, row = follow_all(
                    self._fitted.codebooks, values, shares, generator
                )
            self.history_ = TrainingHistory(
                [*self.history_, {"epoch": len(self.history_) + 1} | row]
            )
            self._publish(X, points, weights, codebooks)
        return self

    def predict(self, X):
        """Return the codes of rows.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Rows, with the columns seen in fit.

        Returns
        -------
        codes : ndarray of shape (n_samples,) or (n_samples, n_codebooks)
            Numbers of the nearest codes, in the smallest unsigned type that holds them.
            A row's code does not depend on the rows beside it.
        """
        codes = self._fitted_encode(X)[1]
        return codes[:, 0] if codes.shape[1] == 1 else codes

    def transform(self, X):
        """Return what `output` says about rows.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Rows, with the columns seen in fit.

        Returns
        -------
        transformed : ndarray of shape (n_samples, n_features_out)
            - "distances": Euclidean distances to all codes; in residual quantization of
              what is left of the row.
            - "assignments": soft assignments at `temperature_`, which sum to one over
              each codebook.
            - "codes": as :meth:`predict`, always with one column per codebook.
            - "reconstruction": the rows that the codes stand for, see
              :meth:`inverse_transform`.

            Floating results are in float32 for float32 input, else in float64.
        """
        if self.output in ("codes", "reconstruction"):
            _, codes = self._fitted_encode(X)
            return codes if self.output == "codes" else self._decoded(codes, X)
        points = self._to_points(X)
        ask = self._fitted.assign if self.output == "assignments" else None
        return (ask or self._fitted.distances)(points).astype(_dtype_like(X))

    def inverse_transform(self, X):
        """Return the rows that codes or soft assignments stand for.

        Parameters
        ----------
        X : array-like of shape (n,), (n, n_codebooks) or (n, n_assignments)
            Codes, whole numbers; or assignments as :meth:`transform` returns them.

        Returns
        -------
        rows : ndarray or DataFrame of shape (n, n_features)
            In the units of the training rows; a frame if these held categories.
        """
        check_is_fitted(self)
        given = np.asarray(X)
        books = self._fitted.codebooks
        if given.dtype.kind in "iu" and given.ndim == 1 and books.n_codebooks == 1:
            given = given[:, None]
        width = books.n_codebooks * books.n_codes
        if given.dtype.kind in "iu" and given.shape[1:] == (books.n_codebooks,):
            if given.size and not 0 <= given.min() <= given.max() < books.n_codes:
                raise ValueError(
                    f"Codes must lie between 0 and {books.n_codes - 1}, got "
                    f"{given.min()} to {given.max()}."
                )
            return self._decoded(given.astype(np.int64), None)
        if given.dtype.kind == "f" and given.shape[1:] == (width,):
            sums = given.reshape(len(given), books.n_codebooks, -1).sum(2)
            if np.allclose(sums, 1.0, atol=1e-3) and not (given < -1e-6).any():
                points = self._fitted.mix(given)
                return self._fitted.space.inverse(points.astype(self.codebook_.dtype))
        raise ValueError(
            f"inverse_transform expects codes, whole numbers of shape (n, "
            f"{books.n_codebooks}), or assignments, of shape (n, {width}) with rows "
            f"that sum to one for each codebook; got {given.dtype} of shape "
            f"{given.shape}. Distances cannot be inverted."
        )

    def score(self, X, y=None, sample_weight=None):
        """Return the negative sum of the squared errors of rows.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Rows, with the columns seen in fit.
        y : None
            Ignored.
        sample_weight : array-like of shape (n_samples,), default=None
            Importance of the rows.

        Returns
        -------
        score : float
            Minus the `inertia_` of these rows; larger is better.
        """
        points, codes = self._fitted_encode(X)
        weights = check_weights(sample_weight, len(points))
        return -self._fitted.squared_errors(points, codes, weights)

    def get_feature_names_out(self, input_features=None):
        """Return the names of the columns that :meth:`transform` returns.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Checked against the names seen in fit; used for reconstructions.

        Returns
        -------
        names : ndarray of str
            ``ddclquantizer0`` and so on; for reconstructions those of the input.
        """
        check_is_fitted(self)
        if self.output == "reconstruction":
            return _check_feature_names_in(self, input_features)
        return super().get_feature_names_out(input_features)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = bool(self.allow_nan)
        floating = [] if self.output == "codes" else ["float64", "float32"]
        tags.transformer_tags.preserves_dtype = floating
        return tags

    @property
    def prototypes_(self):
        """The codes, under the name that all estimators share."""
        check_is_fitted(self)
        return self.codebook_

    @property
    def _n_features_out(self):
        books = self._fitted.codebooks
        return books.n_codebooks * (1 if self.output == "codes" else books.n_codes)

    @property
    def _dtype(self) -> torch.dtype:
        return torch.float64 if self.precision == "float64" else torch.float32

    def _check_training_rows(
        self, X: Any, sample_weight: Any, *, reset: bool
    ) -> tuple[Any, np.ndarray, np.ndarray]:
        """Return the table, its rows as points, and their weights."""
        if reset:
            X = X if hasattr(X, "columns") else as_table(X)
            weights = check_weights(sample_weight, X.shape[0])
            self._space = RowSpace(self.allow_nan, self.categorical_features)
            points = self._space.fit(self, X, weights)
        else:
            self._space = self._fitted.space
            points = self._space.transform(self, X)
            weights = check_weights(sample_weight, len(points))
        n_used = np.count_nonzero(weights)
        if reset and n_used < self.n_prototypes:
            raise ValueError(
                f"n_samples={n_used} should be >= n_prototypes={self.n_prototypes}, "
                "the number of codes; give more rows or ask for fewer codes."
            )
        n_columns = points.shape[1]
        if self.quantization == "product" and n_columns < self.n_codebooks:
            raise ValueError(
                f"n_codebooks={self.n_codebooks} cannot share n_features={n_columns} "
                "columns; "
                'ask for at most as many, or set quantization="residual".'
            )
        return X, points, weights

    def _plan(self, points: np.ndarray) -> CodebookPlan:
        """Return the decisions that can be made before the fit."""
        solver = "em" if self.solver == "auto" else self.solver
        n_rows = len(points)
        batch_size = self.batch_size
        if batch_size == "auto":
            batch_size = min(_LARGEST_BATCH, max(_SMALLEST_BATCH, n_rows // 16))
        max_epochs = self.max_epochs
        if max_epochs == "auto":
            steps = max(1, round(n_rows / batch_size))
            enough = max(_LEAST_EPOCHS, round(_WANTED_STEPS / steps))
            max_epochs = _MAX_PASSES if solver == "em" else enough
        lr = _LR if self.lr == "auto" else self.lr
        init = self.init
        if not isinstance(init, str):
            init = np.asarray(init, dtype=np.float64)
            wanted = self.n_prototypes, points.shape[1]
            if init.shape != wanted or not np.isfinite(init).all():
                raise ValueError(
                    f"init must be finite and of shape {wanted}, one row per code, got "
                    f"shape {init.shape}."
                )
            init = torch.from_numpy(init)
        return CodebookPlan(
            n_codes=self.n_prototypes,
            n_codebooks=self.n_codebooks,
            quantization=self.quantization,
            solver=solver,
            init=init,
            temperature=None if self.temperature == "auto" else self.temperature,
            max_epochs=max_epochs,
            n_relocations=(
                None if self.n_relocations == "auto" else self.n_relocations
            ),
            batch_size=batch_size,
            lr=lr * self.prototype_lr_ratio,
            verbose=int(self.verbose),
        )

    def _publish(
        self, X: Any, points: np.ndarray, weights: np.ndarray, codebooks: Codebooks
    ) -> None:
        """Set the fitted attributes."""
        space = self.__dict__.pop("_space")
        one = np.ones(codebooks.n_codebooks)
        fitted = FittedQuantizer(space, codebooks, one)
        codes = fitted.encode(points)
        self.inertia_ = fitted.squared_errors(points, codes, weights)
        self._fitted = fitted
        fitted.temperatures = self._temperatures(points, codes, weights)
        self.n_iter_ = len(self.history_)
        books = codebooks.books
        mass = codebooks.mass.double()
        usage = mass / mass.sum(1, keepdim=True)
        apart = [
            float(min_prototype_distance(book[:, codebooks.columns(m)].double()))
            for m, book in enumerate(books)
        ]
        self.codebook_ = _single(books.numpy().astype(_dtype_like(points)))
        self.labels_ = _single(codes.T.astype(np.int32)).T
        self.codebook_usage_ = _single(usage.numpy())
        self.perplexity_ = _single(torch.special.entr(usage).sum(1).exp().numpy())
        self.utilization_ = _single((mass > 0).double().mean(1).numpy())
        self.min_code_distance_ = _single(np.array(apart))
        self.temperature_ = _single(fitted.temperatures.copy())
        for name in ("cluster_centers_", "prototype_indices_", "prototype_examples_"):
            self.__dict__.pop(name, None)
        if codebooks.n_codebooks == 1:
            self.cluster_centers_ = self.codebook_
            rows = _nearest_rows(fitted, points, weights)
            self.prototype_indices_ = rows
            self.prototype_examples_ = take_rows(X, rows)
        self._warn_of_unused(mass)

    def _temperatures(
        self, points: np.ndarray, codes: np.ndarray, weights: np.ndarray
    ) -> np.ndarray:
        """Return the temperature of the assignments to every codebook."""
        books = self._fitted.codebooks
        total = weights.sum()
        if books.n_codebooks == 1:
            width = points.shape[1]
            return np.array([assignment_temperature(self.inertia_, total, width)])
        left: np.ndarray = points
        found = []
        for m in range(books.n_codebooks):
            columns = books.columns(m)
            book = books.books[m].numpy()
            after = left[:, columns] - book[codes[:, m]][:, columns]
            error = float(weights @ np.nansum(after.astype(np.float64) ** 2, axis=1))
            found.append(assignment_temperature(error, total, after.shape[1]))
            left = after if self.quantization == "residual" else points
        return np.array(found)

    def _warn_of_unused(self, mass: torch.Tensor) -> None:
        unused = int((mass == 0).sum())
        if unused:
            warnings.warn(
                f"{unused} of {mass.numel()} codes stand for no row: fewer rows than "
                f"n_prototypes={self.n_prototypes} differ in what a codebook stands "
                "for. Ask for fewer codes.",
                ConvergenceWarning,
                stacklevel=3,
            )

    def _to_points(self, X: Any) -> np.ndarray:
        check_is_fitted(self)
        return self._fitted.space.transform(self, X)

    def _fitted_encode(self, X: Any) -> tuple[np.ndarray, np.ndarray]:
        points = self._to_points(X)
        return points, self._fitted.encode(points)

    def _decoded(self, codes: np.ndarray, like: Any) -> Any:
        kind = self.codebook_.dtype if like is None else _dtype_like(like)
        return self._fitted.space.inverse(self._fitted.decode(codes).astype(kind))

    def _restore(self, state: dict[str, Any], device: torch.device) -> FittedQuantizer:
        return FittedQuantizer.from_state(state, device)


def _used(
    points: np.ndarray, weights: np.ndarray
) -> tuple[torch.Tensor, torch.Tensor | None]:
    """Return the points of positive weight, and the weights unless they are equal."""
    if not weights.all():
        used = np.flatnonzero(weights)
        points, weights = points[used], weights[used]
    shares = None if (weights == weights[0]).all() else torch.from_numpy(weights)
    return as_tensor(points), shares


def _single(values: np.ndarray) -> Any:
    """Return the only entry of an array with one entry per codebook, or all."""
    if len(values) > 1:
        return values
    return float(values[0]) if values.ndim == 1 else values[0]


def _dtype_like(X: Any) -> type:
    return np.float32 if getattr(X, "dtype", None) == np.float32 else np.float64


def _nearest_rows(
    fitted: FittedQuantizer, points: np.ndarray, weights: np.ndarray
) -> np.ndarray:
    """Return the row of positive weight that is nearest to every code."""
    best = np.full(fitted.codebooks.n_codes, np.inf)
    rows = np.zeros(fitted.codebooks.n_codes, dtype=np.int64)
    for start in range(0, len(points), 4096):
        part = slice(start, start + 4096)
        distances = fitted.distances(points[part])
        distances[weights[part] == 0] = np.inf
        nearest = distances.argmin(0)
        found = distances[nearest, np.arange(len(best))]
        closer = found < best
        best[closer], rows[closer] = found[closer], start + nearest[closer]
    return rows
