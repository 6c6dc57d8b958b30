"""What attention alone does: denoising by theory, by training, and without training.

Run it from the root of the repository:

    python examples/attention_only.py

It prints how far the theorem on denoising holds, how well a stack of attention without
feed-forward parts reads handwritten digits, whether the tokens of a trained classifier
lie in the subspaces that it learned, and how much noise attention among rows takes off
digits. Three pictures go to --out:

theorem.png
    The signal-to-noise ratio grows by the same factor with every layer, until the
    noise has grown too large to be told from the signal. Dots mark the depth budget.
attention.png
    Where four heads of a network that was trained on digits look: the brighter a
    patch, the more the patches of the digit attend to it.
denoising.png
    Noisy digits before and after `SubspaceDenoiser`, which has seen no clean one.
"""

import argparse
import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from sklearn.datasets import load_digits, load_wine
from sklearn.decomposition import PCA
from sklearn.model_selection import train_test_split
from threadpoolctl import threadpool_limits
from torch import Tensor, nn

import sklearn_ddcl.functional as F
from sklearn_ddcl import DDCLClassifier, SubspaceDenoiser
from sklearn_ddcl.inspection import subspace_snr
from sklearn_ddcl.layers import Linear, SubspaceAttention

NOISES = (0.05, 0.1, 0.2, 0.5)
STEP_SIZE, THRESHOLD, N_LAYERS = 0.1, 0.6, 24
N_PATCHES, PATCH = 16, 2
N_HEADS = 4


def main() -> None:
    args = parse_arguments()
    args.out.mkdir(parents=True, exist_ok=True)
    with threadpool_limits(1):
        draw_theorem(args.out / "theorem.png")
        draw_attention(args.out / "attention.png", n_epochs=6 if args.quick else 30)
        describe_subspaces(n_epochs=10 if args.quick else "auto")
        draw_denoising(args.out / "denoising.png")
    print(f"\nPictures are in {args.out}.")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("build/attention_only"))
    parser.add_argument("--quick", action="store_true", help="a fifth of the training")
    return parser.parse_args()


def mixture(noise: float) -> tuple[Tensor, Tensor, Tensor]:
    """Return 100 tokens near four subspaces of 32 dimensions, bases and labels."""
    generator = torch.Generator().manual_seed(0)
    frame = torch.randn(128, 128, generator=generator, dtype=torch.float64)
    bases = torch.linalg.qr(frame).Q.reshape(128, 4, 32).permute(1, 0, 2)
    labels = torch.arange(100) % 4
    parts = torch.randn(4, 100, 32, generator=generator, dtype=torch.float64)
    parts[torch.arange(4)[:, None] != labels] *= noise
    return torch.einsum("knp,kdp->nd", parts, bases), bases, labels


def draw_theorem(path: Path) -> None:
    """Draw how the ratio grows layer by layer, and where growth breaks."""
    print("Layers through which the signal-to-noise ratio grows by exactly 1.06")
    figure, ax = plt.subplots(figsize=(6.4, 4.2), layout="constrained")
    for color, noise in zip(
        plt.cm.viridis(np.linspace(0, 0.85, 4)), NOISES, strict=True
    ):
        tokens, bases, labels = mixture(noise)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", F.DepthBudgetWarning)
            snr = F.denoise(
                tokens, bases, labels, N_LAYERS, step_size=STEP_SIZE,
                threshold=THRESHOLD,
            ).snr  # fmt: skip
        factors = (snr[1:] / snr[:-1] - 1 - STEP_SIZE * THRESHOLD).abs()
        exact = int((factors.amax(1) < 1e-9).int().cumprod(0).sum())
        budget = F.depth_budget(noise, 32, STEP_SIZE, THRESHOLD)
        print(f"  noise {noise:<4}  {exact:>2} of {N_LAYERS}, budget {budget:.1f}")
        mean = snr.mean(1).numpy()
        layers = np.arange(N_LAYERS + 1)
        theory = mean[0] * (1 + STEP_SIZE * THRESHOLD) ** layers
        ax.plot(layers, theory, ":", color=color, linewidth=1)
        ax.plot(layers, mean, color=color, label=f"noise {noise}")
        if budget <= N_LAYERS:
            ax.plot(budget, np.interp(budget, layers, mean), "o", color=color)
    ax.set(xlabel="layer", ylabel="signal-to-noise ratio", yscale="log")
    ax.legend(frameon=False, loc="upper left", ncols=2)
    ax.set_ylim(top=120)
    figure.savefig(path, dpi=120)
    plt.close(figure)


class PatchClassifier(nn.Module):
    """Patches as tokens, three steps of attention alone, and their mean."""

    def __init__(self, generator: torch.Generator) -> None:
        super().__init__()
        self.embed = Linear(PATCH**2, 32, generator=generator)
        places = torch.empty(N_PATCHES, 32).normal_(std=0.3, generator=generator)
        self.places = nn.Parameter(places)
        self.blocks = nn.ModuleList(
            SubspaceAttention(32, n_heads=N_HEADS, generator=generator)
            for _ in range(3)
        )
        self.norm = nn.LayerNorm(32)
        self.head = Linear(32, 10, generator=generator)

    def forward(self, patches: Tensor) -> Tensor:
        """Return logits (B, 10) of patches (B, 16, 4)."""
        x = self.embed(patches) + self.places
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x).mean(1))

    def attention(self, patches: Tensor) -> Tensor:
        """Return how the patches of the last block attend, (B, heads, 16, 16)."""
        x = self.embed(patches) + self.places
        for block in self.blocks[:-1]:
            x = block(x)
        # With one projection these are queries, keys and values.
        last = self.blocks[-1]
        w = last.coordinates(x)
        return F.attention_weights(w, w, scale=last.scale)


def to_patches(images: np.ndarray) -> Tensor:
    """Cut images (n, 64) into patches (n, 16, 4)."""
    side = 8 // PATCH
    cut = images.reshape(-1, side, PATCH, side, PATCH).swapaxes(2, 3)
    return torch.from_numpy(cut.reshape(-1, N_PATCHES, PATCH**2)).float()


def draw_attention(path: Path, n_epochs: int) -> None:
    """Train on digits and draw where the heads of the last layer look."""
    X, y = load_digits(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(
        X / 16, y, random_state=0, stratify=y
    )
    generator = torch.Generator().manual_seed(0)
    model = PatchClassifier(generator)
    patches, classes = to_patches(X_train), torch.from_numpy(y_train)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(n_epochs):
        for rows in torch.randperm(len(patches), generator=generator).split(64):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(patches[rows]), classes[rows]).backward()
            optimizer.step()
    with torch.no_grad():
        right = model(to_patches(X_test)).argmax(1).numpy() == y_test
        shown = [np.flatnonzero(y_test == digit)[0] for digit in (0, 3, 7)]
        looks = model.attention(to_patches(X_test[shown])).mean(2)
    n_weights = sum(values.numel() for values in model.blocks.parameters())
    print(
        f"\nThree blocks of {n_weights:,} weights together read {right.mean():.1%} of "
        "new digits"
    )
    figure, axes = plt.subplots(3, 1 + N_HEADS, figsize=(7, 4.4), layout="constrained")
    for row, index, heads in zip(axes, shown, looks, strict=True):
        row[0].imshow(X_test[index].reshape(8, 8), cmap="gray_r")
        for ax, weights in zip(row[1:], heads, strict=True):
            ax.imshow(X_test[index].reshape(8, 8), cmap="gray_r", alpha=0.35)
            ax.imshow(
                weights.reshape(4, 4),
                cmap="magma",
                alpha=0.65,
                extent=(-0.5, 7.5, 7.5, -0.5),
            )
    for head, ax in enumerate(axes[0, 1:]):
        ax.set_title(f"head {head + 1}", fontsize=10)
    for ax in axes.ravel():
        ax.set(xticks=[], yticks=[])
    figure.savefig(path, dpi=120)
    plt.close(figure)


def describe_subspaces(n_epochs: int | str) -> None:
    """Print whether tokens of a trained classifier lie in its subspaces."""
    X, y = load_wine(return_X_y=True)
    train, test = train_test_split(np.arange(len(X)), random_state=0, stratify=y)
    clf = DDCLClassifier(encoder="aot", max_epochs=n_epochs, random_state=0)
    clf.fit(X[train], y[train])
    print(
        f"\nWine: accuracy {clf.score(X[test], y[test]):.1%}; subspaces of its layers"
    )
    print(subspace_snr(clf, X[test]))


def draw_denoising(path: Path) -> None:
    """Take noise off digits by attention among rows, and print what is left."""
    rng = np.random.default_rng(0)
    clean = load_digits().data / 16
    noisy = clean + 0.25 * rng.normal(size=clean.shape)
    train, test = noisy[200:], noisy[:200]
    denoised = SubspaceDenoiser(1, random_state=0).fit(train).transform(test)
    pca = PCA(12).fit(train)
    rebuilt = pca.inverse_transform(pca.transform(test))
    print("\nShare of the noise that is left on new digits")
    for name, rows in (("SubspaceDenoiser", denoised), ("PCA, 12", rebuilt)):
        left = np.square(rows - clean[:200]).mean() / 0.25**2
        print(f"  {name:<18} {left:.1%}")
    figure, axes = plt.subplots(3, 10, figsize=(8, 2.7), layout="constrained")
    for row, images, name in zip(
        axes, (clean, test, denoised), ("clean", "noisy", "denoised"), strict=True
    ):
        for ax, image in zip(row, images, strict=False):
            ax.imshow(image.reshape(8, 8), cmap="gray_r", vmin=0, vmax=1)
            ax.set(xticks=[], yticks=[])
        row[0].set_ylabel(name)
    figure.savefig(path, dpi=120)
    plt.close(figure)


if __name__ == "__main__":
    main()
