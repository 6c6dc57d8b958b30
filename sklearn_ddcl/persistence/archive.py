"""A zip archive of which every byte is determined by what it holds.

Written by hand because the bytes that :mod:`zipfile` writes are nobody's promise, and
because a reader that takes this one layout only has nothing to be tricked with: members
are stored, not compressed, come in a fixed order, and leave no room for others. Every
program that reads zip archives reads it.
"""

import struct
import zlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sklearn_ddcl.persistence.errors import ModelFileError

Bytes = bytes | memoryview

# Where a zip archive without the 64-bit extension ends.
LARGEST_ARCHIVE = 2**32 - 1

_LOCAL = struct.Struct("<4s5H3L2H")
_CENTRAL = struct.Struct("<4s6H3L5H2L")
_END = struct.Struct("<4s4H2LH")
_LOCAL_MARK, _CENTRAL_MARK, _END_MARK = b"PK\3\4", b"PK\1\2", b"PK\5\6"

_ZIP_2_0 = 20
_UNIX = 3 << 8
_NO_FLAGS = _STORED = 0
_TIME, _DAY = 0, 1 << 5 | 1  # 1980-01-01 0:00, the first that zip knows
_READABLE_FILE = 0o100644 << 16


def pack(members: Mapping[str, Bytes]) -> Iterator[Bytes]:
    """Return the pieces of an archive, to be written one after the other.

    Parameters
    ----------
    members : mapping of str to bytes
        Contents by name, in the order of the archive.

    Yields
    ------
    piece : bytes

    Raises
    ------
    ValueError
        If the archive would exceed 4 GiB.
    """
    size = sum(map(len, members.values()))
    if size > LARGEST_ARCHIVE - 1024:
        raise ValueError(
            f"A model file can hold 4 GiB, but this model takes {size / 2**30:.1f} "
            "GiB. Use joblib.dump instead, or fewer or smaller layers."
        )
    directory, offset = b"", 0
    for name, content in members.items():
        path = name.encode()
        common = _common(path, content)
        yield _LOCAL.pack(_LOCAL_MARK, *common) + path
        yield content
        directory += _CENTRAL.pack(
            *(_CENTRAL_MARK, _UNIX | _ZIP_2_0, *common),
            *(0, 0, 0, _READABLE_FILE, offset),
        )
        directory += path
        offset += _LOCAL.size + len(path) + len(content)
    n = len(members)
    yield directory
    yield _END.pack(_END_MARK, 0, 0, n, n, len(directory), offset, 0)


def _common(path: bytes, content: Bytes) -> tuple[int, ...]:
    """Return what the local header of a member and its directory entry share."""
    checksum, size = zlib.crc32(content), len(content)
    how = (_ZIP_2_0, _NO_FLAGS, _STORED, _TIME, _DAY)
    return (*how, checksum, size, size, len(path), 0)


def unpack(archive: bytes, names: Sequence[str]) -> dict[str, memoryview]:
    """Return the members of an archive that :func:`pack` made.

    Parameters
    ----------
    archive : bytes
        The whole archive.
    names : sequence of str
        Its members, in order.

    Returns
    -------
    members : dict of str to memoryview
        Views of `archive`; nothing is copied.

    Raises
    ------
    ModelFileError
        If any byte differs from what :func:`pack` writes for these members.
    """
    if archive[:4] != _LOCAL_MARK:
        raise ModelFileError(
            "is not a model file: expected a zip archive written by save, got a file "
            f"that starts with {archive[:8]!r}."
        )
    members: dict[str, memoryview] = {}
    offset = 0
    for name in names:
        start, end = _find(archive, offset, name)
        members[name] = memoryview(archive)[start:end]
        offset = end
    _compare(archive, list(pack(members)))
    return members


def _find(archive: bytes, offset: int, name: str) -> tuple[int, int]:
    """Return where the content of the member at `offset` starts and ends."""
    path = name.encode()
    start = offset + _LOCAL.size + len(path)
    if start > len(archive):
        raise ModelFileError(_cut_short(start, archive))
    fields: tuple[Any, ...] = _LOCAL.unpack_from(archive, offset)
    mark, _, flags, method, _, _, _, packed, size = fields[:9]
    if mark != _LOCAL_MARK or archive[offset + _LOCAL.size : start] != path:
        raise ModelFileError(f"has no entry {name!r} where a model file has it.")
    if flags != _NO_FLAGS or method != _STORED or packed != size:
        raise ModelFileError(
            f"has a compressed or encrypted entry {name!r}; model files are stored as "
            "they are. Use the file that save wrote, not a repacked one."
        )
    if start + size > len(archive):
        raise ModelFileError(_cut_short(start + size, archive))
    return start, start + size


def _compare(archive: bytes, pieces: list[Bytes]) -> None:
    expected = sum(map(len, pieces))
    if len(archive) < expected:
        raise ModelFileError(_cut_short(expected, archive))
    if len(archive) > expected:
        raise ModelFileError(
            f"has {len(archive) - expected} bytes too many: more entries than a model "
            "file has, or something appended to it."
        )
    position = 0
    for piece in pieces:
        end = position + len(piece)
        if memoryview(archive)[position:end] != piece:
            raise ModelFileError(
                "is damaged: checksum or layout differ from what save writes. Copy it "
                "again from where it came."
            )
        position = end


def _cut_short(expected: int, archive: bytes) -> str:
    return (
        f"is cut short: expected at least {expected} bytes, got {len(archive)}. Copy "
        "it again from where it came."
    )
