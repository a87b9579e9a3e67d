"""Outbox: which writes the caches have been told of by now, for sessions that have seen some that they were not."""

from __future__ import annotations

from sqlalchemy import func, select

from catalog.database import Database
from catalog.models import OutboxRow


def told_up_to(database: Database, row: int) -> bool:
    """Whether every write up to outbox row `row` is known to the caches. Raises `DatabaseUnavailable`."""
    waiting = select(OutboxRow.id).where(OutboxRow.acknowledged.is_(False), OutboxRow.id <= row).limit(1)
    with database.reading() as session:
        return session.scalar(waiting) is None


def newest(database: Database) -> int:
    """The newest row; 0 where there is none. Raises `DatabaseUnavailable`."""
    with database.reading() as session:
        return session.scalar(select(func.max(OutboxRow.id))) or 0
