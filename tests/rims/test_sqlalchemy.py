"""SQLAlchemy sessions: what was committed is invalidated, once, afterwards; what was rolled back is not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import Engine, create_engine, inspect, text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column, sessionmaker
from tocsin import Cache, CacheSettings, Loaded, Names, Receipt, connect
from tocsin.sqlalchemy import CommittedInvalidations

from tests.redis_server import RedisServer
from tests.tocsin.town import Witness


class Base(DeclarativeBase):
    """The tables of a shop."""


class Product(Base):
    """A row that a cache entry shows."""

    __tablename__ = "product"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    category: Mapped[str] = mapped_column(default="toys")


class Book(Product):
    """A product of a kind of its own."""


def names_of(product: Product) -> Names:
    """The key of a product, and the tags of the category it is in and of the one it was in."""
    history = inspect(product).attrs.category.history
    categories = dict.fromkeys((*(history.added or ()), *(history.unchanged or ()), *(history.deleted or ())))
    return Names(keys=(f"product:{product.id}",), tags=tuple(f"category:{each}" for each in categories))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A database with one product."""
    engine = create_engine(f"sqlite:///{tmp_path / 'shop.db'}")
    Base.metadata.create_all(engine)
    with Session(engine) as session, session.begin():
        session.add(Product(id=1, name="ball"))
    yield engine
    engine.dispose()


@pytest.fixture
def witness() -> Witness:
    """What the cache was asked to invalidate."""
    return Witness()


@pytest.fixture
def receipts() -> list[Receipt]:
    """What became of it."""
    return []


@pytest.fixture
def cache(redis: RedisServer, witness: Witness) -> Iterator[Cache]:
    """The cache of the shop."""
    cache = connect(CacheSettings(redis_url=redis.url, node="node", namespace=uuid4().hex), observer=witness)
    yield cache
    cache.stop()


@pytest.fixture
def sessions(engine: Engine) -> sessionmaker[Session]:
    """Where the shop gets its sessions."""
    return sessionmaker(engine)


@pytest.fixture
def invalidations(cache: Cache, sessions: sessionmaker[Session], receipts: list[Receipt]) -> CommittedInvalidations:
    """The rim under test, which knows products."""
    invalidations = CommittedInvalidations(cache, sessions, on_receipt=receipts.append)
    invalidations.rows(Product, names_of)
    return invalidations


def keys(witness: Witness) -> list[set[str]]:
    """The keys of each invalidation."""
    return [set(names.keys) for names, _ in witness.invalidations]


@pytest.mark.usefixtures("invalidations")
def test_the_old_row_is_not_kept_again(cache: Cache, sessions: sessionmaker[Session]) -> None:
    """A reader between flush and commit loads the old row; after the commit it is gone (hazard 9)."""

    def load() -> Loaded:
        with sessions() as reader:
            product = reader.get(Product, 1)
            assert product is not None
            return Loaded(product.name.encode())

    with sessions() as session:
        product = session.get(Product, 1)
        assert product is not None
        product.name = "new ball"
        session.flush()
        assert cache.get_or_load("product:1", load) == b"ball"
        session.commit()
    assert cache.get_or_load("product:1", load) == b"new ball"


@pytest.mark.usefixtures("invalidations")
def test_a_commit_sends_everything_at_once(sessions: sessionmaker[Session], witness: Witness) -> None:
    """Rows inserted, changed and deleted in several flushes, subclasses too; each name once."""
    with sessions() as session:
        session.add(Book(id=2, name="atlas", category="maps"))
        session.flush()
        ball = session.get(Product, 1)
        assert ball is not None
        ball.name = "red ball"
        session.flush()
        session.delete(ball)
        assert witness.invalidations == []
        session.commit()
    ((names, source),) = witness.invalidations
    assert set(names.keys) == {"product:1", "product:2"}
    assert set(names.tags) == {"category:maps", "category:toys"}
    assert source == "call"


@pytest.mark.usefixtures("invalidations")
def test_a_row_that_moves_names_both_groups(sessions: sessionmaker[Session], witness: Witness) -> None:
    """As SQLAlchemy's history has the value before."""
    with sessions.begin() as session:
        ball = session.get(Product, 1)
        assert ball is not None
        ball.category = "sports"
    assert set(witness.invalidations[0][0].tags) == {"category:toys", "category:sports"}


@pytest.mark.usefixtures("invalidations")
def test_a_rollback_sends_nothing(sessions: sessionmaker[Session], witness: Witness) -> None:
    """Nor does the next commit send what was dropped."""
    with sessions() as session:
        session.add(Product(id=2, name="doll"))
        session.flush()
        session.rollback()
        session.commit()
        session.add(Product(id=3, name="kite"))
        session.commit()
    assert keys(witness) == [{"product:3"}]


@pytest.mark.usefixtures("invalidations")
def test_a_session_closed_without_commit_sends_nothing(sessions: sessionmaker[Session], witness: Witness) -> None:
    """As its changes did not happen."""
    with sessions() as session:
        session.add(Product(id=2, name="doll"))
        session.flush()
    assert witness.invalidations == []


@pytest.mark.usefixtures("invalidations")
def test_a_commit_that_fails_sends_nothing(sessions: sessionmaker[Session], witness: Witness) -> None:
    """The flush within it broke a rule of the database."""
    with sessions() as session:
        session.add(Product(id=2, name="ball"))
        with pytest.raises(IntegrityError):
            session.commit()
        session.rollback()
        session.commit()
    assert witness.invalidations == []


@pytest.mark.usefixtures("invalidations")
def test_a_savepoint_rolled_back_takes_its_own_invalidations_only(
    sessions: sessionmaker[Session], witness: Witness
) -> None:
    """What was said before it, after it, and in savepoints that were released is sent; nothing before the commit."""
    with sessions() as session:
        session.add(Product(id=2, name="doll"))
        with session.begin_nested():
            session.add(Product(id=3, name="kite"))
            inner = session.begin_nested()
            session.add(Product(id=4, name="drum"))
            session.flush()
            inner.rollback()
        lost = session.begin_nested()
        with session.begin_nested():
            session.add(Product(id=5, name="harp"))
        lost.rollback()
        session.add(Product(id=6, name="lute"))
        assert witness.invalidations == []
        session.commit()
    assert keys(witness) == [{"product:2", "product:3", "product:6"}]


@pytest.mark.usefixtures("invalidations")
def test_a_row_refused_within_a_savepoint_is_forgotten(sessions: sessionmaker[Session], witness: Witness) -> None:
    """The usual "insert, or do without"."""
    with sessions() as session:
        session.add(Product(id=2, name="doll"))
        with pytest.raises(IntegrityError), session.begin_nested():
            session.add(Product(id=3, name="ball"))
        session.commit()
    assert keys(witness) == [{"product:2"}]


def test_what_no_object_tells_can_be_said(
    invalidations: CommittedInvalidations, sessions: sessionmaker[Session], witness: Witness
) -> None:
    """For rows changed by SQL; before the first statement too."""
    with sessions() as session:
        invalidations.invalidate(session, Names(tags=("category:toys",)))
        session.execute(text("update product set name = 'x'"))
        session.commit()
        invalidations.invalidate(session, Names(namespaces=("products",)))
        session.rollback()
    assert [names for names, _ in witness.invalidations] == [Names(tags=("category:toys",))]


@pytest.mark.usefixtures("invalidations")
def test_a_row_that_was_only_looked_at_is_not_invalidated(sessions: sessionmaker[Session], witness: Witness) -> None:
    """Nor one that was given the value that it had."""
    with sessions.begin() as session:
        ball = session.get(Product, 1)
        assert ball is not None
        ball.name = "ball"
    assert witness.invalidations == []


@pytest.mark.usefixtures("invalidations")
def test_sessions_do_not_mix(sessions: sessionmaker[Session], witness: Witness, engine: Engine) -> None:
    """One's commit sends nothing of another's; sessions from elsewhere are not listened to."""
    with sessions() as one, sessions() as other:
        one.get(Product, 1)
        other.add(Product(id=2, name="doll"))
        one.commit()
        assert witness.invalidations == []
        other.commit()
    with Session(engine) as foreign, foreign.begin():
        foreign.add(Product(id=3, name="kite"))
    assert keys(witness) == [{"product:2"}]


@pytest.mark.usefixtures("invalidations")
def test_redis_is_asked_when_the_connection_is_given_back(
    sessions: sessionmaker[Session], engine: Engine, cache: Cache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A slow Redis holds up no row lock, and no place in the pool."""
    in_use: list[int] = []
    pool: Any = engine.pool

    class Asking:
        def invalidate(self, names: Names) -> Receipt:
            in_use.append(pool.checkedout())
            return cache.invalidate(names)

    asked = sessionmaker(engine)
    CommittedInvalidations(lambda: Asking(), asked).rows(Product, names_of)  # type: ignore[arg-type,return-value]
    with asked.begin() as session:
        session.add(Product(id=2, name="doll"))
        session.flush()
        assert pool.checkedout() == 1
    assert in_use == [0]


@pytest.mark.usefixtures("invalidations")
def test_without_redis_the_commit_stands_and_the_receipt_says_so(
    sessions: sessionmaker[Session], receipts: list[Receipt], redis: RedisServer
) -> None:
    """It is pending: an outbox, or the entries' time to live, has to do the rest."""
    redis.stop()
    with sessions.begin() as session:
        session.add(Product(id=2, name="doll"))
    assert [receipt.pending for receipt in receipts] == [True]
    with sessions() as session:
        assert session.get(Product, 2) is not None
