"""SQLAlchemy: invalidations that wait for the commit, and are dropped with what is rolled back.

    session: change rows, invalidate(session, names) ──▶ collected with the transaction, or savepoint, it was said in
             ├─ commit ──▶ one invalidation of everything that was collected, after the connection is given back
             └─ rollback ──▶ dropped; of a savepoint alone, only what was said within it

An invalidation that is sent before the commit is worse than none: the next reader loads the old row again, and keeps
it (hazard 9). What always holds:

- Nothing is sent for what did not happen. What is sent was committed, and no transaction is open while Redis is asked.
- A commit whose outcome is unknown, as the connection was lost within it, sends nothing, like a process that dies
  between commit and invalidation (hazard 8). For those there must be an outbox: a row written in the same transaction,
  which every agent relays where `outbox_url` is set (`tocsin.relay`).
- Rows changed by SQL that names no objects (`session.execute(update(…))`) are not seen: say `invalidate` for them.
"""

from collections.abc import Callable
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from sqlalchemy import event
from sqlalchemy.orm import Session, SessionTransaction, UOWTransaction, scoped_session, sessionmaker

from tocsin.cache import Cache
from tocsin.names import Names, united
from tocsin.writing import Receipt

Row = TypeVar("Row")
Sessions = type[Session] | sessionmaker[Any] | scoped_session[Any] | Session
NOTHING = Names()


def _unwatched(receipt: Receipt) -> None:
    """Ignore a receipt."""


class CommittedInvalidations:
    """Sends the invalidations of one kind of session to one cache, which may be given as a function.

    `sessions` is what SQLAlchemy's session events listen to: a `sessionmaker`, a session class, or one session.
    `on_receipt` is called with what became of each: a pending one was committed, and nobody was told.
    """

    def __init__(
        self,
        cache: Cache | Callable[[], Cache],
        sessions: Sessions,
        *,
        on_receipt: Callable[[Receipt], None] = _unwatched,
    ) -> None:
        given = cache
        self._cache: Callable[[], Cache] = (lambda: given) if isinstance(given, Cache) else given
        self._on_receipt = on_receipt
        self._names_of: dict[type[Any], Callable[[Any], Names]] = {}
        self._collected: WeakKeyDictionary[SessionTransaction, Names] = WeakKeyDictionary()
        self._committed: WeakKeyDictionary[SessionTransaction, bool] = WeakKeyDictionary()
        event.listen(sessions, "after_flush", self._after_flush)
        event.listen(sessions, "after_commit", self._after_commit)
        event.listen(sessions, "after_transaction_end", self._after_transaction_end)

    def rows(self, kind: type[Row], names_of: Callable[[Row], Names]) -> None:
        """Invalidate `names_of(row)` for each row of `kind` (or a subclass) that a flush inserts, changes or deletes.

        The row is seen as it is then. Where a change moves it from one group to another, name both: SQLAlchemy's
        `inspect(row).attrs.<column>.history` has the value before.
        """
        self._names_of[kind] = names_of

    def invalidate(self, session: Session, names: Names) -> None:
        """Invalidate `names` when the current transaction of `session` has committed; begins one if there is none."""
        if session.get_transaction() is None:
            session.begin()
        self._collect(_innermost(session), names)

    def _after_flush(self, session: Session, _: UOWTransaction) -> None:
        # Before the session's lists are emptied. `dirty` holds rows that were touched; only changed ones count.
        changed = [row for row in session.dirty if session.is_modified(row)]
        for row in (*session.new, *changed, *session.deleted):
            for kind, names_of in self._names_of.items():
                if isinstance(row, kind):
                    self._collect(_innermost(session), names_of(row))

    def _collect(self, transaction: SessionTransaction, names: Names) -> None:
        self._collected[transaction] = united((self._collected.get(transaction, NOTHING), names))

    def _after_commit(self, session: Session) -> None:
        self._committed[_innermost(session)] = True

    def _after_transaction_end(self, _: Session, transaction: SessionTransaction) -> None:
        # At the end, and not in after_commit, because by now the connection has been given back: a Redis that does not
        # answer must hold up neither a row lock nor a place in the pool.
        names = self._collected.pop(transaction, NOTHING)
        if not self._committed.pop(transaction, False) or names == NOTHING:
            return
        if transaction.nested:
            assert transaction.parent is not None, "a savepoint lies within a transaction"
            self._collect(_real(transaction.parent), names)
        else:
            self._on_receipt(self._cache().invalidate(names))


def _innermost(session: Session) -> SessionTransaction:
    transaction = session.get_nested_transaction() or session.get_transaction()
    assert transaction is not None, "a session that flushes or commits is in a transaction"
    return _real(transaction)


def _real(transaction: SessionTransaction) -> SessionTransaction:
    """Return the savepoint or transaction that a transaction of the session's own making (a flush) belongs to."""
    while not transaction.nested and transaction.parent is not None:
        transaction = transaction.parent
    return transaction
