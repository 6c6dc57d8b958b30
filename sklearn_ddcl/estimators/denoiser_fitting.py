"""From encoded rows to a trained denoiser with prototypes."""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sklearn_ddcl.estimators.auto import given, weight_dtype
from sklearn_ddcl.estimators.distinct_rows import DistinctRows
from sklearn_ddcl.estimators.fitted_denoiser import (
    Bank,
    DenoiserShape,
    FittedDenoiser,
    library,
)
from sklearn_ddcl.estimators.growth import growth_so_far
from sklearn_ddcl.estimators.merging import merge_prototypes
from sklearn_ddcl.estimators.named_encoder import resolve_encoder
from sklearn_ddcl.estimators.progress import PrintDenoising, printers
from sklearn_ddcl.estimators.table_space import TableSpace
from sklearn_ddcl.estimators.trained_network import run_on_rows
from sklearn_ddcl.functional import squared_distances
from sklearn_ddcl.layers.dense_rows import DenseRows
from sklearn_ddcl.networks import ROW_ENCODERS, RowDenoiser
from sklearn_ddcl.networks.table import TableSpec, describe_table
from sklearn_ddcl.training import (
    TrainingHistory,
    make_generator,
    one_thread,
    resolve_device,
)
from sklearn_ddcl.training.data import n_batches
from sklearn_ddcl.training.denoising.embedding import Embedding, fit_embedding
from sklearn_ddcl.training.denoising.metric import Metric
from sklearn_ddcl.training.denoising.neighborhoods import Frame, smooth
from sklearn_ddcl.training.denoising.net import DenoisingNet, make_denoising_net
from sklearn_ddcl.training.denoising.plan import DenoisingPlan
from sklearn_ddcl.training.denoising.rows import DenoisingRows
from sklearn_ddcl.training.quantization import Rows, count_prototypes, solve
from sklearn_ddcl.training.quantization.anneal import critical_temperature
from sklearn_ddcl.training.quantization.dual import descend_dually
from sklearn_ddcl.training.quantization.passes import hard_pass
from sklearn_ddcl.training.quantization.stream import follow

# Neighborhoods are looked for among this many rows.
_MOST_ROWS = 20_000
_STEPS = 800
_BATCH = 256
_WIDEST = 64
_MOST_PROTOTYPES = 64
# Of a training, that a batch of a stream gets.
_STREAM_SHARE = 0.1
# Of the critical temperature of the cells.
_SOFTNESS = 0.5
_COLD = 1e-3
_RELOCATIONS = 50


def fit_denoiser(
    estimator: Any, space: TableSpace, distinct: DistinctRows, seed: int
) -> tuple[FittedDenoiser, DenoisingNet]:
    """Train a denoiser.

    Parameters
    ----------
    estimator : DDCLTransformer
        Where the parameters come from.
    space : TableSpace
        Encoded the table.
    distinct : DistinctRows
        Its rows.
    seed : int
        Seeds everything random.

    Returns
    -------
    fitted : FittedDenoiser
    net : DenoisingNet
        Its history has one entry per epoch.
    """
    distinct = _sampled(distinct, seed)
    shape = _choose_shape(estimator, space, distinct)
    dtype = weight_dtype(estimator.precision)
    device = resolve_device(estimator.device)
    with one_thread():
        smoothed = _smoothed(shape.spec, distinct)
        frame = Frame.of(smoothed, distinct.weights)
        rows = _to_rows(distinct, frame.standardize(smoothed), dtype)
        metric = Metric.of(*_regions(rows))
        regions = _coordinates(rows, metric.forth)
        n_prototypes = _choose_number(estimator, shape.spec, distinct)
        bank = _place(estimator, n_prototypes, regions, frame, metric, seed)
        network = shape.build(make_generator(seed)).to(device=device, dtype=dtype)
        plan = make_plan(estimator, len(rows))
        net = _learn(estimator, network, plan, rows, bank, seed)
        bank = _merge(estimator, bank, rows, seed).to(device)
        embedding = _embed(estimator, net, bank, rows)
    mixed = net.mixed_precision
    return FittedDenoiser(space, shape, network, bank, embedding, mixed), net


def follow_denoiser(
    estimator: Any,
    fitted: FittedDenoiser,
    distinct: DistinctRows,
    history: TrainingHistory,
    seed: int,
) -> tuple[FittedDenoiser, DenoisingNet]:
    """Go on with some more rows.

    Parameters
    ----------
    estimator : DDCLTransformer
        Where the parameters come from.
    fitted : FittedDenoiser
        As it is; its network is trained further.
    distinct : DistinctRows
        The rows that have come.
    history : TrainingHistory
        Gets one entry per epoch.
    seed : int
        Seeds everything random.

    Returns
    -------
    fitted : FittedDenoiser
        With the prototypes where they are now.
    net : DenoisingNet
        What trained.
    """
    distinct = _sampled(distinct, seed)
    network = fitted.network
    with one_thread():
        smoothed = _smoothed(fitted.shape.spec, distinct)
        values = fitted.bank.frame.standardize(smoothed)
        rows = _to_rows(distinct, values, fitted.dtype)
        bank = fitted.bank.to(torch.device("cpu"))
        bank = _move(bank, _coordinates(rows, bank.forth), seed)
        plan = make_plan(estimator, len(rows), streaming=True)
        net = _learn(estimator, network, plan, rows, bank, seed, history)
    followed = FittedDenoiser(
        fitted.space,
        fitted.shape,
        network,
        bank.to(torch.device(net.device)),
        fitted.embedding,
        fitted.mixed_precision,
    )
    return followed, net


def make_plan(estimator: Any, n_rows: int, *, streaming: bool = False) -> DenoisingPlan:
    """Return the decisions that can be made before training.

    Parameters
    ----------
    estimator : DDCLTransformer
        Where the parameters come from.
    n_rows : int
        Rows to train on.
    streaming : bool, default=False
        Whether more rows will come.

    Returns
    -------
    plan : DenoisingPlan
    """
    batch_size = given(estimator.batch_size, _BATCH)
    usual = math.ceil(_STEPS / n_batches(n_rows, batch_size))
    return DenoisingPlan(
        max_epochs=given(estimator.max_epochs, usual),
        batch_size=batch_size,
        lr=estimator.lr,
        corruption=estimator.corruption,
        distortion_weight=estimator.distortion_weight,
        streaming=streaming,
    )


def _sampled(distinct: DistinctRows, seed: int) -> DistinctRows:
    """Return the rows, of a long table some of them."""
    n_rows = len(distinct.weights)
    generator = make_generator(seed + 5)
    order = torch.randperm(n_rows, generator=generator).numpy()[:_MOST_ROWS]
    encoded = type(distinct.encoded)(*(part[order] for part in distinct.encoded))
    return DistinctRows(encoded, distinct.weights[order], distinct.first[order])


def _choose_shape(
    estimator: Any, space: TableSpace, distinct: DistinctRows
) -> DenoiserShape:
    params = resolve_encoder(estimator.encoder, ROW_ENCODERS)
    params.check()
    numbers = distinct.encoded.numbers
    flagged = np.flatnonzero(np.isnan(numbers).any(0)).tolist()
    spec = describe_table(
        params,
        torch.from_numpy(numbers).to(weight_dtype(estimator.precision)),
        torch.from_numpy(distinct.encoded.codes),
        space.cardinalities,
        torch.from_numpy(distinct.weights),
        tuple(flagged),
    )
    return DenoiserShape(params, estimator.d_latent, spec)


def _dense(spec: TableSpec, distinct: DistinctRows) -> Tensor:
    """Return the rows as numbers alone, (n, D)."""
    dense = DenseRows(spec.n_numbers, spec.cardinalities, spec.flagged)
    numbers = torch.from_numpy(distinct.encoded.numbers).double()
    return dense(numbers, torch.from_numpy(distinct.encoded.codes))


def _smoothed(spec: TableSpec, distinct: DistinctRows) -> np.ndarray:
    """Return what the rows are like among their neighbors, (n, S, D)."""
    return smooth(_dense(spec, distinct).numpy(), distinct.weights)


def _choose_number(estimator: Any, spec: TableSpec, distinct: DistinctRows) -> int:
    """Return the number of prototypes, counted if need be.

    Among the rows themselves: neighborhoods share rows, so that none of them could
    judge what was made of others.
    """
    wanted = estimator.n_prototypes
    if wanted not in (None, "auto"):
        return wanted
    most = max(1, min(_MOST_PROTOTYPES, len(distinct.weights) // 8))
    if wanted is None or estimator.n_clusters is not None:
        return most
    rows = Rows(_dense(spec, distinct), torch.from_numpy(distinct.weights))
    return count_prototypes(rows, most=most).n_prototypes


def _to_rows(
    distinct: DistinctRows, values: np.ndarray, dtype: torch.dtype
) -> DenoisingRows:
    weights = distinct.weights / distinct.weights.mean()
    return DenoisingRows(
        torch.from_numpy(distinct.encoded.numbers).to(dtype),
        torch.from_numpy(distinct.encoded.codes),
        torch.from_numpy(values).to(dtype),
        torch.from_numpy(weights).to(dtype),
    )


def _place(
    estimator: Any,
    n_prototypes: int,
    rows: Rows,
    frame: Frame,
    metric: Metric,
    seed: int,
) -> Bank:
    """Find prototypes among the largest neighborhoods."""
    generator = make_generator(seed + 1)
    if estimator.solver == "dual":
        codes = descend_dually(rows, n_prototypes, generator)[0]
    else:
        # All start at the mean and part by themselves while the temperature falls: it
        # then depends on the rows and on nothing else where they end.
        centers = solve(
            rows,
            n_prototypes,
            make_generator(0),
            init="mean",
            max_relocations=_RELOCATIONS,
        ).codes
        codes = (centers - rows.center).to(rows.dtype)
    cells = hard_pass(rows, codes)
    temperature = given(estimator.temperature, None)
    if temperature is None:
        critical = critical_temperature(rows, codes, cells.labels, generator)
        # Every row a prototype: any temperature tells them apart.
        temperature = _SOFTNESS * critical or _COLD
    else:
        temperature = float(temperature) / float(frame.scales[-1]) ** 2
    return Bank(
        prototypes=(codes + rows.center).to(rows.dtype),
        temperature=temperature,
        mass=cells.mass.double(),
        clusters=torch.arange(n_prototypes),
        centers=torch.from_numpy(frame.centers).to(rows.dtype),
        scales=torch.from_numpy(frame.scales).to(rows.dtype),
        forth=metric.forth.to(rows.dtype),
        back=metric.back.to(rows.dtype),
    )


def _move(bank: Bank, rows: Rows, seed: int) -> Bank:
    """Move prototypes by the neighborhoods of some more rows."""
    codes = (bank.prototypes.to(rows.center) - rows.center).to(rows.dtype)
    moved, mass, _, _ = follow(
        rows, codes, bank.mass.to(rows.dtype), make_generator(seed + 1)
    )
    return bank._replace(
        prototypes=(moved + rows.center).to(bank.prototypes.dtype), mass=mass.double()
    )


def _learn(
    estimator: Any,
    network: RowDenoiser,
    plan: DenoisingPlan,
    rows: DenoisingRows,
    bank: Bank,
    seed: int,
    history: TrainingHistory | None = None,
) -> DenoisingNet:
    """Train a network; going on with a history, only a little."""
    device = next(network.parameters()).device
    net = make_denoising_net(
        network,
        plan,
        prototypes=bank.prototypes,
        metric=bank.forth,
        temperature=bank.temperature,
        seed=seed,
        device=device,
        mixed_precision=estimator.precision == "bf16",
        extra_callbacks=printers(PrintDenoising, estimator.verbose),
    )
    net.initialize()
    net.growth_history = growth_so_far(estimator)
    epochs = plan.max_epochs
    if history is not None:
        net.measurements = history
        epochs = max(1, round(_STREAM_SHARE * epochs))
    return net.partial_fit(rows.to(device), epochs=epochs)


def _regions(rows: DenoisingRows) -> tuple[Tensor, Tensor]:
    """Return the largest neighborhoods (n, D) and their weights (n,)."""
    _, _, smoothed, weights = rows.tensors
    return smoothed[:, -1], weights


def _coordinates(rows: DenoisingRows, forth: Tensor) -> Rows:
    """Return the largest neighborhoods in the coordinates of a metric."""
    values, weights = _regions(rows)
    return Rows(values @ forth.to(values.dtype), weights, dtype=values.dtype)


def _merge(estimator: Any, bank: Bank, rows: DenoisingRows, seed: int) -> Bank:
    """Merge prototypes into clusters, if wanted."""
    if estimator.n_clusters is None:
        return bank
    values, weights = _regions(rows)
    squared, between = (
        squared_distances(own, bank.prototypes).double().numpy()
        for own in (values @ bank.forth, bank.prototypes)
    )
    clusters = merge_prototypes(
        squared, between, weights.double().numpy(), estimator.n_clusters, seed
    )
    return bank._replace(clusters=torch.from_numpy(clusters))


def _embed(
    estimator: Any, net: DenoisingNet, bank: Bank, rows: DenoisingRows
) -> Embedding:
    """Find the components in which rows are described."""
    network = net.module_
    numbers, codes, _, weights = rows.tensors
    columns = run_on_rows(
        network,
        lambda *x: library(network, bank, *x),
        numbers,
        codes,
        mixed_precision=net.mixed_precision,
    )
    usual = min(network.spec.n_columns, _WIDEST)
    n_components = given(estimator.n_components, usual)
    width = sum(block.shape[1] for block in columns)
    if n_components > width:
        raise ValueError(
            f"n_components={n_components} is more than the {width} columns that an "
            "embedding is made of; ask for fewer."
        )
    embedding = fit_embedding(columns, weights, n_components)
    return embedding.to(torch.device(net.device))
