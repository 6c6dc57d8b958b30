"""What was measured in every epoch."""

from typing import Any

COLUMNS = (
    "epoch",
    "loss",
    "task_loss",
    "valid_loss",
    "valid_score",
    "reconstruction",
    "diversity",
    "identity_residual",
    "perplexity",
    "min_prototype_distance",
    "token_variance",
    "temperature",
    "critical_temperature",
    "tracking",
    "n_revived",
    "lr",
    "seconds",
)


class TrainingHistory(list):
    """List of epochs, each a dict; a string picks one column.

    Notes
    -----
    The columns:

    - ``epoch``: counted from 1
    - ``loss``: training objective, mean over the rows of the epoch
    - ``task_loss``: cross-entropy alone, in nats
    - ``valid_loss``, ``valid_score``: cross-entropy and accuracy on rows that were not
      learned from, in the epochs that were judged, or in those of a rehearsal
    - ``reconstruction``, ``diversity``: parts of the competition loss, per token
    - ``identity_residual``: relative violation of loss = reconstruction + diversity
    - ``perplexity``: effective number of prototypes in use
    - ``min_prototype_distance``: smallest distance between two prototypes
    - ``token_variance``: total variance of the tokens, relative to the first epoch
    - ``temperature``, ``critical_temperature``: of the competition
    - ``tracking``: how far prototypes are off their tokens, relative to their spread
    - ``n_revived``: dead or duplicate prototypes that were placed anew
    - ``lr``: learning rate of the encoder at the end of the epoch
    - ``seconds``: wall time since training began

    A value that does not apply, such as ``valid_loss`` without validation rows, is NaN.

    Examples
    --------
    >>> history = TrainingHistory([{"loss": 0.5}, {"loss": 0.25}])
    >>> history["loss"]
    [0.5, 0.25]
    >>> history[-1]
    {'loss': 0.25}
    """

    def __getitem__(self, key: Any) -> Any:
        """Return an epoch by position, or the values of a column by name."""
        if isinstance(key, str):
            if not self or key not in super().__getitem__(0):
                raise KeyError(f"{key!r} is not in the history; it has {self.columns}.")
            return [epoch[key] for epoch in self]
        if isinstance(key, slice):
            return TrainingHistory(super().__getitem__(key))
        return super().__getitem__(key)

    @property
    def columns(self) -> list[str]:
        """Names of what was measured."""
        return list(super().__getitem__(0)) if self else []
