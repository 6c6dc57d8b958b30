"""Fitted estimators to and from files."""

import hashlib
import json
import os
import platform
import re
import secrets
import stat
import warnings
from contextlib import suppress
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import load as read_tensors
from safetensors.numpy import save as write_tensors

from sklearn_ddcl import __version__
from sklearn_ddcl.persistence.archive import LARGEST_ARCHIVE, pack, unpack
from sklearn_ddcl.persistence.errors import ModelFileError
from sklearn_ddcl.persistence.values import ValueReader, ValueWriter

FORMAT = "sklearn_ddcl model"
FORMAT_VERSION = 1
MODEL, WEIGHTS = "model.json", "weights.safetensors"

# Nothing else is ever imported or built, whatever a file says.
LOADABLE = {
    "DDCLClassifier": "sklearn_ddcl.estimators.classifier",
    "DDCLDocumentCompressor": "sklearn_ddcl.estimators.document_compressor",
    "DDCLQuantizer": "sklearn_ddcl.estimators.quantizer",
    "DDCLTransformer": "sklearn_ddcl.estimators.transformer",
}

_PACKAGES = ("numpy", "pandas", "safetensors", "scikit-learn", "torch")


def save(estimator: Any, path: str | os.PathLike) -> None:
    """Write a fitted estimator to one file, without pickle.

    The file is a zip archive of ``model.json`` (class, parameters, versions, text) and
    ``weights.safetensors`` (all numbers). It appears whole or not at all, and the same
    model gives the same bytes.

    Parameters
    ----------
    estimator : estimator
        A fitted estimator of this package.
    path : str or path-like
        The file; one that exists is replaced.

    Raises
    ------
    FileNotFoundError
        If the folder does not exist.
    TypeError
        If it is another estimator, or its labels or parameters hold objects that are
        neither numbers nor text.
    ValueError
        If the file would exceed 4 GiB.
    """
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        raise FileNotFoundError(
            f"There is no folder {target.parent} to save the model in; create it first."
        )
    if target.is_dir():
        raise IsADirectoryError(f"{path} is a folder; add a file name to it.")
    writer = ValueWriter()
    document = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "class": _class_name(estimator),
        "versions": _versions(),
        "params": writer.encode(_params(estimator), "params"),
        "state": writer.encode(estimator._get_fitted_state(), "state"),
    }
    weights = write_tensors(writer.arrays)
    document["weights_sha256"] = hashlib.sha256(weights).hexdigest()
    document["sha256"] = hashlib.sha256(_to_json(document)).hexdigest()
    _write_whole(target, {MODEL: _to_json(document), WEIGHTS: weights})


def load(path: str | os.PathLike, device: str = "auto") -> Any:
    """Read an estimator that was saved with its ``save`` method.

    Nothing in the file is executed: it holds numbers and text, and only classes of this
    package that a list names are built.

    Parameters
    ----------
    path : str or path-like
        The file.
    device : str, default="auto"
        Where the network runs. "auto" takes the device in the model's parameters if
        there is one here, and one that fits otherwise; the parameters stay as saved.

    Returns
    -------
    estimator : estimator
        Predicts what the saved one does, to the bit on the same machine.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ModelFileError
        If the file is no model file, is damaged, was changed, or was written in a
        format that this version does not know. It is a ValueError.
    ValueError
        If the device cannot be used.

    Warns
    -----
    UserWarning
        If the file was written by a newer version of this package.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import sklearn_ddcl
    >>> X, y = [[0.0], [0.1], [0.9], [1.0]], ["low", "low", "high", "high"]
    >>> clf = sklearn_ddcl.DDCLClassifier(max_epochs=1, random_state=0).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     clf.save(Path(folder) / "model.ddcl")
    ...     loaded = sklearn_ddcl.load(Path(folder) / "model.ddcl")
    >>> bool((loaded.predict_proba(X) == clf.predict_proba(X)).all())
    True
    """
    from torch import OutOfMemoryError

    from sklearn_ddcl.training import resolve_device

    if device != "auto":
        resolve_device(device)
    content = _read_file(Path(path))
    try:
        document, tensors = _open(content)
        estimator = _build(document, tensors, device)
    except ModelFileError as error:
        raise ModelFileError(f"{path} {error}") from error.__cause__
    except (MemoryError, OutOfMemoryError):
        raise
    except Exception as error:
        raise ModelFileError(
            f"{path} contradicts itself ({type(error).__name__}: {error}). It was "
            "changed, or written by a version of sklearn_ddcl that is too different."
        ) from error
    written_by = document["versions"]["sklearn_ddcl"]
    if _release(written_by) > _release(__version__):
        warnings.warn(
            f"{path} was written by sklearn_ddcl {written_by}, this is {__version__}; "
            "it may predict otherwise than it did there. Update sklearn_ddcl.",
            stacklevel=2,
        )
    return estimator


def _class_name(estimator: Any) -> str:
    kind = type(estimator)
    if LOADABLE.get(kind.__name__) != kind.__module__:
        raise TypeError(
            f"A model file can hold one of {sorted(LOADABLE)}, got a {kind.__name__} "
            f"of {kind.__module__}. Use joblib.dump for estimators of your own."
        )
    return kind.__name__


def _params(estimator: Any) -> dict[str, Any]:
    params = estimator.get_params(deep=False)
    # A generator that has been drawn from cannot repeat the fit anyway.
    return {
        name: None if isinstance(value, np.random.RandomState) else value
        for name, value in params.items()
    }


def _versions() -> dict[str, str]:
    versions = {"sklearn_ddcl": __version__, "python": platform.python_version()}
    for package in _PACKAGES:
        with suppress(PackageNotFoundError):
            versions[package] = version(package)
    return versions


def _to_json(document: dict[str, Any]) -> bytes:
    text = json.dumps(document, allow_nan=False, separators=(",", ":"))
    return text.encode("ascii")


def _write_whole(target: Path, members: dict[str, bytes]) -> None:
    """Write beside the target and move, so that no reader sees half a file."""
    unfinished = target.with_name(f".ddcl-{secrets.token_hex(8)}.tmp")
    try:
        with open(unfinished, "xb") as file:
            for piece in pack(members):
                file.write(piece)
        os.replace(unfinished, target)
    except BaseException:
        unfinished.unlink(missing_ok=True)
        raise


def _read_file(path: Path) -> bytes:
    try:
        status = path.stat()
    except FileNotFoundError:
        raise FileNotFoundError(
            f"There is no file {path}; expected a model written by the save method of "
            "an estimator. Check folder and name."
        ) from None
    if not stat.S_ISREG(status.st_mode):
        raise ModelFileError(f"{path} is a folder or a device, expected a model file.")
    if status.st_size > LARGEST_ARCHIVE:
        raise ModelFileError(f"{path} is larger than a model file can be, 4 GiB.")
    return path.read_bytes()


def _open(content: bytes) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """Return the document and the arrays of a file, all checksums verified."""
    members = unpack(content, [MODEL, WEIGHTS])
    document = _parse(bytes(members[MODEL]))
    weights = bytes(members[WEIGHTS])
    if hashlib.sha256(weights).hexdigest() != document["weights_sha256"]:
        raise ModelFileError(f"was changed: {WEIGHTS} does not have its checksum.")
    try:
        return document, read_tensors(weights)
    except Exception as error:
        raise ModelFileError(f"is damaged: {WEIGHTS} cannot be read.") from error


def _parse(raw: bytes) -> dict[str, Any]:
    try:
        document = json.loads(raw)
        found = document["format"], document["format_version"]
    except (LookupError, RecursionError, TypeError, ValueError) as error:
        raise ModelFileError(f"is damaged: {MODEL} cannot be read.") from error
    if found[0] != FORMAT or type(found[1]) is not int:
        raise ModelFileError(f"is not a model file: expected {FORMAT!r}, got {found}.")
    if found[1] != FORMAT_VERSION:
        raise ModelFileError(
            f"has format version {found[1]}, but sklearn_ddcl {__version__} reads "
            f"version {FORMAT_VERSION}. Update sklearn_ddcl."
        )
    unsealed = {key: value for key, value in document.items() if key != "sha256"}
    checksum = hashlib.sha256(_to_json(unsealed)).hexdigest()
    if _to_json(unsealed | {"sha256": checksum}) != raw:
        raise ModelFileError(f"was changed: {MODEL} does not have its checksum.")
    return document


def _build(
    document: dict[str, Any], tensors: dict[str, np.ndarray], device: str
) -> Any:
    """Return the estimator that a document describes."""
    from sklearn_ddcl.persistence.budget import MemoryBudget

    kind = _find_class(document["class"])
    reader = ValueReader(tensors)
    params = reader.decode(document["params"])
    state = reader.decode(document["state"])
    if reader.stored:
        raise ModelFileError(f"has numbers without use: {list(reader.stored)[:3]}.")
    if shadowed := [name for name in state if hasattr(kind, name)]:
        raise ModelFileError(f"overwrites {shadowed} of {kind.__name__}.")
    _release(document["versions"]["sklearn_ddcl"])
    estimator = kind(**params)
    device = _choose_device(params["device"], device)
    try:
        with MemoryBudget(sum(a.nbytes for a in tensors.values()), len(tensors)):
            estimator._set_fitted_state(state, device)
    except MemoryError as error:
        # Tensors are within the budget, so that it can only be their number.
        raise ModelFileError("describes a network of too many layers.") from error
    return estimator


def _find_class(name: str) -> type:
    if name not in LOADABLE:
        raise ModelFileError(
            f"holds a {name!r}, but sklearn_ddcl {__version__} loads only "
            f"{sorted(LOADABLE)}."
        )
    return getattr(import_module(LOADABLE[name]), name)


def _choose_device(saved: str, wanted: str) -> str:
    from sklearn_ddcl.training import resolve_device

    if wanted != "auto":
        return wanted
    try:
        resolve_device(saved)
    except ValueError:
        return "auto"
    return saved


def _release(version: str) -> tuple[int, ...]:
    """Return (1, 2) for "1.2.dev0"."""
    found = re.match(r"\d{1,6}(\.\d{1,6}){0,3}", version)
    if found is None:
        raise ModelFileError(f"names an impossible version, {version[:40]!r}.")
    return tuple(map(int, found[0].split(".")))
