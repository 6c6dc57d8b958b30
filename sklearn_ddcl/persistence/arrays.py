"""Arrays of numbers, dates and fixed-width text as arrays that safetensors can hold."""

import re
from typing import Any

import numpy as np

from sklearn_ddcl.persistence.errors import ModelFileError

_DATES = re.compile(r"[mM]8(\[\d{0,9}(Y|M|W|D|h|m|s|ms|us|ns|ps|fs|as)\])?")
_LAST_CODE_POINT = 0x10FFFF


def to_numbers(array: np.ndarray, where: str) -> tuple[np.ndarray, dict[str, str]]:
    """Return an array as contiguous numbers, and how to undo that.

    Parameters
    ----------
    array : ndarray
        Booleans, numbers of at most 64 bits, dates, durations, or text or bytes of
        fixed width, which become one code per character.
    where : str
        What to call it in an error.

    Returns
    -------
    numbers : ndarray
        C-contiguous.
    how : dict of str to str
        For :func:`from_numbers`.

    Raises
    ------
    TypeError
        If the array holds something else.
    """
    kind, how = array.dtype.kind, {}
    array = array.astype(array.dtype.newbyteorder("="), copy=False)
    if array.ndim > 1 and array.flags.f_contiguous and not array.flags.c_contiguous:
        # Matrix products need not give the same bits in the other order.
        array, how = array.T, {"order": "F"}
    array = np.require(array, requirements="C")
    if kind in "mM":
        return array.view(np.int64), how | {"as": array.dtype.str[1:]}
    if kind in "US":
        codes = array[..., None].view(np.uint32 if kind == "U" else np.uint8)
        return codes, how | {"as": kind}
    if kind not in "biuf" or array.dtype.itemsize > 8:
        raise TypeError(
            f"{where} is an array of {array.dtype}, which a model file cannot hold: "
            "expected numbers of at most 64 bits, text, dates or objects. Convert it, "
            "or use joblib.dump."
        )
    return array, how


def from_numbers(numbers: np.ndarray, how: dict[str, Any]) -> np.ndarray:
    """Return the array that :func:`to_numbers` was given.

    Parameters
    ----------
    numbers : ndarray
        As read.
    how : dict
        What :func:`to_numbers` said; other keys are ignored.

    Returns
    -------
    array : ndarray
        A copy that can be written to.
    """
    array = numbers.copy()
    kind = how.get("as")
    if kind in ("U", "S"):
        expected = np.uint32 if kind == "U" else np.uint8
        if array.dtype != expected or array.max(initial=0) > _LAST_CODE_POINT:
            raise ModelFileError("holds text with codes that are no characters.")
        array = array.view(f"{kind}{array.shape[-1]}")[..., 0]
    elif kind is not None:
        if array.dtype != np.int64 or not _DATES.fullmatch(kind):
            raise ModelFileError(f"holds dates of the unknown kind {kind!r}.")
        array = array.view(kind)
    return array.T if how.get("order") == "F" else array
