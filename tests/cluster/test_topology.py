"""What can be asked for, and what is said to those who ask for something else."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster.errors import ClusterError, WrongInputError
from cluster.topology import Topology, load, parse_database, parse_settings, store


def test_the_default_is_three_nodes_of_two_workers() -> None:
    """Names are those that `X-Worker` will say."""
    topology = Topology()
    assert topology.node_names == ("node-1", "node-2", "node-3")
    assert topology.worker_names("node-2") == ("node-2/worker-1", "node-2/worker-2")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"strategy": "magic"}, "unknown strategy 'magic'; there are no-cache, l2-only, ttl, pubsub, pubsub-flush, "),
        ({"write_path": "x"}, "unknown write path 'x'; there are cache-aside, write-through, write-behind"),
        ({"nodes": 0}, "nodes 0 is out of range; 1 to 32"),
        ({"workers": 99}, "workers 99 is out of range; 1 to 16"),
        ({"edge_port": 70000}, "port 70000 is out of range; 1 to 65535"),
        ({"settings": (("TOCSIN_L1_TTL", "2"),)}, "unknown setting 'TOCSIN_L1_TTL'; there are"),
        ({"database_url": "oracle://host/db"}, "names no database that the catalogue knows; expected sqlite:////"),
    ],
)
def test_what_cannot_be_started_is_refused_with_what_can(wrong: dict[str, object], said: str) -> None:
    """Parsed once: behind this no one meets a wrong value."""
    with pytest.raises(WrongInputError) as refused:
        Topology(**wrong)  # type: ignore[arg-type]  # the point of the test
    assert said in str(refused.value)


def test_a_topology_is_stored_and_read_again(tmp_path: Path) -> None:
    """The run folder's `topology.json` is the value; a field that nobody knows is an error, not ignored."""
    topology = Topology(nodes=5, strategy="ttl", settings=(("TOCSIN_L1_TTL_S", "0.5"),), direct=True, edge_port=0)
    store(topology, tmp_path / "topology.json")
    assert load(tmp_path / "topology.json") == topology
    (tmp_path / "topology.json").write_text('{"nodes": 5, "colour": "red"}', encoding="utf-8")
    with pytest.raises(ClusterError, match="colour"):
        load(tmp_path / "topology.json")


def test_differences_are_phrases() -> None:
    """What a second `up` says when it wants something else."""
    running, asked = Topology(), Topology(nodes=5, settings=(("TOCSIN_L1_TTL_S", "9"),), database_url="mysql://h/db")
    assert running.differences(asked) == (
        "nodes 3, not 5",
        "database url default, not mysql://h/db",
        "settings none, not TOCSIN_L1_TTL_S=9",
    )
    assert running.differences(Topology()) == ()


def test_settings_are_pairs_and_the_last_of_a_name_wins() -> None:
    """`--set` may be given several times; a value may hold an equals sign."""
    assert parse_settings(["CATALOG_THREADS=2", "CATALOG_THREADS=8"]) == (("CATALOG_THREADS", "8"),)
    with pytest.raises(WrongInputError, match="expected NAME=VALUE"):
        parse_settings(["CATALOG_THREADS"])


@pytest.mark.parametrize(
    ("url", "kind", "host", "port"),
    [
        ("sqlite:////data/catalog.db", "sqlite", None, None),
        ("postgresql://ada:pw@db.example/shop", "postgresql", "db.example", 5432),
        ("postgresql+psycopg://db.example:6000/shop?sslmode=require", "postgresql", "db.example", 6000),
        ("mysql://db/shop", "mariadb", "db", 3306),
        ("mariadb://[::1]:3307/shop", "mariadb", "::1", 3307),
    ],
)
def test_a_database_url_is_taken_apart(url: str, kind: str, host: str | None, port: int | None) -> None:
    """Kind, host and port, with the port that the kind has by default."""
    database = parse_database(url)
    assert (database.kind, database.host, database.port) == (kind, host, port)


def test_a_database_is_led_through_a_link_with_everything_else_kept() -> None:
    """User, password, name and options stay; only the address changes."""
    database = parse_database("postgresql://ada:p%40w@db.example/shop?sslmode=disable")
    assert database.through("127.0.0.1", 21007) == "postgresql://ada:p%40w@127.0.0.1:21007/shop?sslmode=disable"
    assert parse_database("mysql://db/shop").through("127.0.0.1", 21008) == "mysql://127.0.0.1:21008/shop"


def test_a_password_is_not_shown() -> None:
    """A terminal may be looked over; programs get the whole URL from `status --json`."""
    assert parse_database("postgresql://ada:secret@db/shop").shown == "postgresql://ada:…@db/shop"


@pytest.mark.parametrize(
    "url", ["sqlite:///relative.db", "sqlite://host/x", "postgresql:///shop", "mysql://db:port/x", "x"]
)
def test_a_database_url_that_cannot_be_meant_is_answered_with_the_forms(url: str) -> None:
    """A relative file would be another one in every process; a networked database needs a host."""
    with pytest.raises(WrongInputError, match="DATABASE_URL"):
        parse_database(url)
