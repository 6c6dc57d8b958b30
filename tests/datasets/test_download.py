"""The download: against a server on this machine that serves, lies, and breaks off."""

import hashlib
import json
import threading
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace

import pandas as pd
import pytest

from sklearn_ddcl.datasets import fetch_satcat, make_orbital_debris

CATALOG = make_orbital_debris(40, random_state=0).frame.to_csv().encode()
SHA256 = hashlib.sha256(CATALOG).hexdigest()


class Handler(BaseHTTPRequestHandler):
    """Good, and four kinds of bad."""

    def do_GET(self):
        self.server.paths.append(self.path)
        answer = {
            "/good.csv": CATALOG,
            "/other.csv": CATALOG.replace(b"PAYLOAD", b"DEBRIS"),
            "/page.csv": b"<html>\n<p>Please log in.</p>\n</html>\n",
            "/truncated.csv": CATALOG,
            "/slow.csv": CATALOG,
        }.get(self.path)
        if self.path == "/moved.csv":
            self.send_response(302)
            self.send_header("Location", "/good.csv")
            self.end_headers()
        elif answer is None:
            self.send_error(404)
        else:
            self.serve(answer)

    def serve(self, answer):
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        if self.path == "/truncated.csv":
            answer = answer[:1000]
        self.wfile.write(answer[:500])
        self.wfile.flush()
        if self.path == "/slow.csv":
            self.server.released.wait(30)
        else:
            self.wfile.write(answer[500:])

    def log_message(self, *args):
        """Keep the output of the tests clean."""


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.paths, httpd.released = [], threading.Event()
    thread = threading.Thread(
        target=httpd.serve_forever, kwargs={"poll_interval": 0.01}
    )
    thread.start()
    yield SimpleNamespace(
        address=f"http://127.0.0.1:{httpd.server_address[1]}", paths=httpd.paths
    )
    httpd.released.set()
    httpd.shutdown()
    thread.join()
    httpd.server_close()


@pytest.fixture
def dead_address():
    """Return an address on this machine where nobody listens."""
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    httpd.server_close()
    return f"http://127.0.0.1:{httpd.server_address[1]}/good.csv"


def test_the_first_call_downloads_and_the_second_does_not(server, tmp_path):
    url = server.address + "/good.csv"

    first = fetch_satcat(data_home=tmp_path / "new", url=url)
    second = fetch_satcat(data_home=str(tmp_path / "new"), url=url)

    assert server.paths == ["/good.csv"]
    assert len(first.data) == 40
    pd.testing.assert_frame_equal(first.frame, second.frame)
    assert first.sha256 == second.sha256 == SHA256
    assert first.url == url
    assert (tmp_path / "new" / "satcat.csv").read_bytes() == CATALOG
    assert sorted(p.name for p in (tmp_path / "new").iterdir()) == [
        "satcat.csv",
        "satcat.csv.json",
    ]


def test_the_cache_needs_no_network(server, tmp_path, dead_address):
    fetch_satcat(data_home=tmp_path, url=server.address + "/good.csv")
    note = tmp_path / "satcat.csv.json"
    note.write_text(json.dumps({**json.loads(note.read_text()), "url": dead_address}))

    assert len(fetch_satcat(data_home=tmp_path, url=dead_address).data) == 40


def test_the_age_of_the_cache_is_told(server, tmp_path):
    url = server.address + "/good.csv"
    fresh = fetch_satcat(data_home=tmp_path, url=url)
    note = tmp_path / "satcat.csv.json"
    noted = json.loads(note.read_text())
    noted["fetched_at"] = (datetime.now(UTC) - timedelta(days=10)).isoformat()
    note.write_text(json.dumps(noted))

    old = fetch_satcat(data_home=tmp_path, url=url)

    assert 0 <= fresh.cache_age_days < 0.01
    assert 10 <= old.cache_age_days < 10.01
    assert old.fetched_at == noted["fetched_at"]


def test_force_and_another_address_download_again(server, tmp_path):
    fetch_satcat(data_home=tmp_path, url=server.address + "/good.csv")
    fetch_satcat(data_home=tmp_path, url=server.address + "/good.csv", force=True)
    other = fetch_satcat(data_home=tmp_path, url=server.address + "/other.csv")

    assert server.paths == ["/good.csv", "/good.csv", "/other.csv"]
    assert "PAYLOAD" not in set(other.target)


def test_a_redirect_is_followed(server, tmp_path):
    catalog = fetch_satcat(data_home=tmp_path, url=server.address + "/moved.csv")
    assert catalog.sha256 == SHA256


@pytest.mark.parametrize("damage", ["bytes", "note", "no note"])
def test_a_damaged_cache_is_downloaded_again_with_a_warning(server, tmp_path, damage):
    url = server.address + "/good.csv"
    fetch_satcat(data_home=tmp_path, url=url)
    if damage == "bytes":
        (tmp_path / "satcat.csv").write_bytes(CATALOG[:-9])
    elif damage == "note":
        (tmp_path / "satcat.csv.json").write_text("{")
    else:
        (tmp_path / "satcat.csv.json").unlink()

    with pytest.warns(UserWarning, match="does not match the SHA-256 noted") as caught:
        catalog = fetch_satcat(data_home=tmp_path, url=url)

    assert caught[0].filename == __file__
    assert len(catalog.data) == 40
    assert len(server.paths) == 2
    assert (tmp_path / "satcat.csv").read_bytes() == CATALOG


def test_the_expected_checksum_is_accepted_in_any_case(server, tmp_path):
    url = server.address + "/good.csv"
    for _ in range(2):
        fetch_satcat(data_home=tmp_path, url=url, sha256=SHA256.upper())
    assert len(server.paths) == 1


@pytest.mark.parametrize(
    ("path", "params", "error", "match"),
    [
        (
            "/good.csv",
            {"sha256": "0" * 64},
            ValueError,
            f"SHA-256 {SHA256}, expected 00",
        ),
        (
            "/gone.csv",
            {},
            ConnectionError,
            r"answered 404 .*by hand.*read_satcat\(path\)",
        ),
        ("/truncated.csv", {}, ConnectionError, "broke off after 1000 of"),
        (
            "/slow.csv",
            {"timeout": 0.2},
            ConnectionError,
            r"did not answer within 0\.2 s",
        ),
        ("/page.csv", {}, ValueError, "is no catalog; nothing was kept"),
    ],
)
@pytest.mark.parametrize("cached", [False, True])
def test_a_failed_download_leaves_no_trace(
    server, tmp_path, path, params, error, match, cached
):
    if cached:
        fetch_satcat(data_home=tmp_path, url=server.address + "/good.csv")
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}

    with pytest.raises(error, match=match):
        fetch_satcat(
            data_home=tmp_path, url=server.address + path, force=True, **params
        )

    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_no_network_says_what_to_do(tmp_path, dead_address, monkeypatch):
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with pytest.raises(ConnectionError, match=r"Cannot download .*data_home= names"):
        fetch_satcat(data_home=tmp_path, url=dead_address)


def test_the_cache_folder_comes_from_the_environment(server, tmp_path, monkeypatch):
    monkeypatch.setenv("SKLEARN_DDCL_DATA", str(tmp_path / "from_environment"))
    fetch_satcat(url=server.address + "/good.csv")
    assert (tmp_path / "from_environment" / "satcat.csv").exists()

    monkeypatch.delenv("SKLEARN_DDCL_DATA")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    fetch_satcat(url=server.address + "/good.csv")
    assert (tmp_path / "sklearn_ddcl_data" / "satcat.csv").exists()


def test_options_of_the_reader_are_passed_on(server, tmp_path):
    data, target = fetch_satcat(
        data_home=tmp_path, url=server.address + "/good.csv", return_X_y=True
    )
    assert data.shape == (40, 13)
    assert len(target) == 40


@pytest.mark.parametrize(
    ("params", "error", "match"),
    [
        (
            {"url": "file:///etc/passwd"},
            ValueError,
            "must begin with http:// or https://",
        ),
        (
            {"url": "ftp://example.org/x"},
            ValueError,
            r"read_satcat\(path\) for a local",
        ),
        ({"url": "satcat.csv"}, ValueError, "must begin with http"),
        ({"url": None}, TypeError, "url must be a string"),
        ({"timeout": 0}, ValueError, "timeout must be positive and finite"),
        ({"timeout": float("nan")}, ValueError, "timeout must be positive"),
        ({"timeout": "10"}, TypeError, "timeout must be a number of seconds"),
        ({"sha256": "abc"}, ValueError, "64 hexadecimal digits"),
        ({"sha256": 5}, TypeError, "sha256 must be a string or None"),
        ({"data_home": 5}, TypeError, "data_home must be a path or None"),
    ],
)
def test_wrong_params(params, error, match, tmp_path):
    with pytest.raises(error, match=match):
        fetch_satcat(**{"data_home": tmp_path, **params})
