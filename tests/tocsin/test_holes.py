"""Where the simple strategies are coherent and where not: each hole as the shortest interleaving that shows it.

These holes are the strategies' own, taught with them in every tutorial, and a testbed that could not show them would
be of no use. What closes one is shown beside it.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tocsin import Layer, Policy, Strategy
from tocsin.address import Address
from tocsin.shared import Hit, Load

from tests.tocsin.town import Node, Town, during, found, unexpected, write


@pytest.mark.parametrize(
    "strategy", [Strategy.L2_ONLY, Strategy.TTL, Strategy.PUBSUB, Strategy.PUBSUB_FLUSH, Strategy.TRACKING]
)
def test_a_late_fill_brings_an_old_value_back(strategy: Strategy) -> None:
    """Hole (hazard 1). Load v1 … write v2, finish … fill v1: L2 serves v1 until its time to live, to every node."""
    town = Town()
    reader, writer = town.node(strategy), town.node(strategy)
    reader.cache.read("k", during(found(b"v1", 1), lambda: write(writer, "k")))
    assert writer.cache.read("k", unexpected).value == b"v1"
    town.clock.move(30.0)
    assert writer.cache.read("k", found(b"v2", 2)).value == b"v2"


def test_a_late_fill_lands_under_an_address_that_nobody_asks_for() -> None:
    """Closed by `versioned`: the same interleaving, and v1 lies under the old version."""
    town = Town()
    reader, writer = town.node(Strategy.VERSIONED), town.node(Strategy.VERSIONED)
    reader.cache.read("k", during(found(b"v1", 1), lambda: write(writer, "k")))
    assert reader.cache.read("k", found(b"v2", 2)).value == b"v2"
    assert writer.cache.read("k", unexpected).value == b"v2"


def test_a_late_fill_of_a_versioned_page_is_orphaned_under_every_strategy() -> None:
    """Closed by `versioned_by`: a page loaded before the bump is kept, if at all, under the old version."""
    town = Town()
    reader, writer = town.node(Strategy.PUBSUB), town.node(Strategy.PUBSUB)
    policy = Policy(versioned_by="products")
    reader.cache.read("page", during(found(b"old"), lambda: write(writer, namespaces=("products",))), policy)
    assert reader.cache.read("page", found(b"new"), policy).value == b"new"
    assert writer.cache.read("page", unexpected, policy).value == b"new"


@pytest.mark.parametrize("strategy", [Strategy.PUBSUB, Strategy.PUBSUB_FLUSH])
def test_a_message_about_a_key_that_is_being_loaded_drops_nothing(strategy: Strategy) -> None:
    """Hole (hazard 2). Hit v1 in L2 … write v2, message … put v1 into L1: stale until L1's time to live."""
    town = Town()
    reader, writer = town.node(strategy, l1_ttl_s=2.0), town.node(strategy)
    reader.cache.read("k", during(found(b"v1", 1), lambda: write(writer, "k")))
    town.store.evict("k")
    assert writer.cache.read("k", found(b"v2", 2)).value == b"v2"
    assert reader.cache.read("k", unexpected).value == b"v1"
    town.clock.move(2.0)
    assert reader.cache.read("k", unexpected).value == b"v2"


def hit_that_is_overtaken(reader: Node, act: Callable[[], object]) -> None:
    """Read a key that L2 holds, and act after L2 has answered and before the answer is put into L1."""
    lookup = reader.shared.lookup

    def overtaken(address: Address) -> Hit | Load:
        answered = lookup(address)
        assert isinstance(answered, Hit)
        act()
        return answered

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader.shared, "lookup", overtaken)
        assert reader.cache.read("k", unexpected).value == b"v1"


@pytest.mark.parametrize(("strategy", "holds"), [(Strategy.PUBSUB_FLUSH, False), (Strategy.TRACKING, True)])
def test_a_message_about_a_key_that_is_being_read_from_l2(strategy: Strategy, holds: bool) -> None:
    """Closed by `tracking`, whose place for the key is taken away by the message: what arrives then is not kept."""
    town = Town()
    reader, writer = town.node(strategy, l1_ttl_s=3600.0), town.node(strategy)
    writer.cache.read("k", found(b"v1", 1))
    hit_that_is_overtaken(reader, lambda: write(writer, "k"))
    assert reader.cache.read("k", found(b"v2", 2)).value == (b"v2" if holds else b"v1")


@pytest.mark.parametrize(("strategy", "holds"), [(Strategy.PUBSUB_FLUSH, False), (Strategy.TRACKING, True)])
def test_a_flush_while_a_key_is_being_read_from_l2(strategy: Strategy, holds: bool) -> None:
    """Closed by `tracking`: a flush takes all places away. For `pubsub-flush` what arrives after it is kept."""
    town = Town()
    reader, writer = town.node(strategy, l1_ttl_s=3600.0), town.node(strategy)
    writer.cache.read("k", found(b"v1", 1))

    def reconnect() -> None:
        reader.backplane.lose()
        write(writer, "k")
        reader.backplane.reconnect()

    hit_that_is_overtaken(reader, reconnect)
    assert reader.cache.read("k", found(b"v2", 2)).value == (b"v2" if holds else b"v1")


@pytest.mark.parametrize("strategy", [Strategy.PUBSUB, Strategy.PUBSUB_FLUSH, Strategy.TRACKING])
def test_what_was_told_during_a_reconnect(strategy: Strategy) -> None:
    """Hole of `pubsub` (hazard 4). Closed by the flush: L1 is not used while deaf, and is empty afterwards."""
    town = Town()
    reader, writer = town.node(strategy, l1_ttl_s=3600.0), town.node(strategy)
    writer.cache.read("k", found(b"v1", 1))
    assert reader.cache.read("k", unexpected).layer is Layer.L2
    assert reader.cache.read("k", unexpected).layer is Layer.L1
    reader.backplane.lose()
    write(writer, "k")
    closed = strategy is not Strategy.PUBSUB
    assert reader.cache.read("k", found(b"v2", 2)).value == (b"v2" if closed else b"v1")
    reader.backplane.reconnect()
    assert (reader.cache.levels().entries == 0) == closed
    assert reader.cache.read("k", unexpected).value == (b"v2" if closed else b"v1")


def test_tracking_hears_of_evictions_and_of_writers_that_tell_nobody() -> None:
    """What is told is the change in Redis itself: L1 never holds what L2 has lost, whoever removed it."""
    town = Town()
    reader, writer = town.node(Strategy.TRACKING, l1_ttl_s=3600.0), town.node(Strategy.L2_ONLY)
    ends: list[Callable[[], None]] = [
        lambda: town.store.evict("k"),
        lambda: write(writer, "k"),
        town.store.lose_everything,
    ]
    for end in ends:
        writer.cache.read("k", found(b"v1", 1))
        assert [reader.cache.read("k", unexpected).layer for _ in range(2)] == [Layer.L2, Layer.L1]
        end()
        assert reader.cache.levels().entries == 0
        write(writer, "k")


def test_tracking_is_told_nothing_of_a_key_that_redis_does_not_hold() -> None:
    """Hole (hazard 1): the write found nothing to delete, so nothing changed and nothing is told; then comes the fill.

    Reader: lookup: nothing; load v1 … writer: write v2, delete: nothing was there … reader: fill v1.
    """
    town = Town()
    reader, writer = town.node(Strategy.TRACKING, l1_ttl_s=3600.0), town.node(Strategy.TRACKING)
    reader.cache.read("k", during(found(b"v1", 1), lambda: write(writer, "k")))
    assert [writer.cache.read("k", unexpected).value for _ in range(2)] == [b"v1", b"v1"]


@pytest.mark.parametrize("strategy", [Strategy.PUBSUB, Strategy.PUBSUB_FLUSH, Strategy.TRACKING])
def test_a_lost_message_leaves_l1_stale(strategy: Strategy) -> None:
    """Hole (hazard 3). Nothing tells a node that a message was lost, and L1 is believed until it expires."""
    town = Town()
    reader, writer = town.node(strategy, prompt=False, l1_ttl_s=2.0), town.node(strategy)
    writer.cache.read("k", found(b"v1", 1))
    reader.cache.read("k", unexpected)
    write(writer, "k")
    reader.backplane.inbox.clear()
    reader.backplane.deliver()
    assert reader.cache.read("k", unexpected).value == b"v1"
    town.clock.move(2.0)
    assert reader.cache.read("k", found(b"v2", 2)).value == b"v2"


def test_a_delivered_message_ends_the_staleness() -> None:
    """Closed, as long as messages arrive: between the write and its message L1 is stale, and after it not."""
    town = Town()
    reader, writer = town.node(Strategy.PUBSUB, prompt=False), town.node(Strategy.PUBSUB)
    reader.cache.read("k", found(b"v1", 1, "toys"))
    for names in ({"tags": ("toys",)}, {"tags": ("other",)}):
        write(writer, **names)
    assert reader.cache.read("k", unexpected).value == b"v1"
    reader.backplane.deliver()
    assert reader.cache.read("k", found(b"v2", 2)).value == b"v2"


def test_a_lost_message_does_not_matter_to_versioned_keys() -> None:
    """Closed by `versioned`: nothing has to be heard, as each lookup reads the version."""
    town = Town()
    reader, writer = town.node(Strategy.VERSIONED, prompt=False), town.node(Strategy.VERSIONED)
    reader.cache.read("k", found(b"v1", 1))
    write(writer, "k")
    assert reader.cache.read("k", found(b"v2", 2)).value == b"v2"


def test_a_cut_off_node_believes_its_l1_until_it_expires() -> None:
    """Hole (hazards 4 and 5). Cut off from Redis, `pubsub` goes on serving L1; `versioned` does not."""
    town = Town()
    believing, asking = town.node(Strategy.PUBSUB, l1_ttl_s=2.0), town.node(Strategy.VERSIONED)
    for node in (believing, asking):
        node.cache.read("k", found(b"v1", 1))
        node.shared.cut = True
    assert believing.cache.read("k", unexpected).value == b"v1"
    assert asking.cache.read("k", found(b"v2", 2)).value == b"v2"
    town.clock.move(2.0)
    assert believing.cache.read("k", found(b"v2", 2)).value == b"v2"


def test_a_tag_that_falls_during_the_load_misses_the_entry() -> None:
    """Hole of `versioned` too (hazard 24): an entry's tags are known only after its load, and its version stays."""
    town = Town()
    reader, writer = town.node(Strategy.VERSIONED), town.node(Strategy.VERSIONED)
    reader.cache.read("k", during(found(b"v1", 1, "toys"), lambda: write(writer, tags=("toys",))))
    assert reader.cache.read("k", unexpected).value == b"v1"


def test_a_lost_counter_is_a_miss_and_never_an_old_entry() -> None:
    """Closed (hazard 17): Redis lost the counters but an L1 did not; the new number matches no address of before."""
    town = Town()
    node = town.node(Strategy.VERSIONED, l1_ttl_s=3600.0)
    for version in range(1, 4):
        node.cache.read("k", found(b"v%d" % version, version))
        write(node, "k")
    node.cache.read("k", found(b"v4", 4))
    town.store.lose_everything()
    answer = node.cache.read("k", found(b"v5", 5))
    assert (answer.value, answer.layer) == (b"v5", Layer.DATABASE)
