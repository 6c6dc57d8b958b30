"""A transformer that finds its own number of heads, and says why it stopped.

Run it from the root of the repository:

    python examples/growing_heads.py

First a task that takes four heads of attention by construction is learned by a network
that starts with one; then a table, by `DDCLClassifier(encoder="incrt")`. Three pictures
go to --out:

growth.png
    The number of heads while the network learns the task, and what it still missed.
directions.png
    What a head along each direction would take off the loss, the four strongest in
    blue; upright lines are new heads.
table.png
    The same growth on a table, which calls for a single head per block.
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import torch
from sklearn.datasets import load_breast_cancer
from sklearn.model_selection import train_test_split
from torch import nn

from sklearn_ddcl import DDCLClassifier
from sklearn_ddcl.inspection import GrowthDisplay
from sklearn_ddcl.layers import GrowingAttention
from sklearn_ddcl.networks import GrowthRule
from sklearn_ddcl.training import one_thread
from sklearn_ddcl.training.growth import GrowthController

RANK, D_TOKEN, N_TOKENS = 4, 16, 8
N_ROWS, BATCH, STEPS_PER_LOOK, LR = 4096, 128, 20, 5e-3


def main() -> None:
    args = parse_arguments()
    args.out.mkdir(parents=True, exist_ok=True)
    with one_thread():
        generator = torch.Generator().manual_seed(0)
        teacher = Teacher(generator)
        history = grow(teacher, generator, 700 if args.quick else 1600)
        GrowthDisplay(history).plot().figure_.savefig(args.out / "growth.png", dpi=120)
        draw_directions(history, args.out / "directions.png")
    classify(args.quick, args.out / "table.png")
    print(f"\nPictures are in {args.out}.")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("build/growing_heads"))
    parser.add_argument("--quick", action="store_true", help="a part of the training")
    return parser.parse_args()


class Teacher:
    """Attention with heads none of which can do the work of another."""

    def __init__(self, generator: torch.Generator) -> None:
        frames = [
            torch.linalg.qr(torch.randn(D_TOKEN, D_TOKEN, generator=generator)).Q
            for _ in range(4)
        ]
        self.query, self.key, self.value, self.out = (f[:, :RANK] for f in frames)

    def attention(self, x: torch.Tensor) -> torch.Tensor:
        """Return who attends to whom, (B, heads, T, T)."""
        logits = torch.einsum("bih,bjh->bhij", x @ self.query, x @ self.key)
        return (3 * logits).softmax(-1)

    def task(self, generator: torch.Generator) -> tuple[torch.Tensor, torch.Tensor]:
        """Return tokens, and what the heads make of them with some noise."""
        x = torch.randn(N_ROWS, N_TOKENS, D_TOKEN, generator=generator)
        mixed = torch.einsum("bhij,bjh->bih", self.attention(x), x @ self.value)
        y = mixed @ self.out.T
        y = y / y.std()
        return x, y + 0.3 * torch.randn(y.shape, generator=generator)


class Student(nn.Module):
    """Attention that grows, beside a linear map."""

    def __init__(self, generator: torch.Generator) -> None:
        super().__init__()
        self.attention = GrowingAttention(D_TOKEN, n_heads=1, generator=generator)
        self.linear = nn.Parameter(torch.zeros(D_TOKEN, D_TOKEN))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.attention(x) - x + x @ self.linear


def grow(teacher: Teacher, generator: torch.Generator, n_steps: int) -> list[dict]:
    """Train a network of one head, and let it grow."""
    x, y = teacher.task(generator)
    student = Student(generator)
    optimizer = torch.optim.AdamW(student.parameters(), lr=LR, weight_decay=0.0)
    controller = GrowthController(student, GrowthRule(max_heads=8), generator)
    # Half of the rows look for what is missing, the others say whether it is true.
    halves = torch.arange(N_ROWS) % 2 == 0

    def judge() -> float:
        with torch.no_grad():
            return float((student(x[:512]) - y[:512]).square().mean())

    history: list[dict] = []
    losses = []
    controller.watch()
    for step in range(1, n_steps + 1):
        rows = torch.randint(N_ROWS, (BATCH,), generator=generator)
        loss = (student(x[rows]) - y[rows]).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        controller.measure(torch.ones(BATCH), halves[rows])
        losses.append(float(loss.detach()))
        if step % STEPS_PER_LOOK == 0:
            mean = sum(losses[-STEPS_PER_LOOK:]) / STEPS_PER_LOOK
            actions = controller.end_epoch(step, step / n_steps, mean, judge, optimizer)
            look = step // STEPS_PER_LOOK
            strongest = controller.energies(0).sort(descending=True).values
            rows_of_look = controller.rows(look, actions)
            history += [
                row | {"directions": strongest.tolist()} for row in rows_of_look
            ]
            if actions != ["none"]:
                n_heads = student.attention.n_heads
                print(f"step {step:>5}  {actions[0]:<5}  {n_heads} heads")
    controller.finish()
    print(f"\nThe task takes {RANK} heads, {student.attention.n_heads} were found.")
    return history


def draw_directions(history: list[dict], path: Path) -> None:
    """Draw what every direction would take off the loss, the strongest first."""
    figure, ax = plt.subplots(figsize=(7, 3.6), layout="constrained")
    looks = [row["epoch"] for row in history]
    for place in range(2 * RANK):
        # What chance explains is zero, for which a logarithm has no place.
        strength = [row["directions"][place] or float("nan") for row in history]
        among = place < RANK
        ax.plot(looks, strength, color="#3f90da" if among else "#94a4a2", lw=1.2)
    ax.plot(looks, [row["threshold"] for row in history], ":", color="#333333")
    for row in history:
        if row["action"] == "grow":
            ax.axvline(row["epoch"], color="#ffa90e", lw=1)
    ax.set_yscale("log")
    ax.set(ylim=(1e-5, None), xlabel="look", ylabel="share of the first loss")
    ax.set_title(f"{RANK} strongest directions, and the others", fontsize=10)
    figure.savefig(path, dpi=120)


def classify(quick: bool, path: Path) -> None:
    """Learn a table with a growing encoder, and with a fixed one of eight heads."""
    X, y = load_breast_cancer(return_X_y=True, as_frame=True)
    X_train, X_test, y_train, y_test = train_test_split(
        X, y, stratify=y, random_state=0
    )
    epochs = 15 if quick else "auto"
    grown = DDCLClassifier(encoder="incrt", max_epochs=epochs, random_state=0)
    grown.fit(X_train, y_train)
    fixed = DDCLClassifier(encoder="transformer", max_epochs=epochs, random_state=0)
    fixed.set_params(encoder__n_heads=8).fit(X_train, y_train)
    print("\n                     accuracy  heads    weights of the blocks")
    for name, clf in (("grown", grown), ("fixed transformer", fixed)):
        heads = getattr(clf, "n_heads_", [8, 8])
        blocks = clf.net_.module_.encoder.blocks
        n_weights = sum(weights.numel() for weights in blocks.parameters())
        score = clf.score(X_test, y_test)
        print(f"{name:<18} {score:>9.1%}  {list(map(int, heads))}  {n_weights:>10,}")
    for head in grown.heads_:
        print(
            f"block {head['layer'] + 1}, head {head['head'] + 1}: {head['share']:.0%} "
            f"of what attention adds, from {head['reach']:.1f} of {X.shape[1]} columns"
        )
    GrowthDisplay.from_estimator(grown).figure_.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
