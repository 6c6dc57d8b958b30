"""The archive: readable by others, the same every time, strict when read."""

import io
import zipfile

import pytest

from sklearn_ddcl.persistence import ModelFileError
from sklearn_ddcl.persistence.archive import pack, unpack

NAMES = ["first.json", "second.bin"]
CONTENTS = [b'{"a": 1}', bytes(range(256))]


@pytest.fixture
def archive():
    return b"".join(pack(dict(zip(NAMES, CONTENTS, strict=True))))


def rewritten(compression=zipfile.ZIP_STORED, names=NAMES):
    """Return an archive of the same contents by Python's own zip writer."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as file:
        for name, content in zip(names, CONTENTS, strict=True):
            file.writestr(zipfile.ZipInfo(name), content, compression)
    return buffer.getvalue()


def test_a_zip_program_finds_every_member_intact(archive):
    with zipfile.ZipFile(io.BytesIO(archive)) as file:
        assert file.namelist() == NAMES
        assert file.testzip() is None
        assert [file.read(name) for name in NAMES] == CONTENTS
        assert {info.date_time for info in file.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        modes = {info.external_attr >> 16 for info in file.infolist()}
    assert modes == {0o100644}


def test_what_is_packed_is_unpacked(archive):
    members = unpack(archive, NAMES)

    assert list(members) == NAMES
    assert [bytes(content) for content in members.values()] == CONTENTS


def test_empty_members_are_members():
    archive = b"".join(pack({"empty": b""}))

    assert bytes(unpack(archive, ["empty"])["empty"]) == b""


def test_every_changed_byte_is_found(archive):
    for position in range(len(archive)):
        changed = bytearray(archive)
        changed[position] ^= 1
        with pytest.raises(ModelFileError):
            unpack(bytes(changed), NAMES)


def test_every_truncation_is_found(archive):
    for length in range(len(archive)):
        with pytest.raises(ModelFileError):
            unpack(archive[:length], NAMES)


@pytest.mark.parametrize(
    ("content", "match"),
    [
        (b"", "is not a model file: expected a zip archive .* starts with b''"),
        (b"\x80\x04K\x01.", "is not a model file"),
        (rewritten(names=["first.json", "third.bin"]), "no entry 'second.bin'"),
        (rewritten(names=["model.pkl", "second.bin"]), "no entry 'first.json'"),
        (rewritten(zipfile.ZIP_DEFLATED), "compressed or encrypted entry 'first.json'"),
    ],
)
def test_another_archive_is_refused_with_the_reason(content, match):
    with pytest.raises(ModelFileError, match=match):
        unpack(content, NAMES)


def test_a_further_member_is_refused(archive):
    buffer = io.BytesIO(archive)
    with zipfile.ZipFile(buffer, "a") as file:
        file.writestr("third.bin", b"more")

    with pytest.raises(ModelFileError):
        unpack(buffer.getvalue(), NAMES)


def test_appended_bytes_are_refused(archive):
    with pytest.raises(ModelFileError, match="has 4 bytes too many"):
        unpack(archive + b"more", NAMES)


def test_a_declared_size_beyond_the_end_is_refused(archive):
    # The sizes of the first member stand at bytes 18 and 22.
    huge = (2**31).to_bytes(4, "little")
    forged = archive[:18] + huge + huge + archive[26:]

    with pytest.raises(ModelFileError, match="is cut short: expected at least 2147"):
        unpack(forged, NAMES)


class Pretended(bytes):
    """Bytes that claim to be many."""

    def __len__(self):
        return 2**32


def test_more_than_four_gigabytes_are_refused():
    with pytest.raises(ValueError, match=r"can hold 4 GiB, but this model takes 4\.0"):
        b"".join(pack({"weights": Pretended()}))
