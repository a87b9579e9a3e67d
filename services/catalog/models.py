"""Models: the four tables of docs/contract.md, section 4.

    one write = one transaction = products row (version + 1) + audit row + outbox row (+ idempotency row)

What always holds: `products` rows are never removed, so an id is never used twice; a deleted product is a tombstone
that keeps its version. The versions in `audit` of one key are 1, 2, 3 … without gap or repeat, which the unique
constraint enforces even against a write-behind journal that is delivered twice. A row with version 0 is an id that
was reserved for a product and is not a product yet.
"""

from __future__ import annotations

from sqlalchemy import JSON, BigInteger, Float, Index, Integer, MetaData, String, Text, UniqueConstraint, false
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

# On SQLite only an INTEGER PRIMARY KEY numbers its rows by itself.
BigId = BigInteger().with_variant(Integer, "sqlite")
# MariaDB compares text without regard to case unless told otherwise; keys are compared byte by byte.
Exact = String(255).with_variant(String(255, collation="utf8mb4_bin"), "mysql", "mariadb")


class Table(DeclarativeBase):
    """The root of the tables; names constraints alike on every database."""

    metadata = MetaData(naming_convention={"uq": "uq_%(table_name)s", "ix": "ix_%(table_name)s_%(column_0_N_name)s"})


class ProductRow(Table):
    """One product, or the tombstone of one."""

    __tablename__ = "products"
    __table_args__ = (Index(None, "category", "id"),)

    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    name: Mapped[str] = mapped_column(String(200))
    price_cents: Mapped[int] = mapped_column(BigInteger)
    category: Mapped[str] = mapped_column(String(40))
    description: Mapped[str] = mapped_column(Text)
    version: Mapped[int] = mapped_column(BigInteger)
    deleted: Mapped[bool] = mapped_column(server_default=false())


class AuditRow(Table):
    """One committed write: the evidence that decides what happened when an acknowledgement was lost."""

    __tablename__ = "audit"
    __table_args__ = (UniqueConstraint("key", "version"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    key: Mapped[str] = mapped_column(Exact)
    version: Mapped[int] = mapped_column(BigInteger)
    operation_id: Mapped[str] = mapped_column(Exact)
    node: Mapped[str] = mapped_column(String(80))
    kind: Mapped[str] = mapped_column(String(10))


class OutboxRow(Table):
    """What a committed write must still make known; the relay repeats it until it is acknowledged (hazard 8)."""

    __tablename__ = "outbox"
    __table_args__ = (Index(None, "acknowledged", "created_at"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True, autoincrement=True)
    keys: Mapped[list[str]] = mapped_column(JSON)
    tags: Mapped[list[str]] = mapped_column(JSON)
    namespaces: Mapped[list[str]] = mapped_column(JSON)
    created_at: Mapped[float] = mapped_column(Float(53))  # Unix seconds of the node; only its age is looked at
    acknowledged: Mapped[bool] = mapped_column(server_default=false())
    position: Mapped[str | None] = mapped_column(String(40))  # <epoch>,<sequence> of the finish; where it has one


class IdempotencyRow(Table):
    """What the first request with an `Idempotency-Key` was answered, so that a retry is answered alike."""

    __tablename__ = "idempotency"

    key: Mapped[str] = mapped_column(Exact, primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))
    status: Mapped[int] = mapped_column(Integer)
    body: Mapped[str] = mapped_column(Text)
    etag: Mapped[str] = mapped_column(String(80))
    created_at: Mapped[float] = mapped_column(Float(53))
