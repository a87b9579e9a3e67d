"""The rendered prefix: valid for nginx as root and as anybody, private, and the same rules everywhere."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

from cluster.edge import RULES, STATIC, render_cluster, write_prefix
from tests.edge.conftest import identity
from tests.edge.running_edge import SECRET, give_to, identity_of, nginx_command, running_edge
from tests.edge.toy_node import ToyNode, always, answer

NODES = ["127.0.0.1:7001", "127.0.0.1:7002"]
ROOT = os.geteuid() == 0


def written(prefix: Path, *, as_root: bool) -> Path:
    return write_prefix(prefix, listen="127.0.0.1:8080", nodes=NODES, secret=SECRET, as_root=as_root)


@pytest.mark.parametrize(
    "user",
    [
        None,
        pytest.param("nobody", marks=pytest.mark.skipif(not ROOT, reason="only root can become somebody else")),
    ],
    ids=["as whoever runs the tests", "as nobody"],
)
def test_nginx_accepts_the_configuration(open_folder: Path, user: str | None) -> None:
    """`nginx -t` finds nothing to warn of: no `user` where it is not allowed, no path outside the prefix."""
    prefix = open_folder / "edge"
    configuration = written(prefix, as_root=ROOT and user is None)
    assert configuration == prefix / "nginx.conf"
    if user is not None:
        give_to(prefix, user)
    checked = subprocess.run(
        nginx_command(prefix, "-t"), capture_output=True, text=True, timeout=30, check=False, **identity_of(user)
    )
    assert checked.returncode == 0, checked.stderr
    assert "[warn]" not in checked.stderr


@pytest.mark.skipif(not ROOT, reason="only root can become somebody else")
@pytest.mark.parametrize("user", [None, "nobody"])
def test_it_answers_from_its_store_as_root_and_as_nobody(open_folder: Path, user: str | None) -> None:
    """A store below a private folder that the workers can't enter would turn every hit into a 500."""
    fields = identity("node-1", ("Cache-Control", "s-maxage=600"))
    node = ToyNode("node-1", always(answer("x" * 100_000, headers=fields)))
    with node, running_edge(open_folder / "edge", [node.address], user=user) as edge:
        statuses = [(edge.get("/x").status, edge.get("/x").get("X-Node")) for _ in range(3)]
        assert statuses[-1] == (200, "edge")
        assert edge.ask("PUT", "/x", body=b"x" * 500_000).status == 200, "a body that goes through a file"


def test_only_root_is_named_as_user(tmp_path: Path) -> None:
    """As root the workers must stay root; anybody else may not even say so."""
    written(tmp_path / "root", as_root=True)
    written(tmp_path / "somebody", as_root=False)
    assert (tmp_path / "root" / "modules-enabled" / "user.conf").read_text(encoding="utf-8") == "user root;\n"
    assert (tmp_path / "somebody" / "modules-enabled" / "user.conf").read_text(encoding="utf-8") == ""


def test_the_secret_is_for_the_owner_alone(tmp_path: Path) -> None:
    """It stands in one file, which like its folder nobody else can read."""
    prefix = tmp_path / "edge"
    written(prefix, as_root=False)
    holding = [path for path in prefix.rglob("*") if path.is_file() and SECRET in path.read_text(encoding="utf-8")]
    assert holding == [prefix / "cluster.conf"]
    assert stat.S_IMODE(holding[0].stat().st_mode) == 0o600
    assert stat.S_IMODE(prefix.stat().st_mode) == 0o700


def test_a_prefix_can_be_written_again(tmp_path: Path) -> None:
    """A restarted edge gets its addresses anew, and nothing of the old ones stays."""
    prefix = tmp_path / "edge"
    written(prefix, as_root=False)
    write_prefix(prefix, listen="127.0.0.1:8081", nodes=["127.0.0.1:7009"], secret=SECRET, as_root=False)
    text = (prefix / "cluster.conf").read_text(encoding="utf-8")
    assert "127.0.0.1:7009" in text
    assert not any(node in text for node in NODES)


def test_the_rules_hold_no_address_and_no_absolute_path() -> None:
    """One set of files serves the wheel and the official image: what differs is in cluster.conf."""
    for name in STATIC:
        lines = (RULES / name).read_text(encoding="utf-8").splitlines()
        rules = [line.partition("#")[0] for line in lines]
        assert not [rule for rule in rules if "listen " in rule or "127.0.0.1" in rule]
        assert not [rule for rule in rules if " /etc/" in rule or " /var/" in rule or " /tmp" in rule]
        assert not [rule for rule in rules if "load_module" in rule or rule.startswith("user ")]


def test_a_name_is_asked_for_again_where_there_is_a_resolver() -> None:
    """A container that comes back may have another address."""
    text = render_cluster(
        listen="0.0.0.0:8080",
        servers=["node-1:8000"],
        secret="default x;",
        access_log="/dev/stdout",
        resolver="10.0.0.1",
        control=None,
    )
    assert "resolver 10.0.0.1;" in text
    assert "server node-1:8000 max_fails=1 fail_timeout=2s resolve;" in text
    assert "server node-1:8000 backup max_fails=0 resolve;" in text


@pytest.mark.parametrize("node", ["node 1:80", "node-1", "127.0.0.1:80; include /etc/passwd"])
def test_an_address_that_is_none_is_our_own_mistake(tmp_path: Path, node: str) -> None:
    """Nothing but host:port gets into a configuration."""
    with pytest.raises(AssertionError, match="no host:port"):
        write_prefix(tmp_path / "edge", listen="127.0.0.1:80", nodes=[node], secret=SECRET, as_root=False)


def test_a_secret_that_would_need_quoting_is_our_own_mistake(tmp_path: Path) -> None:
    """As is one short enough to guess."""
    for secret in ('a";b"cdefghijk', "short"):
        with pytest.raises(AssertionError, match="URL-safe"):
            write_prefix(tmp_path / "edge", listen="127.0.0.1:80", nodes=NODES, secret=secret, as_root=False)
