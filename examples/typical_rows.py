"""Typical digits and typical objects in orbit, found without labels.

Run it from the root of the repository:

    python examples/typical_rows.py

`DDCLTransformer` learns features and prototypes of handwritten digits, which come with
scikit-learn, and of a synthetic catalog of objects in orbit. Labels are only looked at
afterwards. The tables say how well clusters agree with them, beside k-means, and what
a linear model makes of the features. Four pictures go to --out:

prototypes.png
    Ten prototypes of digits, each with the real digits that are nearest.
map.png
    The two leading features, with the prototypes, colored by cluster and by digit.
stability.png
    Rows that are much nearer to one prototype than to the next are grouped right more
    often: the score says which answers to trust.
training.png
    What the network learns, and that it keeps rows apart.
"""

import argparse
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from scipy.optimize import linear_sum_assignment
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from sklearn_ddcl import DDCLTransformer
from sklearn_ddcl.datasets import make_orbital_debris
from sklearn_ddcl.inspection import TrainingHistoryDisplay

N_NEAREST = 9


def main() -> None:
    args = parse_arguments()
    args.out.mkdir(parents=True, exist_ok=True)
    epochs = 40 if args.quick else "auto"
    with threadpool_limits(1):
        X, y = load_digits(return_X_y=True)
        digits = DDCLTransformer(
            10, scaling="common", max_epochs=epochs, random_state=0
        ).fit(X)
        compare_clusters(digits, X, y, epochs)
        compare_features(X, y, epochs)
        describe_orbits(args.quick, epochs)
    draw_prototypes(digits, X, args.out / "prototypes.png")
    draw_map(digits, X, y, args.out / "map.png")
    draw_stability(digits, X, y, args.out / "stability.png")
    TrainingHistoryDisplay.from_estimator(digits).figure_.savefig(
        args.out / "training.png", dpi=120
    )
    print(f"\nPictures are in {args.out}.")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("build/typical_rows"))
    parser.add_argument("--quick", action="store_true", help="a third of the training")
    return parser.parse_args()


def match(labels: np.ndarray, clusters: np.ndarray) -> np.ndarray:
    """Return, for every row, whether its cluster was matched with its class."""
    counts = np.zeros((labels.max() + 1, clusters.max() + 1))
    np.add.at(counts, (labels, clusters), 1)
    classes, matched = linear_sum_assignment(-counts)
    class_of = np.full(counts.shape[1], -1)
    class_of[matched] = classes
    return class_of[clusters] == labels


def compare_clusters(
    digits: DDCLTransformer, X: np.ndarray, y: np.ndarray, epochs: int | str
) -> None:
    """Print how well clusters agree with the digits that were written."""
    merged = DDCLTransformer(
        128, n_clusters=10, scaling="common", max_epochs=epochs, random_state=0
    )
    models = {
        "KMeans, ten starts": KMeans(10, n_init=10, random_state=0).fit(X).labels_,
        "10 prototypes": digits.labels_,
        "128, merged into 10": merged.fit(X).labels_,
    }
    print("Digits that fall into the cluster of their kind")
    for name, clusters in models.items():
        print(f"  {name:<20} {match(y, clusters).mean():6.1%}")


def compare_features(X: np.ndarray, y: np.ndarray, epochs: int | str) -> None:
    """Print what a linear model makes of features, with few labels."""
    few, rest, y_few, y_rest = train_test_split(
        X, y, train_size=100, random_state=0, stratify=y
    )
    learner = DDCLTransformer(64, scaling="common", max_epochs=epochs, random_state=0)
    learner.fit(X)
    print("\nAccuracy of a linear model that was told 100 labels")
    for name, steps in {
        "pixels": [],
        "features": [learner],
    }.items():
        train, test = few, rest
        for step in steps:
            train, test = step.transform(train), step.transform(test)
        model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=1000))
        print(f"  {name:<20} {model.fit(train, y_few).score(test, y_rest):6.1%}")


def describe_orbits(quick: bool, epochs: int | str) -> None:
    """Print typical objects in orbit, and what one object is like."""
    n_objects = 1000 if quick else 4000
    X, kinds = make_orbital_debris(n_objects, random_state=0, return_X_y=True)
    transformer = DDCLTransformer(6, max_epochs=epochs, random_state=0).fit(X)
    print("\nSix typical objects in orbit, with the kinds that fell to them")
    share = np.bincount(transformer.labels_, minlength=6) / len(X)
    for k in np.argsort(-share):
        own, counts = np.unique(kinds[transformer.labels_ == k], return_counts=True)
        mixture = ", ".join(
            f"{count / counts.sum():.0%} {kind}"
            for kind, count in sorted(
                zip(own, counts, strict=True), key=lambda pair: -pair[1]
            )
        )
        example = transformer.prototype_indices_[k]
        print(f"  {share[k]:4.0%} like object {example}: {mixture}")
    print(f"\nObject 0: {transformer.explain(X[:1]).describe(0, n=2)}")


def draw_prototypes(digits: DDCLTransformer, X: np.ndarray, path: Path) -> None:
    """Draw prototypes as images, beside the digits that are nearest."""
    assignments = digits.assign(X)
    # Each prototype alone, as a mixture.
    digits.set_params(output="assignments")
    images = digits.inverse_transform(np.eye(10))
    digits.set_params(output="embedding")
    figure, axes = plt.subplots(
        10, 1 + N_NEAREST, figsize=(6.5, 6.8), layout="constrained"
    )
    for k, row in enumerate(axes):
        nearest = np.argsort(-assignments[:, k])[:N_NEAREST]
        for ax, image in zip(row, [images[k], *X[nearest]], strict=True):
            ax.imshow(image.reshape(8, 8), cmap="gray_r", vmin=0, vmax=16)
            ax.set(xticks=[], yticks=[])
        for side in row[0].spines.values():
            side.set(color="#c44e52", linewidth=2)
    figure.suptitle("Prototypes, and digits like them")
    figure.savefig(path, dpi=120)
    plt.close(figure)


def draw_map(digits: DDCLTransformer, X: np.ndarray, y: np.ndarray, path: Path) -> None:
    """Draw the leading features."""
    features = digits.transform(X)[:, :2]
    places = digits.transform(X[digits.prototype_indices_])[:, :2]
    figure, axes = plt.subplots(1, 2, figsize=(9, 4.2), layout="constrained")
    for ax, colors, title in zip(
        axes, (digits.labels_, y), ("cluster", "digit"), strict=True
    ):
        ax.scatter(*features.T, c=colors, cmap="tab10", s=6, alpha=0.7)
        ax.scatter(*places.T, marker="X", s=70, c="white", edgecolor="black")
        ax.set(title=f"Colored by {title}", xlabel="feature 0", ylabel="feature 1")
    figure.savefig(path, dpi=120)
    plt.close(figure)


def draw_stability(
    digits: DDCLTransformer, X: np.ndarray, y: np.ndarray, path: Path
) -> None:
    """Draw how often stable rows are grouped right."""
    scores = digits.stability_score(X)
    right = match(y, digits.labels_)
    order = np.argsort(-scores)
    kept = np.arange(1, len(X) + 1)
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.6), layout="constrained")
    axes[0].hist([scores[right], scores[~right]], bins=25, stacked=True)
    axes[0].legend(["in the cluster of its kind", "in another one"], loc="upper left")
    axes[0].set(xlabel="stability score", ylabel="digits", ylim=(0, 200))
    axes[1].plot(kept / len(X), np.cumsum(right[order]) / kept)
    axes[1].set(
        xlabel="share of the digits, the most stable first",
        ylabel="grouped right",
        ylim=(0.5, 1.01),
    )
    figure.savefig(path, dpi=120)
    plt.close(figure)


if __name__ == "__main__":
    main()
