"""Codebooks: latent vectors in, soft or hard codes and what they stand for out."""

from typing import NamedTuple

import torch
from torch import Tensor, nn

import sklearn_ddcl.functional as F
from sklearn_ddcl.layers.full_vectors import multiply_groups

QUANTIZATIONS = ("product", "residual")


class Quantized(NamedTuple):
    """What a codebook answers for latents."""

    latents: Tensor
    """Quantized latents, (B, S, d)."""
    log_assignments: Tensor
    """Log assignments, (B, M, K)."""
    inputs: Tensor
    """The vector that each book was asked about, (B, M, d)."""


class Codebook(nn.Module):
    r"""Quantize latents by several books of prototypes, softly or hard.

    Book m assigns its input to its prototypes,
    :math:`q_{mk} \propto e^{-\lVert z_m - p_{mk} \rVert^2 / \tau_m}`, and answers with
    :math:`\hat z_m = \sum_k q_{mk} p_{mk}`. As the temperature falls, the answer
    becomes the nearest prototype, and its index is the code.

    Parameters
    ----------
    n_codebooks : int
        Number of books M, which is the number of codes of a row.
    n_prototypes : int
        Number of prototypes K of each book.
    d_code : int
        Width d of the prototypes.
    quantization : {"product", "residual"}, default="product"
        With "product" a latent has a slot for every book, :math:`S = M`. With
        "residual" it has one, :math:`S = 1`, and every book quantizes what the books
        before it have left.
    temperature : float, default=1.0
        Temperature of all books, in the unit of a squared distance. A buffer, to be
        annealed and never learned.
    generator : torch.Generator, optional
        Source of the initial prototypes; torch's global one by default.

    Attributes
    ----------
    prototypes : Parameter of shape (n_codebooks, n_prototypes, d_code)
        Standard normal at the start; better placed on latents.
    temperature : Tensor of shape (n_codebooks,)
        Current temperature of every book.

    Raises
    ------
    ValueError
        If a size or the temperature is not positive, or `quantization` is unknown.

    See Also
    --------
    sklearn_ddcl.layers.PrototypeReadout : One book, read out instead of decoded.

    References
    ----------
    .. [1] A. van den Oord, O. Vinyals and K. Kavukcuoglu, "Neural Discrete
       Representation Learning", NeurIPS 2017.
    .. [2] E. Agustsson et al., "Soft-to-Hard Vector Quantization for End-to-End
       Learning Compressible Representations", NeurIPS 2017.

    Examples
    --------
    >>> codebook = Codebook(n_codebooks=3, n_prototypes=16, d_code=4)
    >>> z = torch.randn(10, 3, 4)
    >>> codebook(z).latents.shape
    torch.Size([10, 3, 4])
    >>> codes = codebook.encode(z)
    >>> codes.shape, codebook.decode(codes).shape
    (torch.Size([10, 3]), torch.Size([10, 3, 4]))
    """

    temperature: Tensor

    def __init__(
        self,
        n_codebooks: int,
        n_prototypes: int,
        d_code: int,
        *,
        quantization: str = "product",
        temperature: float = 1.0,
        generator: torch.Generator | None = None,
    ) -> None:
        if min(n_codebooks, n_prototypes, d_code) < 1:
            raise ValueError(
                "n_codebooks, n_prototypes and d_code must be at least 1, got "
                f"{n_codebooks=}, {n_prototypes=} and {d_code=}."
            )
        if quantization not in QUANTIZATIONS:
            raise ValueError(
                f"quantization must be one of {QUANTIZATIONS}, got {quantization!r}."
            )
        F.competition.check_temperature(temperature)
        super().__init__()
        self.quantization = quantization
        prototypes = torch.empty(n_codebooks, n_prototypes, d_code)
        self.prototypes = nn.Parameter(prototypes.normal_(generator=generator))
        temperatures = torch.full((n_codebooks,), float(temperature))
        self.register_buffer("temperature", temperatures)

    @property
    def n_slots(self) -> int:
        """Number of vectors S that make up the latent of a row."""
        return len(self.prototypes) if self.quantization == "product" else 1

    def forward(self, z: Tensor) -> Quantized:
        """Quantize latents softly.

        Parameters
        ----------
        z : Tensor of shape (B, S, d)
            Latents.

        Returns
        -------
        quantized : Quantized
            Named tuple of `latents`, `log_assignments` and `inputs`.
        """
        self._check(z)
        inputs, log_q = self._compete(z, hard=False)
        return Quantized(self.decode_assignments(log_q.exp()), log_q, inputs)

    def encode(self, z: Tensor) -> Tensor:
        """Return the codes (B, M), int64, of latents (B, S, d)."""
        self._check(z)
        _, log_q = self._compete(z, hard=True)
        return log_q.argmax(-1)

    def decode(self, codes: Tensor) -> Tensor:
        """Return the latents (B, S, d) that codes (B, M) stand for."""
        if codes.ndim != 2 or codes.shape[1] != len(self.prototypes):
            raise ValueError(
                f"Expected codes of shape (batch, {len(self.prototypes)}), got "
                f"{tuple(codes.shape)}."
            )
        books = torch.arange(len(self.prototypes), device=codes.device)
        return self._combine(self.prototypes[books, codes])

    def decode_assignments(self, assignments: Tensor) -> Tensor:
        """Return the latents (B, S, d) that soft assignments (B, M, K) stand for."""
        return self._combine(multiply_groups(assignments, self.prototypes))

    def distances(self, z: Tensor) -> Tensor:
        """Return squared distances (B, M, K); residual books count as hard."""
        self._check(z)
        inputs, _ = self._compete(z, hard=True)
        return self._distances(inputs, slice(None))

    def blur(self, z: Tensor, generator: torch.Generator | None = None) -> Quantized:
        r"""Add noise to latents that is as large as their soft quantization error.

        Drawing prototype k with probability :math:`q_k` displaces a latent by
        :math:`p_k - z`, whose mean square is the competition loss
        :math:`\sum_k q_k \lVert p_k - z \rVert^2`. The noise

        .. math::
            \sum_k \sqrt{q_k} \, \varepsilon_k (p_k - z),
            \qquad \varepsilon_k = \pm 1 \text{ at random},

        has the same second moments and mean zero. A decoder trained on it pays for
        what quantization will cost it. For the gradient the noise is a constant, so
        that nothing is passed through a choice of prototypes, and the gradient for
        the latents does not fade as assignments harden, as that of :math:`\hat z`
        does. That less noise would be better, :meth:`commitment` tells the encoder.

        Parameters
        ----------
        z : Tensor of shape (B, S, d)
            Latents.
        generator : torch.Generator, optional
            Source of the signs, on the device of `z`.

        Returns
        -------
        quantized : Quantized
            The noisy latents, and the assignments and inputs behind the noise. With
            residual quantization the books before the last one count as hard.
        """
        self._check(z)
        with torch.no_grad():
            inputs, log_q = self._compete(z, hard=True)
            last = slice(-self.n_slots, None)
            # Half the logarithm is the root. What is too small to matter is cut off:
            # subnormal numbers are slow.
            steps = (0.5 * log_q[:, last]).clamp_min(-40).exp()
            # Products of signs are pairwise independent, and fewer have to be drawn.
            for shape in (steps[..., :1], steps[:1]):
                steps *= torch.empty_like(shape).bernoulli_(generator=generator) * 2 - 1
            noise = multiply_groups(steps, self.prototypes[last])
            noise -= steps.sum(-1, keepdim=True) * inputs[:, last]
        return Quantized(z + noise, log_q, inputs)

    def commitment(self, z: Tensor, quantized: Quantized) -> Tensor:
        r"""Return what pulls latents towards the prototypes that answer for them.

        With assignments held constant, the competition loss has the gradient of
        :math:`\lVert z - \hat z \rVert^2`.

        Parameters
        ----------
        z : Tensor of shape (B, S, d)
            Latents.
        quantized : Quantized
            What :meth:`blur` answered for them.

        Returns
        -------
        commitment : Tensor of shape (B,)
            Squared distance of each latent to its mean answer, per dimension. The
            prototypes feel nothing of it.
        """
        last = slice(-self.n_slots, None)
        with torch.no_grad():
            q = quantized.log_assignments[:, last].clamp_min(-60).exp()
            answer = multiply_groups(q, self.prototypes[last])
            # The last residual book is asked about z less what the others answered.
            target = answer + (z.to(answer.dtype) - quantized.inputs[:, last])
        return (z - target).square().flatten(1).mean(1)

    def _compete(self, z: Tensor, hard: bool) -> tuple[Tensor, Tensor]:
        """Return the input (B, M, d) and the log assignments (B, M, K) of all books."""
        if self.quantization == "product":
            return z, self._log_assign(z, slice(None))
        left, inputs, log_qs = z, [], []
        for m, book in enumerate(self.prototypes):
            log_q = self._log_assign(left, slice(m, m + 1))
            inputs.append(left)
            log_qs.append(log_q)
            if hard:
                left = left - book[log_q.argmax(-1)].detach()
            else:
                left = left - multiply_groups(log_q.exp(), book[None])
        return torch.cat(inputs, 1), torch.cat(log_qs, 1)

    def _log_assign(self, x: Tensor, books: slice) -> Tensor:
        distances = self._distances(x, books)
        return (-distances / self.temperature[books, None]).log_softmax(-1)

    def _distances(self, x: Tensor, books: slice) -> Tensor:
        # In the precision of the prototypes, also under autocast, and centered on
        # them, which changes no distance but keeps rounding small.
        with torch.autocast(x.device.type, enabled=False):
            prototypes = self.prototypes[books]
            center = prototypes.detach().mean(1)
            x = x.to(prototypes.dtype) - center
            prototypes = prototypes - center[:, None]
            products = multiply_groups(x, prototypes.transpose(1, 2))
            norms = x.square().sum(-1, keepdim=True) + prototypes.square().sum(-1)
            return (norms - 2 * products).clamp_min(0)

    def _combine(self, parts: Tensor) -> Tensor:
        if self.quantization == "product":
            return parts
        return parts.sum(1, keepdim=True)

    def _check(self, z: Tensor) -> None:
        expected = (self.n_slots, self.prototypes.shape[-1])
        if z.ndim != 3 or z.shape[1:] != expected:
            raise ValueError(
                f"Expected latents of shape (batch, {expected[0]}, {expected[1]}), got "
                f"{tuple(z.shape)}."
            )

    def extra_repr(self) -> str:
        """Show sizes and the kind of quantization."""
        m, k, d = self.prototypes.shape
        return f"{m}, {k}, {d}, quantization={self.quantization!r}"
