"""The codebooks between epochs: placed, cooled, jittered, dead prototypes moved."""

from typing import Any, NamedTuple

import torch
from skorch.callbacks import Callback
from torch import Tensor

import sklearn_ddcl.functional as F
from sklearn_ddcl.layers import Codebook
from sklearn_ddcl.training.data import Batches, EncodedRows
from sklearn_ddcl.training.quantization import Rows, solve
from sklearn_ddcl.training.quantization.place import spread

_MIN_ROWS, _ROWS_PER_PROTOTYPE = 2048, 8
_DEAD_SHARE = 0.05
_JITTER = 1e-3
_BLOCK = 1024
# Rounds of relocation when codebooks are placed.
_ROUNDS = 2


class Cells(NamedTuple):
    """How a sample of latents falls into the cells of every book."""

    inputs: Tensor
    """What each book was asked about, (R, M, d)."""
    weights: Tensor
    """Importance of the rows, (R,)."""
    gaps: Tensor
    """Squared distance to the winner, (R, M)."""
    mass: Tensor
    """Share of the weight that every prototype wins, (M, K)."""

    @property
    def variance(self) -> Tensor:
        """Mean variance of the cells along one dimension, (M,)."""
        shares = (self.weights / self.weights.sum())[:, None]
        return (shares * self.gaps).sum(0) / self.inputs.shape[-1]


class TendCodebooks(Callback):
    r"""Do with the codebooks before every epoch what its phase asks for.

    They are placed when the free phase ends. The temperature follows the width of the
    cells, which changes with the encoder: at :math:`2 \sigma^2`, with
    :math:`\sigma^2` the variance of a typical cell along one dimension, such a cell
    would just split.
    """

    def on_train_begin(self, net: Any, X: Any = None, **kwargs: Any) -> None:
        """Choose the rows to look at."""
        n_prototypes = net.module_.codebook.prototypes.shape[1]
        wanted = max(_MIN_ROWS, _ROWS_PER_PROTOTYPE * n_prototypes)
        self.rows_: EncodedRows = X.sample(wanted).to(torch.device(net.device))
        n_batches = len(net.get_iterator(X, training=True))
        self.batch_mass_ = float(X.tensors[3].sum()) / n_batches
        self.placed_ = False

    def on_epoch_begin(self, net: Any, **kwargs: Any) -> None:
        """Place, relocate, jitter, and set the temperature."""
        plan, epoch = net.plan, len(net.measurements)
        before, net.phase = net.phase, plan.phase(epoch)
        codebook = net.module_.codebook
        # While codes are soft, closed-form steps move the prototypes.
        codebook.prototypes.requires_grad_(net.phase == "hard")
        if net.phase == "free" or before == net.phase == "hard":
            return
        with torch.no_grad():
            latents, weights = look(net, self.rows_)
            if not self.placed_:
                place(codebook, latents, weights, net.placer)
                self.placed_ = True
            cells = measure_cells(codebook, latents, weights)
            n_moved = relocate_dead(codebook, cells, net.placer)
            if n_moved:
                cells = measure_cells(codebook, latents, weights)
            if net.phase == "soft":
                set_temperature(codebook, cells, plan, epoch)
                jitter(codebook, cells, net.placer)
        tracker = dict(net.callbacks_)["track"]
        tracker.restart(codebook.prototypes, cells.mass * self.batch_mass_)


def look(net: Any, rows: EncodedRows) -> tuple[Tensor, Tensor]:
    """Return the latents (R, S, d) and the weights (R,) of rows."""
    network, training = net.module_, net.module_.training
    network.eval()
    parts, weights = [], []
    with torch.no_grad(), net.autocast():
        for inputs, targets in Batches(rows, _BLOCK, torch.device(net.device)):
            parts.append(network.latents(inputs.numbers, inputs.codes))
            weights.append(targets.weights)
    network.train(training)
    dtype = network.codebook.prototypes.dtype
    return torch.cat(parts).to(dtype), torch.cat(weights).to(dtype)


def place(
    codebook: Codebook, latents: Tensor, weights: Tensor, generator: torch.Generator
) -> None:
    """Spread the prototypes of all books over the latents.

    Parameters
    ----------
    codebook : Codebook
        Its prototypes are set.
    latents : Tensor of shape (R, S, d)
        Latents of a sample.
    weights : Tensor of shape (R,)
        Importance of the rows.
    generator : torch.Generator
        On the CPU.
    """
    left = latents
    for m, book in enumerate(codebook.prototypes):
        points = left[:, m] if codebook.n_slots > 1 else left[:, 0]
        rows = Rows(points, weights, dtype=points.dtype)
        book.copy_(solve(rows, len(book), generator, max_relocations=_ROUNDS).codes)
        if codebook.quantization == "residual":
            left = left - book[F.nearest(left, book)]


def measure_cells(codebook: Codebook, latents: Tensor, weights: Tensor) -> Cells:
    """Return how latents fall into the cells of every book.

    Parameters
    ----------
    codebook : Codebook
        With its prototypes in place.
    latents : Tensor of shape (R, S, d)
        Latents of a sample.
    weights : Tensor of shape (R,)
        Importance of the rows.

    Returns
    -------
    cells : Cells
        Inputs, gaps and masses.
    """
    inputs, gaps, masses = [], [], []
    left = latents
    for m, book in enumerate(codebook.prototypes):
        x = left[:, m] if codebook.n_slots > 1 else left[:, 0]
        winners = F.nearest(x, book)
        moved = x - book[winners]
        inputs.append(x)
        gaps.append(moved.square().sum(-1))
        masses.append(weights.new_zeros(len(book)).index_add_(0, winners, weights))
        if codebook.quantization == "residual":
            left = moved[:, None]
    mass = torch.stack(masses) / weights.sum()
    return Cells(torch.stack(inputs, 1), weights, torch.stack(gaps, 1), mass)


def relocate_dead(codebook: Codebook, cells: Cells, generator: torch.Generator) -> int:
    """Move prototypes that win next to nothing to latents far from all others.

    Parameters
    ----------
    codebook : Codebook
        Its prototypes are moved.
    cells : Cells
        How a sample falls into its cells.
    generator : torch.Generator
        On the CPU.

    Returns
    -------
    n_moved : int
        How many were moved.
    """
    n_moved = 0
    n_prototypes = cells.mass.shape[1]
    for m, book in enumerate(codebook.prototypes):
        dead = (cells.mass[m] < _DEAD_SHARE / n_prototypes).nonzero()[:, 0]
        gaps = cells.gaps[:, m].contiguous()
        if len(dead) and bool((cells.weights * gaps).any()):
            inputs = cells.inputs[:, m]
            rows = Rows(inputs, cells.weights, dtype=inputs.dtype)
            book[dead] = spread(rows, len(dead), generator, gaps) + rows.center
            n_moved += len(dead)
    return n_moved


def set_temperature(codebook: Codebook, cells: Cells, plan: Any, epoch: int) -> None:
    """Set the temperature of every book: fixed, or relative to its cells.

    Parameters
    ----------
    codebook : Codebook
        Its temperature is set.
    cells : Cells
        How a sample falls into its cells.
    plan : AutoencoderPlan
        Schedule.
    epoch : int
        Counted from zero.
    """
    if plan.temperature is not None:
        codebook.temperature.fill_(plan.temperature)
        return
    shares = (cells.weights / cells.weights.sum())[:, None, None]
    spread_of_all = (shares * cells.inputs.square()).sum((0, 2))
    variance = cells.variance
    # Latents that all stand on prototypes leave no width: any low temperature will do.
    lowest = (1e-6 * spread_of_all).clamp_min(torch.finfo(variance.dtype).tiny ** 0.5)
    temperature = 2 * plan.temperature_ratio(epoch) * variance
    codebook.temperature.copy_(torch.maximum(temperature, lowest))


def jitter(codebook: Codebook, cells: Cells, generator: torch.Generator) -> None:
    """Displace prototypes by a thousandth of their cell, so that duplicates can part.

    Parameters
    ----------
    codebook : Codebook
        Its prototypes are displaced.
    cells : Cells
        How a sample falls into its cells.
    generator : torch.Generator
        On the CPU.
    """
    prototypes = codebook.prototypes
    noise = torch.empty(prototypes.shape, dtype=prototypes.dtype)
    noise.normal_(generator=generator)
    width = cells.variance.sqrt()
    prototypes.add_(_JITTER * width[:, None, None] * noise.to(prototypes.device))
