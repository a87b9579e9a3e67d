"""Table: the outbox over a plain connection of Python's database interface (PEP 249).

    CREATE TABLE outbox (
        id            an integer, numbered by the database
        keys          JSON: the keys that the write changed, ["product:7"]
        tags          JSON: the tags
        namespaces    JSON: the namespaces
        created_at    a number; the older is relayed first
        acknowledged  a boolean, false at first; an index on (acknowledged, created_at) keeps the look cheap
        position      a text of 40, null at first: <epoch>,<sequence> of the finish that acknowledged it
    )

What always holds: every statement is a transaction of its own, so none is open between two calls. The connection is
opened when it is first needed, and thrown away after any error: the next call begins with a fresh one.
"""

import contextlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import msgspec
from msgspec import Struct

from tocsin.names import Names
from tocsin.position import Position, epoch_text
from tocsin.relay import OutboxUnavailable, Row

COLUMNS = ("id", "keys", "tags", "namespaces")
_decode = msgspec.json.Decoder(tuple[str, ...]).decode


class Connection(Protocol):
    """What is used of a connection; it is in autocommit mode."""

    def cursor(self) -> Any:
        """Return a cursor."""

    def close(self) -> None:
        """Close it."""


class Dialect(Struct, frozen=True):
    """How to speak to one kind of database.

    `connect` opens a connection whose every wait is bounded; `errors` are what its driver raises; `quote` encloses a
    column's name (`keys` is a word of MariaDB's); `mark` stands for a value.
    """

    connect: Callable[[], Connection]
    errors: tuple[type[Exception], ...]
    quote: str
    mark: str


class DatabaseOutbox:
    """See `tocsin.relay.Outbox`. For one thread."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._connection: Connection | None = None
        columns = ", ".join(map(self._quoted, COLUMNS))
        unknown, oldest = f"{self._quoted('acknowledged')} = false", self._quoted("created_at")
        self._look = f"SELECT {columns} FROM outbox WHERE {unknown} ORDER BY {oldest} LIMIT {dialect.mark}"  # noqa: S608
        marked, known = self._quoted("position"), self._quoted("acknowledged")
        self._mark = f"UPDATE outbox SET {known} = true, {marked} = {dialect.mark} WHERE id IN ({{}})"  # noqa: S608

    def waiting(self, limit: int) -> Sequence[Row]:
        """Return unacknowledged rows, about the oldest first. Raises `OutboxUnavailable`."""
        with self._cursor() as cursor:
            cursor.execute(self._look, (limit,))
            found = cursor.fetchall()
        return [row_of(*each) for each in found]

    def acknowledge(self, ids: Sequence[int], position: Position | None) -> None:
        """Mark rows as known everywhere as of `position`. Raises `OutboxUnavailable`."""
        marks = ", ".join([self._dialect.mark] * len(ids))
        with self._cursor() as cursor:
            cursor.execute(self._mark.format(marks), (None if position is None else position_text(position), *ids))

    def close(self) -> None:
        """Close the connection, if there is one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with contextlib.suppress(*self._dialect.errors):
                connection.close()

    @contextlib.contextmanager
    def _cursor(self) -> Iterator[Any]:
        try:
            if self._connection is None:
                self._connection = self._dialect.connect()
            with contextlib.closing(self._connection.cursor()) as cursor:
                yield cursor
        except self._dialect.errors as error:
            self.close()
            reason = str(error).strip().partition("\n")[0] or type(error).__name__
            raise OutboxUnavailable(f"the outbox can't be read or marked: {reason}") from error

    def _quoted(self, column: str) -> str:
        return f"{self._dialect.quote}{column}{self._dialect.quote}"


def position_text(position: Position) -> str:
    """Return a position as the column holds it: `0000000a3c91f2e7,42`."""
    return f"{epoch_text(position.epoch)},{position.sequence}"


def row_of(number: int, keys: object, tags: object, namespaces: object) -> Row:
    """Return a row of the table; lists come as JSON, or as lists from a driver that has read it."""
    try:
        return Row(number, Names(_names(keys), _names(tags), _names(namespaces)))
    except (ValueError, msgspec.DecodeError) as error:
        return Row(number, Names(), unreadable=str(error))


def _names(column: object) -> tuple[str, ...]:
    if isinstance(column, str | bytes):
        return _decode(column)
    return msgspec.convert(column, tuple[str, ...])
