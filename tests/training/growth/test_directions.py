"""The directions in which attention is missing, against tasks of known directions."""

import pytest
import torch
from torch.testing import assert_close

from sklearn_ddcl.training.growth.directions import Directions
from sklearn_ddcl.training.growth.layer_growth import row_halves

D_TOKEN = 12
N_ROWS, BATCH = 25_600, 128


def follow(directions, x, residual):
    halves = torch.arange(len(x)) % 2 == 0
    for part in torch.arange(len(x)).split(BATCH):
        ones = torch.ones(len(part))
        directions.update(x[part], residual[part], None, ones, halves[part])
    return directions


@pytest.mark.parametrize("n_heads", [1, 2, 3])
def test_as_many_directions_explain_something_as_heads_are_missing(
    teacher, generator, n_heads
):
    x, residual = teacher(n_heads, N_ROWS, noise=0.0)
    directions = follow(Directions(D_TOKEN, 6, generator), x, residual)
    shares = directions.shares.sort(descending=True).values
    assert shares[n_heads - 1] > 0.01 > 15 * shares[n_heads:].max()
    assert directions.significant.sum() == n_heads


def test_the_only_term_is_the_missing_head(generator):
    frame = torch.linalg.qr(torch.randn(D_TOKEN, 4, generator=generator)).Q
    query, key, value, out = frame.T
    x = torch.randn(N_ROWS, 6, D_TOKEN, generator=generator)
    # Linear attention: no softmax between the task and the formula.
    weights = (x @ query)[..., None] * (x @ key)[:, None, :]
    residual = (weights @ (x @ value)[..., None]) * out / 6

    directions = follow(Directions(D_TOKEN, 3, generator), x, residual)
    (term,) = directions.terms(0.25, 5)

    both = torch.outer(key, value)
    expected = torch.stack([torch.outer(query, out), (both + both.T) / 2**0.5])
    for found, wanted in zip(term[1:], expected, strict=True):
        assert abs(float((found * wanted).sum())) > 0.95
    directions.forget()
    assert directions.terms(0.25, 5) == []


def test_there_is_a_term_for_every_missing_head(teacher, generator):
    x, residual = teacher(3, N_ROWS, noise=0.0)
    directions = follow(Directions(D_TOKEN, 6, generator), x, residual)
    assert len(directions.terms(0.25, 6)) == 3
    assert len(directions.terms(0.25, 2)) == 2


def test_what_a_token_asks_for_by_itself_is_no_direction(generator):
    x = torch.randn(N_ROWS, 6, D_TOKEN, generator=generator)
    residual = x @ torch.randn(D_TOKEN, D_TOKEN, generator=generator)
    directions = follow(Directions(D_TOKEN, 4, generator), x, residual)
    assert directions.shares.max() < 1e-3


def test_noise_is_no_direction_however_long_it_is_looked_at(generator):
    x = torch.randn(512, 6, D_TOKEN, generator=generator)
    residual = torch.randn(512, 6, D_TOKEN, generator=generator)
    directions = Directions(D_TOKEN, 4, generator)
    for _ in range(30):
        follow(directions, x, residual)
    # The half that looks has found something: chance, which the other half denies.
    halves = torch.arange(512) % 2 == 0
    fooled = Directions(D_TOKEN, 4, generator)
    fooled.demands, fooled.contexts = directions.demands, directions.contexts
    fooled.mean_context = directions.mean_context
    fooled.update(x[halves], residual[halves], None, torch.ones(256), ~halves[halves])
    assert fooled.shares.max() > 5 * directions.shares.max().clamp_min(1e-6)
    assert directions.shares.max() < 2e-3


def test_a_weight_of_two_is_a_row_twice(teacher, generator):
    x, residual = teacher(2, 64)
    learns = torch.arange(64) % 2 == 0
    weights = 1 + (torch.arange(64) % 3 == 0).float()
    twice = torch.repeat_interleave(torch.arange(64), weights.long())
    first, second = (
        Directions(D_TOKEN, 3, torch.Generator().manual_seed(0)) for _ in range(2)
    )
    for _ in range(3):
        first.update(x, residual, None, weights, learns)
        second.update(
            x[twice], residual[twice], None, torch.ones(len(twice)), learns[twice]
        )
    assert_close(first.demands, second.demands, rtol=1e-4, atol=1e-5)
    assert_close(first.shares, second.shares, rtol=1e-4, atol=1e-8)


def test_nothing_measured_is_nothing_found(generator):
    directions = Directions(D_TOKEN, 3, generator)
    assert directions.shares.tolist() == [0, 0, 0]
    assert not directions.significant.any()


def test_rows_are_dealt_by_their_content(generator):
    numbers = torch.randn(2000, 3, generator=generator)
    numbers[5, 1] = torch.nan
    codes = torch.randint(0, 4, (2000, 2), generator=generator)
    halves = row_halves(numbers, codes)
    order = torch.randperm(2000, generator=generator)

    assert torch.equal(row_halves(numbers[order], codes[order]), halves[order])
    assert 0.45 < halves.double().mean() < 0.55


def test_rows_of_categories_alone_are_dealt_too(generator):
    codes = torch.randint(0, 9, (2000, 4), generator=generator)
    halves = row_halves(torch.zeros(2000, 0), codes)
    assert 0.4 < halves.double().mean() < 0.6
