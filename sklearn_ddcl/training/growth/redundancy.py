"""Which of the heads of a layer could be done without."""

import torch
from torch import Tensor

from sklearn_ddcl.functional.growth import mca_step

_MEMORY = 0.95
_RATE = 0.5


class Redundancy:
    """Follow the combination of heads that says least.

    The minor component of the covariance of what heads contribute, by the rule MCA
    EXIN: a small eigenvalue means that a head, or a combination of them, adds the same
    to all tokens.
    """

    def __init__(self) -> None:
        self.covariance: Tensor | None = None
        self.direction: Tensor | None = None

    def update(
        self, mixed: Tensor, output: Tensor, mask: Tensor | None, weights: Tensor
    ) -> None:
        """Take a batch in.

        Parameters
        ----------
        mixed : Tensor of shape (B, n_heads, T, d_head)
            What heads attended to.
        output : Tensor of shape (n_heads, d_head, d_token)
            What they make of it.
        mask : Tensor of shape (B, T), dtype bool, or None
            True where a token exists.
        weights : Tensor of shape (B,)
            Importance of the rows.
        """
        positions = mixed.transpose(1, 2).flatten(0, 1).flatten(1).double()
        shares = weights.double()[:, None].expand(-1, mixed.shape[2]).flatten()
        if mask is not None:
            shares = shares * mask.flatten()
        shares = shares / shares.sum()
        centered = positions - shares @ positions
        moments = (centered * shares[:, None]).T @ centered
        n_heads, d_head, _ = output.shape
        moments = moments.view(n_heads, d_head, n_heads, d_head)
        overlap = torch.einsum("hpd,gqd->hpgq", output.double(), output.double())
        covariance = (moments * overlap).sum((1, 3))
        if self.covariance is None or len(self.covariance) != n_heads:
            self.covariance = covariance
            # Symmetric in no two heads, or it could never tell them apart.
            start = torch.arange(n_heads, dtype=covariance.dtype).add(1).cos()
            self.direction = (start / start.norm()).to(covariance)
        self.covariance = _MEMORY * self.covariance + (1 - _MEMORY) * covariance
        if n_heads:
            direction: Tensor = self.direction  # type: ignore[assignment]
            self.direction = mca_step(direction, self._relative() @ direction, _RATE)

    def forget(self) -> None:
        """Start anew, after a head has come or gone."""
        self.covariance = self.direction = None

    @property
    def trailing(self) -> tuple[float, int]:
        """Share of the energy of the minor component, and the head that it is most."""
        if self.covariance is None or self.direction is None or not len(self.direction):
            return 1.0, -1
        energy = float(self.direction @ self._relative() @ self.direction)
        return energy, int(self.direction.abs().argmax())

    @property
    def shares(self) -> Tensor:
        """Share of every head in the energy of all, (n_heads,)."""
        if self.covariance is None:
            return torch.zeros(0)
        own = self.covariance.diagonal()
        return (own / own.sum().clamp_min(1e-300)).cpu()

    def _relative(self) -> Tensor:
        covariance: Tensor = self.covariance  # type: ignore[assignment]
        return covariance / covariance.trace().clamp_min(1e-300)
