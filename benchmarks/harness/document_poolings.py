"""Ways to turn the tokens of a document into one vector."""

from collections.abc import Callable
from typing import Any

import numpy as np

Docs = list[np.ndarray]


class Pooling:
    """A function of the tokens; nothing is learned."""

    def __init__(self, pool: Callable[[np.ndarray], np.ndarray]) -> None:
        self.pool = pool

    def fit(self, docs: Docs, y: Any = None) -> "Pooling":
        return self

    def transform(self, docs: Docs) -> np.ndarray:
        return np.stack([self.pool(tokens) for tokens in docs])


class Vlad:
    """Residuals from k-means centers, summed, then rooted and scaled per center.

    Parameters
    ----------
    n_centers : int
    seed : int
    """

    def __init__(self, n_centers: int, seed: int) -> None:
        self.n_centers = n_centers
        self.seed = seed

    def fit(self, docs: Docs, y: Any = None) -> "Vlad":
        from sklearn.cluster import KMeans

        tokens = np.concatenate(docs)
        kmeans = KMeans(self.n_centers, n_init=3, random_state=self.seed)
        self.kmeans_ = kmeans.fit(tokens)
        return self

    def transform(self, docs: Docs) -> np.ndarray:
        return np.stack([self._pool(tokens) for tokens in docs])

    def _pool(self, tokens: np.ndarray) -> np.ndarray:
        centers = self.kmeans_.cluster_centers_
        nearest = self.kmeans_.predict(tokens)
        sums = np.zeros_like(centers)
        np.add.at(sums, nearest, tokens - centers[nearest])
        rooted = np.sign(sums) * np.sqrt(np.abs(sums))
        lengths = np.linalg.norm(rooted, axis=1, keepdims=True)
        return (rooted / np.maximum(lengths, 1e-12)).ravel()


class AttentionPooling:
    """A mean of the tokens by weights that are learned with a linear classifier.

    Weights are the softmax of the score that a small network gives to every token.

    Parameters
    ----------
    seed : int
    n_epochs, batch_size, d_hidden, lr
        Of the training.
    """

    def __init__(
        self,
        seed: int,
        n_epochs: int = 20,
        batch_size: int = 32,
        d_hidden: int = 64,
        lr: float = 1e-3,
    ) -> None:
        self.seed = seed
        self.n_epochs = n_epochs
        self.batch_size = batch_size
        self.d_hidden = d_hidden
        self.lr = lr

    def fit(self, docs: Docs, y: np.ndarray) -> "AttentionPooling":
        import torch
        from torch import nn

        with torch.random.fork_rng():
            torch.manual_seed(self.seed)
            d_token = docs[0].shape[1]
            self.scale_ = float(np.concatenate(docs).std())
            self.score_ = nn.Sequential(
                nn.Linear(d_token, self.d_hidden),
                nn.Tanh(),
                nn.Linear(self.d_hidden, 1),
            )
            head = nn.Linear(d_token, int(y.max()) + 1)
            both = [*self.score_.parameters(), *head.parameters()]
            optimizer = torch.optim.AdamW(both, lr=self.lr, weight_decay=0.1)
            n_steps = self.n_epochs * -(-len(docs) // self.batch_size)
            schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, n_steps)
            classes = torch.from_numpy(y)
            for _ in range(self.n_epochs):
                for part in torch.randperm(len(docs)).split(self.batch_size):
                    pooled = self._pool([docs[i] for i in part.tolist()])
                    loss = nn.functional.cross_entropy(head(pooled), classes[part])
                    optimizer.zero_grad()
                    loss.backward()
                    optimizer.step()
                    schedule.step()
        return self

    def transform(self, docs: Docs) -> np.ndarray:
        import torch

        with torch.inference_mode():
            parts = [self._pool(docs[i : i + 64]) for i in range(0, len(docs), 64)]
        return torch.cat(parts).numpy()

    def _pool(self, docs: Docs):
        import torch
        from torch.nn.utils.rnn import pad_sequence

        tokens = pad_sequence(
            [torch.from_numpy(own / self.scale_) for own in docs], batch_first=True
        )
        lengths = torch.tensor([len(own) for own in docs])
        absent = torch.arange(tokens.shape[1]) >= lengths[:, None]
        scores = self.score_(tokens)[..., 0].masked_fill(absent, -torch.inf)
        return (scores.softmax(1)[..., None] * tokens).sum(1)


def make_pooling(spec: str, seed: int) -> Any:
    """Return what a name stands for: ``mean``, ``vlad:16``, ``ddcl:64,16`` ...

    Parameters
    ----------
    spec : str
        ``ddcl:`` and ``ddcl+y:`` are followed by the prototypes of every level; the
        second is trained for the classes.
    seed : int
        Seeds what is random.
    """
    name, _, sizes = spec.partition(":")
    if name in POOLINGS:
        return Pooling(POOLINGS[name])
    if name == "vlad":
        return Vlad(int(sizes), seed)
    if name == "attention":
        return AttentionPooling(seed)
    from sklearn_ddcl import DDCLDocumentCompressor

    return DDCLDocumentCompressor(
        tuple(map(int, sizes.split(","))),
        supervised=name == "ddcl+y",
        device="cpu",
        random_state=seed,
    )


POOLINGS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "mean": lambda tokens: tokens.mean(0),
    "max": lambda tokens: tokens.max(0),
    "mean+max": lambda tokens: np.concatenate([tokens.mean(0), tokens.max(0)]),
}
