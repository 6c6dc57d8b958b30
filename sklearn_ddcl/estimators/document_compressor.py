"""A compressor of documents."""

import warnings
from numbers import Integral, Real
from typing import Any, ClassVar

import numpy as np
import torch
from sklearn.base import (
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    _fit_context,
)
from sklearn.exceptions import ConvergenceWarning
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d

from sklearn_ddcl.estimators.all_or_nothing import all_or_nothing
from sklearn_ddcl.estimators.document_fitting import fit_documents
from sklearn_ddcl.estimators.document_input import DocumentReader
from sklearn_ddcl.estimators.document_sequence import check_iterable, check_sequence
from sklearn_ddcl.estimators.fitted_document import FittedDocuments
from sklearn_ddcl.estimators.growth import forget_growth
from sklearn_ddcl.estimators.named_encoder import NamedEncoderMixin
from sklearn_ddcl.estimators.persistent import PersistentEstimator
from sklearn_ddcl.networks import DOCUMENT_ENCODERS
from sklearn_ddcl.training import TrainingHistory, draw_seed


class DDCLDocumentCompressor(
    NamedEncoderMixin,
    ClassNamePrefixFeaturesOutMixin,
    TransformerMixin,
    PersistentEstimator,
):
    r"""Compressor that turns documents of any length into vectors of one length.

    A document is a sequence of embedded tokens, or of sentences of tokens. On every
    level the items :math:`z_t` of a group, of masses :math:`w_t`, are softly assigned
    to prototypes, each of which keeps the mean of what came to it as a slot:

    .. math::
        q_{tk} \propto e^{-\lVert z_t - p_k \rVert^2 / \tau}, \qquad
        m_k = \sum_t w_t q_{tk}, \qquad
        s_k = \frac{1}{m_k} \sum_t w_t q_{tk} z_t .

    The slots of sentences are the items of the document. Its vector holds the direction
    of every slot of the last level, times the root of the slot's share of the mass; it
    has length one. Without classes prototypes are those of a codebook for the items;
    with classes these, and a linear map of the tokens, are trained to tell them, and
    so is an `encoder`, in which the tokens of a sentence attend to each other first.

    Parameters
    ----------
    n_prototypes : tuple of "auto" or int, default=(64, 16)
        Number of prototypes on every level, from the tokens up. With two levels
        documents are sentences of tokens; documents without sentences are cut into
        segments. With a single level documents are just tokens. "auto" counts how many
        prototypes the items of the level support, 64 at most: they split while they
        cool, and a third of the items says how far that describes them better.

    segment_length : int, default=128
        Tokens of a segment, in documents that have one level of nesting less than there
        are levels of prototypes. The last segment is shorter.

    supervised : "auto" or bool, default="auto"
        Whether to train for the classes `y` of :meth:`fit`; "auto" does so if they are
        given. A pipeline with a classifier hands them on: False leaves them to it.

    encoder : None, {"transformer", "aot", "incrt"} or parameter object, default=None
        Blocks of attention that tokens pass through before the first level compares
        them with prototypes, trained for the classes; without classes it is an error.
        A sentence or segment attends within itself, in windows of at most
        `segment_length` tokens of about equal length if it has more. "incrt" grows its
        own heads. An object such as :class:`~sklearn_ddcl.networks.TransformerEncoder`
        sets the sizes, ``encoder__d_token`` and others a search can reach. The blocks
        have a width `d_token` of their own, whatever that of the tokens; how numbers
        become tokens (`numerical`, `n_bins`) means nothing here.

    temperature : "auto" or float, default="auto"
        Temperature :math:`\tau`, in the unit of a squared distance, on all levels. With
        "auto" every level has one at which three prototypes share a token on the
        average.

    max_epochs : "auto" or int, default="auto"
        Passes over the tokens of a level, at most, when there are no classes; otherwise
        epochs of the training for them. "auto" is 300, or what about 400 steps take,
        but at least 10.

    batch_size : "auto" or int, default="auto"
        Documents per step of that training; "auto" is 32.

    lr : "auto" or float, default="auto"
        Learning rate of that training at its peak, which is lowered for weights of wide
        layers; "auto" is 0.01.

    prototype_lr_ratio : "auto" or float, default="auto"
        How many times faster prototypes learn, in units of the standard deviation of
        the tokens; "auto" is 1.

    device : str, default="auto"
        "auto" takes a CUDA device if there is one; otherwise a torch device name.

    precision : {"float32", "float64", "bf16"}, default="float32"
        Arithmetic; "bf16" counts only in training for classes, and is "float32"
        elsewhere.

    verbose : int, default=0
        1 prints every tenth pass or epoch, 2 every one.

    random_state : int, RandomState instance or None, default=None
        Seeds everything random, and touches no global generator.

    Attributes
    ----------
    prototypes_ : tuple of ndarray of shape (n_prototypes[l], d_token)
        Prototypes of every level: in the units of the tokens, or, if trained for
        classes, in those of the tokens that have passed the map and the encoder.

    n_prototypes_ : tuple of int
        Number of prototypes on every level, given or found.

    temperature_ : ndarray of shape (n_levels,)
        Temperature of every level.

    classes_ : ndarray of shape (n_classes,)
        Classes that were trained for, only if there were any.

    history_ : TrainingHistory
        One entry per pass over the tokens of a level, ``level`` 1, 2 ..., and per epoch
        of training for classes, ``level`` 0.

    n_iter_ : int
        Number of these.

    n_parameters_ : int
        Number of learned numbers.

    n_features_in_ : int
        Width of the tokens.

    n_heads_, heads_, growth_history_, predicted_max_heads_
        As of :class:`DDCLClassifier`, for ``encoder="incrt"``; ``reach`` counts tokens.

    See Also
    --------
    DDCLQuantizer : A codebook for rows.
    sklearn_ddcl.layers.PrototypeReadout : The same idea as a layer of a network.

    Notes
    -----
    Memory beyond the result does not grow with the number of documents:
    :meth:`transform` takes some at a time, from a generator if need be, and
    :meth:`fit` places prototypes by a sample of at most 2**25 numbers. Time is linear
    in the number of tokens.
    Documents are stacked only with others of their length, so there is no padding,
    except in training with an encoder. In a window, attention takes time and memory
    with the square of its tokens.

    References
    ----------
    .. [1] G. Cirrincione and R. R. Kumar, "Collapse-Free Prototype Readout Layer for
       Transformer Encoders", arXiv:2604.03850, 2026.
    .. [2] R. Arandjelovic and A. Zisserman, "All about VLAD", CVPR 2013.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn_ddcl import DDCLDocumentCompressor
    >>> rng = np.random.default_rng(0)
    >>> documents = [rng.normal(size=(n, 8)) for n in (40, 300, 7)]
    >>> compressor = DDCLDocumentCompressor((16, 4), random_state=0)
    >>> compressor.fit_transform(documents).shape
    (3, 32)

    Sentences of tokens, read slot by slot:

    >>> nested = [[own[:5], own[5:]] for own in documents]
    >>> first = compressor.slots(nested)[0]
    >>> first.sentence_shares.shape
    (4, 2)
    """

    _encoders: ClassVar[dict] = DOCUMENT_ENCODERS
    _fitted: FittedDocuments

    _parameter_constraints: ClassVar[dict] = {
        "n_prototypes": [
            tuple,
            list,
            StrOptions({"auto"}),
            Interval(Integral, 1, None, closed="left"),
        ],
        "segment_length": [Interval(Integral, 1, None, closed="left")],
        "supervised": [StrOptions({"auto"}), "boolean"],
        "encoder": [
            StrOptions(set(DOCUMENT_ENCODERS)),
            HasMethods(["check", "block_maker"]),
            None,
        ],
        "temperature": [
            StrOptions({"auto"}),
            Interval(Real, 0, None, closed="neither"),
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
        "device": [str],
        "precision": [StrOptions({"float32", "float64", "bf16"})],
        "verbose": ["verbose"],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        n_prototypes=(64, 16),
        *,
        segment_length=128,
        supervised="auto",
        encoder=None,
        temperature="auto",
        max_epochs="auto",
        batch_size="auto",
        lr="auto",
        prototype_lr_ratio="auto",
        device="auto",
        precision="float32",
        verbose=0,
        random_state=None,
    ):
        self.n_prototypes = n_prototypes
        self.segment_length = segment_length
        self.supervised = supervised
        self.encoder = encoder
        self.temperature = temperature
        self.max_epochs = max_epochs
        self.batch_size = batch_size
        self.lr = lr
        self.prototype_lr_ratio = prototype_lr_ratio
        self.device = device
        self.precision = precision
        self.verbose = verbose
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, docs, y=None):
        """Place the prototypes, and train them for classes if these are given.

        Parameters
        ----------
        docs : sequence of documents
            Each an array of shape (n_tokens, d), or a list of sentences that are; of
            any lengths. Empty sentences are passed over.
        y : array-like of shape (n_documents,), default=None
            Class of every document; see `supervised`.

        Returns
        -------
        self : DDCLDocumentCompressor
            Fitted estimator. If anything goes wrong it is left as it was.

        Raises
        ------
        ValueError
            If a document is empty, has other or non-finite numbers or is nested in
            another way, if classes do not fit, or an encoder has none, or a parameter
            is impossible; the message says which and what was expected.

        Warns
        -----
        ConvergenceWarning
            If there are prototypes that are nearest to no item.
        GrowthWarning
            If an encoder that grows is left with too few heads, or too many.
        """
        with all_or_nothing(self):
            sizes = self._check_sizes()
            docs = check_sequence(docs)
            names, classes = self._check_classes(docs, y)
            dtype = np.float64 if self.precision == "float64" else np.float32
            reader = DocumentReader(len(sizes), self.segment_length, dtype)
            seed = draw_seed(self.random_state)
            forget_growth(self)
            found = fit_documents(self, sizes, reader, docs, classes, seed)
            self._publish(found.fitted, found.history, names)
            if found.n_unused:
                _warn_of_unused(found.n_unused, sum(self.n_prototypes_))
        return self

    def transform(self, docs):
        """Return one vector per document.

        Parameters
        ----------
        docs : iterable of documents
            As in :meth:`fit`; here also a generator, of which a part is held at a time.

        Returns
        -------
        vectors : ndarray of shape (n_documents, n_prototypes[-1] * d)
            Of length one, slot after slot; in float32, or in float64 if that is the
            `precision`. A document's vector does not depend on the others.
        """
        check_is_fitted(self)
        vectors = list(self._fitted.vectors(check_iterable(docs)))
        if not vectors:
            raise ValueError("Got no documents; at least one is needed.")
        return np.concatenate(vectors)

    def slots(self, docs):
        """Return what became of every document, for reading.

        Parameters
        ----------
        docs : iterable of documents
            As in :meth:`transform`.

        Returns
        -------
        slots : list of DocumentSlots
            Per document the `vectors` and `weights` of its slots, and which tokens and
            sentences they come from.
        """
        check_is_fitted(self)
        return [
            self._fitted.slots(document, number)
            for number, document in enumerate(check_iterable(docs))
        ]

    @property
    def _n_features_out(self):
        """Width of the vectors, for :meth:`get_feature_names_out`."""
        return self._fitted.network.d_vector

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array = False
        tags.input_tags.three_d_array = True
        tags.transformer_tags.preserves_dtype = []
        return tags

    def _check_sizes(self) -> tuple[int | None, ...]:
        """Return the number of prototypes of every level, None where it is counted."""
        sizes = self.n_prototypes
        if isinstance(sizes, Integral):
            sizes = (sizes,)
        elif isinstance(sizes, str):
            sizes = ("auto", "auto")
        if not sizes or not all(map(_is_size, sizes)):
            raise ValueError(
                'n_prototypes must hold "auto" or a positive integer per level, such '
                f"as (64, 16), got {self.n_prototypes!r}."
            )
        return tuple(None if isinstance(size, str) else int(size) for size in sizes)

    def _check_classes(
        self, docs: Any, y: Any
    ) -> tuple[np.ndarray | None, np.ndarray | None]:
        """Return the classes and every document's; neither if there is no task."""
        if self.supervised is False or (y is None and self.supervised == "auto"):
            return None, None
        if y is None:
            raise ValueError(
                "supervised=True needs the class of every document; give y, or set "
                'supervised="auto".'
            )
        y = column_or_1d(y, warn=True)
        if len(y) != len(docs):
            raise ValueError(
                f"Got {len(docs)} documents and {len(y)} classes; every document needs "
                "one."
            )
        try:
            check_classification_targets(y)
        except ValueError as error:
            raise ValueError(
                f"{error} Set supervised=False to leave y to the next step."
            ) from None
        names, classes = np.unique(y, return_inverse=True)
        if len(names) < 2:
            raise ValueError(
                f"y holds a single class, {names[0]!r}. Give two at least, or set "
                "supervised=False."
            )
        return names, classes

    def _publish(
        self,
        fitted: FittedDocuments,
        history: TrainingHistory,
        names: np.ndarray | None,
    ) -> None:
        self._fitted, self.history_ = fitted, history
        self.prototypes_ = fitted.prototypes
        self.n_prototypes_ = tuple(map(len, self.prototypes_))
        self.temperature_ = fitted.temperatures
        self.n_iter_ = len(history)
        self.n_features_in_ = len(fitted.network.center)
        self.n_parameters_ = sum(p.numel() for p in fitted.network.parameters())
        if names is not None:
            self.classes_ = names
        elif hasattr(self, "classes_"):
            del self.classes_

    def _restore(self, state: dict[str, Any], device: torch.device) -> FittedDocuments:
        return FittedDocuments.from_state(state, device)


def _is_size(size: Any) -> bool:
    if isinstance(size, str):
        return size == "auto"
    return isinstance(size, Integral) and int(size) > 0


def _warn_of_unused(n_unused: int, n_prototypes: int) -> None:
    warnings.warn(
        f"{n_unused} of {n_prototypes} prototypes are nearest to nothing: fewer "
        "tokens, or slots of the level below, differ than there are prototypes. Ask "
        "for fewer with n_prototypes.",
        ConvergenceWarning,
        stacklevel=3,
    )
