"""What growth finds on tasks whose number of heads is known."""

from collections.abc import Iterator
from typing import Any

import torch

from sklearn_ddcl.networks import GrowthRule
from sklearn_ddcl.training.growth import GrowthController

from .growth_rules import AtRandom, ByLoss
from .growth_tasks import N_STEPS, STEPS_PER_LOOK, Student, make_task, train

MAX_HEADS = 10
ABLATION_RANKS = (2, 4, 6)
REINFORCEMENT_RANK = 6
_LOOKS_AFTER = 4


def count_heads(rank: int, seed: int) -> dict[str, Any]:
    """Grow a network on a task, beside one of the final size from scratch."""
    found = _grow(GrowthController, rank, seed)
    generator = _generator(rank, seed)
    task = make_task(rank, generator)
    fixed = Student(found["found"], generator)
    return found | {"loss_fixed": train(fixed, task, generator)}


def compare_rules(rank: int, seed: int) -> Iterator[dict[str, Any]]:
    """Yield what each rule of growth finds."""
    yield {"rule": "energy"} | _grow(GrowthController, rank, seed)
    yield {"rule": "loss"} | _grow(ByLoss, rank, seed)
    yield {"rule": "late"} | _grow(GrowthController, rank, seed, n_heads=MAX_HEADS)


def follow_separation(rule: str, seed: int) -> Iterator[dict[str, Any]]:
    """Yield separation and energy before and after every new head.

    Separation is the root mean square distance between prototypes of the dictionary.
    The control adds heads at random times; the drift is the change over as many looks
    at which nothing grew.
    """
    rank = REINFORCEMENT_RANK
    generator = _generator(rank, seed)
    task = make_task(rank, generator)
    student = Student(1, generator, dictionary=True)
    growth = GrowthRule(MAX_HEADS)
    if rule == "energy":
        controller: GrowthController = GrowthController(student, growth, generator)
    else:
        n_looks = N_STEPS // STEPS_PER_LOOK
        among = torch.randperm(round(0.45 * n_looks), generator=generator)
        looks = {int(look) + round(0.15 * n_looks) for look in among[: rank - 1]}
        controller = AtRandom(student, growth, generator, looks)
    path: list[dict[str, Any]] = []

    def note(step: int, loss: float, actions: list[str]) -> None:
        prototypes = student.dictionary.prototypes.detach()  # type: ignore[union-attr]
        path.append(
            {
                "look": len(path) + 1,
                "separation": float(torch.pdist(prototypes).square().mean().sqrt()),
                "energy": float(controller.energies(0).max()),
                "grew": actions[0] in ("grow", "turn"),
            }
        )

    train(student, task, generator, controller, note)
    grew = [p["grew"] for p in path]
    for place in range(1, len(path) - _LOOKS_AFTER):
        later = path[place + _LOOKS_AFTER]
        if any(grew[place + 1 : place + _LOOKS_AFTER + 1]):
            continue
        before = path[place - 1]
        yield {
            "rule": rule,
            "look": path[place]["look"],
            "grew": grew[place],
            "separation_before": before["separation"],
            "separation_after": later["separation"],
            "energy_before": before["energy"],
            "energy_after": later["energy"],
        }


def _generator(rank: int, seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(100 * seed + rank)


def _grow(kind: type, rank: int, seed: int, n_heads: int = 1) -> dict[str, Any]:
    generator = _generator(rank, seed)
    task = make_task(rank, generator)
    student = Student(n_heads, generator)
    controller = kind(student, GrowthRule(MAX_HEADS), generator)
    loss = train(student, task, generator, controller)
    bound, count = controller.predicted[0] or (float("nan"), -1)
    return {
        "found": student.attention.n_heads,
        "predicted": count,
        "bound": bound,
        "loss": loss,
    }
