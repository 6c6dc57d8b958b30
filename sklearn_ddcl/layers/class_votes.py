"""What every prototype says about the class."""

import torch
from torch import Tensor, nn

from sklearn_ddcl.layers.full_vectors import full_vectors


class ClassVotes(nn.Module):
    r"""Let prototypes vote: each owns a distribution over the classes.

    The probability of class :math:`c` is a sum over prototypes and nothing else,

    .. math:: P(c \mid x) = \sum_k \bar q_k(x) \, \pi_{kc} ,

    so the share :math:`\bar q_k \pi_{kc}` is exactly what prototype :math:`k`
    contributed to the decision.

    Parameters
    ----------
    n_prototypes, n_classes : int
        Sizes of the table.
    sharpness : float, default=3.0
        Log odds with which a prototype at first favors its class; prototypes are dealt
        to the classes in turn.

    Attributes
    ----------
    logits : Parameter of shape (n_prototypes, n_classes)
        Their softmax over the classes are the distributions :math:`\pi_k`.

    Notes
    -----
    Assignments are a softmax of functions linear in the token (the common
    :math:`\lVert z \rVert^2` cancels), so with one prototype per class and sharp
    distributions this contains the ordinary linear softmax head, whatever its biases,
    as long as the class weights are affinely independent: reading through prototypes
    need not cost accuracy.

    Examples
    --------
    >>> votes = ClassVotes(n_prototypes=4, n_classes=2)
    >>> votes(torch.full((1, 4), 0.25).log()).exp()
    tensor([[0.5000, 0.5000]], grad_fn=<ExpBackward0>)
    """

    def __init__(
        self, n_prototypes: int, n_classes: int, *, sharpness: float = 3.0
    ) -> None:
        super().__init__()
        logits = torch.zeros(n_prototypes, n_classes)
        dealt = torch.arange(n_prototypes)
        logits[dealt, dealt % n_classes] = sharpness
        self.logits = nn.Parameter(logits)

    def log_distributions(self) -> Tensor:
        """Return the log class distribution of every prototype, (K, C)."""
        return self.logits.log_softmax(-1)

    def forward(self, log_assignments: Tensor) -> Tensor:
        """Map log assignments (..., K) to log probabilities (..., C)."""
        with torch.autocast(log_assignments.device.type, enabled=False):
            return self._mix(log_assignments.to(self.logits.dtype))

    def _mix(self, log_assignments: Tensor) -> Tensor:
        # The product of probabilities, computed stably: the largest assignment of a
        # row is at least 1 / K, so no class underflows that a prototype in charge
        # supports. One that it supports e^71 times (in float32) less than another
        # prototype does gets a floor, below which too many digits would be lost.
        table = self.log_distributions()
        top = table.amax(0).detach()
        votes = full_vectors((table - top).exp())
        mixed = (log_assignments.exp() @ votes)[..., : table.shape[1]]
        limits = torch.finfo(mixed.dtype)
        return mixed.clamp_min(limits.tiny / limits.eps).log() + top
