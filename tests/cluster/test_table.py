"""What a person reads: `status` with something paused, dead and cut."""

from __future__ import annotations

import msgspec
import pytest

from cluster.doctor import Finding
from cluster.status import Endpoint, Server, State
from cluster.table import show_findings, show_status
from tests.cluster.cluster_status import STATUS, link, with_states


def test_every_server_has_a_line_with_its_state_and_address(capsys: pytest.CaptureFixture[str]) -> None:
    """Workers below their node; piped, so without colours and without folding."""
    show_status(with_states(node_2=State.PAUSED, redis=State.DEAD))
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == "processes, strategy pubsub, cache-aside; /clone/runs/20261123T081500Z-3f9a"
    assert "node-1 running http://127.0.0.1:21002 pid 100" in lines
    assert "worker-2 running http://127.0.0.1:21004 pid 102" in lines
    assert "node-2 paused http://127.0.0.1:21005 pid 200" in lines
    assert "redis dead redis://127.0.0.1:21001/0 pid 300" in lines
    assert "links running 3 links between nodes and Redis, 0 cut pid 600" in lines


def test_a_cut_link_shows_its_fault_and_the_evidence(capsys: pytest.CaptureFixture[str]) -> None:
    """Which way, and how many bytes went nowhere."""
    links = (link("node-1→redis", "blackhole", "blackhole"), link("node-2→redis", upstream="blackhole"))
    show_status(msgspec.structs.replace(STATUS, links=links, cut=("node-1→redis", "node-2→redis")))
    out = capsys.readouterr().out
    assert "cut node-1→redis (blackhole): 70 bytes swallowed on the way there, 0 on the way back" in out
    assert "cut node-2→redis (blackhole there, pass back): 70 bytes" in out


def test_a_dead_link_process_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    """Not one for each link that died with it."""
    gone = Server(name="links", pid=None, state=State.DEAD)
    show_status(msgspec.structs.replace(STATUS, link_server=gone, cut=("node-1→redis", "node-2→redis")))
    assert "cut every link, since the link process is dead" in capsys.readouterr().out


def test_a_launcher_without_links_shows_what_it_cut(capsys: pytest.CaptureFixture[str]) -> None:
    """Docker's networks are cut without a link."""
    status = msgspec.structs.replace(STATUS, launcher="compose", link_server=None, links=None, cut=("node-1→redis",))
    show_status(status)
    out = capsys.readouterr().out
    assert "cut node-1→redis\n" in out
    assert "links " not in out


def test_a_password_is_not_shown(capsys: pytest.CaptureFixture[str]) -> None:
    """The table is for a screen that others may see."""
    database = msgspec.structs.replace(STATUS.database, url="postgresql://ada:secret@db/shop", kind="postgresql")
    show_status(msgspec.structs.replace(STATUS, database=database))
    out = capsys.readouterr().out
    assert "secret@" not in out
    assert "postgresql://ada:…@db/shop" in out


def test_square_brackets_are_not_taken_for_markup(capsys: pytest.CaptureFixture[str]) -> None:
    """A folder may be called anything; an IPv6 address has brackets."""
    database = msgspec.structs.replace(STATUS.database, url="mysql://[::1]:3306/shop", kind="mariadb")
    edge = Endpoint(name="edge", pid=1, state=State.RUNNING, url="http://[::1]:8080")
    show_status(msgspec.structs.replace(STATUS, run_dir="/home/[red]/runs", database=database, edge=edge))
    out = capsys.readouterr().out
    for text in ("/home/[red]/runs", "mysql://[::1]:3306/shop", "http://[::1]:8080"):
        assert text in out


def test_findings_are_a_list_of_yes_and_no(capsys: pytest.CaptureFixture[str]) -> None:
    """With the reason beside each."""
    show_findings([Finding("docker", False, "no docker command"), Finding("python", True, "3.11.7")])
    lines = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert lines == ["docker no no docker command", "python yes 3.11.7"]
