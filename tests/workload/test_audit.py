"""The database's own account, on tables made by hand as docs/contract.md §4 has them: SQLite, PostgreSQL, MariaDB."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from sqlalchemy import (
    Boolean,
    Column,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    create_engine,
    insert,
    make_url,
    update,
)

from cluster.errors import ClusterError
from cluster.workload.audit import AuditTable, Shelf
from tests.database_servers import mariadb_server, postgresql_server

TABLES = MetaData()
PRODUCTS = Table(
    "products",
    TABLES,
    Column("id", Integer, primary_key=True),
    Column("category", String(40), default="kitchen"),
    Column("version", Integer),
    Column("deleted", Boolean),
)
AUDIT = Table(
    "audit",
    TABLES,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("key", String(80)),
    Column("version", Integer),
    Column("operation_id", String(80)),
    Column("node", String(80)),
    Column("kind", String(10)),
)
SERVERS = {"postgresql": postgresql_server, "mariadb": mariadb_server}
DRIVERS = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql", "mariadb": "mariadb+pymysql"}


class Database:
    """One database with the contract's tables: products 1, 2 and 5 are there, 3 was deleted, 4 is a reserved id."""

    def __init__(self, url: str) -> None:
        self.url = url
        parsed = make_url(url)
        self.engine: Engine = create_engine(parsed.set(drivername=DRIVERS.get(parsed.drivername, parsed.drivername)))
        TABLES.drop_all(self.engine)
        TABLES.create_all(self.engine)
        versions = {1: 3, 2: 1, 3: 4, 4: 0, 5: 7}
        rows = [{"id": each, "version": version, "deleted": each == 3} for each, version in versions.items()]
        with self.engine.begin() as connection:
            connection.execute(insert(PRODUCTS), rows)
        self.write(1, 3, "old")

    def write(self, product: int, version: int, operation_id: str) -> None:
        """What the services do in one transaction."""
        with self.engine.begin() as connection:
            connection.execute(update(PRODUCTS).where(PRODUCTS.c.id == product).values(version=version))
            row = {"key": f"product:{product}", "version": version, "operation_id": operation_id}
            connection.execute(insert(AUDIT).values(**row, node="node-2", kind="update"))


@pytest.fixture(scope="module", params=["sqlite", *SERVERS])
def address(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with ExitStack() as servers:
        if request.param == "sqlite":
            yield f"sqlite:///{tmp_path_factory.mktemp('database') / 'catalog.db'}"
        else:
            yield servers.enter_context(SERVERS[request.param]()).fresh_database()


@pytest.fixture
def database(address: str) -> Iterator[Database]:
    found = Database(address)
    yield found
    found.engine.dispose()


@pytest.fixture
def table(database: Database) -> Iterator[AuditTable]:
    found = AuditTable(database.url)
    yield found
    found.close()


def test_the_baseline_is_what_is_there(table: AuditTable) -> None:
    """Of the products asked for; deleted ones and reserved ids are not there."""
    baseline = table.baseline([1, 2, 3, 4])
    assert baseline.versions == {"product:1": 3, "product:2": 1}
    assert baseline.last_row == 1


def test_what_was_committed_since_is_told_in_order(database: Database, table: AuditTable) -> None:
    """Rows of the baseline's keys, in the order of their commits; other products are not this run's business."""
    baseline = table.baseline([1, 2])
    assert table.since(baseline) == []
    database.write(2, 2, "a")
    database.write(5, 8, "elsewhere")
    database.write(1, 4, "b")
    rows = table.since(baseline)
    assert [(row.key, row.version, row.operation_id, row.node) for row in rows] == [
        ("product:2", 2, "a", "node-2"),
        ("product:1", 4, "b", "node-2"),
    ]


def test_a_write_between_the_two_questions_is_the_baselines(database: Database, table: AuditTable) -> None:
    """It is among the later rows, and its version says that it is not newer than the baseline."""
    before = table.baseline([1])
    database.write(1, 4, "between")
    raced = type(before)(table.baseline([1]).versions, before.last_row)
    assert table.since(raced) == []


def test_a_product_stands_in_the_list_of_its_category(database: Database, table: AuditTable) -> None:
    """In order of ids, without those that were deleted and those that nobody sees."""
    with database.engine.begin() as connection:
        connection.execute(update(PRODUCTS).where(PRODUCTS.c.id == 2).values(category="toys"))
    assert table.shelves() == {1: Shelf("kitchen", 0), 2: Shelf("toys", 0), 5: Shelf("kitchen", 1)}


def test_more_products_than_one_question_can_name(database: Database, table: AuditTable) -> None:
    """They are asked for in parts."""
    with database.engine.begin() as connection:
        more = [{"id": number, "version": 1, "deleted": False} for number in range(10, 1200)]
        connection.execute(insert(PRODUCTS), more)
    assert len(table.baseline(range(1, 2000)).versions) == 1190 + 3


def test_a_database_that_cannot_be_read_is_named_without_its_password(tmp_path: Path) -> None:
    """Which one, and what it said."""
    for url, shown in (
        (f"sqlite:///{tmp_path}/missing/catalog.db", "missing/catalog.db: the products can't be read"),
        ("postgresql://me:secret@127.0.0.1:1/shop", r"postgresql://me:\*\*\*@127.0.0.1:1/shop: the products can't"),
    ):
        table = AuditTable(url)
        with pytest.raises(ClusterError, match=shown) as caught:
            table.baseline([1])
        assert "secret" not in str(caught.value)
        table.close()
