"""Torch layers: state only, the mathematics comes from `functional`."""

from sklearn_ddcl.layers.attention import AttentionBlock
from sklearn_ddcl.layers.categorical import CategoryTokenizer
from sklearn_ddcl.layers.class_votes import ClassVotes
from sklearn_ddcl.layers.codebook import Codebook, Quantized
from sklearn_ddcl.layers.context_pool import ContextPool
from sklearn_ddcl.layers.context_pool2d import ContextPool2d
from sklearn_ddcl.layers.document_slots import SlotPooling, Slots, document_vectors
from sklearn_ddcl.layers.document_tokens import DocumentTokens
from sklearn_ddcl.layers.growing_attention import GrowingAttention
from sklearn_ddcl.layers.knot_intervals import KnotIntervals
from sklearn_ddcl.layers.linear import Linear
from sklearn_ddcl.layers.linear_numbers import LinearTokenizer
from sklearn_ddcl.layers.mixed_numbers import MixedTokenizer
from sklearn_ddcl.layers.periodic import PeriodicTokenizer
from sklearn_ddcl.layers.piecewise_linear import PiecewiseLinearTokenizer
from sklearn_ddcl.layers.pooling import ClsPooling, MeanPooling
from sklearn_ddcl.layers.prototype_feed_forward import PrototypeFeedForward
from sklearn_ddcl.layers.prototype_readout import PrototypeReadout, Readout
from sklearn_ddcl.layers.step_dropout import StepDropout
from sklearn_ddcl.layers.subspace_attention import SubspaceAttention
from sklearn_ddcl.layers.tokenizer import TableTokenizer
from sklearn_ddcl.layers.views import Views
from sklearn_ddcl.layers.with_plain_numbers import WithPlainNumbers

__all__ = [
    "AttentionBlock",
    "CategoryTokenizer",
    "ClassVotes",
    "ClsPooling",
    "Codebook",
    "ContextPool",
    "ContextPool2d",
    "DocumentTokens",
    "GrowingAttention",
    "KnotIntervals",
    "Linear",
    "LinearTokenizer",
    "MeanPooling",
    "MixedTokenizer",
    "PeriodicTokenizer",
    "PiecewiseLinearTokenizer",
    "PrototypeFeedForward",
    "PrototypeReadout",
    "Quantized",
    "Readout",
    "SlotPooling",
    "Slots",
    "StepDropout",
    "SubspaceAttention",
    "TableTokenizer",
    "Views",
    "WithPlainNumbers",
    "document_vectors",
]
