"""Batches of documents that are read when they are needed."""

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset

from sklearn_ddcl.layers.document_tokens import DocumentTokens
from sklearn_ddcl.training.data import Targets, n_batches


class DocumentRows(Dataset):
    """Documents and their classes.

    Parameters
    ----------
    read : callable
        Returns the documents with the numbers that it is given.
    classes : Tensor of shape (n_documents,)
        Class indices.
    """

    def __init__(
        self, read: Callable[[list[int]], DocumentTokens], classes: Tensor
    ) -> None:
        self.read = read
        self.classes = classes

    def __len__(self) -> int:
        return len(self.classes)

    def __getitem__(self, numbers: list[int]) -> tuple[DocumentTokens, Targets]:
        classes = self.classes[numbers]
        weights = torch.ones(len(classes))
        return self.read(numbers), Targets(
            classes, weights, torch.full_like(classes, -1)
        )


class DocumentBatches:
    """Iterate over documents in batches of nearly equal size.

    Parameters
    ----------
    rows : DocumentRows
        The documents.
    batch_size : int
        Documents per batch, about.
    device : torch.device
        Where batches are needed.
    generator : torch.Generator, optional
        Shuffles anew in every pass. Without it the order stays.
    """

    def __init__(
        self,
        rows: DocumentRows,
        batch_size: int,
        device: torch.device,
        generator: torch.Generator | None = None,
    ) -> None:
        self.rows = rows
        self.n_batches = n_batches(len(rows), batch_size)
        self.device = device
        self.generator = generator

    def __len__(self) -> int:
        return self.n_batches

    def __iter__(self) -> Iterator[tuple[Any, Targets]]:
        order = torch.arange(len(self.rows))
        if self.generator is not None:
            order = torch.randperm(len(self.rows), generator=self.generator)
        for part in order.tensor_split(self.n_batches):
            documents, targets = self.rows[part.tolist()]
            on_device = Targets(*(column.to(self.device) for column in targets))
            yield documents.to(self.device), on_device
