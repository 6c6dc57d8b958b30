"""Readouts without prototypes, to compare with."""

import torch
from torch.testing import assert_close

from sklearn_ddcl.networks.readouts import ClsReadout, MeanReadout


def make(readout_class, generator):
    return readout_class(8, 3, 5, tokens_are_views=True, generator=generator)


def test_the_class_token_decides_alone(generator):
    readout = make(ClsReadout, generator)
    tokens = torch.randn(4, 6, 8, generator=generator)

    log_proba, _ = readout(tokens)

    expected = readout.head(tokens[:, 0]).log_softmax(-1)
    assert_close(log_proba, expected[:, None])


def test_the_mean_token_decides_alone(generator):
    readout = make(MeanReadout, generator)
    tokens = torch.randn(4, 6, 8, generator=generator)

    log_proba, _ = readout(tokens)

    expected = readout.head(tokens.mean(1)).log_softmax(-1)
    assert_close(log_proba, expected[:, None])
