"""From encoded rows to a trained autoencoder with codebooks."""

from typing import Any, NamedTuple

import numpy as np
import torch

from sklearn_ddcl.estimators.fitted_autoencoder import (
    AutoencoderShape,
    FittedAutoencoder,
)
from sklearn_ddcl.estimators.named_encoder import resolve_encoder
from sklearn_ddcl.networks import AUTOENCODERS
from sklearn_ddcl.networks.table import describe_table
from sklearn_ddcl.training import EncodedRows, TrainingHistory, make_generator
from sklearn_ddcl.training.autoencoding.net import AutoencoderNet, make_autoencoder_net
from sklearn_ddcl.training.autoencoding.plan import AutoencoderPlan
from sklearn_ddcl.training.threads import one_thread


class TrainedAutoencoder(NamedTuple):
    """What a training leaves behind."""

    fitted: FittedAutoencoder
    history: TrainingHistory
    net: AutoencoderNet


def fit_autoencoder(
    numbers: np.ndarray,
    codes: np.ndarray,
    cardinalities: tuple[int, ...],
    weights: np.ndarray,
    *,
    encoder: Any,
    n_prototypes: int,
    n_codebooks: int = 1,
    quantization: str = "product",
    max_epochs: int = 50,
    batch_size: int = 128,
    lr: float = 3e-3,
    prototype_lr_ratio: float = 5.0,
    temperature: float | None = None,
    seed: int = 0,
    device: torch.device | str = "cpu",
    dtype: torch.dtype = torch.float32,
    mixed_precision: bool = False,
    extra_callbacks: tuple = (),
) -> TrainedAutoencoder:
    """Train an autoencoder whose latents pass through codebooks.

    Parameters
    ----------
    numbers : ndarray of shape (n, F)
        Standardized numbers, NaN where missing.
    codes : ndarray of shape (n, G)
        Category codes, int64; 0 is an unknown category.
    cardinalities : tuple of int
        Number of codes of every categorical column, the unknown one included.
    weights : ndarray of shape (n,)
        Importance of the rows; those of weight zero are left out.
    encoder : str or parameter object
        A name in ``AUTOENCODERS`` or such as ``MLPAutoencoder(d_hidden=64)``.
    n_prototypes : int
        Prototypes per codebook.
    n_codebooks : int, default=1
        Number of codebooks.
    quantization : {"product", "residual"}, default="product"
        How the codebooks share a latent.
    max_epochs : int, default=50
        Passes over the rows.
    batch_size : int, default=128
        Rows per step, about.
    lr : float, default=3e-3
        Learning rate at its peak.
    prototype_lr_ratio : float, default=5.0
        How many times faster prototypes learn while codes are hard.
    temperature : float, optional
        A fixed temperature instead of one that falls.
    seed : int, default=0
        Seeds everything random.
    device : torch.device or str, default="cpu"
        Where to train.
    dtype : torch.dtype, default=torch.float32
        Type of the weights.
    mixed_precision : bool, default=False
        Whether to train under bfloat16 autocast.
    extra_callbacks : tuple of skorch callbacks
        Told of every epoch.

    Returns
    -------
    trained : TrainedAutoencoder
        Named tuple of `fitted`, `history` and `net`. The last line of the history tells
        what hard codes cost, ``hard_reconstruction`` minus ``soft_reconstruction``.

    Raises
    ------
    ValueError
        If the encoder is unknown, its parameters are not usable or no row counts.
    """
    params = resolve_encoder(encoder, AUTOENCODERS)
    params.check()
    used = weights > 0
    if not used.any():
        raise ValueError("All rows have weight zero; at least one must count.")
    tensors = _to_tensors(numbers[used], codes[used], weights[used], dtype)
    spec = describe_table(params, tensors[0], tensors[1], cardinalities, tensors[3])
    shape = AutoencoderShape(params, n_prototypes, n_codebooks, quantization, spec)
    device = torch.device(device)
    network = shape.build(make_generator(seed)).to(device=device, dtype=dtype)
    plan = AutoencoderPlan(
        max_epochs=max_epochs,
        batch_size=batch_size,
        lr=lr,
        prototype_lr_ratio=prototype_lr_ratio,
        temperature=temperature,
    )
    net = make_autoencoder_net(
        network,
        plan,
        seed=seed,
        device=device,
        mixed_precision=mixed_precision,
        extra_callbacks=extra_callbacks,
    )
    with one_thread():
        net.initialize()
        net.partial_fit(EncodedRows(*tensors).to(device))
    network.codebook.prototypes.requires_grad_(True)
    fitted = FittedAutoencoder(shape, network, mixed_precision)
    return TrainedAutoencoder(fitted, net.measurements, net)


def _to_tensors(
    numbers: np.ndarray, codes: np.ndarray, weights: np.ndarray, dtype: torch.dtype
) -> tuple[torch.Tensor, ...]:
    """Return the columns of `EncodedRows`; rows have no classes here."""
    return (
        torch.from_numpy(numbers).to(dtype),
        torch.from_numpy(codes),
        torch.zeros(len(numbers), dtype=torch.int64),
        torch.from_numpy(weights / weights.mean()).to(dtype),
    )
