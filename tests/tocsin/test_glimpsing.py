"""L2 without a script: when an entry is given as it lies there, and when a lookup has to judge it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tocsin import Layer, Loaded, Names, Policy, Strategy
from tocsin.position import Position
from tocsin.sequencer import Lying

from tests.redis_server import RedisServer
from tests.tocsin.conftest import Connect
from tests.tocsin.place import KEY, NAMES, Node, Place
from tests.tocsin.town import found, unexpected
from tests.until import until

TAGGED = Loaded(b"v1", 1, ("toys",))


def counted(node: Node, name: str) -> list[Any]:
    """Let the node's requests of this name be noted."""
    asked: list[Any] = []
    real: Callable[..., Any] = getattr(node.way.sequencer, name)

    def noted(*arguments: Any, **named: Any) -> Any:
        asked.append(arguments)
        return real(*arguments, **named)

    setattr(node.way.sequencer, name, noted)
    return asked


def filled(place: Place, loaded: Loaded = TAGGED) -> tuple[Node, Node]:
    """Two nodes, of which the first has filled L2."""
    a, b = place.node(), place.node()
    a.cache.read(KEY, lambda: loaded)
    return a, b


@pytest.mark.parametrize("strategy", [Strategy.SEQUENCED, Strategy.STRICT])
def test_what_the_table_finds_true_is_not_looked_up(strategy: Strategy) -> None:
    """A hit in L2 is one plain read; its copy in L1 has the entry's own base, and its watermark what was proved."""
    _, b = filled(Place(strategy), Loaded(b"v1", 1))
    other = b.cache.invalidate(Names(keys=("product:2",))).watermark
    lookups = counted(b, "lookup")
    answer = b.cache.read(KEY, unexpected)
    assert (answer.layer, answer.value, answer.watermark) == (Layer.L2, b"v1", other)
    assert not lookups
    assert b.cache.read(KEY, unexpected).layer is Layer.L1


def test_a_node_that_has_not_applied_everything_looks_it_up() -> None:
    """One that lags can't know the marks of the tags; as soon as it has caught up it needs no script again."""
    a, b = filled(Place())
    b.table.deaf = True
    a.cache.invalidate(Names(keys=("order:1",)))
    lookups = counted(b, "lookup")
    assert b.cache.read(KEY, unexpected).layer is Layer.L2
    assert len(lookups) == 1
    b.table.deaf = False
    a.cache.read("product:2", lambda: TAGGED)
    assert b.cache.read("product:2", unexpected).layer is Layer.L2
    assert len(lookups) == 1


@pytest.mark.parametrize("names", [NAMES, Names(tags=("toys",)), Names(everything=True)])
def test_what_was_invalidated_is_not_given_by_a_node_that_has_not_heard_of_it(names: Names) -> None:
    """P1: the node is deaf and has a lease; in L2 nothing is visible of before."""
    a, b = filled(Place())
    b.cache.read("product:2", lambda: TAGGED)
    b.table.deaf = True
    a.cache.invalidate(names)
    answer = b.cache.read(KEY, lambda: Loaded(b"v2", 2))
    assert (answer.value, answer.layer) == (b"v2", Layer.DATABASE)


def test_a_session_that_has_seen_more_is_not_given_what_the_node_has_proved_up_to_less() -> None:
    """P3: its watermark is the lookup's to meet."""
    a, b = filled(Place(), Loaded(b"v1", 1))
    b.table.deaf = True
    seen = a.cache.invalidate(Names(keys=("product:2",))).watermark
    lookups = counted(b, "lookup")
    answer = b.cache.read(KEY, unexpected, at_least=seen)
    assert (answer.layer, answer.watermark) == (Layer.L2, seen)
    assert lookups


def test_an_entry_that_a_restart_brought_back_is_not_given() -> None:
    """C9: the server came back with what was before the write, and nobody has noticed; the table remembers."""
    place = Place()
    a, b = filled(place, Loaded(b"v1", 1))
    before = place.server.snapshot()
    a.cache.invalidate(NAMES)
    assert b.cache.hearing().hears
    b.table.deaf = True
    place.server.restart(before)
    (lying,) = b.way.sequencer.glimpse([KEY]).entries
    assert isinstance(lying, Lying), "it lies there, unmarked"
    answer = b.cache.read(KEY, lambda: Loaded(b"v2", 2))
    assert (answer.value, answer.layer) == (b"v2", Layer.DATABASE)


def test_without_a_lease_everything_is_looked_up() -> None:
    """What the node can't judge it does not read."""
    place = Place()
    _, b = filled(place, Loaded(b"v1", 1))
    b.table.deaf = True
    place.clock.move(1.0)
    glimpses = counted(b, "glimpse")
    assert b.cache.read(KEY, unexpected).layer is Layer.L2
    assert not glimpses


def test_a_lease_that_ends_while_the_entry_is_read_gives_nothing() -> None:
    """The reply was slow: a strict writer may have stopped waiting for this node."""
    place = Place(Strategy.STRICT)
    _, b = filled(place, Loaded(b"v1", 1))
    real = b.way.sequencer.glimpse

    def slow(*asked: Any) -> Any:
        reply = real(*asked)
        b.table.deaf = True
        place.clock.move(1.0)
        return reply

    setattr(b.way.sequencer, "glimpse", slow)  # noqa: B010
    lookups = counted(b, "lookup")
    assert b.cache.read(KEY, unexpected).layer is Layer.L2
    assert lookups


def test_get_many_takes_one_plain_trip_and_looks_up_only_what_that_could_not_judge() -> None:
    """What does not lie there is a miss at once."""
    a, b = filled(Place(), Loaded(b"v1", 1))
    a.cache.read("order:1", lambda: TAGGED, Policy(versioned_by="orders"))
    peeks = counted(b, "peek")
    assert b.cache.get_many([KEY, "order:1", "product:3"]) == {KEY: b"v1", "order:1": b"v1"}
    assert peeks == [(["order:1"],)], "it was filled under a namespace that this reader has no slot for"


def test_no_script_runs_for_a_hit_in_redis(redis: RedisServer, connected: Connect) -> None:
    """A hundred hits in L2 are a hundred MGETs and no EVALSHA of a lookup's."""
    a, b = connected(strategy=Strategy.SEQUENCED, node="a"), connected(strategy=Strategy.SEQUENCED, node="b")
    for cache in (a, b):
        cache.start()
    until(lambda: a.hearing().hears and b.hearing().hears, within_s=10, waiting_for="leases")
    for number in range(100):
        a.read(f"product:{number}", found(b"v", 1))
    with redis.client() as client:
        before = client.info("commandstats")["cmdstat_mget"]["calls"] if _counts_mget(client) else 0
        for number in range(100):
            assert b.read(f"product:{number}", unexpected, Policy(l1_ttl_s=60)).layer is Layer.L2
        calls = client.info("commandstats")["cmdstat_mget"]["calls"] - before
    assert calls == 100


def _counts_mget(client: Any) -> bool:
    return "cmdstat_mget" in client.info("commandstats")


def test_a_position_of_the_entry_itself_is_what_l1_keeps() -> None:
    """C4: the base is the load's, never the node's: what invalidates later than it ends the copy."""
    place = Place()
    a, b = filled(place, Loaded(b"v1", 1))
    assert b.cache.read(KEY, unexpected).layer is Layer.L2
    kept = b.cache._parts.local.kept(KEY)  # type: ignore[union-attr]
    assert kept is not None
    assert Position(kept.epoch, kept.base) == Position(place.server.position().epoch, 0)
    a.cache.invalidate(NAMES)
    assert b.cache.read(KEY, lambda: Loaded(b"v2", 2)).value == b"v2"
