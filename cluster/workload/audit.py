"""The database's own account of what was written, read directly (docs/contract.md §4): before a run and after it.

    before: the version of each product  ──▶ baseline lines
    after:  the audit rows since then    ──▶ audit lines, then `audited`, once every acknowledged write is among them

The database is asked, not the services: what a cache believes is what is being judged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from sqlalchemy import Engine, bindparam, create_engine, make_url, text
from sqlalchemy.exc import SQLAlchemyError

from cluster.errors import ClusterError

_DRIVERS = {"postgresql": "postgresql+psycopg", "mysql": "mysql+pymysql", "mariadb": "mariadb+pymysql"}
_VERSIONS = text("SELECT id, version FROM products WHERE NOT deleted AND version > 0 AND id IN :ids").bindparams(
    bindparam("ids", expanding=True)
)
_SHELVES = text("SELECT id, category FROM products WHERE NOT deleted AND version > 0 ORDER BY id")
_LAST_ROW = text("SELECT coalesce(max(id), 0) FROM audit")
_KEY = "key"
CHUNK = 500
"""Products in one question: SQLite takes so many variables and more."""


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One committed write."""

    key: str
    version: int
    operation_id: str
    node: str


@dataclass(frozen=True, slots=True)
class Baseline:
    """What was there before a run: the version of each key, and the last row of the audit table."""

    versions: Mapping[str, int]
    last_row: int


@dataclass(frozen=True, slots=True)
class Shelf:
    """Where a product stands in the lists, which are in order of ids."""

    category: str
    place: int


class AuditTable:
    """Reads one cluster's database. Each method may raise ClusterError, naming the database and what it said."""

    def __init__(self, url: str) -> None:
        """`url` as in `status`: `sqlite:////path`, `postgresql://…`, `mysql://…`, `mariadb://…`."""
        parsed = make_url(url)
        self._shown = parsed.render_as_string(hide_password=True)
        driver = _DRIVERS.get(parsed.drivername, parsed.drivername)
        self._engine: Engine = create_engine(parsed.set(drivername=driver))

    def close(self) -> None:
        """Let the connections go."""
        self._engine.dispose()

    def baseline(self, products: Iterable[int]) -> Baseline:
        """What is there now, of the products with these ids; deleted ones are left out.

        The last audit row is read first: a write that commits between the two questions is then in the versions and
        among the later rows, where its version tells that it belongs to the baseline. Read last, it would hide it.
        """
        ids = list(products)
        try:
            with self._engine.connect() as connection:
                last_row = int(connection.execute(_LAST_ROW).scalar_one())
                versions: dict[str, int] = {}
                for start in range(0, len(ids), CHUNK):
                    rows = connection.execute(_VERSIONS, {"ids": ids[start : start + CHUNK]})
                    versions |= {f"product:{product}": int(version) for product, version in rows}
        except SQLAlchemyError as error:
            raise ClusterError(f"{self._shown}: the products can't be read: {error}") from None
        return Baseline(versions, last_row)

    def shelves(self) -> dict[int, Shelf]:
        """Product → where it stands: its category, and its place in the list of that category, from 0."""
        found: dict[int, Shelf] = {}
        filled: Counter[str] = Counter()
        try:
            with self._engine.connect() as connection:
                for product, category in connection.execute(_SHELVES):
                    found[product] = Shelf(category, filled[category])
                    filled[category] += 1
        except SQLAlchemyError as error:
            raise ClusterError(f"{self._shown}: the products can't be read: {error}") from None
        return found

    def since(self, baseline: Baseline) -> list[AuditRow]:
        """The audit rows of the baseline's keys that are newer than it, in the order of their commits."""
        quote = self._engine.dialect.identifier_preparer.quote
        question = text(
            f"SELECT {quote(_KEY)}, version, operation_id, node FROM audit WHERE id > :last ORDER BY id"  # noqa: S608 - a column's name
        )
        try:
            with self._engine.connect() as connection:
                rows = [AuditRow(*row) for row in connection.execute(question, {"last": baseline.last_row})]
        except SQLAlchemyError as error:
            raise ClusterError(f"{self._shown}: the audit table can't be read: {error}") from None
        return [row for row in rows if row.version > baseline.versions.get(row.key, row.version)]
