"""Python values as JSON, with the numbers of arrays set aside.

None, booleans, integers, finite floats, strings, lists and dicts with strings for keys
are themselves. Anything else is an object whose key ``"$"`` says what it is.
"""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from sklearn_ddcl.persistence import arrays, frames
from sklearn_ddcl.persistence.errors import ModelFileError

_SIZED = [f"{kind}{bits}" for kind in ("int", "uint") for bits in (8, 16, 32, 64)]
_SCALARS = {
    name: np.dtype(name) for name in ("bool", *_SIZED, "float16", "float32", "float64")
}
_MISSING = {"NA": pd.NA, "NaT": pd.NaT}


# Parameter objects, by the registry of `networks` that knows them by name.
_REGISTRIES = {
    "encoder": "ENCODERS",
    "autoencoder": "AUTOENCODERS",
    "row_encoder": "ROW_ENCODERS",
}


class ValueWriter:
    """Turn values into JSON.

    Attributes
    ----------
    arrays : dict of str to ndarray
        What the JSON refers to by name.
    """

    def __init__(self) -> None:
        self.arrays: dict[str, np.ndarray] = {}

    def encode(self, value: Any, where: str) -> Any:
        """Return a value as JSON can hold it.

        Parameters
        ----------
        value : object
            See the contract of :func:`sklearn_ddcl.persistence.save`.
        where : str
            Path of the value, which names its arrays.

        Returns
        -------
        encoded : None, bool, int, float, str, list or dict

        Raises
        ------
        TypeError
            If the value is of a kind that files do not hold.
        """
        if isinstance(value, np.generic):
            return self._scalar(value, where)
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, float):
            return _float(float(value))
        if isinstance(value, int):
            return int(value)
        if isinstance(value, str):
            # Also of an enumeration, whose own __str__ may say something else.
            return str.__str__(value)
        if isinstance(value, bytes):
            return {"$": "bytes", "hex": value.hex()}
        if value is pd.NA or value is pd.NaT:
            return {"$": "missing", "name": "NA" if value is pd.NA else "NaT"}
        if isinstance(value, dict):
            return self._dict(value, where)
        if isinstance(value, list | tuple):
            items = [self.encode(item, f"{where}/{i}") for i, item in enumerate(value)]
            return {"$": "tuple", "items": items} if isinstance(value, tuple) else items
        return self._container(value, where)

    def _scalar(self, value: np.generic, where: str) -> Any:
        if value.dtype.name in _SCALARS:
            item = self.encode(value.item(), where)
            return {"$": "scalar", "dtype": value.dtype.name, "value": item}
        if isinstance(value, np.str_ | np.bytes_):
            return self.encode(value.item(), where)
        raise TypeError(_refusal(value, where))

    def _dict(self, value: dict, where: str) -> Any:
        if all(type(key) is str for key in value) and "$" not in value:
            return {key: self.encode(v, f"{where}/{key}") for key, v in value.items()}
        items = [
            [self.encode(key, f"{where}/key {i}"), self.encode(v, f"{where}/{i}")]
            for i, (key, v) in enumerate(value.items())
        ]
        return {"$": "dict", "items": items}

    def _container(self, value: Any, where: str) -> Any:
        if frames.is_frame(value):
            return {"$": "frame", **frames.encode_frame(value, self.encode, where)}
        if hasattr(value, "__array__"):
            array = np.asarray(value)
            if array.dtype.kind in "OT":
                flat = array.astype(object).ravel().tolist()
                items = self.encode(flat, where)
                return {"$": "objects", "shape": list(array.shape), "items": items}
            return {"$": "array", **self._set_aside(array, where)}
        if named := _registered(value):
            kind, name = named
            params = self.encode(value.get_params(), where)
            return {"$": kind, "name": name, "params": params}
        raise TypeError(_refusal(value, where))

    def _set_aside(self, array: np.ndarray, where: str) -> dict[str, Any]:
        numbers, how = arrays.to_numbers(array, where)
        name, copies = where, 1
        while name in self.arrays:
            copies += 1
            name = f"{where} ({copies})"
        self.arrays[name] = numbers
        return {"name": name, **how}


class ValueReader:
    """Turn JSON back into values; the opposite of :class:`ValueWriter`.

    Parameters
    ----------
    stored : dict of str to ndarray
        What the JSON refers to; each may be referred to once.
    """

    def __init__(self, stored: dict[str, np.ndarray]) -> None:
        self.stored = dict(stored)
        self._kinds: dict[str, Callable[[dict], Any]] = {
            "float": lambda it: float(_one_of({"nan", "inf", "-inf"}, it["value"])),
            "bytes": lambda it: bytes.fromhex(it["hex"]),
            "missing": lambda it: _MISSING[it["name"]],
            "tuple": lambda it: tuple(self.decode(it["items"])),
            "dict": lambda it: dict(self.decode(pair) for pair in it["items"]),
            "scalar": lambda it: _SCALARS[it["dtype"]].type(self.decode(it["value"])),
            "array": self._array,
            "objects": lambda it: _objects(self.decode(it["items"]), it["shape"]),
            "frame": lambda it: frames.decode_frame(it, self.decode),
            **{kind: self._parameters for kind in _REGISTRIES},
        }

    def _parameters(self, it: dict) -> Any:
        return _registry(it["$"])[it["name"]](**self.decode(it["params"]))

    def decode(self, encoded: Any) -> Any:
        """Return the value that was encoded.

        Parameters
        ----------
        encoded : None, bool, int, float, str, list or dict
            What :meth:`ValueWriter.encode` returned.

        Returns
        -------
        value : object
        """
        if isinstance(encoded, list):
            return [self.decode(item) for item in encoded]
        if not isinstance(encoded, dict):
            return encoded
        if "$" not in encoded:
            return {key: self.decode(value) for key, value in encoded.items()}
        return self._kinds[encoded["$"]](encoded)

    def _array(self, encoded: dict) -> np.ndarray:
        # Popped: a small file must not ask for many copies of one array.
        return arrays.from_numbers(self.stored.pop(encoded["name"]), encoded)


def _refusal(value: Any, where: str) -> str:
    return (
        f"{where} has the type {type(value).__name__}, which a model file cannot hold: "
        "expected numbers, text, None, lists, dicts, arrays or frames of them. Replace "
        "it, or use joblib.dump."
    )


def _float(value: float) -> Any:
    return value if math.isfinite(value) else {"$": "float", "value": str(value)}


def _one_of(allowed: set[str], value: str) -> str:
    if value not in allowed:
        raise ModelFileError(f"holds {value!r} where one of {sorted(allowed)} belongs.")
    return value


def _objects(items: list, shape: list[int]) -> np.ndarray:
    array = np.empty(len(items), dtype=object)
    # One by one: a tuple is one object, not two.
    for i, item in enumerate(items):
        array[i] = item
    return array.reshape([int(size) for size in shape])


def _registry(kind: str) -> dict[str, Any]:
    from sklearn_ddcl import networks

    return getattr(networks, _REGISTRIES[kind])


def _registered(value: Any) -> tuple[str, str] | None:
    """Return the kind and the name of a parameter object, None of anything else."""
    for kind in _REGISTRIES:
        names = {known: name for name, known in _registry(kind).items()}
        if type(value) in names:
            return kind, names[type(value)]
    return None
