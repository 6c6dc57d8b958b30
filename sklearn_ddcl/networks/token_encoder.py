"""Tokens of a group see each other before they are pooled."""

from typing import Any

import torch
from torch import Tensor, nn

from sklearn_ddcl.layers.document_tokens import cut_groups, groups_of_one_length
from sklearn_ddcl.layers.linear import Linear
from sklearn_ddcl.networks.growth_rule import GrowthRule


class TokenEncoder(nn.Module):
    r"""Let the tokens of every group pass through blocks of attention.

    .. math:: y_t = z_t + \sigma \, U \, h(V z / \sigma)_t

    with a stack :math:`h` of blocks, which may be narrower than the tokens or wider.
    :math:`U` is zero at first, so that tokens start as they are, whatever the blocks.
    Without positions it does not matter in which order the tokens of a window come.

    Parameters
    ----------
    params : parameter object
        One of :data:`~sklearn_ddcl.networks.DOCUMENT_ENCODERS`: its `d_token` is the
        width of the blocks, `n_layers` their number, and ``block_maker`` makes them.
    width : int
        Width :math:`d` of the tokens.
    longest : int
        Tokens that attend to each other, at most; longer groups are cut into equal
        windows, so that the cost is linear in the number of tokens.
    scale : float, default=1.0
        Standard deviation :math:`\sigma` of the tokens. A buffer.
    generator : torch.Generator, optional
        Source of the initial weights; torch's global one by default.

    Attributes
    ----------
    growth_rule : GrowthRule or None
        When heads come and go.

    Examples
    --------
    >>> from sklearn_ddcl.networks import TransformerEncoder
    >>> encoder = TokenEncoder(TransformerEncoder(d_token=8), 3, 128)
    >>> tokens = torch.randn(9, 3)
    >>> torch.equal(encoder(tokens, torch.tensor([0, 5, 9])), tokens)
    True
    """

    scale: Tensor

    def __init__(
        self,
        params: Any,
        width: int,
        longest: int,
        *,
        scale: float = 1.0,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        self.longest = longest
        self.register_buffer("scale", torch.tensor(float(scale)))
        own = params.d_token
        self.down = Linear(width, own, bias=False, generator=generator)
        make_block = params.block_maker(generator)
        self.blocks = nn.ModuleList(make_block() for _ in range(params.n_layers))
        self.up = Linear(own, width, bias=False, generator=generator)
        nn.init.zeros_(self.up.weight)
        self.growth_rule: GrowthRule | None = getattr(params, "growth_rule", None)

    def forward(
        self, tokens: Tensor, bounds: Tensor, kept: Tensor | None = None
    ) -> Tensor:
        """Return the tokens (N, d) of groups as they are in their company.

        Parameters
        ----------
        tokens : Tensor of shape (N, d)
            Tokens of all groups, one group after the other.
        bounds : Tensor of shape (n_groups + 1,)
            Where groups begin and end, on the CPU.
        kept : Tensor of shape (N,), dtype bool, optional
            Tokens that can be attended to; all by default. Only in training.

        Returns
        -------
        encoded : Tensor of shape (N, d)
        """
        # In training all at once: what grows is shown every step as one batch.
        if self.training:
            mixed = self.run_together(tokens, bounds, kept)
        else:
            mixed = self._run_by_length(tokens, bounds)
        return tokens + self.scale * self.up(mixed)

    def run_together(
        self,
        tokens: Tensor,
        bounds: Tensor,
        kept: Tensor | None = None,
        *,
        most: int | None = None,
    ) -> Tensor:
        """Return what leaves the blocks, after windows were padded to one length.

        Parameters
        ----------
        tokens, bounds, kept : Tensor
            As for :meth:`forward`.
        most : int, optional
            So many windows are enough; by default all count.

        Returns
        -------
        mixed : Tensor of shape (N, d_token)
            In the width of the blocks.
        """
        windows = cut_groups(bounds, self.longest)
        if most is not None:
            windows = windows[: most + 1]
        own = self._narrow(tokens[: int(windows[-1])])
        lengths = windows.diff()
        exists = torch.arange(int(lengths.max())) < lengths[:, None]
        places = exists.flatten().nonzero()[:, 0].to(own.device)
        mask = exists.to(own.device)
        if kept is not None:
            mask = torch.zeros_like(mask.flatten()).index_copy(0, places, kept)
            mask = mask.unflatten(0, exists.shape)
            # Who is left without any company keeps what there was.
            mask = torch.where(mask.any(1, keepdim=True), mask, exists.to(own.device))
        padded = own.new_zeros(exists.numel(), own.shape[1])
        padded = padded.index_copy(0, places, own).unflatten(0, exists.shape)
        for block in self.blocks:
            padded = block(padded, mask)
        return padded.flatten(0, 1)[places]

    def _run_by_length(self, tokens: Tensor, bounds: Tensor) -> Tensor:
        """Return the same without padding, some windows at a time."""
        windows = cut_groups(bounds, self.longest)
        own = self._narrow(tokens)
        mixed = torch.empty_like(own)
        for _, items in groups_of_one_length(windows, 4 * own.shape[1]):
            items = items.to(own.device)
            x = own[items]
            for block in self.blocks:
                x = block(x)
            mixed[items] = x.to(mixed)
        return mixed

    def _narrow(self, tokens: Tensor) -> Tensor:
        # Blocks add to what they get: in full precision, also under autocast.
        return self.down(tokens / self.scale).to(self.scale.dtype)
