"""The relay's rules on virtual time: when a row is finished, by whom, and what an outage does to it."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

from tocsin import Names
from tocsin.errors import Happened, Unavailable
from tocsin.position import Position
from tocsin.relay import AGAIN_AFTER_S, FINISHED_AT_ONCE, GRACE_S, LOOK_EVERY_S, OutboxUnavailable, Relay, Row

from tests.tocsin.moved_clock import MovedClock

AWAY = Unavailable("Redis does not answer", detail="redis-unreachable", happened=Happened.UNKNOWN)


class Table:
    """An outbox in memory: rows appear at their commit's time, by the clock."""

    def __init__(self, clock: MovedClock) -> None:
        self._clock = clock
        self._rows: dict[int, tuple[float, Row]] = {}
        self.acknowledged: dict[int, Position | None] = {}
        self.away = False

    def commit(self, number: int, *, at_s: float = 0.0, unreadable: str = "") -> None:
        """Let a write of `product:<number>` be committed at that time, and its writer die."""
        names = Names(keys=(f"product:{number}",))
        self._rows[number] = (at_s, Row(number, Names() if unreadable else names, unreadable))

    def waiting(self, limit: int) -> Sequence[Row]:
        if self.away:
            raise OutboxUnavailable("the database does not answer")
        there = [row for at_s, row in self._rows.values() if at_s <= self._clock.now()]
        return [row for row in there if row.id not in self.acknowledged][:limit]

    def acknowledge(self, ids: Sequence[int], position: Position | None) -> None:
        if self.away:
            raise OutboxUnavailable("the database does not answer")
        self.acknowledged |= dict.fromkeys(ids, position)

    def close(self) -> None:
        """There is nothing to close."""


class Place:
    """One outbox, one Redis, and relays on one clock."""

    def __init__(self) -> None:
        self.clock = MovedClock()
        self.table = Table(self.clock)
        self.finished: list[tuple[float, Names]] = []
        self.told: list[str] = []
        self.redis_away = False

    def relay(self, seed: int = 1) -> Relay:
        """Return one more relay, with a chance of its own."""
        return Relay(self.table, self._finish, now=self.clock.now, chance=Random(seed).random, tell=self.told.append)

    def _finish(self, names: Names) -> Position:
        if self.redis_away:
            raise AWAY
        self.finished.append((self.clock.now(), names))
        return Position(7, len(self.finished))

    def run(self, relay: Relay, seconds: float) -> None:
        """Let the relay take its turns for so long."""
        end_s = self.clock.now() + seconds
        relay.follow(lambda: self.clock.now() >= end_s, self.clock.pause)


def test_a_row_is_finished_200_to_300_ms_after_its_commit() -> None:
    """Whenever within the relay's rhythm the commit falls: never sooner, never later. The bound is L + 300 ms."""
    chance = Random(5)
    for seed in range(500):
        place = Place()
        committed_s = place.clock.now() + 1.0 + chance.random()
        place.table.commit(1, at_s=committed_s)
        place.run(place.relay(seed), 3.0)
        ((finished_s, names),) = place.finished
        assert names == Names(keys=("product:1",))
        assert GRACE_S - 1e-6 <= finished_s - committed_s <= GRACE_S + LOOK_EVERY_S[1] + 1e-6
        assert place.table.acknowledged == {1: Position(7, 1)}


def test_a_row_that_its_writer_acknowledges_is_left_alone() -> None:
    """A living writer is done within 200 ms, and its row is never finished twice."""
    place = Place()
    place.table.commit(1)
    relay = place.relay()
    relay.turn()
    place.clock.move(GRACE_S - 0.01)
    relay.turn()
    place.table.acknowledge([1], Position(7, 42))
    place.run(relay, 1.0)
    assert place.finished == []


def test_relays_side_by_side_seldom_finish_the_same_row() -> None:
    """Three relays, 200 rows: the wait between two looks is random, so the first to come has usually acknowledged."""
    place = Place()
    begun_s = place.clock.now()
    for number in range(200):
        place.table.commit(number, at_s=begun_s + number)
    relays = [(place.relay(seed), begun_s) for seed in range(3)]
    while place.clock.now() < begun_s + 201:
        relay, at_s = min(relays, key=lambda each: each[1])
        place.clock.move(max(0.0, at_s - place.clock.now()))
        relays.remove((relay, at_s))
        relays.append((relay, place.clock.now() + relay.attempt()))
    assert len(place.table.acknowledged) == 200
    assert len(place.finished) == 200


def test_a_relay_that_stops_silences_nobody() -> None:
    """C13: one that was stopped after it saw the rows holds nothing that another one would wait for."""
    place = Place()
    place.table.commit(1)
    stopped, living = place.relay(1), place.relay(2)
    stopped.turn()
    place.run(living, 1.0)
    assert place.table.acknowledged.keys() == {1}


def test_without_redis_the_rows_wait_on_and_one_line_says_so() -> None:
    """Nothing is acknowledged that was not finished; when Redis is back all is."""
    place = Place()
    place.table.commit(1)
    place.redis_away = True
    relay = place.relay()
    place.run(relay, 10.0)
    assert place.table.acknowledged == {}
    assert place.told == ["the outbox is put off: Redis does not answer"]
    place.redis_away = False
    place.run(relay, AGAIN_AFTER_S + GRACE_S)
    assert place.table.acknowledged.keys() == {1}
    assert place.told[1:] == ["the outbox is relayed again"]


def test_without_the_database_it_tries_again() -> None:
    """An outage costs its own length and half a second."""
    place = Place()
    place.table.commit(1)
    relay = place.relay()
    place.table.away = True
    place.run(relay, 10.0)
    assert place.finished == []
    place.table.away = False
    place.run(relay, AGAIN_AFTER_S + GRACE_S + LOOK_EVERY_S[1])
    assert place.table.acknowledged.keys() == {1}


def test_a_mark_that_failed_costs_a_repeat_and_loses_nothing() -> None:
    """The finish was done and the database went away: the row is finished again later."""
    place = Place()
    place.table.commit(1)
    relay = place.relay()
    relay.turn()
    place.clock.move(GRACE_S)
    acknowledge, place.table.acknowledge = place.table.acknowledge, _refuse  # type: ignore[method-assign]
    assert relay.attempt() == AGAIN_AFTER_S
    place.table.acknowledge = acknowledge  # type: ignore[method-assign]
    place.clock.move(AGAIN_AFTER_S)
    relay.attempt()
    assert [names.keys for _, names in place.finished] == [("product:1",)] * 2
    assert place.table.acknowledged.keys() == {1}


def _refuse(ids: Sequence[int], position: Position | None) -> None:
    raise OutboxUnavailable("the database went away")


def test_a_backlog_is_finished_in_portions_without_waiting() -> None:
    """After an outage: a hundred rows to a finish, and no pause between two of them."""
    place = Place()
    for number in range(250):
        place.table.commit(number)
    relay = place.relay()
    relay.turn()
    place.clock.move(GRACE_S)
    assert relay.turn() == 0
    assert relay.turn() == 0
    relay.turn()
    assert [len(names.keys) for _, names in place.finished] == [FINISHED_AT_ONCE, FINISHED_AT_ONCE, 50]
    assert len(place.table.acknowledged) == 250


def test_a_row_that_cannot_be_read_waits_for_a_person_and_holds_up_nobody() -> None:
    """A foreign writer's mistake: it is named once, and the others are relayed."""
    place = Place()
    place.table.commit(1, unreadable="'' can't be a key")
    place.table.commit(2)
    place.run(place.relay(), 2.0)
    assert place.table.acknowledged.keys() == {2}
    assert place.told == ["outbox row 1 can't be read: '' can't be a key; correct it, and it is relayed"]
