"""An autoencoder learns to rebuild rows from codes, phase by phase."""

import math
from itertools import pairwise

import pytest
import torch
from skorch.callbacks import Callback

from sklearn_ddcl.training import EncodedRows

KINDS = [("product", 1), ("product", 2), ("residual", 2)]


class Watch(Callback):
    """Keep the weights of encoder, decoder and codebook after every epoch."""

    def __init__(self):
        self.seen = []

    def on_epoch_end(self, net, **kwargs):
        network = net.module_
        parts = {
            "encoder": network.autoencoder.encoder,
            "decoder": network.autoencoder.decoder,
            "codebook": network.codebook,
        }
        weights = {
            name: torch.cat([p.detach().flatten() for p in part.parameters()])
            for name, part in parts.items()
        }
        self.seen.append((net.phase, weights))


@pytest.mark.parametrize(("kind", "m"), KINDS)
def test_six_groups_get_codes_that_tell_them_apart(make, rows, kind, m):
    net = make(kind=kind, m=m, max_epochs=40).partial_fit(rows)
    last = net.measurements[-1]

    assert last["hard_reconstruction"] < 0.2 * net.measurements[0]["reconstruction"]
    assert last["utilization"] == 1
    # The second residual book may find almost nothing left to tell apart.
    assert last["min_prototype_distance"] > (0.1 if kind == "product" else 0)
    if m == 1:
        codes = net.module_.encode(*rows.tensors[:2])[:, 0]
        groups = torch.arange(240) % 6
        assert len({*zip(codes.tolist(), groups.tolist(), strict=True)}) == 6


@pytest.mark.parametrize(("kind", "m"), KINDS)
def test_hard_codes_rebuild_as_well_as_soft_ones_in_the_end(make, rows, kind, m):
    net = make(kind=kind, m=m, max_epochs=40).partial_fit(rows)
    last = net.measurements[-1]

    assert last["hard_reconstruction"] < 1.1 * last["soft_reconstruction"] + 1e-3


def test_each_phase_moves_what_it_is_there_for(make, rows):
    watch = Watch()
    make(max_epochs=20, callbacks=(watch,)).partial_fit(rows)
    moved = {"free": set(), "soft": set(), "hard": set()}
    for (_, before), (phase, after) in pairwise(watch.seen):
        changed = {name for name in after if not torch.equal(before[name], after[name])}
        moved[phase] |= changed

    assert [phase for phase, _ in watch.seen] == 2 * ["free"] + 15 * ["soft"] + 3 * [
        "hard"
    ]
    assert moved == {
        "free": {"encoder", "decoder"},
        "soft": {"encoder", "decoder", "codebook"},
        "hard": {"decoder", "codebook"},
    }


def test_the_same_seed_trains_the_same_weights(make, rows):
    states = []
    for seed in (0, 0, 1):
        net = make(seed=seed).partial_fit(rows)
        states.append(torch.cat([p.flatten() for p in net.module_.parameters()]))

    assert torch.equal(states[0], states[1])
    assert not torch.equal(states[0], states[2])


def test_a_row_of_weight_zero_leaves_no_trace(make, rows):
    # One batch: how many rows share a batch would else depend on those without weight.
    numbers, codes, classes, weights = rows.tensors[:4]
    weights = weights.clone()
    weights[:30] = 0
    results = []
    for garbage in (0.0, 50.0):
        own = numbers.clone()
        own[:30] = garbage
        net = make(dtype=torch.float64, batch_size=240, max_epochs=6)
        net.partial_fit(EncodedRows(own.double(), codes, classes, weights.double()))
        results.append(net.module_.latents(numbers[30:].double(), codes[30:]))

    torch.testing.assert_close(results[0], results[1])


def test_what_stands_in_a_missing_cell_does_not_matter(make, rows):
    net = make()
    numbers = rows.tensors[0]
    missing = numbers.isnan()
    rebuilt = torch.zeros(240, 2 + 4)
    rebuilt[:, :2][missing] = 1e6
    targets = rows[:][1]
    inputs = rows[:][0]

    loss = net.get_loss((rebuilt, None, None), targets, X=inputs)

    rebuilt[:, :2][missing] = 0
    assert loss == net.get_loss((rebuilt, None, None), targets, X=inputs)
    assert loss.isfinite()


def test_an_epoch_tells_both_reconstructions_and_how_codes_are_used(make, rows):
    net = make().partial_fit(rows)
    free, last = net.measurements[0], net.measurements[-1]

    assert net.measurements["epoch"] == list(range(1, 11))
    assert free["phase"] == "free"
    assert math.isnan(free["hard_reconstruction"])
    assert all(math.isfinite(value) for name, value in last.items() if name != "phase")
    assert 1 <= last["perplexity"] <= 6
    assert list(free) == list(last)


def test_the_temperature_falls_until_codes_are_hard(make, rows):
    net = make(max_epochs=20).partial_fit(rows)
    soft = [row for row in net.measurements if row["phase"] == "soft"]

    # In the first soft epoch cells still are what the free phase left.
    assert soft[-1]["temperature"] < 0.2 * soft[1]["temperature"]


def test_a_fixed_temperature_stays(make, rows):
    net = make(temperature=0.25).partial_fit(rows)

    assert {row["temperature"] for row in net.measurements[1:]} == {0.25}


def test_latents_do_not_shrink_into_one_point(make, rows):
    net = make(max_epochs=40).partial_fit(rows)
    latents = net.module_.latents(*rows.tensors[:2])[:, 0].detach()
    groups = torch.arange(240) % 6
    means = torch.stack([latents[groups == g].mean(0) for g in range(6)])
    within = (latents - means[groups]).square().sum(1).mean()

    assert torch.pdist(means).square().min() > 4 * within


@pytest.mark.parametrize("max_epochs", [1, 2])
def test_a_very_short_training_places_the_codebook(make, rows, max_epochs):
    net = make(max_epochs=max_epochs).partial_fit(rows)

    assert net.measurements[-1]["utilization"] > 0.5


def test_more_prototypes_than_distinct_rows_do_no_harm(make, rows):
    few = EncodedRows(
        *(
            column[:6].repeat(10, *[1] * (column.ndim - 1))
            for column in rows.tensors[:4]
        )
    )
    net = make(k=20, max_epochs=20).partial_fit(few)

    assert math.isfinite(net.measurements[-1]["hard_reconstruction"])
    assert net.measurements[-1]["utilization"] <= 6 / 20


def test_it_trains_under_autocast(make, rows):
    net = make(mixed_precision=True, max_epochs=20).partial_fit(rows)
    first, last = net.measurements[0], net.measurements[-1]

    assert last["hard_reconstruction"] < 0.5 * first["reconstruction"]
