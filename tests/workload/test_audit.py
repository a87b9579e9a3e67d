"""The database's own account, on a database made by hand as docs/contract.md §4 describes it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from cluster.errors import ClusterError
from cluster.workload.audit import AuditTable

TABLES = """
CREATE TABLE products (id INTEGER PRIMARY KEY, version INTEGER, deleted BOOLEAN);
CREATE TABLE audit (id INTEGER PRIMARY KEY, "key" TEXT, version INTEGER, operation_id TEXT, node TEXT, kind TEXT);
INSERT INTO products VALUES (1, 3, 0), (2, 1, 0), (3, 4, 1), (4, 0, 0), (5, 7, 0);
INSERT INTO audit VALUES (1, 'product:1', 3, 'old', 'node-1', 'update');
"""


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "catalog.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.executescript(TABLES)
    return path


@pytest.fixture
def table(database: Path) -> Iterator[AuditTable]:
    found = AuditTable(f"sqlite:///{database}")
    yield found
    found.close()


def write(database: Path, product: int, version: int, operation_id: str) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE products SET version = ? WHERE id = ?", (version, product))
        connection.execute(
            "INSERT INTO audit (key, version, operation_id, node, kind) VALUES (?, ?, ?, 'node-2', 'update')",
            (f"product:{product}", version, operation_id),
        )


def test_the_baseline_is_what_is_there(table: AuditTable) -> None:
    """Of the products asked for; deleted ones and reserved ids are not there."""
    baseline = table.baseline([1, 2, 3, 4])
    assert baseline.versions == {"product:1": 3, "product:2": 1}
    assert baseline.last_row == 1


def test_what_was_committed_since_is_told_in_order(database: Path, table: AuditTable) -> None:
    """Rows of the baseline's keys, in the order of their commits; other products are not this run's business."""
    baseline = table.baseline([1, 2])
    assert table.since(baseline) == []
    write(database, 2, 2, "a")
    write(database, 5, 8, "elsewhere")
    write(database, 1, 4, "b")
    rows = table.since(baseline)
    assert [(row.key, row.version, row.operation_id, row.node) for row in rows] == [
        ("product:2", 2, "a", "node-2"),
        ("product:1", 4, "b", "node-2"),
    ]


def test_a_write_between_the_two_questions_is_the_baselines(database: Path, table: AuditTable) -> None:
    """It is among the later rows, and its version says that it is not newer than the baseline."""
    baseline = table.baseline([1])
    write(database, 1, 4, "between")
    raced = type(baseline)(table.baseline([1]).versions, baseline.last_row)
    assert table.since(raced) == []


def test_more_products_than_one_question_can_name(database: Path, table: AuditTable) -> None:
    """They are asked for in parts."""
    with closing(sqlite3.connect(database)) as connection, connection:
        connection.executemany("INSERT INTO products VALUES (?, 1, 0)", [(number,) for number in range(10, 1200)])
    assert len(table.baseline(range(1, 2000)).versions) == 1190 + 3


def test_a_database_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """Which one, and what it said; a password is not shown."""
    table = AuditTable(f"sqlite:///{tmp_path}/missing/catalog.db")
    with pytest.raises(ClusterError, match=r"missing/catalog\.db: the products can't be read"):
        table.baseline([1])
    table.close()
