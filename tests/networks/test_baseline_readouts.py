"""Readouts without prototypes, to compare with."""

import pytest
import torch
from torch.testing import assert_close

from sklearn_ddcl.networks.readouts import ClsReadout, MeanReadout

N_TOKENS = 6


def make(readout_class, generator, n_views=1):
    return readout_class(8, 3, 5, n_views=n_views, generator=generator)


@pytest.fixture
def tokens(generator):
    return torch.randn(4, N_TOKENS, 8, generator=generator)


@pytest.mark.parametrize("n_views", [1, N_TOKENS])
def test_the_class_token_decides_alone(generator, tokens, n_views):
    readout = make(ClsReadout, generator, n_views)

    log_proba, _ = readout(tokens)

    expected = readout.head(tokens[:, 0]).log_softmax(-1)
    assert_close(log_proba, expected[:, None])
    assert readout.n_decisions == 1


def test_of_columns_the_mean_token_decides_alone(generator, tokens):
    readout = make(MeanReadout, generator)

    log_proba, _ = readout(tokens)

    expected = readout.head(tokens.mean(1)).log_softmax(-1)
    assert_close(log_proba, expected[:, None])
    assert readout.n_decisions == 1


def test_each_view_decides_by_itself(generator, tokens):
    readout = make(MeanReadout, generator, n_views=N_TOKENS)

    log_proba, _ = readout(tokens)

    for view in range(N_TOKENS):
        expected = readout.head(tokens[:, view]).log_softmax(-1)
        assert_close(log_proba[:, view], expected)
    assert log_proba.shape == (4, readout.n_decisions, 3) == (4, N_TOKENS, 3)


@pytest.mark.parametrize("readout_class", [ClsReadout, MeanReadout])
def test_a_temperature_divides_the_logits(generator, tokens, readout_class):
    readout = make(readout_class, generator)
    plain = readout(tokens)[0]
    readout.temperature.fill_(2.5)

    odds = readout(tokens)[0].diff(dim=-1)

    assert_close(odds, plain.diff(dim=-1) / 2.5)


@pytest.mark.parametrize("readout_class", [ClsReadout, MeanReadout])
def test_the_temperature_is_saved_and_not_learned(generator, readout_class):
    readout = make(readout_class, generator)

    assert float(readout.state_dict()["temperature"]) == 1
    assert "temperature" not in dict(readout.named_parameters())
