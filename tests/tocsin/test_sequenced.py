"""What the sequenced strategies do where they differ from the others: watermarks, waiting, refusals, stale values."""

from __future__ import annotations

from typing import Any

import pytest
from tocsin import CacheSettings, Layer, Loaded, Names, Policy, Strategy, Unavailable, WritePath
from tocsin.assembly import Adapters, compose
from tocsin.errors import Happened
from tocsin.memory.backplane import MemoryBackplane
from tocsin.memory.journal import MemoryJournal
from tocsin.memory.shared_level import MemorySharedLevel
from tocsin.message import Kind
from tocsin.observer import Unobserved
from tocsin.position import PENDING, Position
from tocsin.sequencer import Permitted, Writing

from tests.tocsin.place import KEY, LEASE_S, NAMES, Place


def test_an_answer_says_what_a_session_has_seen_with_it() -> None:
    """† Load: the S of the fill's reply. L2: the S of the lookup. L1: what the entry was proved up to."""
    place = Place()
    a, b = place.node(), place.node()
    before = place.server.position()
    assert a.read().watermark == before
    other = b.cache.invalidate(Names(keys=("product:2",))).watermark
    assert b.read().watermark == other
    answer = a.read()
    assert (answer.layer, answer.watermark) == (Layer.L1, other)


def test_a_watermark_is_never_met_by_something_older() -> None:
    """† A session that saw 5 elsewhere does not get from L1 what this node has proved up to 4 only."""
    place = Place()
    a, b = place.node(), place.node()
    a.read(b"old")
    a.table.deaf = True
    receipt = b.cache.invalidate(NAMES)
    assert a.read(b"new").layer is Layer.L1, "without a watermark the lease is the bound"
    answer = a.read(b"new", at_least=receipt.watermark)
    assert (answer.value, answer.layer) == (b"new", Layer.DATABASE)
    assert answer.steps[-1].detail == "watermark"


@pytest.mark.parametrize("counter", [-1, 1])
def test_a_watermark_of_another_epoch_passes_by_l1_once_and_is_replaced(counter: int) -> None:
    """† Sequences of two epochs are not compared, whichever is newer."""
    place = Place()
    node = place.node()
    position = node.read().watermark
    assert position is not None
    answer = node.read(at_least=Position(position.epoch + counter * (1 << 32), 0))
    assert answer.layer is Layer.L2
    assert answer.watermark == position


def test_what_is_pending_is_read_from_the_database_until_it_is_told() -> None:
    """† A write that nobody could be told of: its session passes by L1, L2 and joins."""
    place = Place()
    node, other = place.node(), place.node()
    other.read(b"old")
    node.way.cut = True
    with node.cache.writing(NAMES) as write:
        pass
    assert write.receipt.pending
    assert write.receipt.watermark == PENDING
    answer = other.read(b"new", at_least=write.receipt.watermark)
    assert (answer.value, answer.layer, answer.watermark) == (b"new", Layer.DATABASE, PENDING)
    assert other.read(b"new").value == b"old", "others may still be shown what was before"
    node.way.cut = False
    assert not node.cache.finish_again(NAMES).pending
    assert other.read(b"new").value == b"new"


def test_a_finish_lifts_the_writer_whose_announcement_was_answered_by_nobody() -> None:
    """The announcement happened and its answer was lost: after the finish nobody waits for that writer."""
    place = Place()
    node = place.node()
    announce = node.way.sequencer.announce

    def unanswered(*arguments: Any, **named: Any) -> Any:
        announce(*arguments, **named)
        raise Unavailable("the answer was lost", detail="redis-unreachable", happened=Happened.UNKNOWN)

    node.way.sequencer.announce = unanswered  # type: ignore[method-assign]
    with node.cache.writing(NAMES) as write:
        assert isinstance(place.server.lookup(KEY, "a"), Writing)
    assert not write.receipt.pending
    assert isinstance(place.server.lookup(KEY, "a"), Permitted)


def test_a_process_sees_its_own_write_at_once() -> None:
    """Without a watermark, before its agent has heard of it: by key, by tag, by namespace."""
    place = Place()
    node = place.node()
    listed = Policy(versioned_by="products")
    for names in (NAMES, Names(tags=("toys",)), Names(namespaces=("products",))):
        node.cache.invalidate(NAMES)
        node.cache.read(KEY, lambda: Loaded(b"old", tags=("toys",)), listed)
        assert node.cache.read(KEY, lambda: Loaded(b"old"), listed).layer is Layer.L1
        node.table.deaf = True
        node.cache.invalidate(names)
        assert node.cache.read(KEY, lambda: Loaded(b"new"), listed).value == b"new"
        node.table.deaf = False


def test_who_finds_the_token_taken_waits_for_the_fill() -> None:
    """BUSY: another process loads; its value is taken when it is there."""
    place = Place()
    node = place.node()
    found = place.server.lookup(KEY, "elsewhere")
    assert isinstance(found, Permitted)
    asked: list[str] = []
    lookup = place.server.lookup

    def filled_meanwhile(key: str, owner: str, early_s: float = 0.0) -> Any:
        asked.append(owner)
        if len(asked) == 3:
            place.server.tables.tokens.clear()
            place.node().read(b"theirs")
        return lookup(key, owner, early_s)

    place.server.lookup = filled_meanwhile  # type: ignore[method-assign]
    answer = node.read(b"mine")
    assert (answer.value, answer.layer) == (b"theirs", Layer.L2)


def test_who_waited_too_long_reads_the_database_and_keeps_nothing() -> None:
    """The loader died; after the bound the reader goes alone, and its watermark is of after its own read."""
    place = Place()
    node = place.node()
    place.server.lookup(KEY, "dead")
    before_s = place.clock.now()
    answer = node.read()
    assert 0.5 <= place.clock.now() - before_s < 1.0
    assert (answer.layer, answer.steps[0].detail, answer.stored) == (Layer.DATABASE, "busy", False)
    assert answer.watermark == place.server.position()
    assert node.cache.levels().entries == 0


def test_an_expired_value_is_shown_while_another_loads_if_the_policy_allows() -> None:
    """Stale-while-revalidate, labelled; it was never invalidated, and who may not show it waits."""
    place = Place()
    a, b = place.node(), place.node()
    brief = Policy(ttl_s=1.0, l1_ttl_s=0.5, stale_s=30.0)
    a.read(b"old", brief)
    place.clock.move(1.5)
    place.server.lookup(KEY, "elsewhere")
    answer = b.read(b"new", brief)
    assert (answer.value, answer.layer, answer.steps[0].detail) == (b"old", Layer.L2, "expired")
    assert answer.steps[0].ttl_s is not None
    assert answer.steps[0].ttl_s < 0


def test_a_cut_off_node_goes_to_the_database_when_its_lease_is_over() -> None:
    """The default: no L1 without proof."""
    place = Place()
    node = place.node()
    node.read(b"old")
    node.way.cut = True
    place.clock.move(LEASE_S)
    answer = node.read(b"new")
    assert (answer.value, answer.layer, answer.watermark) == (b"new", Layer.DATABASE, PENDING)


def test_a_cut_off_node_may_show_what_it_has_if_the_policy_says_how_old() -> None:
    """Labelled as stale, up to the stated age, and never what is known to be untrue."""
    place = Place()
    node = place.node()
    policy = Policy(l1_ttl_s=2.0, stale_s=10.0)
    node.read(b"old", policy)
    node.way.cut = True
    place.clock.move(5.0)
    answer = node.read(b"new", policy)
    assert (answer.value, answer.layer) == (b"old", Layer.L1)
    assert answer.steps[0].detail == "stale; redis-unreachable"
    place.clock.move(7.1)
    assert node.read(b"new", policy).value == b"new"


def test_an_invalidated_value_is_not_revived_by_a_cut() -> None:
    """Hazard 28: what the table has refused once stays refused, however long Redis is away."""
    place = Place()
    node, other = place.node(), place.node()
    policy = Policy(stale_s=60.0)
    node.read(b"old", policy)
    other.cache.invalidate(NAMES)
    assert node.cache.hearing().hears, "the node has heard of it"
    node.way.cut = True
    assert node.read(b"new", policy).value == b"new"


def test_the_shortest_way_to_a_hit_asks_what_a_read_asks() -> None:
    """`get_or_load` takes it once an entry was proved; an invalidation, an own write, a lapsed lease and the end of the
    entry's time each close it.
    """
    place = Place()
    node, other = place.node(), place.node()
    rows = [b"1"]

    def get() -> bytes | None:
        return node.cache.get_or_load(KEY, lambda: Loaded(rows[-1]), Policy(l1_ttl_s=30.0))

    def unchanged() -> bool:
        return [get() for _ in range(3)] == [rows[-1]] * 3

    assert unchanged()
    rows.append(b"2")
    other.cache.invalidate(NAMES)
    assert unchanged()
    rows.append(b"3")
    node.cache.invalidate(NAMES)
    assert unchanged()
    other.table.deaf = node.table.deaf = True
    rows.append(b"4")
    place.server.invalidate(["k:product:1"], Kind.INVALIDATION)
    assert get() == b"3", "the lease is the bound"
    place.clock.move(LEASE_S)
    assert unchanged()
    node.table.deaf = False
    assert unchanged()
    rows.append(b"5")
    place.server.tables.entries.clear()
    place.clock.move(31.0)
    assert unchanged()


def test_other_strategies_number_nothing() -> None:
    """Their answers and receipts have no watermark, and one that is given is ignored."""
    place = Place()
    plain = MemorySharedLevel(place.store, tells=False, consults_dirty=False)
    cache = compose(
        CacheSettings(redis_url="redis://unused", node="n", strategy=Strategy.TTL, write_path=WritePath.CACHE_ASIDE),
        Adapters(shared=plain, journal=MemoryJournal(plain, tells=False), backplane=MemoryBackplane(place.store)),
        clock=place.clock,
        observer=Unobserved(),
    )
    assert cache.read(KEY, lambda: Loaded(b"x"), at_least=PENDING).watermark is None
    assert cache.invalidate(NAMES).watermark is None
    assert cache.invalidate(NAMES).sequence is None
