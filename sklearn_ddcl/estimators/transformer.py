"""Rows as features and as cases of prototypes, learned without labels."""

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import torch
from sklearn.base import (
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    _fit_context,
)
from sklearn.utils import Bunch
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from sklearn_ddcl.estimators.all_or_nothing import all_or_nothing
from sklearn_ddcl.estimators.columns import as_table, floating_dtype
from sklearn_ddcl.estimators.denoiser_fitting import fit_denoiser, follow_denoiser
from sklearn_ddcl.estimators.distinct_rows import DistinctRows, distinct_rows
from sklearn_ddcl.estimators.examples import take_rows
from sklearn_ddcl.estimators.fitted_denoiser import FittedDenoiser
from sklearn_ddcl.estimators.growth import forget_growth, publish_growth
from sklearn_ddcl.estimators.likeness import Likeness
from sklearn_ddcl.estimators.named_encoder import NamedEncoderMixin
from sklearn_ddcl.estimators.persistent import PersistentEstimator
from sklearn_ddcl.estimators.pooling import publish_pooling
from sklearn_ddcl.estimators.table_encoder import EncodedTable
from sklearn_ddcl.estimators.table_space import SCALINGS, TableSpace
from sklearn_ddcl.estimators.weights import check_weights
from sklearn_ddcl.networks import ROW_ENCODERS
from sklearn_ddcl.training import draw_seed
from sklearn_ddcl.training.denoising.net import DenoisingNet

OUTPUTS = ("embedding", "assignments", "distances")
# Standardized numbers beyond this say no more than that they are far out.
_LIMIT = 6.0


class DDCLTransformer(
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    NamedEncoderMixin,
    PersistentEstimator,
):
    r"""Transformer that learns features and prototypes of rows without labels.

    A network is shown rows of which some cells were swapped with those of others. It
    has to rebuild them, and to predict what they are like among their neighbors: the
    average :math:`\bar x` over a neighborhood that follows the shape of the data. None
    of these targets depends on the network, so that rows cannot fall together.
    Prototypes compete for the predicted averages, in a metric that lets directions of
    small variance have their say,

    .. math::
        q_k(x) = \frac{e^{-\lVert \hat x - p_k \rVert^2 / \tau}}
                      {\sum_j e^{-\lVert \hat x - p_j \rVert^2 / \tau}},
        \qquad \hat x \approx \bar x ,

    and are rows themselves: typical ones, each shown by a real example. Tables may
    hold numbers, strings, categories and booleans, with missing values in any of them.

    Parameters
    ----------
    n_prototypes : "auto", int or None, default=None
        Number of prototypes. None takes an eighth of the number of different rows, 64
        at most. "auto" counts how many of these the rows support: prototypes split
        while they cool, and a third of the rows says how far that describes them
        better. If `n_clusters` is set, "auto" is None, since prototypes are then
        merged.

    n_components : "auto" or int, default="auto"
        Columns of the embedding. "auto" takes as many as there are encoded columns, a
        category counting as one, 64 at most.

    n_clusters : int or None, default=None
        Prototypes between which rows lie are merged until so many clusters are left,
        which may then have any shape. None leaves each prototype a cluster.

    encoder : {"mlp", "transformer", "aot", "incrt"} or parameter object, default="mlp"
        The network; a parameter object such as
        :class:`~sklearn_ddcl.networks.PlainMLPEncoder` also sets its sizes.

    d_latent : int, default=32
        Width that all predictions pass through.

    output : {"embedding", "assignments", "distances"}, default="embedding"
        What :meth:`transform` returns.

    scaling : {"columns", "common"}, default="columns"
        Whether every numerical column is standardized, or all of a table without
        categories are divided by one common scale, as suits pixels.

    solver : {"em", "dual"}, default="em"
        How prototypes are found: in closed form, or as outputs of a linear map of the
        transposed rows, for few rows of many columns.

    temperature : "auto" or float, default="auto"
        Softness of the assignments, in the unit of the squared distances. "auto" is
        half the critical temperature of the cells, above which prototypes would begin
        to merge.

    corruption : float, default=0.1
        Share of the cells that are swapped.

    distortion_weight : float, default=0.1
        Weight of the competition loss that pulls predictions towards the prototypes.
        The other losses keep rows apart; `history_` says by its ``token_variance`` how
        far.

    max_epochs : "auto" or int, default="auto"
        Passes over the rows. "auto" takes 800 steps.

    batch_size : "auto" or int, default="auto"
        Rows per step, about; "auto" is 256.

    lr : float, default=1e-3
        Peak learning rate.

    categorical_features : "from_dtype" or array-like, default="from_dtype"
        With "from_dtype" strings, categories and booleans are categorical. Names,
        indices or a mask mark further columns.

    device : str, default="auto"
        "auto" takes a CUDA device if there is one; otherwise a torch device name.

    precision : {"float32", "float64", "bf16"}, default="float32"
        Arithmetic of the network; "bf16" is mixed precision.

    verbose : int, default=0
        1 prints every tenth epoch, 2 every one.

    random_state : int, RandomState instance or None, default=None
        Seeds everything random.

    Attributes
    ----------
    n_prototypes_ : int
        Number of prototypes, given or found.

    prototypes_ : ndarray of shape (n_prototypes, n_encoded_columns)
        The prototypes as rows: standardized numbers, flags of missing ones, and a
        column per category.

    prototype_indices_ : ndarray of shape (n_prototypes,)
        For every prototype the training row that is nearest.

    prototype_examples_ : ndarray or frame of shape (n_prototypes, n_features)
        Those rows, as they were given.

    prototype_clusters_ : ndarray of shape (n_prototypes,)
        Cluster of every prototype.

    labels_ : ndarray of shape (n_samples,)
        Cluster of every training row.

    temperature_ : float
        Temperature of the assignments.

    perplexity_ : float
        Effective number of prototypes in use.

    history_ : TrainingHistory
        Measurements of every epoch.

    n_iter_ : int
        Epochs trained.

    n_parameters_ : int
        Number of trained weights.

    pool_sizes_, feature_order_, feature_distances_ : ndarray
        As of :class:`DDCLClassifier`, for encoders with ``context_pool``.

    n_heads_, heads_, growth_history_, predicted_max_heads_
        As of :class:`DDCLClassifier`, for ``encoder="incrt"``.

    net_ : DenoisingNet
        The skorch net; ``net_.module_`` is the torch module. It is not saved.

    n_features_in_ : int
        Number of columns seen in fit.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, when they are all strings.

    See Also
    --------
    DDCLQuantizer : Codes for the rows themselves, without a network.
    DDCLClassifier : Prototypes that were told the classes.

    Notes
    -----
    Equal rows are merged before training, so that a row of weight two counts exactly
    like two rows. Of more than 20,000 different rows a random sample is learned from,
    since neighbors are looked for among all of them.

    References
    ----------
    .. [1] G. Cirrincione, "DDCL: Deep Dual Competitive Learning", arXiv:2604.01740,
       2026.
    .. [2] P. Vincent et al., "Extracting and composing robust features with denoising
       autoencoders", ICML 2008.
    .. [3] R. R. Coifman and S. Lafon, "Diffusion maps", Applied and Computational
       Harmonic Analysis 21(1), 2006.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_ddcl import DDCLTransformer
    >>> X, _ = load_iris(return_X_y=True, as_frame=True)
    >>> transformer = DDCLTransformer(3, n_components=2, random_state=0).fit(X)
    >>> transformer.transform(X).shape
    (150, 2)
    >>> transformer.predict(X).shape
    (150,)
    """

    _encoders: ClassVar[dict] = ROW_ENCODERS
    _fitted: FittedDenoiser
    net_: DenoisingNet

    _parameter_constraints: ClassVar[dict] = {
        "n_prototypes": [
            None,
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
        ],
        "n_components": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
        ],
        "n_clusters": [Interval(Integral, 1, None, closed="left"), None],
        "encoder": [StrOptions(set(ROW_ENCODERS)), HasMethods(["check", "build"])],
        "d_latent": [Interval(Integral, 1, None, closed="left")],
        "output": [StrOptions(set(OUTPUTS))],
        "scaling": [StrOptions(set(SCALINGS))],
        "solver": [StrOptions({"em", "dual"})],
        "temperature": [
            StrOptions({"auto"}),
            Interval(Real, 0, None, closed="neither"),
        ],
        "corruption": [Interval(Real, 0, 1, closed="both")],
        "distortion_weight": [Interval(Real, 0, None, closed="left")],
        "max_epochs": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
        ],
        "batch_size": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
        ],
        "lr": [Interval(Real, 0, None, closed="neither")],
        "categorical_features": [StrOptions({"from_dtype"}), "array-like"],
        "device": [str],
        "precision": [StrOptions({"float32", "float64", "bf16"})],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_prototypes=None,
        *,
        n_components="auto",
        n_clusters=None,
        encoder="mlp",
        d_latent=32,
        output="embedding",
        scaling="columns",
        solver="em",
        temperature="auto",
        corruption=0.1,
        distortion_weight=0.1,
        max_epochs="auto",
        batch_size="auto",
        lr=1e-3,
        categorical_features="from_dtype",
        device="auto",
        precision="float32",
        verbose=0,
        random_state=None,
    ):
        self.n_prototypes = n_prototypes
        self.n_components = n_components
        self.n_clusters = n_clusters
        self.encoder = encoder
        self.d_latent = d_latent
        self.output = output
        self.scaling = scaling
        self.solver = solver
        self.temperature = temperature
        self.corruption = corruption
        self.distortion_weight = distortion_weight
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.lr = lr
        self.categorical_features = categorical_features
        self.device = device
        self.precision = precision
        self.verbose = verbose
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y=None, sample_weight=None):
        """Learn features and prototypes.

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
        self : DDCLTransformer
            Fitted estimator. If anything goes wrong it is left as it was.

        Raises
        ------
        ValueError
            If rows, weights or parameters cannot be used; the message says what was
            expected.

        Warns
        -----
        CollapseWarning
            If the network no longer tells rows apart.
        """
        with all_or_nothing(self):
            X = as_table(X)
            weights = check_weights(sample_weight, X.shape[0])
            space = TableSpace(
                allow_nan=True,
                categorical_features=self.categorical_features,
                scaling=self.scaling,
                limit=_LIMIT,
            )
            encoded = space.fit(self, X, weights)
            distinct = distinct_rows(encoded, weights)
            self._check_sizes(distinct)
            seed = draw_seed(self.random_state)
            forget_growth(self)
            self._fitted, self.net_ = fit_denoiser(self, space, distinct, seed)
            self.history_ = self.net_.measurements
            self._publish(X, encoded, weights)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y=None, sample_weight=None):
        """Go on with some more rows, as they come in a stream.

        The first call does what :meth:`fit` does, so its rows should be many and
        typical. Later rows train the network a little further, among each other, and
        move the prototypes, each of which stays the mean of all that fell to it. The
        columns of the embedding keep their meaning.

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
        self : DDCLTransformer
            The estimator, one step further. If anything goes wrong it is left as it
            was.
        """
        if not hasattr(self, "_fitted"):
            return self.fit(X, sample_weight=sample_weight)
        with all_or_nothing(self):
            X = as_table(X)
            encoded = self._fitted.space.transform(self, X)
            weights = check_weights(sample_weight, X.shape[0])
            distinct = distinct_rows(encoded, weights)
            seed = draw_seed(self.random_state) + self.n_iter_
            self._fitted, self.net_ = follow_denoiser(
                self, self._fitted, distinct, self.history_, seed
            )
            self._publish(X, encoded, weights)
        return self

    def transform(self, X):
        """Return what `output` says about rows.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Rows, with the columns seen in fit.

        Returns
        -------
        transformed : ndarray of shape (n_samples, n_features_out)
            - "embedding": principal components of the row, of what the network makes
              of it, and of its distances to the prototypes.
            - "assignments": as :meth:`assign`.
            - "distances": distances of the predicted averages to the prototypes; the
              total variance is that of the standardized columns.

            In float32 for float32 input, else in float64. A row's values do not depend
            on the rows beside it.
        """
        encoded = self._encode(X)
        if self.output == "embedding":
            values = self._fitted.embed(encoded)
        elif self.output == "assignments":
            values = self._fitted.assign(encoded)
        else:
            values = np.sqrt(self._fitted.squared_distances(encoded))
        return values.astype(floating_dtype(X), copy=False)

    def inverse_transform(self, X):
        """Return the rows that embeddings or assignments stand for.

        Parameters
        ----------
        X : array-like of shape (n, n_features_out)
            As :meth:`transform` returns them for the `output` that is set.

        Returns
        -------
        rows : ndarray or DataFrame of shape (n, n_features)
            In the units of the training rows; a frame if these held categories. Of
            embeddings the linear reconstruction, of assignments the mixture of the
            prototypes.
        """
        check_is_fitted(self)
        values = np.asarray(X, dtype=np.float64)
        if self.output == "distances":
            raise ValueError(
                "Distances cannot be inverted; set output to 'embedding' or "
                "'assignments'."
            )
        if values.ndim != 2 or values.shape[1] != self._n_features_out:
            raise ValueError(
                f"inverse_transform expects what transform returns, of shape (n, "
                f"{self._n_features_out}); got shape {values.shape}."
            )
        if self.output == "embedding":
            return self._fitted.unembed(values)
        return self._fitted.mix(values)

    def predict(self, X):
        """Return the cluster of every row: that of its nearest prototype.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Rows, with the columns seen in fit.

        Returns
        -------
        labels : ndarray of shape (n_samples,)
            Numbers of prototypes, or of clusters if `n_clusters` is set.
        """
        return self._predict(self._encode(X))

    def assign(self, X):
        """Return how much each prototype answers for each row.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Rows, with the columns seen in fit.

        Returns
        -------
        assignments : ndarray of shape (n_samples, n_prototypes)
            Rows sum to one.
        """
        return self._fitted.assign(self._encode(X))

    def explain(self, X):
        """Say which typical rows each row is like.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Rows, with the columns seen in fit.

        Returns
        -------
        likeness : Likeness
            Weights of the prototypes with real rows for them; ``to_frame`` and
            ``describe`` show it.
        """
        weights = self.assign(X)
        return Likeness(weights, self.prototype_indices_, self.prototype_examples_)

    def stability_score(self, X):
        r"""Return how much nearer the best prototype is than the second.

        .. math::
            s = \frac{d_2 - d_1}{d_2 + d_1}

        with the distances :math:`d_1 \le d_2` to the two nearest prototypes.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Rows, with the columns seen in fit.

        Returns
        -------
        scores : ndarray of shape (n_samples,)
            Between 0, on the border, and 1, on the prototype; 1 if there is only one.
            The authors call 0.2 and more high, and less than 0.08 borderline [1]_.

        References
        ----------
        .. [1] G. Cirrincione et al., "Self-Organising Hierarchical Prototype Clustering
           for Tabular Data", 2026.
        """
        distances = np.sqrt(self._fitted.squared_distances(self._encode(X)))
        if distances.shape[1] == 1:
            return np.ones(len(distances))
        first, second = np.partition(distances, 1, axis=1)[:, :2].T
        total = first + second
        gaps = second - first
        return np.divide(gaps, total, out=np.zeros_like(total), where=total > 0)

    def decomposition(self, X):
        """Split the competition loss of every row into its two parts.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Rows, with the columns seen in fit.

        Returns
        -------
        decomposition : Bunch
            Arrays `loss`, `reconstruction` and `diversity` of shape (n_samples,), with
            ``loss = reconstruction + diversity``.
        """
        parts = self._fitted.decompose(self._encode(X))
        return Bunch(**{name: part.numpy() for name, part in parts._asdict().items()})

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    @property
    def _n_features_out(self):
        if self.output == "embedding":
            return self._fitted.embedding.n_components
        return len(self._fitted.bank.prototypes)

    def _check_sizes(self, distinct: DistinctRows) -> None:
        n_rows = len(distinct.weights)
        if self.n_prototypes in (None, "auto"):
            return
        if n_rows < self.n_prototypes:
            raise ValueError(
                f"n_samples={n_rows} different rows should be >= n_prototypes="
                f"{self.n_prototypes}; give more rows or ask for fewer prototypes."
            )
        if self.n_clusters is not None and self.n_clusters > self.n_prototypes:
            raise ValueError(
                f"n_clusters={self.n_clusters} cannot be more than n_prototypes="
                f"{self.n_prototypes}, which are merged into them."
            )

    def _encode(self, X: Any) -> EncodedTable:
        check_is_fitted(self)
        return self._fitted.space.transform(self, X)

    def _predict(self, encoded: EncodedTable) -> np.ndarray:
        nearest = self._fitted.squared_distances(encoded).argmin(1)
        return self._fitted.bank.clusters.cpu().numpy()[nearest]

    def _publish(self, X: Any, encoded: EncodedTable, weights: np.ndarray) -> None:
        """Set the fitted attributes."""
        fitted = self._fitted
        bank = fitted.bank
        squared = fitted.squared_distances(encoded)
        self.prototypes_ = bank.rows.cpu().numpy()
        self.n_prototypes_ = len(self.prototypes_)
        self.prototype_clusters_ = bank.clusters.cpu().numpy().copy()
        self.labels_ = self.prototype_clusters_[squared.argmin(1)]
        squared[weights == 0] = np.inf
        self.prototype_indices_ = squared.argmin(0)
        self.prototype_examples_ = take_rows(X, self.prototype_indices_)
        self.temperature_ = bank.temperature * bank.scale**2
        shares = bank.mass / bank.mass.sum()
        self.perplexity_ = float(torch.special.entr(shares).sum().exp())
        self.n_iter_ = len(self.history_)
        self.n_parameters_ = fitted.n_parameters
        used = type(encoded)(*(part[weights > 0] for part in encoded))
        publish_growth(self, fitted.network, self.net_, used, fitted.mixed_precision)
        table = fitted.space.table
        kinds = None if table is None else table.kinds
        publish_pooling(self, fitted.network, used, kinds, fitted.mixed_precision)

    def _restore(self, state: dict[str, Any], device: torch.device) -> FittedDenoiser:
        return FittedDenoiser.from_state(state, device)
