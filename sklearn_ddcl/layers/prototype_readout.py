"""The prototype readout: tokens in, a summary in terms of prototypes out."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

import sklearn_ddcl.functional as F
from sklearn_ddcl.layers.pooling import MeanPooling

SUMMARIES = ("assignments", "reconstruction", "slots", "mean+assignments")


class Readout(NamedTuple):
    """What a prototype readout yields."""

    summary: Tensor
    """One vector per row, (B, d_summary)."""
    assignments: Tensor
    """Soft assignments of every token, (B, T, K); zero where the mask is False."""


class PrototypeReadout(nn.Module):
    r"""Summarize tokens by how a learned bank of prototypes answers for them.

    Every token is softly assigned to :math:`K` global prototypes,
    :math:`q_{tk} \propto e^{-\lVert z_t - p_k \rVert^2 / \tau}`, at a cost linear in
    the number of tokens. The assignments are then pooled over the tokens that exist.

    Parameters
    ----------
    n_prototypes : int
        Number of prototypes :math:`K`.
    d_token : int
        Width :math:`d` of tokens and prototypes.
    summary : {"assignments", "reconstruction", "slots", "mean+assignments"}
        - "assignments", the default: mean assignment, width K; the easiest to read.
        - "reconstruction": mean of :math:`\hat z_t = \sum_k q_{tk} p_k`, width d; the
          same information mapped by the prototypes, so of rank K - 1 at most.
        - "slots": assigned mean of the tokens per prototype, width K * d; keeps
          what the tokens say beyond their prototypes.
        - "mean+assignments": mean token and mean assignment, width d + K.
    temperature : float, optional
        Temperature :math:`\tau`, in the unit of a squared distance. By default
        ``d_token / 4``, an eighth of the distance between independent tokens of unit
        variance. A buffer, to be annealed and never learned: the loss always falls
        with it.
    generator : torch.Generator, optional
        Source of the initial prototypes; torch's global one by default.

    Attributes
    ----------
    prototypes : Parameter of shape (n_prototypes, d_token)
        Standard normal at the start, the scale of layer-normalized tokens.
    temperature : Tensor of shape ()
        Current temperature.

    Raises
    ------
    ValueError
        If a size or the temperature is not positive, or the summary is unknown.

    References
    ----------
    .. [1] G. Cirrincione and R. R. Kumar, "Collapse-Free Prototype Readout Layer for
       Transformer Encoders", arXiv:2604.03850, 2026.

    Examples
    --------
    >>> readout = PrototypeReadout(n_prototypes=5, d_token=3)
    >>> summary, assignments = readout(torch.randn(8, 10, 3))
    >>> summary.shape, assignments.shape
    (torch.Size([8, 5]), torch.Size([8, 10, 5]))
    """

    temperature: Tensor

    def __init__(
        self,
        n_prototypes: int,
        d_token: int,
        *,
        summary: str = "assignments",
        temperature: float | None = None,
        generator: torch.Generator | None = None,
    ) -> None:
        if n_prototypes < 1 or d_token < 1:
            raise ValueError(
                "n_prototypes and d_token must be at least 1, got "
                f"{n_prototypes=} and {d_token=}."
            )
        if summary not in SUMMARIES:
            raise ValueError(f"summary must be one of {SUMMARIES}, got {summary!r}.")
        if temperature is None:
            temperature = d_token / 4
        F.competition.check_temperature(temperature)
        super().__init__()
        self.summary = summary
        prototypes = torch.empty(n_prototypes, d_token).normal_(generator=generator)
        self.prototypes = nn.Parameter(prototypes)
        self.register_buffer("temperature", torch.tensor(float(temperature)))
        self._mean = MeanPooling()

    def log_assign(self, tokens: Tensor) -> Tensor:
        """Return the log assignments (..., K) of tokens (..., d_token).

        In the precision of the prototypes, also under autocast: at a low temperature
        the rounding of bfloat16 would decide who wins.
        """
        with torch.autocast(tokens.device.type, enabled=False):
            tokens = tokens.to(self.prototypes.dtype)
            return F.log_soft_assign(tokens, self.prototypes, self.temperature)

    def forward(self, tokens: Tensor, mask: Tensor | None = None) -> Readout:
        """Summarize the tokens of every row.

        Parameters
        ----------
        tokens : Tensor of shape (B, T, d_token)
            Tokens.
        mask : Tensor of shape (B, T), dtype bool, optional
            True where a token exists; others change nothing, whatever they hold.

        Returns
        -------
        readout : Readout
            Named tuple of `summary` (B, d_summary) and `assignments` (B, T, K).
        """
        _check_tokens(tokens, mask)
        if mask is not None:
            # Filled, not multiplied by zero: NaN times zero is NaN.
            tokens = tokens.masked_fill(~mask[..., None], 0)
        log_q = self.log_assign(tokens)
        assignments = log_q.exp()
        if mask is not None:
            assignments = assignments * mask[..., None]
            log_q = log_q.masked_fill(~mask[..., None], torch.finfo(log_q.dtype).min)
        summary = self._summarize(tokens, log_q, assignments, mask)
        return Readout(summary, assignments)

    def _summarize(
        self, tokens: Tensor, log_q: Tensor, q: Tensor, mask: Tensor | None
    ) -> Tensor:
        if self.summary == "slots":
            # q divided by its sum over the tokens, also where that sum underflows.
            shares = log_q.softmax(1)
            return (shares.transpose(1, 2) @ tokens).flatten(1)
        pooled = self._mean(q, mask)
        if self.summary == "assignments":
            return pooled
        if self.summary == "reconstruction":
            return pooled @ self.prototypes
        return torch.cat([self._mean(tokens, mask), pooled], dim=-1)

    def extra_repr(self) -> str:
        """Show sizes, summary and temperature."""
        n_prototypes, d_token = self.prototypes.shape
        temperature = f"temperature={self.temperature.item():g}"
        return f"{n_prototypes}, {d_token}, summary={self.summary!r}, {temperature}"


def _check_tokens(tokens: Tensor, mask: Tensor | None) -> None:
    if tokens.ndim != 3:
        raise ValueError(
            "Expected tokens of shape (batch, n_tokens, d_token), got "
            f"{tuple(tokens.shape)}."
        )
    if mask is not None and (
        mask.shape != tokens.shape[:2] or mask.dtype != torch.bool
    ):
        raise ValueError(
            f"Expected a boolean mask of shape {tuple(tokens.shape[:2])}, got "
            f"{mask.dtype} of shape {tuple(mask.shape)}."
        )
