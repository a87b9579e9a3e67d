"""Where the simple strategies are coherent and where not: each hole as the shortest interleaving that shows it.

These holes are the strategies' own, taught with them in every tutorial, and a testbed that could not show them would
be of no use. What closes one is shown beside it.
"""

from __future__ import annotations

import pytest
from tocsin import Layer, Policy, Strategy

from tests.tocsin.town import Town, during, found, unexpected, write


@pytest.mark.parametrize("strategy", [Strategy.L2_ONLY, Strategy.TTL, Strategy.PUBSUB])
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


def test_a_message_about_a_key_that_is_being_loaded_drops_nothing() -> None:
    """Hole (hazard 2). Hit v1 in L2 … write v2, message … put v1 into L1: stale until L1's time to live."""
    town = Town()
    reader, writer = town.node(Strategy.PUBSUB, l1_ttl_s=2.0), town.node(Strategy.PUBSUB)
    reader.cache.read("k", during(found(b"v1", 1), lambda: write(writer, "k")))
    town.store.evict("k")
    assert writer.cache.read("k", found(b"v2", 2)).value == b"v2"
    assert reader.cache.read("k", unexpected).value == b"v1"
    town.clock.move(2.0)
    assert reader.cache.read("k", unexpected).value == b"v2"


def test_a_lost_message_leaves_l1_stale() -> None:
    """Hole (hazard 3). Nothing tells a node that a message was lost, and L1 is believed until it expires."""
    town = Town()
    reader, writer = town.node(Strategy.PUBSUB, prompt=False, l1_ttl_s=2.0), town.node(Strategy.PUBSUB)
    reader.cache.read("k", found(b"v1", 1))
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
