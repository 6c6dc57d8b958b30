"""Downloading the public catalog into a cache that is checked at every use."""

import hashlib
import json
import os
import urllib.error
import urllib.request
import warnings
from datetime import UTC, datetime
from http.client import HTTPException
from numbers import Real
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import pandas as pd
from sklearn.utils import Bunch

from sklearn_ddcl.datasets.satcat import load_satcat

SATCAT_URL = "https://celestrak.org/pub/satcat.csv"
_ADVICE = (
    "Try again later, or download the file by hand and read it with "
    "read_satcat(path); data_home= names a folder that already has a cached copy."
)
_CHUNK = 1 << 16


def fetch_satcat(
    *,
    data_home: str | os.PathLike[str] | None = None,
    url: str = SATCAT_URL,
    sha256: str | None = None,
    force: bool = False,
    timeout: float = 30.0,
    include_unlabeled: bool = False,
    include_decayed: bool = False,
    return_X_y: bool = False,
) -> Bunch | tuple[pd.DataFrame, pd.Series]:
    """Download the public satellite catalog, once, and read it.

    The file is kept in ``data_home`` with a note of its origin, date and SHA-256. It
    is checked against the note at each later call, which needs no network. The
    catalog itself changes daily: the cached copy stays until ``force=True``.

    Parameters
    ----------
    data_home : str or path-like, default=None
        Cache folder, created if need be. None means the environment variable
        ``SKLEARN_DDCL_DATA`` or else ``~/sklearn_ddcl_data``.
    url : str, default="https://celestrak.org/pub/satcat.csv"
        Where to download from, http or https. Another address than that of the
        cached copy triggers a download.
    sha256 : str, default=None
        Expected SHA-256 of the file, 64 hexadecimal digits. Anything else is
        refused and not kept.
    force : bool, default=False
        If True, download even if there is a cached copy.
    timeout : float, default=30.0
        Seconds to wait for the connection, and for each next piece of data.
    include_unlabeled, include_decayed, return_X_y : bool, default=False
        As in :func:`read_satcat`.

    Returns
    -------
    catalog : :class:`~sklearn.utils.Bunch`
        As from :func:`read_satcat`, with ``url``, ``sha256``, ``fetched_at`` (UTC,
        ISO 8601) and ``cache_age_days`` in addition.
    (data, target) : tuple if ``return_X_y`` is True

    Raises
    ------
    TypeError, ValueError
        If a parameter is of the wrong type or value, or if what was downloaded is
        no catalog or has another SHA-256 than expected. Nothing new is kept then.
    ConnectionError
        If the download fails: no network, an HTTP error, a timeout, or fewer bytes
        than announced.

    Warns
    -----
    UserWarning
        If the cached copy does not match its note; it is downloaded again.

    See Also
    --------
    read_satcat : Read a file that is there already.
    make_orbital_debris : A synthetic catalog that needs no download.

    Examples
    --------
    >>> from sklearn_ddcl.datasets import fetch_satcat
    >>> catalog = fetch_satcat()  # doctest: +SKIP
    >>> catalog.cache_age_days  # doctest: +SKIP
    0.0
    """
    sha256 = _check_parameters(url, sha256, timeout)
    path = _data_home(data_home) / "satcat.csv"
    note = None if force else _checked_note(path, url, sha256)
    if note is None:
        note = _download(path, url, sha256, timeout)

    bunch = load_satcat(path, include_unlabeled, include_decayed)
    if return_X_y:
        return bunch.data, bunch.target
    age = datetime.now(UTC) - datetime.fromisoformat(note["fetched_at"])
    bunch.update(
        url=note["url"],
        sha256=note["sha256"],
        fetched_at=note["fetched_at"],
        cache_age_days=max(age.total_seconds(), 0.0) / 86400,
    )
    bunch.DESCR += f"\nDownloaded from {note['url']} at {note['fetched_at']}.\n"
    return bunch


def _check_parameters(url: str, sha256: str | None, timeout: float) -> str | None:
    """Raise for senseless parameters; return the checksum in lower case."""
    if not isinstance(url, str):
        raise TypeError(f"url must be a string, got {url!r}.")
    if (
        urlsplit(url).scheme.lower() not in {"http", "https"}
        or not urlsplit(url).netloc
    ):
        raise ValueError(
            f"url must begin with http:// or https:// and name a host, got {url!r}. "
            "Use read_satcat(path) for a local file."
        )
    if isinstance(timeout, bool) or not isinstance(timeout, Real):
        raise TypeError(f"timeout must be a number of seconds, got {timeout!r}.")
    if not 0 < timeout < float("inf"):
        raise ValueError(f"timeout must be positive and finite, got {timeout=}.")
    if sha256 is None:
        return None
    if not isinstance(sha256, str):
        raise TypeError(f"sha256 must be a string or None, got {sha256!r}.")
    sha256 = sha256.strip().lower()
    if len(sha256) != 64 or set(sha256) - set("0123456789abcdef"):
        raise ValueError(f"sha256 must be 64 hexadecimal digits, got {sha256!r}.")
    return sha256


def _data_home(data_home: Any) -> Path:
    if data_home is None:
        data_home = os.environ.get("SKLEARN_DDCL_DATA") or "~/sklearn_ddcl_data"
    if not isinstance(data_home, str | os.PathLike):
        raise TypeError(f"data_home must be a path or None, got {data_home!r}.")
    folder = Path(data_home).expanduser()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _note_path(path: Path) -> Path:
    return path.with_name(path.name + ".json")


def _checked_note(path: Path, url: str, sha256: str | None) -> dict[str, str] | None:
    """Return the note of the cached copy; None if it cannot serve this call."""
    if not path.exists():
        return None
    try:
        note = json.loads(_note_path(path).read_text(encoding="utf-8"))
        known = {key: str(note[key]) for key in ("url", "sha256", "fetched_at")}
        datetime.fromisoformat(known["fetched_at"]).astimezone(UTC)
        intact = known["sha256"] == _sha256_of(path)
    except (OSError, ValueError, KeyError, TypeError):
        intact = False
    if not intact:
        warnings.warn(
            f"The cached copy {path} does not match the SHA-256 noted at its "
            "download; it is downloaded again.",
            UserWarning,
            stacklevel=3,
        )
        return None
    wanted = known["url"] == url and sha256 in (None, known["sha256"])
    return known if wanted else None


def _sha256_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _download(
    path: Path, url: str, sha256: str | None, timeout: float
) -> dict[str, str]:
    """Put the file at ``path`` and its note beside it, or raise and leave no trace."""
    part = path.with_name(f"{path.name}.{uuid4().hex}.part")
    try:
        with part.open("xb") as file:
            _receive(url, file, timeout)
        actual = _sha256_of(part)
        if sha256 not in (None, actual):
            raise ValueError(
                f"{url} has SHA-256 {actual}, expected {sha256}; nothing was kept. "
                "The catalog changes daily: pass sha256=None, or the sum of the "
                "version you want from an address that serves it."
            )
        try:
            load_satcat(part, include_unlabeled=True, include_decayed=True)
        except ValueError as error:
            raise ValueError(
                f"What {url} answered is no catalog; nothing was kept. {error}"
            ) from error
        now = datetime.now(UTC).isoformat(timespec="seconds")
        note = {"url": url, "sha256": actual, "fetched_at": now}
        # A crash between the two leaves a mismatch, which the next call repairs.
        _note_path(path).write_text(json.dumps(note, indent=2) + "\n", encoding="utf-8")
        part.replace(path)
        return note
    finally:
        part.unlink(missing_ok=True)


def _receive(url: str, file: Any, timeout: float) -> None:
    """Copy what ``url`` serves into ``file``; every failure is a ConnectionError."""
    request = urllib.request.Request(url, headers={"User-Agent": "sklearn-ddcl"})
    received = 0
    try:
        with urllib.request.urlopen(request, timeout=timeout) as response:
            announced = response.headers.get("Content-Length")
            while chunk := response.read(_CHUNK):
                file.write(chunk)
                received += len(chunk)
    except urllib.error.HTTPError as error:
        error.close()
        raise ConnectionError(
            f"{url} answered {error.code} {error.reason}. {_ADVICE}"
        ) from error
    except TimeoutError as error:
        raise ConnectionError(
            f"{url} did not answer within {timeout:g} s (received {received} bytes). "
            f"{_ADVICE}"
        ) from error
    except (urllib.error.URLError, HTTPException, OSError) as error:
        reason = getattr(error, "reason", error)
        raise ConnectionError(f"Cannot download {url}: {reason}. {_ADVICE}") from error
    if announced and announced.isdigit() and received != int(announced):
        raise ConnectionError(
            f"{url} broke off after {received} of {announced} bytes. {_ADVICE}"
        )
