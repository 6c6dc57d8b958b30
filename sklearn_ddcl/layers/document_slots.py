"""From the tokens of a group to a few slots that stand for them."""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

import sklearn_ddcl.functional as F
from sklearn_ddcl.layers.document_tokens import groups_of_one_length


class Slots(NamedTuple):
    """What stands for groups of tokens."""

    vectors: Tensor
    """(G, K, d), mean token of every slot."""
    log_mass: Tensor
    """(G, K), logarithm of the mass that it stands for."""


class SlotPooling(nn.Module):
    r"""Summarize groups of tokens, however long, by one slot per prototype.

    Tokens :math:`z_t` of masses :math:`w_t` are softly assigned to :math:`K`
    prototypes, and every prototype keeps the mean of what came to it, with its mass:

    .. math::
        q_{tk} \propto e^{-\lVert z_t - p_k \rVert^2 / \tau}, \qquad
        m_k = \sum_t w_t q_{tk}, \qquad
        s_k = \frac{1}{m_k} \sum_t w_t q_{tk} z_t .

    Slots with their masses can be the tokens of a next level. The cost is linear in the
    number of tokens; groups of the same length are stacked, and nothing is padded.

    Parameters
    ----------
    prototypes : Tensor of shape (n_prototypes, d)
        Where the prototypes :math:`p_k` start.
    temperature : float
        Temperature :math:`\tau`, in the unit of a squared distance. A buffer.

    Attributes
    ----------
    prototypes : Parameter of shape (n_prototypes, d)
        The prototypes.
    temperature : Tensor of shape ()
        The temperature.

    Raises
    ------
    ValueError
        If there is no prototype or the temperature is not positive.

    See Also
    --------
    PrototypeReadout : Summaries of tokens in a padded batch.

    References
    ----------
    .. [1] G. Cirrincione and R. R. Kumar, "Collapse-Free Prototype Readout Layer for
       Transformer Encoders", arXiv:2604.03850, 2026.

    Examples
    --------
    >>> pooling = SlotPooling(torch.eye(4, 3), temperature=0.5)
    >>> slots = pooling(torch.randn(10, 3), torch.tensor([0, 7, 10]))
    >>> slots.vectors.shape, slots.log_mass.shape
    (torch.Size([2, 4, 3]), torch.Size([2, 4]))
    """

    temperature: Tensor

    def __init__(self, prototypes: Tensor, temperature: float) -> None:
        if prototypes.ndim != 2 or 0 in prototypes.shape:
            raise ValueError(
                "prototypes must have the shape (n_prototypes, d), at least one of "
                f"them, got {tuple(prototypes.shape)}."
            )
        F.competition.check_temperature(temperature)
        super().__init__()
        self.prototypes = nn.Parameter(prototypes)
        self.register_buffer(
            "temperature", torch.tensor(float(temperature), dtype=prototypes.dtype)
        )

    def forward(
        self, tokens: Tensor, bounds: Tensor, log_mass: Tensor | None = None
    ) -> Slots:
        """Summarize every group.

        Parameters
        ----------
        tokens : Tensor of shape (N, d)
            Tokens of all groups, one group after the other.
        bounds : Tensor of shape (n_groups + 1,)
            Where groups begin and end, on the CPU; none may be empty.
        log_mass : Tensor of shape (N,), optional
            Logarithms of the masses of the tokens; by default all have mass one.

        Returns
        -------
        slots : Slots
            Named tuple of `vectors` (n_groups, K, d) and `log_mass` (n_groups, K).
        """
        n_prototypes, d_token = self.prototypes.shape
        parts, vectors, masses = [], [], []
        for groups, items in groups_of_one_length(bounds, n_prototypes + d_token):
            items = items.to(tokens.device)
            own, log_shares, mass = self._share(
                tokens[items], None if log_mass is None else log_mass[items]
            )
            parts.append(groups)
            vectors.append(log_shares.exp().transpose(1, 2) @ own)
            masses.append(mass)
        if len(parts) == 1:
            return Slots(vectors[0], masses[0])
        back = torch.cat(parts).argsort().to(tokens.device)
        return Slots(torch.cat(vectors)[back], torch.cat(masses)[back])

    def shares(self, tokens: Tensor, log_mass: Tensor | None = None) -> Tensor:
        """Return what every token of one group gives to its slots.

        Parameters
        ----------
        tokens : Tensor of shape (T, d)
            Tokens of one group.
        log_mass : Tensor of shape (T,), optional
            Logarithms of their masses.

        Returns
        -------
        shares : Tensor of shape (K, T)
            Rows sum to one; times the tokens they are the slots.
        """
        mass = None if log_mass is None else log_mass[None]
        return self._share(tokens[None], mass)[1][0].exp().T

    def _share(
        self, tokens: Tensor, log_mass: Tensor | None
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return tokens (B, T, d), their log shares (B, T, K) and log masses (B, K)."""
        # In the precision of the prototypes, also under autocast: at a low temperature
        # the rounding of bfloat16 would decide who wins.
        with torch.autocast(tokens.device.type, enabled=False):
            tokens = tokens.to(self.prototypes.dtype)
            log_q = F.log_soft_assign(tokens, self.prototypes, self.temperature)
        if log_mass is not None:
            log_q = log_q + log_mass[..., None]
        mass = log_q.logsumexp(1)
        return tokens, log_q - mass[:, None], mass

    def extra_repr(self) -> str:
        """Show sizes and temperature."""
        n_prototypes, d_token = self.prototypes.shape
        return f"{n_prototypes}, {d_token}, temperature={self.temperature.item():g}"


def document_vectors(slots: Slots) -> Tensor:
    r"""Return one vector of length one per group.

    Every slot contributes its direction, times the root of its share of the mass:

    .. math:: x = \Bigl( \sqrt{m_k / \textstyle\sum_j m_j} \;
                         s_k / \lVert s_k \rVert \Bigr)_{k = 1 \dots K} .

    The product of two such vectors is the cosine of slot and slot, averaged over the
    slots by the geometric mean of their shares.

    Parameters
    ----------
    slots : Slots
        Vectors (G, K, d) relative to where directions start from, and masses.

    Returns
    -------
    vectors : Tensor of shape (G, K * d)

    Examples
    --------
    >>> slots = Slots(torch.tensor([[[3.0, 4.0], [0.0, 1.0]]]), torch.zeros(1, 2))
    >>> document_vectors(slots)
    tensor([[0.4243, 0.5657, 0.0000, 0.7071]])
    """
    vectors, log_mass = slots
    roots = (log_mass.log_softmax(-1) / 2).exp()
    squares = vectors.square().sum(-1, keepdim=True)
    smallest = math.sqrt(torch.finfo(vectors.dtype).tiny)
    directions = vectors * squares.clamp_min(smallest).rsqrt()
    return (roots[..., None] * directions).flatten(1)
