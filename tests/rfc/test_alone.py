"""`python -m cluster edge`: the cache before any origin, ended by Ctrl-C, with nothing left of it."""

from __future__ import annotations

import http.client
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from cluster.edge_alone import Origin as OriginPlace
from cluster.edge_alone import Place, parse_origin, parse_place
from cluster.errors import WrongInputError
from tests.redis_server import free_port
from tests.rfc.origin import Origin, answer

ROOT = Path(__file__).resolve().parents[2]


def ask(port: int, path: str) -> tuple[int, bytes]:
    """GET from an edge on a port; status 0 when nobody listens."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()
    except OSError:
        return 0, b""
    finally:
        connection.close()


@pytest.mark.parametrize("ending", [signal.SIGINT, signal.SIGTERM])
def test_the_edge_alone_caches_until_ctrl_c_and_leaves_nothing(
    origin: Origin, tmp_path: Path, ending: signal.Signals
) -> None:
    """It serves from its store, ends with status 0, closes its port and removes its folder."""
    page = origin.page(answer("Cache-Control: max-age=3600"))
    port = free_port()
    command = [sys.executable, "-m", "cluster", "edge", "--listen", f"127.0.0.1:{port}"]
    process = subprocess.Popen(
        [*command, "--origin", f"http://127.0.0.1:{origin.port}"],
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        greeting = process.stdout.readline()
        assert ask(port, page.path)[0] == 200
        assert ask(port, page.path) == (200, f"{page.path}#1".encode())
        assert page.asked == 1
        assert len(list(tmp_path.iterdir())) == 1
        process.send_signal(ending)
        said, _ = process.communicate(timeout=20)
    finally:
        process.kill()
        process.wait()
    assert process.returncode == 0
    assert (greeting + said).splitlines() == [
        f"caching http://127.0.0.1:{origin.port} on http://127.0.0.1:{port}; Ctrl-C stops it",
        "stopped; nothing is left of it",
    ]
    assert ask(port, page.path)[0] == 0
    assert list(tmp_path.iterdir()) == []


def test_a_port_that_is_taken_is_said_in_one_sentence(origin: Origin) -> None:
    """In nginx's own words, then ours, and status 1."""
    command = [sys.executable, "-m", "cluster", "edge", "--listen", f"127.0.0.1:{origin.port}"]
    ended = subprocess.run(
        [*command, "--origin", "http://127.0.0.1:1"], cwd=ROOT, capture_output=True, text=True, timeout=30, check=False
    )
    assert ended.returncode == 1
    assert f"nginx did not start on 127.0.0.1:{origin.port}" in ended.stderr
    assert "in use" in ended.stderr


@pytest.mark.parametrize(
    "text", ["", "8080", "localhost", "localhost:", "localhost:x", "localhost:99999", "a b:80", "x;y:80"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    """Nothing but a host and a port gets into nginx.conf."""
    with pytest.raises(WrongInputError, match="no address to listen on"):
        parse_place(text)


@pytest.mark.parametrize(
    "text", ["", "localhost:80", "ftp://localhost", "http://", "http://a;b/", "http://a/path", "http://a?q"]
)
def test_what_is_no_origin_is_refused(text: str) -> None:
    """A path would change every URL on the way."""
    with pytest.raises(WrongInputError, match="is no origin"):
        parse_origin(text)


def test_addresses_are_read_as_they_are_written() -> None:
    """Host and port, IPv6 in brackets, a scheme's own port."""
    assert parse_place("127.0.0.1:8080") == Place(host="127.0.0.1", port=8080)
    assert str(parse_place("[::1]:8080")) == "[::1]:8080"
    assert parse_origin("https://shop.example/") == OriginPlace(
        scheme="https", place=Place(host="shop.example", port=443)
    )
