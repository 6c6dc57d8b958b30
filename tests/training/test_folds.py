"""Rows are dealt to folds class by class; a view learns from those it keeps."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.testing import assert_close

from sklearn_ddcl.training.data import Targets
from sklearn_ddcl.training.folds import (
    N_FOLDS,
    assign_folds,
    is_left_out,
    judged_rows,
    learned_rows,
    spare_left_out,
)


@settings(max_examples=25)
@given(st.integers(0, 10**6), st.integers(40, 90))
def test_every_class_and_the_table_are_dealt_evenly(seed, n):
    # From one row of a class to most of them.
    classes = np.random.default_rng(seed).geometric(0.4, n)
    folds = assign_folds(classes, seed)

    assert folds.dtype == np.int64
    assert sorted(set(folds)) == [0, 1, 2, 3]
    for dealt in [folds, *(folds[classes == label] for label in set(classes))]:
        counts = np.bincount(dealt, minlength=N_FOLDS)
        assert counts.max() - counts.min() <= 1


def test_neighbors_are_dealt_independently():
    # Neither blocks nor every fourth row: tables are often sorted.
    folds = assign_folds(np.zeros(4000, dtype=int), seed=0)

    pairs = np.bincount(4 * folds[:-1] + folds[1:])
    assert pairs.min() > 200
    assert pairs.max() < 300


@pytest.mark.parametrize(("n", "enough"), [(39, False), (40, True)])
def test_few_rows_are_not_dealt(n, enough):
    assert (assign_folds(np.arange(n) % 2, seed=0) is not None) == enough


def test_the_seed_decides():
    classes = np.arange(200) % 3
    first, second, other = (assign_folds(classes, seed=s) for s in (3, 3, 4))

    assert (first == second).all()
    assert (first != other).any()


@pytest.mark.parametrize("n_views", [1, 4, 6, 8])
def test_view_v_leaves_out_fold_v_of_four(n_views):
    left_out = is_left_out(torch.tensor([0, 1, 2, 3, -1]), n_views)

    expected = [[v % 4 == fold for v in range(n_views)] for fold in (0, 1, 2, 3, -1)]
    assert left_out.tolist() == expected
    assert not left_out[-1].any()


def test_of_rows_of_its_own_every_view_leaves_out_its_fold():
    own = torch.tensor([[0, 1, 3, 2, 1], [1, 1, 2, 3, 0]])

    expected = [[fold == v % 4 for v, fold in enumerate(row)] for row in own.tolist()]
    assert is_left_out(own, 5).tolist() == expected


@settings(max_examples=25)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=30), st.integers(4, 9))
def test_every_view_gets_the_rows_that_it_learns_from(folds, n_views):
    rows = learned_rows(torch.tensor(folds), n_views)

    # As many as the view that learns from most, and none of them twice.
    most = max(sum(fold != f for fold in folds) for f in range(4))
    assert rows.shape == (most, n_views)
    left_out = is_left_out(torch.tensor(folds)[rows], n_views)
    for v in range(n_views):
        mine = rows[:, v].tolist()
        assert len(set(mine)) == most
        kept = [row for row, fold in enumerate(folds) if fold != v % 4]
        assert sorted(set(mine) - set(kept)) == sorted(rows[left_out[:, v], v].tolist())
        assert set(kept) <= set(mine)


@settings(max_examples=25)
@given(st.lists(st.integers(0, 3), min_size=1, max_size=30), st.integers(4, 9))
def test_every_view_may_judge_the_rows_that_it_leaves_out(folds, n_views):
    rows, by_fold = judged_rows(torch.tensor(folds), n_views)

    most = max(folds.count(f) for f in range(4))
    assert rows.shape == (most, n_views)
    for f in range(4):
        judged = by_fold[:, f].tolist()
        left_out = [row for row, fold in enumerate(folds) if fold == f]
        assert judged == left_out + [-1] * (most - len(left_out))
        for v in range(f, n_views, 4):
            assert rows[: len(left_out), v].tolist() == left_out
    assert rows.min() >= 0


def folded_batch(rows, folds):
    inputs, targets = rows[:]
    inputs = inputs._replace(numbers=inputs.numbers.double())
    return inputs, targets._replace(weights=torch.arange(1.0, 61).double(), folds=folds)


UNEVEN = torch.tensor([0, 1, 2, 3, 3, 3]).repeat(10)


@pytest.mark.parametrize("dropout", [False, True])
@pytest.mark.parametrize("folds", [UNEVEN, torch.full((60,), 2)], ids=["uneven", "one"])
@pytest.mark.parametrize("readout", ["ddcl", "mean"])
def test_rows_that_are_spared_teach_what_masked_ones_do(
    make, rows, readout, folds, dropout
):
    net = make("five views", readout)
    network = net.module_.double().train(dropout)
    masked = folded_batch(rows, folds)
    spared = spare_left_out(*masked, network.n_decisions)

    def learn(inputs, targets):
        network.use_generator(torch.Generator().manual_seed(1))
        network.zero_grad()
        loss = net.get_loss(net.infer(inputs), targets, training=True)
        loss.backward()
        grads = {name: p.grad.clone() for name, p in network.named_parameters()}
        return loss.detach(), net.task_loss_, grads

    assert spared[0].rows.shape == spared[1].weights.shape
    if folds is UNEVEN:
        assert len(spared[0].rows) < 60
    assert_close(learn(*spared), learn(*masked), rtol=1e-9, atol=1e-12)


def test_only_folds_and_enough_views_spare_rows(rows):
    batch = folded_batch(rows, UNEVEN)
    inputs, targets = batch

    assert spare_left_out(inputs, targets, 3) == batch
    whole = targets._replace(folds=torch.full((60,), -1))
    assert spare_left_out(inputs, whole, 8) == (inputs, whole)


def test_what_is_known_of_a_row_goes_with_it(rows):
    batch = folded_batch(rows, UNEVEN)
    inputs, targets = spare_left_out(*batch, 8)

    assert inputs.numbers is batch[0].numbers
    assert inputs.codes is batch[0].codes
    for name in Targets._fields:
        known = getattr(batch[1], name)
        expected = [[known[row] for row in own] for own in inputs.rows.tolist()]
        assert torch.equal(getattr(targets, name), torch.tensor(expected).to(known))


def own_slopes(network):
    """Return the gradients of what views have of their own, the view first.

    Embeddings stand side by side, four numbers each. Shared are the curves and waves of
    numbers, the projection and what follows it.
    """
    slopes = {}
    for name, values in network.named_parameters():
        if name.startswith("encoder.category_tokenizer"):
            parts = values.grad.flatten(0, -2).unflatten(1, (-1, 4))
            slopes[name] = parts.transpose(0, 1)
        elif name.startswith("encoder.views") and "project" not in name:
            slopes[name] = values.grad.flatten(1)
    return slopes


@pytest.mark.parametrize("view", range(5))
@pytest.mark.parametrize("readout", ["ddcl", "mean"])
def test_the_loss_of_a_view_moves_no_other_one(make, rows, readout, view):
    network = make("five views", readout).module_.double().eval()
    inputs, targets = folded_batch(rows, UNEVEN)
    own = network(*inputs)[0][torch.arange(60), view, targets.classes]
    own.sum().backward()

    slopes = own_slopes(network)
    assert len(slopes) == 1 + 2 * 2
    felt = torch.zeros(5, dtype=torch.bool)
    for values in slopes.values():
        felt |= values.flatten(1).any(1)
    assert felt.tolist() == [v == view for v in range(5)]
    shared = ["offset", "encoder.views.project.weight"]
    shared += [name for name, _ in network.named_parameters() if "readout" in name]
    assert all(network.get_parameter(name).grad.any() for name in shared)


@pytest.mark.parametrize("fold", range(4))
@pytest.mark.parametrize("readout", ["ddcl", "mean"])
def test_labels_of_rows_left_out_move_nothing_of_a_view(make, rows, readout, fold):
    net = make("five views", readout)
    network = net.module_.double().eval()
    inputs, targets = folded_batch(rows, UNEVEN)
    flipped = torch.where(UNEVEN == fold, 1 - targets.classes, targets.classes)

    def slopes(classes):
        batch = spare_left_out(inputs, targets._replace(classes=classes), 5)
        network.zero_grad()
        net.get_loss(net.infer(batch[0]), batch[1], training=True).backward()
        return {name: own.clone() for name, own in own_slopes(network).items()}

    before, after = slopes(targets.classes), slopes(flipped)

    for name in ("encoder.views.weights.0", "encoder.views.biases.1"):
        moved = (before[name] != after[name]).flatten(1).any(1)
        assert moved.tolist() == [v % 4 != fold for v in range(5)]
    for name in before:
        moved = (before[name] != after[name]).flatten(1).any(1)
        assert not any(moved[v] for v in range(5) if v % 4 == fold)
