"""Tasks whose number of attention heads is known, and a network that can grow."""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from sklearn_ddcl.layers import GrowingAttention, PrototypeFeedForward

D_TOKEN, N_TOKENS, D_HEAD = 16, 8, 8
N_ROWS, BATCH, N_STEPS, STEPS_PER_LOOK = 4096, 128, 1600, 20
_SHARPNESS, _NOISE, _LR = 3.0, 0.3, 5e-3


class Task(NamedTuple):
    """Tokens, and what a teacher with some heads makes of them."""

    x: Tensor
    """(n, T, d)."""
    y: Tensor
    """(n, T, d), of variance one, and noise."""


def make_task(rank: int, generator: torch.Generator) -> Task:
    """Return a task that takes as many heads as its rank.

    Every head of the teacher has directions of its own to ask by, to be found by, to
    read and to write: none can do the work of another.
    """
    frames = [
        torch.linalg.qr(torch.randn(D_TOKEN, D_TOKEN, generator=generator)).Q
        for _ in range(4)
    ]
    query, key, value, out = (frame[:, :rank] for frame in frames)
    x = torch.randn(N_ROWS, N_TOKENS, D_TOKEN, generator=generator)
    logits = _SHARPNESS * torch.einsum("bih,bjh->bhij", x @ query, x @ key)
    y = torch.einsum("bhij,bjh->bih", logits.softmax(-1), x @ value) @ out.T
    y = y / y.std()
    return Task(x, y + _NOISE * torch.randn(y.shape, generator=generator))


class Student(nn.Module):
    """One block that grows, with or without a dictionary, beside a linear map."""

    def __init__(
        self, n_heads: int, generator: torch.Generator, *, dictionary: bool = False
    ) -> None:
        super().__init__()
        self.attention = GrowingAttention(
            D_TOKEN, n_heads=n_heads, d_head=D_HEAD, generator=generator
        )
        self.dictionary: PrototypeFeedForward | None = None
        if dictionary:
            self.dictionary = PrototypeFeedForward(D_TOKEN, generator=generator)
        self.linear = nn.Parameter(torch.zeros(D_TOKEN, D_TOKEN))

    def forward(self, x: Tensor) -> Tensor:
        """Map tokens (B, T, d) to what the teacher makes of them."""
        h = self.attention(x)
        if self.dictionary is not None:
            h = self.dictionary(h)
        return h - x + x @ self.linear


def train(
    student: Student,
    task: Task,
    generator: torch.Generator,
    controller: object = None,
    at_look: Callable[[int, float, list[str]], None] | None = None,
) -> float:
    """Train a student, let it grow on the way, and return its loss on its task.

    Parameters
    ----------
    student : Student
        The network.
    task : Task
        What it is to learn.
    generator : torch.Generator
        Shuffles.
    controller : GrowthController, optional
        Lets it grow.
    at_look : callable, optional
        Is told the step, the loss and the actions of every look.
    """
    optimizer = torch.optim.AdamW(student.parameters(), lr=_LR, weight_decay=0.0)
    halves = torch.arange(N_ROWS) % 2 == 0
    ones = torch.ones(BATCH)

    def judge() -> float:
        with torch.no_grad():
            return float((student(task.x[:512]) - task.y[:512]).square().mean())

    if controller is not None:
        controller.watch()
    losses: list[float] = []
    for step in range(1, N_STEPS + 1):
        for group in optimizer.param_groups:
            group["lr"] = _LR * (1 - step / (N_STEPS + 1)) ** 0.5
        rows = torch.randint(N_ROWS, (BATCH,), generator=generator)
        loss = (student(task.x[rows]) - task.y[rows]).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(float(loss.detach()))
        if controller is None:
            continue
        controller.measure(ones, halves[rows])
        if step % STEPS_PER_LOOK == 0:
            mean = sum(losses[-STEPS_PER_LOOK:]) / STEPS_PER_LOOK
            actions = controller.end_epoch(step, step / N_STEPS, mean, judge, optimizer)
            if at_look is not None:
                at_look(step, mean, actions)
    if controller is not None:
        controller.finish()
    return sum(losses[-100:]) / 100
