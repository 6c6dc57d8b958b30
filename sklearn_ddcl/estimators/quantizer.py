"""A codebook for rows."""

import warnings
from itertools import pairwise
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
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted

from sklearn_ddcl.estimators.all_or_nothing import all_or_nothing
from sklearn_ddcl.estimators.columns import as_table, floating_dtype
from sklearn_ddcl.estimators.examples import take_rows
from sklearn_ddcl.estimators.growth import forget_growth
from sklearn_ddcl.estimators.learned_coder import LearnedCoder
from sklearn_ddcl.estimators.named_encoder import NamedEncoderMixin
from sklearn_ddcl.estimators.persistent import PersistentEstimator
from sklearn_ddcl.estimators.quantizer_fitting import (
    fit_learned_coder,
    fit_row_coder,
    follow_rows,
)
from sklearn_ddcl.estimators.row_coder import RowCoder
from sklearn_ddcl.estimators.row_space import RowSpace
from sklearn_ddcl.estimators.table_encoder import EncodedTable
from sklearn_ddcl.estimators.table_space import TableSpace
from sklearn_ddcl.estimators.weights import check_weights
from sklearn_ddcl.layers.codebook import QUANTIZATIONS
from sklearn_ddcl.networks import AUTOENCODERS
from sklearn_ddcl.training import TrainingHistory, draw_seed

# Rows whose distances to all codes are held at a time.
_CHUNK = 512
# Codes this much nearer to each other than rows are to their codes are the same.
_DUPLICATE = 0.01
OUTPUTS = ("distances", "assignments", "codes", "reconstruction")
_OF_ONE_CODEBOOK = ("cluster_centers_", "prototype_indices_", "prototype_examples_")


def _codes_rows_themselves(estimator: "DDCLQuantizer") -> bool:
    if estimator.encoder is not None:
        raise AttributeError(
            "partial_fit follows a stream of rows only without an encoder; set "
            "encoder=None, or call fit."
        )
    return True


class DDCLQuantizer(
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    ClusterMixin,
    NamedEncoderMixin,
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
    n_prototypes : "auto" or int, default=8
        Number of codes in a codebook. "auto" counts how many the rows support: codes
        split while they cool, and a third of the rows says how far that describes them
        better. It takes a single codebook of the rows themselves, 256 codes at most.

    n_codebooks : int, default=1
        Number of codebooks. A row is then coded by as many codes, whose sum stands for
        it.

    quantization : {"product", "residual"}, default="product"
        What several codebooks stand for: "product" gives each some of the columns,
        "residual" what the ones before have left over.

    encoder : None, str or parameter object, default=None
        None makes codes of the rows themselves. Otherwise an autoencoder is trained
        whose latent vectors the codebooks stand for: "mlp", "conv" for images, whose
        shape :class:`~sklearn_ddcl.networks.ConvAutoencoder` has to be told, or, with
        the columns as tokens, "transformer", "aot" or "incrt". A parameter object such
        as :class:`~sklearn_ddcl.networks.MLPAutoencoder` also sets its sizes.

    solver : {"auto", "em", "gradient", "dual"}, default="auto"
        "em" takes the closed-form step of expectation-maximization in every pass over
        the rows, "gradient" makes Adam steps on batches. "dual" makes them on a linear
        map of the transposed rows whose outputs are the codes, for few rows of many
        columns. "auto" is "em", which in all measurements came further in less time. An
        encoder is always trained by gradients.

    init : {"k-means++", "mean"} or array-like, default="k-means++"
        Where codes start; an array has shape (n_prototypes, n_dimensions). With "mean"
        all start at the mean of the rows and part by themselves while the temperature
        falls, which shows how the rows are structured but takes longer.

    temperature : "auto" or float, default="auto"
        Where annealing starts, in the unit of a squared distance. "auto" is the
        critical temperature :math:`2 \lambda_{\max}` of the covariance of the rows
        around the first codes, above which codes would merge. With an encoder a number
        is kept throughout.

    n_relocations : "auto" or int, default="auto"
        Rounds in which codes are moved to where they are needed more, at most. "auto"
        goes on while it pays, for two rounds and one more per eight codes at most.
        Unused with an encoder.

    max_epochs : "auto" or int, default="auto"
        Passes over the rows, at most. "auto" is 300 for "em", what about 1,500 steps
        take, but at least 20, for "gradient", 500 for "dual" and 50 with an encoder.

    batch_size : "auto" or int, default="auto"
        Rows per gradient step; "auto" takes 64 to 1,024 by the number of rows, or 128
        with an encoder.

    lr : "auto" or float, default="auto"
        Learning rate of gradient steps; without an encoder in units of the standard
        deviation of the rows around the first codes. "auto" is 0.01, with an encoder
        0.003.

    prototype_lr_ratio : "auto" or float, default="auto"
        How many times faster codes learn than that; "auto" is 10, with an encoder 5.

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
        Seeds everything random, and touches no global generator. Without an encoder
        draws depend on the values of the rows, not on their order.

    Attributes
    ----------
    codebook_ : ndarray of shape (n_prototypes, n_dimensions)
        The codes; of several codebooks (n_codebooks, n_prototypes, n_dimensions).
        Those of a product are zero outside the columns that they stand for.

    n_prototypes_ : int
        Number of codes in a codebook, given or found.

    cluster_centers_ : ndarray of shape (n_prototypes, n_dimensions)
        The same, only if there is one codebook; with an encoder the rows that its codes
        are decoded to.

    prototypes_ : ndarray
        The same as `codebook_`.

    prototype_indices_ : ndarray of shape (n_prototypes,)
        Nearest training row of every code, only if there is one codebook.

    prototype_examples_ : ndarray or frame of shape (n_prototypes, n_features)
        Those rows, as they were given.

    labels_ : ndarray of shape (n_samples,) or (n_samples, n_codebooks), dtype int32
        Codes of the training rows.

    inertia_ : float
        Sum of the squared errors of the training rows, by weight. With an encoder, of a
        table with categories, that of standardized numbers and the nats of categories.

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

    hardening_gap_ : float
        What the last step from soft to hard assignments cost, as a share of the error
        after it: of the mean squared distance between the last soft and the first hard
        pass, or, with an encoder, of the reconstruction error at the end.

    n_parameters_ : int
        Number of trained weights, only with an encoder.

    history_ : TrainingHistory
        Measurements of every pass; ``history_["loss"]`` is the mean assigned squared
        distance, or with an encoder what was minimized.

    n_iter_ : int
        Passes over the rows.

    n_heads_, heads_, growth_history_, predicted_max_heads_
        As of :class:`DDCLClassifier`, for ``encoder="incrt"``.

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

    Time is linear in rows, columns and codes. Of more than 32,768 rows, or 64 per code,
    so many are drawn to search among, and all settle the codes. Memory beyond the table
    is a few numbers per row; residual quantization copies the table.

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

    _encoders: ClassVar[dict] = AUTOENCODERS
    _fitted: RowCoder | LearnedCoder

    _parameter_constraints: ClassVar[dict] = {
        "n_prototypes": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
        ],
        "n_codebooks": [Interval(Integral, 1, None, closed="left")],
        "quantization": [StrOptions(set(QUANTIZATIONS))],
        "encoder": [
            StrOptions(set(AUTOENCODERS)),
            HasMethods(["check", "build"]),
            None,
        ],
        "solver": [StrOptions({"auto", "em", "gradient", "dual"})],
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
        "prototype_lr_ratio": [
            StrOptions({"auto"}),
            Interval(Real, 0, None, closed="neither"),
        ],
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
        encoder=None,
        solver="auto",
        init="k-means++",
        temperature="auto",
        n_relocations="auto",
        max_epochs="auto",
        batch_size="auto",
        lr="auto",
        prototype_lr_ratio="auto",
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
        self.encoder = encoder
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
            two like two rows; exactly so without an encoder, which is trained with
            draws for every row.

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
            If codes are left without rows, because fewer rows than codes differ or an
        encoder has not learned to use all, or if codes coincide.
        """
        with all_or_nothing(self):
            X, space, rows, weights = self._check_training_rows(X, sample_weight)
            fit: Any = fit_row_coder if self.encoder is None else fit_learned_coder
            seed = draw_seed(self.random_state)
            forget_growth(self)
            coder, self.history_ = fit(self, space, rows, weights, seed)
            self._publish(X, rows, weights, coder)
        return self

    @available_if(_codes_rows_themselves)
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
            X = as_table(X)
            coder: Any = self._fitted
            points = coder.read(self, X)
            weights = check_weights(sample_weight, len(points))
            seed = draw_seed(self.random_state) + self.n_iter_
            coder, measured = follow_rows(coder, points, weights, seed)
            epoch = {"epoch": len(self.history_) + 1}
            self.history_ = TrainingHistory([*self.history_, epoch | measured])
            self._publish(X, points, weights, coder)
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
        coder, rows = self._read(X)
        codes = coder.encode(rows)
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
        coder, rows = self._read(X)
        if self.output == "codes":
            return coder.encode(rows)
        if self.output == "reconstruction":
            return coder.decode(coder.encode(rows), floating_dtype(X))
        ask = coder.assign if self.output == "assignments" else coder.distances
        return ask(rows).astype(floating_dtype(X))

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
        given, dtype = np.asarray(X), self.codebook_.dtype
        n_books, n_codes, _ = self._fitted.books.shape
        if given.dtype.kind in "iu" and given.ndim == 1 and n_books == 1:
            given = given[:, None]
        if given.dtype.kind in "iu" and given.shape[1:] == (n_books,):
            if given.size and not 0 <= given.min() <= given.max() < n_codes:
                raise ValueError(
                    f"Codes must lie between 0 and {n_codes - 1}, got {given.min()} to "
                    f"{given.max()}."
                )
            return self._fitted.decode(given.astype(np.int64), dtype)
        if given.dtype.kind == "f" and given.shape[1:] == (n_books * n_codes,):
            sums = given.reshape(len(given), n_books, n_codes).sum(2)
            if np.allclose(sums, 1.0, atol=1e-3) and not (given < -1e-6).any():
                return self._fitted.mix(given, dtype)
        raise ValueError(
            f"inverse_transform expects codes, whole numbers of shape (n, {n_books}), "
            f"or assignments, of shape (n, {n_books * n_codes}) with rows that sum to "
            f"one for each codebook; got {given.dtype} of shape {given.shape}. "
            "Distances cannot be inverted."
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
        coder, rows = self._read(X)
        codes = coder.encode(rows)
        weights = check_weights(sample_weight, len(codes))
        return -coder.squared_errors(rows, codes, weights)

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
        n_books, n_codes, _ = self._fitted.books.shape
        return n_books * (1 if self.output == "codes" else n_codes)

    def _check_training_rows(
        self, X: Any, sample_weight: Any
    ) -> tuple[Any, RowSpace, Any, np.ndarray]:
        """Return the table, its space, its rows in there, and their weights."""
        if self.encoder is not None and self.solver in ("em", "dual"):
            raise ValueError(
                f'solver="{self.solver}" has no step for an encoder; set solver="auto" '
                "or encoder=None."
            )
        if self.solver == "dual" and self.allow_nan:
            raise ValueError(
                'solver="dual" combines whole rows and cannot leave out missing '
                'entries; set allow_nan=False and impute, or solver="auto".'
            )
        if self.encoder is not None and not self.init == "k-means++":
            raise ValueError(
                "init says where codes start among the rows and cannot be used with an "
                'encoder; leave it at "k-means++".'
            )
        if self.n_prototypes == "auto":
            self._check_countable()
        X = as_table(X)
        weights = check_weights(sample_weight, X.shape[0])
        kind = RowSpace if self.encoder is None else TableSpace
        space = kind(self.allow_nan, self.categorical_features)
        rows = space.fit(self, X, weights)
        n_used = np.count_nonzero(weights)
        if self.n_prototypes != "auto" and n_used < self.n_prototypes:
            raise ValueError(
                f"n_samples={n_used} should be >= n_prototypes={self.n_prototypes}, "
                "the number of codes; give more rows or ask for fewer codes."
            )
        divided = self.encoder is None and self.quantization == "product"
        if divided and rows.shape[1] < self.n_codebooks:
            raise ValueError(
                f"n_codebooks={self.n_codebooks} cannot share n_features="
                f'{rows.shape[1]} columns; ask for fewer, or set quantization="residual'
                '".'
            )
        return X, space, rows, weights

    def _check_countable(self) -> None:
        """Refuse to count codes where it would not say what a count means."""
        if self.n_codebooks > 1 or self.encoder is not None:
            beside = (
                f"n_codebooks={self.n_codebooks}"
                if self.n_codebooks > 1
                else "an encoder"
            )
            raise ValueError(
                'n_prototypes="auto" counts the codes that rows support by themselves, '
                f"and cannot be used with {beside}; give a number."
            )
        if not isinstance(self.init, str):
            raise ValueError(
                'n_prototypes="auto" cannot be used with an array for init; give the '
                "number of its rows."
            )

    def _publish(
        self, X: Any, rows: Any, weights: np.ndarray, coder: RowCoder | LearnedCoder
    ) -> None:
        """Set the fitted attributes."""
        codes = coder.encode(rows)
        self._fitted = coder
        self.n_iter_ = len(self.history_)
        self.inertia_ = coder.squared_errors(rows, codes, weights)
        mass = coder.mass
        usage = mass / mass.sum(1, keepdims=True)
        logs = np.log(usage, out=np.zeros_like(usage), where=usage > 0)
        dtype = floating_dtype(rows)
        self.codebook_ = _single(coder.books.astype(dtype))
        self.n_prototypes_ = coder.books.shape[1]
        self.labels_ = _single(codes.T.astype(np.int32)).T
        self.codebook_usage_ = _single(usage)
        self.perplexity_ = _single(np.exp(-(usage * logs).sum(1)))
        self.utilization_ = _single((mass > 0).mean(1))
        self.min_code_distance_ = _single(coder.min_distances)
        self.temperature_ = _single(coder.temperatures)
        for name in (*_OF_ONE_CODEBOOK, "n_parameters_"):
            # Left by an earlier fit.
            self.__dict__.pop(name, None)
        self.hardening_gap_ = _hardening_gap(self.history_)
        if isinstance(coder, LearnedCoder):
            self.hardening_gap_ = coder.hardening_gap(rows, weights, self.inertia_)
            self.n_parameters_ = coder.autoencoder.n_parameters
        if len(mass) == 1:
            centers = self.codebook_
            if isinstance(coder, LearnedCoder):
                centers = coder.decode(np.arange(len(mass[0]))[:, None], dtype)
            self.cluster_centers_ = centers
            self.prototype_indices_ = _nearest_rows(coder, rows, weights)
            self.prototype_examples_ = take_rows(X, self.prototype_indices_)
        self._warn_of_unused(mass)
        self._warn_of_duplicates(coder, rows)

    def _warn_of_unused(self, mass: np.ndarray) -> None:
        unused = int((mass == 0).sum())
        if not unused:
            return
        cause = (
            f"fewer rows than n_prototypes={self.n_prototypes_} differ in what a "
            "codebook stands for. Ask for fewer codes."
        )
        if self.encoder is not None:
            cause = "ask for fewer codes, or train longer with max_epochs."
        warnings.warn(
            f"{unused} of {mass.size} codes stand for no row: {cause}",
            ConvergenceWarning,
            stacklevel=3,
        )

    def _warn_of_duplicates(self, coder: RowCoder | LearnedCoder, rows: Any) -> None:
        stride = max(1, len(self.labels_) // _CHUNK)
        distances = coder.distances(_take(rows, slice(None, None, stride)))
        n_books, n_codes, _ = coder.books.shape
        typical = distances.reshape(-1, n_books, n_codes).min(2).mean(0)
        n_duplicates = 0
        for m, book in enumerate(coder.books):
            used = torch.from_numpy(book[coder.mass[m] > 0]).double()
            apart = torch.cdist(used, used).fill_diagonal_(torch.inf)
            near = apart.amin(1) < _DUPLICATE * float(typical[m])
            n_duplicates += int(near.sum())
        if n_duplicates:
            warnings.warn(
                f"{n_duplicates} of {n_books * n_codes} codes are duplicates: nearer "
                "to another one than a hundredth of what rows are to their codes. "
                "Ask for fewer codes, or let annealing go on longer with max_epochs.",
                ConvergenceWarning,
                stacklevel=3,
            )

    def _read(self, X: Any) -> tuple[Any, Any]:
        """Return the coder and the rows of a table as it takes them."""
        check_is_fitted(self)
        return self._fitted, self._fitted.read(self, X)

    def _restore(
        self, state: dict[str, Any], device: torch.device
    ) -> RowCoder | LearnedCoder:
        kind = LearnedCoder if "autoencoder" in state else RowCoder
        return kind.from_state(state, device)


def _hardening_gap(history: TrainingHistory) -> float:
    """Return the share that the loss rose by from the last soft to the next hard pass.

    Of several codebooks the sum counts.
    """
    soft = hard = 0.0
    for row, after in pairwise(history):
        if row["temperature"] > 0 and not after["temperature"] > 0:
            soft, hard = soft + row["loss"], hard + after["loss"]
    return 1 - soft / hard if hard > 0 else 0.0


def _single(values: np.ndarray) -> Any:
    """Return the only entry of an array with one entry per codebook, or all."""
    if len(values) > 1:
        return values
    return float(values[0]) if values.ndim == 1 else values[0]


def _nearest_rows(
    coder: RowCoder | LearnedCoder, rows: Any, weights: np.ndarray
) -> np.ndarray:
    """Return the row of positive weight that is nearest to every code."""
    n_codes = coder.books.shape[1]
    best = np.full(n_codes, np.inf)
    found = np.zeros(n_codes, dtype=np.int64)
    for start in range(0, len(weights), _CHUNK):
        part = slice(start, start + _CHUNK)
        distances = coder.distances(_take(rows, part))
        distances[weights[part] == 0] = np.inf
        nearest = distances.argmin(0)
        closest = distances[nearest, np.arange(n_codes)]
        closer = closest < best
        best[closer], found[closer] = closest[closer], start + nearest[closer]
    return found


def _take(rows: Any, part: slice) -> Any:
    if isinstance(rows, EncodedTable):
        return EncodedTable(*(own[part] for own in rows))
    return rows[part]
