"""Growth in a training of one's own: as many heads as the task has, and no more."""

import warnings

import pytest
import torch

from sklearn_ddcl.networks import GrowthRule
from sklearn_ddcl.training.growth import GrowthController
from sklearn_ddcl.training.messages import GrowthWarning

from .conftest import Student

BATCH, STEPS_PER_LOOK = 64, 20


def train(controller, x, y, generator, n_looks, lr=1e-2):
    """Train, and return the actions of every look."""
    network = controller.module
    optimizer = torch.optim.AdamW(network.parameters(), lr=lr, weight_decay=0.0)
    controller.watch()
    halves = torch.arange(len(x)) % 2 == 0

    def judge():
        with torch.no_grad():
            return float((network(x[:256]) - y[:256]).square().mean())

    actions = []
    for look in range(n_looks):
        order = torch.randperm(len(x), generator=generator)
        losses = []
        for rows in order[: STEPS_PER_LOOK * BATCH].split(BATCH):
            loss = (network(x[rows]) - y[rows]).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            controller.measure(torch.ones(len(rows)), halves[rows])
            losses.append(float(loss.detach()))
        loss, step = sum(losses) / len(losses), (look + 1) * STEPS_PER_LOOK
        progress = (look + 1) / n_looks
        actions += controller.end_epoch(step, progress, loss, judge, optimizer)
    controller.finish()
    return actions


@pytest.fixture
def grow(teacher, generator, torch_seed):
    """Return a function that grows a network on a task of some heads."""

    def run(rank, n_looks=50, n_heads=1, max_heads=6):
        x, y = teacher(rank, 4096)
        student = Student(generator, n_heads=n_heads)
        controller = GrowthController(student, GrowthRule(max_heads), generator)
        actions = train(controller, x, y, generator, n_looks)
        return controller, actions

    return run


@pytest.mark.parametrize("rank", [1, 3])
def test_it_grows_as_many_heads_as_the_task_has(grow, rank):
    controller, actions = grow(rank)
    n_heads = controller.module.attention.n_heads
    assert abs(n_heads - rank) <= rank // 3
    # Several may come at once.
    assert (rank > 1) <= actions.count("grow") <= n_heads - 1
    # Sufficient: nothing is left that would be worth a head.
    assert controller.leading_energy(0) < controller.threshold(0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        controller.warn_if_insufficient()
    bound, count = controller.predicted[0]
    assert abs(count - rank) <= 1
    assert bound >= count


def test_the_energy_that_is_left_falls_as_heads_come(grow):
    controller, _ = grow(3)
    assert controller.layers[0].largest > 5 * controller.leading_energy(0)


def test_noise_makes_nothing_grow(student, generator):
    x, y = torch.randn(2, 512, 6, 12, generator=generator)
    controller = GrowthController(student, GrowthRule(6), generator)
    actions = train(controller, x, y, generator, 30)
    assert set(actions) <= {"none", "turn"}
    assert student.attention.n_heads == 1


def test_no_more_heads_than_allowed_and_a_warning_for_it(grow):
    controller, _ = grow(4, max_heads=2)
    assert controller.module.attention.n_heads == 2
    assert controller.leading_energy(0) > controller.threshold(0)
    # As at a look at which it has stood there for some time.
    controller.layers[0].high = controller.rule.patience
    with pytest.warns(GrowthWarning, match="raise max_heads"):
        controller.warn_if_insufficient()


def test_heads_that_do_nothing_are_removed_for_good(student, generator, torch_seed):
    student = Student(generator, n_heads=4)
    x = torch.randn(2048, 6, 12, generator=generator)
    y = x @ torch.randn(12, 12, generator=generator)
    with torch.no_grad():
        # Three of four heads add the same to all tokens.
        student.attention.output[1:] *= 1e-4
    controller = GrowthController(student, GrowthRule(6), generator)
    actions = train(controller, x, y, generator, 15, lr=1e-7)
    assert "prune" in actions
    assert student.attention.n_heads == 1
    assert controller.layers[0].closed
    assert len(controller.layers[0].heads) == 1


def test_a_layer_that_lost_a_head_never_grows_again(teacher, student, generator):
    x, y = teacher(2, 2000)
    controller = GrowthController(student, GrowthRule(6), generator)
    controller.layers[0].closed = True
    assert "grow" not in train(controller, x, y, generator, 25)


def test_an_idle_head_is_turned_before_another_one_comes(
    teacher, generator, torch_seed
):
    x, y = teacher(1, 4096)
    student = Student(generator)
    with torch.no_grad():
        # It can neither see nor say anything, so that it cannot learn.
        student.attention.bases.zero_()
        student.attention.output.zero_()
    controller = GrowthController(student, GrowthRule(6), generator)
    actions = train(controller, x, y, generator, 40)
    assert [action for action in actions if action != "none"] == ["turn"]
    assert student.attention.n_heads == 1
    assert controller.leading_energy(0) < controller.threshold(0)


def test_the_cost_of_a_head_leaves_it_where_it_is(teacher, student, generator):
    x, y = teacher(1, 100)
    controller = GrowthController(student, GrowthRule(2), generator)
    before = {name: w.clone() for name, w in student.state_dict().items()}
    controller.removal_costs(0, lambda: float((student(x) - y).square().mean()))
    after = student.state_dict()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_a_head_that_could_go_is_told_of(generator, torch_seed):
    student = Student(generator, n_heads=2)
    x = torch.randn(100, 6, 12, generator=generator)
    controller = GrowthController(student, GrowthRule(6), generator)
    controller.first_loss = 1.0

    def judge():
        return float((student(x) - y).square().mean())

    with torch.no_grad():
        student.attention.output[0] *= 10
        student.attention.output[1] = 0
        y = student(x)
    with pytest.warns(GrowthWarning, match="Head 1 of layer 0 could go"):
        controller.warn_if_redundant(judge)
    with torch.no_grad():
        student.attention.output[1] = student.attention.output[0]
        y = student(x)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        controller.warn_if_redundant(judge)


def test_what_grew_has_the_rest_of_a_whole_schedule(student, generator):
    controller = GrowthController(student, GrowthRule(6), generator)
    assert [controller.annealed(step, 400) for step in (0, 100, 400)] == [0, 100, 400]
    controller.grown_at = 100
    # From behind the warm-up of 30 steps, through the cosine, to its end.
    steps = [controller.annealed(step, 400) for step in (100, 110, 130, 250, 400)]
    assert steps == [30, 30, 40, 200, 400]
    controller.grown_at = 10
    assert controller.annealed(12, 400) == 12


def test_a_schedule_begins_again_when_a_head_comes(grow):
    controller, actions = grow(3)
    last = max(look for look, action in enumerate(actions) if action == "grow")
    assert controller.grown_at == (last + 1) * STEPS_PER_LOOK
    controller, actions = grow(1)
    assert set(actions) == {"none"}
    assert controller.grown_at is None


def test_growth_is_the_same_from_the_same_seed(teacher, torch_seed):
    x, y = teacher(2, 2000)
    found = []
    for _ in range(2):
        generator = torch.Generator().manual_seed(3)
        student = Student(generator)
        controller = GrowthController(student, GrowthRule(4), generator)
        train(controller, x, y, generator, 15)
        found.append(student.state_dict())
    first, second = found
    assert all(torch.equal(first[name], second[name]) for name in first)
