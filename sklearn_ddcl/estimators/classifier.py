"""Classification by prototypes that vote."""

from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
from sklearn.base import (
    ClassifierMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    _fit_context,
)
from sklearn.utils import Bunch
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import validate_data

from sklearn_ddcl.estimators.all_or_nothing import all_or_nothing
from sklearn_ddcl.estimators.base import TableEstimator
from sklearn_ddcl.estimators.callback_support import (
    CallbackSupportMixin,
    epoch_tasks,
    with_callbacks,
)
from sklearn_ddcl.estimators.columns import as_table, with_names
from sklearn_ddcl.estimators.exact_values import telling_columns
from sklearn_ddcl.estimators.examples import take_rows, typical_rows
from sklearn_ddcl.estimators.explanation import Explanation
from sklearn_ddcl.estimators.fitting import (
    Deal,
    LabeledRows,
    choose_folds,
    choose_judge,
    drop_unneeded,
    hold_out,
    new_network,
    prepare_net,
    to_rows,
)
from sklearn_ddcl.estimators.growth import forget_growth, publish_growth
from sklearn_ddcl.estimators.pooling import publish_pooling
from sklearn_ddcl.estimators.rehearsal import Rehearsal, rehearse
from sklearn_ddcl.estimators.table_encoder import TableEncoder
from sklearn_ddcl.estimators.weights import (
    apply_class_weight,
    check_labels,
    check_weights,
)
from sklearn_ddcl.networks import ENCODERS, READOUTS
from sklearn_ddcl.training import (
    TrainingHistory,
    draw_seed,
    one_thread,
)

_OF_PROTOTYPES = (
    "n_prototypes_",
    "temperature_",
    "prototypes_",
    "prototype_votes_",
    "prototype_indices_",
    "prototype_examples_",
)


def _has_prototypes(estimator: "DDCLClassifier") -> bool:
    if estimator.readout != "ddcl":
        raise AttributeError(
            f"readout={estimator.readout!r} has no prototypes; set "
            'readout="ddcl" to use this.'
        )
    return True


class DDCLClassifier(
    ClassNamePrefixFeaturesOutMixin,
    ClassifierMixin,
    TransformerMixin,
    CallbackSupportMixin,
    TableEstimator,
):
    r"""Classifier for tables that decides by the votes of learned prototypes.

    A network turns a row into a few tokens; every token is softly assigned to a small
    bank of prototypes, and each prototype votes with a class distribution of its own.
    The probability of a class is the sum of these votes and nothing else,

    .. math::
        P(c \mid x) = \sum_k \bar q_k(x) \, \pi_{kc},
        \qquad
        q_{tk} \propto e^{-\lVert z_t - p_k \rVert^2 / \tau} ,

    so that :meth:`explain` accounts for the whole decision, and each prototype is shown
    by a real training row. Tables may hold numbers, strings, categories and booleans,
    with missing values in any of them.

    Parameters
    ----------
    n_prototypes : "auto" or int, default=32
        Number of prototypes, shared by all classes; at least one per class is used.
        "auto" trains a bank of 128 and then drops those whose part the others can take
        over, as long as rows that were left out cannot tell the difference by their
        log-loss; if none were, the training rows judge. :meth:`partial_fit` drops none.

    encoder : {"mlp", "transformer", "aot", "incrt"} or parameter object, default="mlp"
        What turns a row into tokens. A parameter object such as
        :class:`~sklearn_ddcl.networks.MLPEncoder` also sets its sizes and lets a grid
        search reach them as ``encoder__n_layers``.

    readout : {"ddcl", "mean", "cls"}, default="ddcl"
        "ddcl" decides by prototypes. "mean" and "cls" put a linear head on the mean or
        the first token; they explain nothing and are there to be compared with.

    temperature : "auto" or float, default="auto"
        Softness of the assignments, in units of a squared distance between tokens.
        "auto" anneals it, relative to the critical temperature above which all
        prototypes would collapse, and ends at what suits the validation rows best.

    prototype_lr_ratio : float, default=10.0
        How many times faster prototypes learn than the encoder.

    distortion_weight : float, default=0.3
        Weight of the loss that keeps prototypes at the heart of their tokens. It moves
        prototypes only, never the encoder.

    max_epochs : "auto" or int, default="auto"
        Passes over the table, at most. "auto" chooses between 30 and 70, for about
        3,000 steps, or between 30 and 60 when nobody chooses the best epoch.

    lr : float, default=2e-3
        Peak learning rate of the encoder.

    weight_decay : float, default=0.5
        Decoupled weight decay of the encoder's matrices.

    batch_size : "auto" or int, default="auto"
        Rows per step, about. "auto" takes 128 to 1,024 by the number of rows.

    early_stopping : "auto" or bool, default="auto"
        Who chooses the best epoch, and how soft the final decisions are:

        - "auto": the training rows themselves. Each view of the encoder learns from
          three quarters of the rows and judges the others, so that no row is lost.
          Without at least four views a first training on three quarters of the rows
          is judged by the others, and a second one on all rows lasts as long as was
          best. Tables of fewer than 40 rows are trained as with False.
        - True: `validation_fraction` of the rows, stratified, from which nothing is
          learned.
        - False: nobody. Training lasts `max_epochs`.

        Rows given as ``X_val`` to :meth:`fit` take precedence.

    validation_fraction : float, default=0.15
        Share of the rows held out by ``early_stopping=True``.

    n_iter_no_change : int or None, default=10
        Epochs without improvement on the validation rows after which training ends;
        None never ends it.

    class_weight : dict, "balanced" or None, default=None
        Weights of the classes, multiplied with sample weights.

    categorical_features : "from_dtype" or array-like, default="from_dtype"
        With "from_dtype" strings, categories and booleans are categorical. Names,
        indices or a mask mark further columns.

    exact_values : bool, default=True
        Whether a column of numbers is taken for one of categories as well if its exact
        values tell the class of the training rows and the values around them do not, as
        with codes, amounts fixed by law or prices of a list; `exact_features_` names
        these columns, in most tables none.

    device : str, default="auto"
        "auto" takes a CUDA device if there is one; otherwise a torch device name.

    precision : {"float32", "float64", "bf16"}, default="float32"
        Arithmetic of the network; "bf16" is mixed precision.

    compile : bool, default=False
        Whether to compile the network with ``torch.compile``, which pays off on long
        trainings on a GPU.

    warm_start : bool, default=False
        Whether :meth:`fit` goes on from the last fit instead of starting anew. On
        other rows than those of the last fit, ``early_stopping="auto"`` is then False,
        since there is nobody left who has not learned from some of them.

    verbose : int, default=0
        1 prints every tenth epoch, 2 every one.

    random_state : int, RandomState instance or None, default=None
        Seeds everything random. An int gives the same bits on the same machine,
        whatever the number of jobs and threads, and touches no global generator.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        Class labels.

    n_prototypes_ : int
        Number of prototypes, given or found.

    prototypes_ : ndarray of shape (n_prototypes, d_token)
        The prototypes, in the space of the tokens.

    prototype_votes_ : ndarray of shape (n_prototypes, n_classes)
        Class distribution that each prototype votes with.

    prototype_indices_ : ndarray of shape (n_prototypes,)
        For every prototype the training row that it answers for most.

    prototype_examples_ : ndarray or frame of shape (n_prototypes, n_features)
        Those rows, as they were given.

    exact_features_ : ndarray of int
        Columns of numbers that are taken for categories as well.

    temperature_ : float
        Temperature of the decisions.

    history_ : TrainingHistory
        Measurements of every epoch; ``history_["loss"]`` is a column,
        ``history_[-1]`` the last epoch.

    n_iter_ : int
        Epochs trained.

    pool_sizes_ : ndarray of shape (n_layers, n_features)
        How widely columns are pooled with their neighbors on the average, in the unit
        of :class:`~sklearn_ddcl.layers.ContextPool`; for encoders with
        ``context_pool``.

    feature_order_ : ndarray of shape (n_features,)
        Columns in the order in which they are neighbors, for
        ``context_pool="seriation"``.

    feature_distances_ : ndarray of shape (n_features, n_features)
        Distances by which columns are neighbors, for ``context_pool="correlation"``
        and, as they were learned, ``"learned"``.

    n_heads_ : ndarray of shape (n_layers,)
        Heads that every block ended with; for ``encoder="incrt"``, as the next three.

    heads_ : list of dict
        ``layer``, ``head``, ``share`` of what attention adds in the block, and
        ``reach``, the number of columns it draws from, effectively; in every block from
        the coarsest to the finest.

    growth_history_ : TrainingHistory
        ``epoch``, ``layer``, ``energy``, ``threshold``, ``action``, ``n_heads``,
        ``n_parameters`` of the encoder and ``valid_score``, one per epoch and block.

    predicted_max_heads_ : dict
        Heads per block that were called for at the first look: ``count``, of directions
        above the threshold, and ``bound``, geometric. Absent if nothing was looked at.

    best_epoch_ : int or None
        Epoch that validation chose, counted from 1.

    n_parameters_ : int
        Number of trained weights.

    net_ : DDCLNet
        The skorch net; ``net_.module_`` is the torch module. It is not saved.

    n_features_in_ : int
        Number of columns seen in fit.

    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns, when they are all strings.

    See Also
    --------
    sklearn.ensemble.HistGradientBoostingClassifier : Trees for the same tables.
    sklearn.neighbors.NearestCentroid : One fixed prototype per class, no network.

    Notes
    -----
    A category seen once in a table of 50 rows or more counts as unknown, as do
    categories never seen; a missing category is one of its own if it occurs in fit. The
    cost of an epoch is linear in rows and columns.

    References
    ----------
    .. [1] G. Cirrincione and R. R. Kumar, "Collapse-Free Prototype Readout Layer for
       Transformer Encoders", arXiv:2604.03850, 2026.
    .. [2] G. Cirrincione, "DDCL: Deep Dual Competitive Learning", arXiv:2604.01740,
       2026.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn_ddcl import DDCLClassifier
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> clf = DDCLClassifier(n_prototypes=6, random_state=0).fit(X, y)
    >>> clf.score(X, y) > 0.95
    True
    >>> explanation = clf.explain(X[:1])
    >>> explanation.weights.shape
    (1, 6)
    """

    classes_: np.ndarray
    _dealt: Deal | None

    _parameter_constraints: ClassVar[dict] = {
        "n_prototypes": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
        ],
        "encoder": [StrOptions(set(ENCODERS)), HasMethods(["check", "build"])],
        "readout": [StrOptions(set(READOUTS))],
        "temperature": [
            StrOptions({"auto"}),
            Interval(Real, 0, None, closed="neither"),
        ],
        "prototype_lr_ratio": [Interval(Real, 0, None, closed="neither")],
        "distortion_weight": [Interval(Real, 0, None, closed="left")],
        "max_epochs": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
        ],
        "lr": [Interval(Real, 0, None, closed="neither")],
        "weight_decay": [Interval(Real, 0, None, closed="left")],
        "batch_size": [
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
        ],
        "early_stopping": [StrOptions({"auto"}), "boolean"],
        "validation_fraction": [Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left"), None],
        "class_weight": [StrOptions({"balanced"}), dict, None],
        "categorical_features": [StrOptions({"from_dtype"}), "array-like"],
        "exact_values": ["boolean"],
        "device": [str],
        "precision": [StrOptions({"float32", "float64", "bf16"})],
        "compile": ["boolean"],
        "warm_start": ["boolean"],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_prototypes=32,
        *,
        encoder="mlp",
        readout="ddcl",
        temperature="auto",
        prototype_lr_ratio=10.0,
        distortion_weight=0.3,
        max_epochs="auto",
        lr=2e-3,
        weight_decay=0.5,
        batch_size="auto",
        early_stopping="auto",
        validation_fraction=0.15,
        n_iter_no_change=10,
        class_weight=None,
        categorical_features="from_dtype",
        exact_values=True,
        device="auto",
        precision="float32",
        compile=False,
        warm_start=False,
        verbose=0,
        random_state=None,
    ):
        self.n_prototypes = n_prototypes
        self.encoder = encoder
        self.readout = readout
        self.temperature = temperature
        self.prototype_lr_ratio = prototype_lr_ratio
        self.distortion_weight = distortion_weight
        self.max_epochs = max_epochs
        self.lr = lr
        self.weight_decay = weight_decay
        self.batch_size = batch_size
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.class_weight = class_weight
        self.categorical_features = categorical_features
        self.exact_values = exact_values
        self.device = device
        self.precision = precision
        self.compile = compile
        self.warm_start = warm_start
        self.verbose = verbose
        self.random_state = random_state

    @with_callbacks
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        X,
        y,
        sample_weight=None,
        X_val=None,
        y_val=None,
        sample_weight_val=None,
    ):
        """Train the network and its prototypes.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Training rows; NaN and None count as missing.
        y : array-like of shape (n_samples,)
            Class labels of any kind.
        sample_weight : array-like of shape (n_samples,), default=None
            Importance of the rows. One of weight zero counts as absent, one of weight
            two like two rows; exactly so unless ``early_stopping="auto"`` deals two
            rows to different views or ``n_prototypes="auto"`` drops some.
        X_val : array-like or frame of shape (n_validation, n_features), default=None
            Rows that choose the best epoch, in place of an internal split.
        y_val : array-like of shape (n_validation,), default=None
            Their labels, all of them among those of `y`.
        sample_weight_val : array-like of shape (n_validation,), default=None
            Their importance.

        Returns
        -------
        self : DDCLClassifier
            Fitted estimator. If anything goes wrong it is left as it was.

        Raises
        ------
        ValueError
            If data, labels, weights or parameters cannot be used; the message says
            what was expected.
        """
        with all_or_nothing(self):
            go_on = self.warm_start and hasattr(self, "_fitted")
            weights = check_weights(sample_weight, _n_rows(X))
            X, labeled = self._check_training_rows(X, y, weights, go_on)
            seed = draw_seed(self.random_state)
            training, validation = self._split(
                labeled, (X_val, y_val, sample_weight_val), seed
            )
            if not go_on:
                self._start_anew(training, seed)
            folds = rehearsal = None
            if validation is None and self.early_stopping == "auto":
                folds = self._deal(training, seed, go_on)
                if folds is None and not go_on:
                    rehearsal = rehearse(self, self._fitted, training, seed)
            else:
                self._dealt = None
            if rehearsal is not None and rehearsal.net.interrupted:
                self._take_over(rehearsal)
            else:
                judgments = None if rehearsal is None else rehearsal.judgments
                # Its network and its rows would only take memory.
                del rehearsal
                self._train(X, y, training, folds, validation, judgments, seed)
            self._publish(X, labeled)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Train for one more pass over some rows, as they come in a stream.

        The first call learns columns, scales and categories from its rows, so these
        should be many and typical.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Rows.
        y : array-like of shape (n_samples,)
            Their labels.
        classes : array-like of shape (n_classes,), default=None
            All labels that will ever come, by default those of the first `y`. Later
            calls need not repeat them.
        sample_weight : array-like of shape (n_samples,), default=None
            Importance of the rows.

        Returns
        -------
        self : DDCLClassifier
            The estimator, one pass further. If anything goes wrong it is left as it
            was.
        """
        with all_or_nothing(self):
            go_on = hasattr(self, "_fitted")
            weights = check_weights(sample_weight, _n_rows(X))
            X, labeled = self._check_training_rows(X, y, weights, go_on, classes)
            training = labeled.used()
            if not go_on:
                self._start_anew(training, draw_seed(self.random_state))
            self._dealt = None
            rows = to_rows(self._fitted, training)
            if not hasattr(self, "net_") or not self.net_.plan.streaming:
                seed = draw_seed(self.random_state)
                net = prepare_net(self, self._fitted, rows, seed=seed, streaming=True)
                self._use_net(net)
            with one_thread():
                self.net_.partial_fit(rows, epochs=1)
            self._publish(X, labeled)
        return self

    def predict_proba(self, X):
        """Return the probability of every class.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Rows, with the columns seen in fit.

        Returns
        -------
        proba : ndarray of shape (n_samples, n_classes)
            Columns ordered as `classes_`; rows sum to one. A row's answer does not
            depend on the rows beside it.
        """
        encoded = self._encode(X)
        return self._fitted.predict_proba(encoded)

    def predict(self, X):
        """Return the most probable class of every row.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Rows, with the columns seen in fit.

        Returns
        -------
        y : ndarray of shape (n_samples,)
            Class labels.
        """
        most_probable = self.predict_proba(X).argmax(axis=1)
        return self.classes_[most_probable]

    @available_if(_has_prototypes)
    def assign(self, X):
        """Return how much each prototype answers for each row.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Rows, with the columns seen in fit.

        Returns
        -------
        assignments : ndarray of shape (n_samples, n_prototypes)
            Soft assignments, the mean over the row's tokens; rows sum to one.
        """
        encoded = self._encode(X)
        return self._fitted.assign(encoded)

    def transform(self, X):
        """Return the soft assignments as features, see :meth:`assign`.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Rows, with the columns seen in fit.

        Returns
        -------
        assignments : ndarray of shape (n_samples, n_prototypes)
            In float32 for float32 input, else in float64.
        """
        dtype = getattr(X, "dtype", None)
        single = dtype is not None and dtype == np.float32
        return self.assign(X).astype(np.float32 if single else np.float64)

    @available_if(_has_prototypes)
    def explain(self, X):
        """Return which prototypes decided each row, and the training rows they are.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Rows, with the columns seen in fit.

        Returns
        -------
        explanation : Explanation
            Weights of the prototypes, their class evidence, which sums to
            :meth:`predict_proba`, and the training rows that stand for them; can be
            read as a frame or in words.
        """
        weights = self.assign(X).astype(np.float64)
        return Explanation(
            weights / weights.sum(1, keepdims=True),
            self.prototype_votes_,
            self.classes_,
            self.prototype_indices_,
            self.prototype_examples_,
        )

    @available_if(_has_prototypes)
    def decomposition(self, X):
        """Split the competition loss of every row into its two parts.

        Parameters
        ----------
        X : array-like or frame of shape (n_samples, n_features)
            Rows, with the columns seen in fit.

        Returns
        -------
        decomposition : Bunch
            Arrays `loss`, `reconstruction` and `diversity` of shape (n_samples,), means
            over the row's tokens, with ``loss = reconstruction + diversity``.
        """
        encoded = self._encode(X)
        parts = self._fitted.decompose(encoded)
        return Bunch(**{name: part.numpy() for name, part in parts._asdict().items()})

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags

    @property
    def _n_features_out(self):
        return len(self.prototypes_)

    def _check_training_rows(
        self,
        X: Any,
        y: Any,
        weights: np.ndarray,
        go_on: bool,
        classes: Any = None,
    ) -> tuple[Any, LabeledRows]:
        X = as_table(X)
        validate_data(self, with_names(X), reset=not go_on, skip_check_array=True)
        y = check_labels(y, len(weights))
        check_classification_targets(y)
        if classes is not None:
            classes = np.unique(check_labels(classes, len(classes)))
            if go_on and not np.array_equal(classes, self.classes_):
                raise ValueError(
                    f"classes={classes.tolist()} differ from those known so far, "
                    f"{self.classes_.tolist()}; leave them out, or start anew."
                )
        if not go_on:
            self.classes_ = np.unique(y[weights > 0] if classes is None else classes)
            if len(self.classes_) < 2:
                raise ValueError(
                    "DDCLClassifier needs at least 2 classes in y, got 1 class: "
                    f"{self.classes_.tolist()[0]!r}."
                )
        codes = _class_codes(y, self.classes_, weights)
        weights = apply_class_weight(self.class_weight, self.classes_, codes, weights)
        if go_on:
            encoded = self._table.transform(X)
        else:
            dtype = np.float64 if self.precision == "float64" else np.float32
            self._table = TableEncoder(self.categorical_features, dtype=dtype)
            encoded = self._table.fit(X, weights)
            telling = self.exact_values and telling_columns(encoded, codes, weights)
            if telling:
                encoded = self._table.learn_exact(X, weights, telling)
            self.exact_features_ = np.array(self._table.exact, dtype=np.int64)
        return X, LabeledRows(encoded, codes, weights)

    def _split(
        self, labeled: LabeledRows, given: tuple, seed: int
    ) -> tuple[LabeledRows, LabeledRows | None]:
        X_val, y_val, sample_weight_val = given
        used = labeled.used()
        if X_val is not None:
            weights = check_weights(sample_weight_val, _n_rows(X_val))
            X_val = as_table(X_val)
            validate_data(self, with_names(X_val), reset=False, skip_check_array=True)
            y_val = check_labels(y_val, len(weights))
            classes = self.classes_
            codes = _class_codes(y_val, classes, weights)
            weights = apply_class_weight(self.class_weight, classes, codes, weights)
            encoded = self._table.transform(X_val)
            return used, LabeledRows(encoded, codes, weights).used()
        if y_val is not None or sample_weight_val is not None:
            raise ValueError(
                "y_val and sample_weight_val need X_val; give all validation data."
            )
        if self.early_stopping in (False, "auto"):
            return used, None
        train, validation = hold_out(used.classes, self.validation_fraction, seed)
        return used.take(train), used.take(validation)

    def _start_anew(self, training: LabeledRows, seed: int) -> None:
        n_classes = len(self.classes_)
        self._fitted = new_network(self, self._table, training, n_classes, seed)
        self.history_ = TrainingHistory()
        forget_growth(self)
        self.__dict__.pop("net_", None)

    def _deal(self, training: LabeledRows, seed: int, go_on: bool) -> np.ndarray | None:
        """Return the folds of the rows, if the views know none that they will judge."""
        if go_on:
            # Rows that were dealt otherwise, or not at all, have been learned by all.
            dealt = self.__dict__.pop("_dealt", None)
            if dealt is None or dealt != Deal.of(training, dealt.seed):
                return None
            seed = dealt.seed
        self._dealt = Deal.of(training, seed)
        return choose_folds(self._fitted, training, seed)

    def _train(
        self,
        X: Any,
        y: Any,
        training: LabeledRows,
        folds: np.ndarray | None,
        validation: LabeledRows | None,
        judgments: list[dict[str, float]] | None,
        seed: int,
    ) -> None:
        rows = to_rows(self._fitted, training, folds)
        held_out = None if validation is None else to_rows(self._fitted, validation)
        net = prepare_net(
            self,
            self._fitted,
            rows,
            seed=seed,
            judge=choose_judge(rows, held_out, judgments),
        )
        self._use_net(net)
        with epoch_tasks(self, net, X, y), one_thread():
            net.partial_fit(rows)
            if self.n_prototypes == "auto":
                judging = rows if held_out is None else held_out
                drop_unneeded(self._fitted, net, rows, judging)

    def _take_over(self, rehearsal: Rehearsal) -> None:
        """Keep what a rehearsal left that its user has interrupted."""
        self._fitted, self.net_ = rehearsal.fitted, rehearsal.net
        self.history_ = rehearsal.net.measurements

    def _publish(self, X: Any, labeled: LabeledRows) -> None:
        """Set the fitted attributes from the trained network."""
        fitted, net = self._fitted, self.net_
        self.n_iter_ = len(net.measurements)
        self.best_epoch_ = getattr(net, "best_epoch", None)
        self.n_parameters_ = sum(
            p.numel() for p in fitted.network.parameters() if p.requires_grad
        )
        used = labeled.used().encoded
        publish_growth(self, fitted.network, net, used, fitted.mixed_precision)
        publish_pooling(
            self, fitted.network, used, fitted.table.kinds, fitted.mixed_precision
        )
        if fitted.network.bank is None:
            for name in _OF_PROTOTYPES:
                # Left by an earlier fit.
                self.__dict__.pop(name, None)
            return
        self.temperature_ = fitted.temperature
        self.prototypes_ = fitted.prototypes
        self.n_prototypes_ = len(self.prototypes_)
        self.prototype_votes_ = fitted.votes
        rows = typical_rows(fitted, labeled.encoded, labeled.weights)
        self.prototype_indices_ = rows
        self.prototype_examples_ = take_rows(X, rows)


# From outside: TransformerMixin has wrapped `transform` for set_output, and would have
# hidden the condition inside.
for _name in ("transform", "fit_transform", "get_feature_names_out"):
    _always = getattr(DDCLClassifier, _name)
    setattr(DDCLClassifier, _name, available_if(_has_prototypes)(_always))


def _n_rows(X: Any) -> int:
    return as_table(X).shape[0]


def _class_codes(y: np.ndarray, classes: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Return class indices; labels that only rows of weight zero have become 0."""
    try:
        codes = np.searchsorted(classes, y).clip(0, len(classes) - 1)
        unknown = (classes[codes] != y) & (weights > 0)
    except TypeError:
        # Text among numbers, or the other way round.
        codes, unknown = np.zeros(len(y), dtype=np.intp), weights > 0
    if unknown.any():
        raise ValueError(
            f"y has the label {y[unknown].tolist()[0]!r}, which is not among the "
            f"classes {classes.tolist()}. These are set by the first fit or "
            "partial_fit; start anew to add one."
        )
    return codes
