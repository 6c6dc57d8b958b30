"""Training that is cut into pieces grows, and anneals, as in one piece."""

import pytest
import torch
from skorch.callbacks import Callback

from sklearn_ddcl.networks import INCRTEncoder, TableClassifier
from sklearn_ddcl.networks.table import TableSpec, choose_knots
from sklearn_ddcl.training import make_net
from sklearn_ddcl.training.callbacks.grow_heads import GrowHeads
from sklearn_ddcl.training.growth import GrowthController, controller

N_EPOCHS, STEPS_PER_EPOCH = 40, 3


class Rates(Callback):
    """Note the rate of every training step."""

    def __init__(self):
        self.seen = []

    def on_batch_end(self, net, training=False, **kwargs):
        if training:
            self.seen.append(net.optimizer_.param_groups[-1]["lr"])


@pytest.fixture
def train(rows, plan, monkeypatch):
    """Return a function that trains a net whose layers always want heads."""
    monkeypatch.setattr(GrowthController, "n_missing", lambda self, number: 99)

    def run(pieces):
        network = TableClassifier(
            TableSpec(2, (3,), choose_knots(rows.tensors[0], 4)),
            2,
            INCRTEncoder(n_layers=1, d_token=4, d_head=2, n_prototypes=2, max_heads=4),
            readout="ddcl",
            n_prototypes=4,
            generator=torch.Generator().manual_seed(0),
        )
        rates = Rates()
        net = make_net(
            network,
            plan(max_epochs=N_EPOCHS),
            seed=0,
            device=torch.device("cpu"),
            extra_callbacks=(rates,),
        )
        net.initialize()
        for n_epochs in pieces:
            net.partial_fit(rows, epochs=n_epochs)
        return net, rates.seen

    return run


@pytest.mark.filterwarnings("ignore:Head .* could go", "ignore:.* misses attention")
def test_pieces_grow_as_a_whole_does(train):
    whole, rates = train([N_EPOCHS])
    grown_at = [
        STEPS_PER_EPOCH * row["epoch"]
        for row in whole.growth_history
        if row["action"] == "grow"
    ]
    assert grown_at
    # One cut in the middle of a schedule that has begun again.
    cut = grown_at[-1] // STEPS_PER_EPOCH + 2
    pieces, rates_of_pieces = train([5, cut - 5, N_EPOCHS - cut])
    assert rates_of_pieces == rates
    assert str(pieces.growth_history) == str(whole.growth_history)
    for first, second in zip(
        pieces.module_.parameters(), whole.module_.parameters(), strict=True
    ):
        assert torch.equal(first, second)


@pytest.mark.filterwarnings("ignore:Head .* could go", "ignore:.* misses attention")
@pytest.mark.parametrize("later", [-1, 0])
def test_a_cut_may_come_right_before_or_after_a_turn(train, monkeypatch, later):
    monkeypatch.setattr(controller, "_STEPS_BETWEEN_LOOKS", 2 * STEPS_PER_EPOCH)
    judged = []
    judge = GrowHeads._judge

    def note(self, net):
        judged.append(len(self.batches_))
        return judge(self, net)

    monkeypatch.setattr(GrowHeads, "_judge", note)
    whole, _ = train([N_EPOCHS])
    turned = [row["epoch"] for row in whole.growth_history if row["action"] == "turn"]
    assert turned
    cut = turned[0] + later
    pieces, _ = train([cut, N_EPOCHS - cut])
    # What a head is worth is judged by as many rows at the start of a piece.
    assert set(judged) == {STEPS_PER_EPOCH}
    assert str(pieces.growth_history) == str(whole.growth_history)
    assert torch.equal(pieces.module_.bank.prototypes, whole.module_.bank.prototypes)


@pytest.mark.filterwarnings("ignore:Head .* could go", "ignore:.* misses attention")
def test_rates_start_at_their_peak_after_a_growth_and_end_low(train):
    net, rates = train([N_EPOCHS])
    grown_at = net.growth.grown_at
    factors = [
        net.plan.lr_factor(net.growth.annealed(step, len(rates)), len(rates))
        for step in range(grown_at, len(rates))
    ]
    assert rates[grown_at:] == pytest.approx([net.plan.lr * f for f in factors])
    assert rates[grown_at] > rates[grown_at - 1]
    assert rates[-1] < 0.01 * max(rates)
