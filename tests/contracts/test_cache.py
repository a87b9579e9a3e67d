"""The contract of the whole cache, under every strategy and write path: what an application may rely on.

The database is a dictionary here; `shelf.load(key)` is a loader that counts how often it was asked.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tocsin import Accepted, Behind, Cache, Layer, Loaded, Names, NotConfigured, Policy, Strategy, WritePath
from tocsin.position import Position

from tests.contracts.world import World

KEY = "product:1"
NAMES = Names(keys=(KEY,), tags=("category:toys",), namespaces=("products",))
CACHING = [strategy for strategy in Strategy if strategy is not Strategy.NO_CACHE]
WITH_L1 = [strategy for strategy in CACHING if strategy is not Strategy.L2_ONLY]
LISTENING = [strategy for strategy in Strategy if strategy.listens]
AT_ONCE = [strategy for strategy in WITH_L1 if strategy is not Strategy.TRACKING]  # see the test of its first fill


class Shelf:
    """A database of one table."""

    def __init__(self) -> None:
        self.rows: dict[str, Loaded] = {KEY: Loaded(b"robot", 1, ("category:toys",))}
        self.loads = 0

    def load(self, key: str = KEY) -> Callable[[], Loaded]:
        def loader() -> Loaded:
            self.loads += 1
            return self.rows.get(key, Loaded(None))

        return loader


def write(cache: Cache, shelf: Shelf, value: bytes | None, version: int) -> None:
    with cache.writing(NAMES) as writing:
        shelf.rows[KEY] = Loaded(value, version, ("category:toys",))
        writing.committed(key=KEY, value=value, version=version, tags=("category:toys",))
    assert not writing.receipt.pending


@pytest.mark.parametrize("strategy", CACHING)
def test_a_value_is_loaded_once_for_all_nodes(world: World, strategy: Strategy) -> None:
    """The second read, on whichever node, is answered from a level, with value and version as loaded."""
    shelf = Shelf()
    here, there = world.cache(strategy), world.cache(strategy)
    answers = [cache.read(KEY, shelf.load()) for cache in (here, here, there)]
    assert [(answer.value, answer.version) for answer in answers] == [(b"robot", 1)] * 3
    assert (answers[0].layer, answers[0].stored) == (Layer.DATABASE, True)
    assert Layer.DATABASE not in {answer.layer for answer in answers[1:]}
    assert shelf.loads == 1


@pytest.mark.parametrize("strategy", AT_ONCE)
def test_the_second_read_of_a_worker_is_answered_by_its_own_l1(world: World, strategy: Strategy) -> None:
    """Strategies with an L1 use it, and say how long the entry lives there."""
    shelf = Shelf()
    cache = world.cache(strategy, l1_ttl_s=2.0)
    cache.read(KEY, shelf.load())
    answer = cache.read(KEY, shelf.load())
    assert answer.layer is Layer.L1
    (step,) = answer.steps
    assert (step.layer, step.hit) == (Layer.L1, True)
    assert step.ttl_s is not None
    assert 0 < step.ttl_s <= 2
    assert cache.levels().entries == 1


def test_under_tracking_l1_answers_once_the_worker_has_heard_of_its_own_fill(world: World) -> None:
    """Redis can't tell who reads by prefix which change was its own: the loader's copy is dropped, the next is kept."""
    shelf = Shelf()
    cache = world.cache(Strategy.TRACKING, l1_ttl_s=3600.0)
    world.until(lambda: cache.read(KEY, shelf.load()).layer is Layer.L1, "L1 to answer")
    assert shelf.loads == 1


def test_without_a_cache_every_read_reaches_the_database(world: World) -> None:
    """`no-cache` is the control: it keeps nothing, and says so."""
    shelf = Shelf()
    cache = world.cache(Strategy.NO_CACHE)
    answers = [cache.read(KEY, shelf.load()) for _ in range(3)]
    assert shelf.loads == 3
    assert {(answer.layer, answer.steps[0].reason, answer.stored) for answer in answers} == {
        (Layer.DATABASE, "bypass", False)
    }


@pytest.mark.parametrize(
    ("strategy", "write_path"),
    [(strategy, WritePath.CACHE_ASIDE) for strategy in Strategy]
    + [(strategy, WritePath.WRITE_THROUGH) for strategy in CACHING],
)
def test_a_writer_reads_what_it_wrote(world: World, strategy: Strategy, write_path: WritePath) -> None:
    """After the block is left, the writing node answers the new value, from wherever."""
    shelf = Shelf()
    cache = world.cache(strategy, write_path)
    cache.read(KEY, shelf.load())
    write(cache, shelf, b"tin robot", 2)
    answer = cache.read(KEY, shelf.load())
    assert (answer.value, answer.version) == (b"tin robot", 2)


@pytest.mark.parametrize("strategy", [Strategy.NO_CACHE, Strategy.L2_ONLY, Strategy.VERSIONED])
def test_another_node_reads_a_finished_write_at_once(world: World, strategy: Strategy) -> None:
    """Where no L1 has to hear of it, or each lookup asks for the version, a finished write is seen everywhere."""
    shelf = Shelf()
    here, there = world.cache(strategy), world.cache(strategy)
    there.read(KEY, shelf.load())
    write(here, shelf, b"tin robot", 2)
    assert there.read(KEY, shelf.load()).value == b"tin robot"


@pytest.mark.parametrize("strategy", LISTENING)
def test_another_node_reads_the_write_when_its_listener_has_heard(world: World, strategy: Strategy) -> None:
    """The listener drops the key from L1, long before L1's time to live would."""
    shelf = Shelf()
    here, there = (world.cache(strategy, l1_ttl_s=3600.0) for _ in range(2))
    world.until(lambda: there.read(KEY, shelf.load()).layer is Layer.L1, "L1 to answer")
    write(here, shelf, b"tin robot", 2)
    world.until(lambda: there.read(KEY, shelf.load()).value == b"tin robot", "the other node to hear")


def test_under_ttl_another_node_is_stale_until_its_l1_expires(world: World) -> None:
    """Nobody tells the other L1; its time to live is the bound that this strategy promises."""
    shelf = Shelf()
    here, there = (world.cache(Strategy.TTL, l1_ttl_s=0.5) for _ in range(2))
    there.read(KEY, shelf.load())
    write(here, shelf, b"tin robot", 2)
    assert there.read(KEY, shelf.load()).value == b"robot"
    world.until(lambda: there.read(KEY, shelf.load()).value == b"tin robot", "L1's entry to expire")


@pytest.mark.parametrize("strategy", CACHING)
def test_a_write_through_saves_the_next_load(world: World, strategy: Strategy) -> None:
    """The committed value is in L2 when the block is left; cache-aside leaves it to the next read."""
    shelf = Shelf()
    through = world.cache(strategy, WritePath.WRITE_THROUGH)
    write(through, shelf, b"tin robot", 2)
    assert through.read(KEY, shelf.load()).layer is Layer.L2
    assert shelf.loads == 0


@pytest.mark.parametrize("strategy", CACHING)
def test_that_a_key_is_not_there_is_cached_until_it_is_created(world: World, strategy: Strategy) -> None:
    """A negative answer is remembered, under its own time to live, and ended by a write of the key (hazard 21)."""
    shelf = Shelf()
    shelf.rows.clear()
    cache = world.cache(strategy)
    policy = Policy(negative_ttl_s=60.0)
    assert [cache.read(KEY, shelf.load(), policy).negative for _ in range(3)] == [True] * 3
    assert shelf.loads == 1
    write(cache, shelf, b"robot", 1)
    assert cache.get_or_load(KEY, shelf.load(), policy) == b"robot"


@pytest.mark.parametrize("strategy", CACHING)
def test_a_namespace_version_orphans_all_its_keys_on_every_node(world: World, strategy: Strategy) -> None:
    """After a bump on one node no node serves a page of the old version, from L1 or L2, and all agree on the new.

    Where a version is part of the key each answer says which; the sequenced strategies never look it up.
    """
    shelf = Shelf()
    shelf.rows["products:all:1:20"] = Loaded(b"old page")
    policy = Policy(versioned_by="products")
    nodes = [world.cache(strategy, l1_ttl_s=3600.0) for _ in range(2)]

    def read(after: Position | None) -> list[tuple[bytes | None, int | None]]:
        key = "products:all:1:20"
        answers = [node.read(key, shelf.load(key), policy, at_least=after) for node in nodes]
        return [(answer.value, answer.namespace_version) for answer in answers]

    before = nodes[0].version("products")
    assert read(None) == [(b"old page", None if strategy.is_sequenced else before)] * 2
    shelf.rows["products:all:1:20"] = Loaded(b"new page")
    assert nodes[1].bump("products") == before + 1
    seen = nodes[1].invalidate(Names()).watermark
    assert read(seen) == [(b"new page", None if strategy.is_sequenced else before + 1)] * 2


@pytest.mark.parametrize("strategy", CACHING)
def test_an_outside_writer_can_invalidate_by_tag(world: World, strategy: Strategy) -> None:
    """`invalidate` ends what carries the tag, on the node that is called and in L2."""
    shelf = Shelf()
    cache = world.cache(strategy)
    cache.read(KEY, shelf.load())
    shelf.rows[KEY] = Loaded(b"tin robot", 2, ("category:toys",))
    assert not cache.invalidate(Names(tags=("category:toys",))).pending
    assert cache.read(KEY, shelf.load()).value == b"tin robot"


@pytest.mark.parametrize("strategy", CACHING)
def test_write_behind_is_read_before_the_database_has_it(world: World, strategy: Strategy) -> None:
    """Every node reads the acknowledged value; after the drain it reads the database's, which is the same."""
    shelf = Shelf()
    nodes = [world.cache(strategy, WritePath.WRITE_BEHIND, l1_ttl_s=0.2) for _ in range(2)]
    nodes[1].read(KEY, shelf.load())
    behind = Behind(key=KEY, operation=b"rename", value=b"tin robot", row_version=1, names=NAMES)
    assert nodes[0].write_behind(behind) == Accepted(2)
    world.until(lambda: {node.read(KEY, shelf.load()).version for node in nodes} == {2}, "both nodes to agree")
    peek = nodes[0].peek(KEY)
    assert peek.l2 is not None
    assert (peek.l2.dirty, peek.l2.version, peek.l2.ttl_s) == (True, 2, None)

    (operation,) = nodes[1].pending(10)
    shelf.rows[KEY] = Loaded(b"tin robot", operation.version)
    nodes[1].drained(operation)
    assert nodes[1].waiting() == 0
    answer = nodes[1].read(KEY, shelf.load())
    assert (answer.layer, answer.value, answer.version) == (Layer.DATABASE, b"tin robot", 2)


def test_write_behind_must_be_chosen(world: World) -> None:
    """A cache on another write path refuses, and says what to choose."""
    cache = world.cache(Strategy.L2_ONLY)
    with pytest.raises(NotConfigured, match=r"cache-aside.*choose WritePath\.WRITE_BEHIND"):
        cache.pending(1)


@pytest.mark.parametrize("strategy", CACHING)
def test_peek_shows_both_levels(world: World, strategy: Strategy) -> None:
    """What lies where, with version and remaining time; nothing where nothing lies."""
    shelf = Shelf()
    cache = world.cache(strategy)
    assert (cache.peek(KEY).l1, cache.peek(KEY).l2) == (None, None)
    cache.read(KEY, shelf.load())
    peek = cache.peek(KEY)
    assert (peek.l1 is not None) == (strategy in AT_ONCE) or strategy is Strategy.TRACKING
    assert peek.l2 is not None
    assert (peek.l2.version, peek.l2.negative, peek.l2.dirty) == (1, False, False)


def test_a_cache_that_lost_its_shared_state_loads_again(world: World) -> None:
    """Redis restarted empty: the next reads come from the database, and are cached again; no old version returns."""
    shelf = Shelf()
    cache = world.cache(Strategy.VERSIONED)
    cache.read(KEY, shelf.load())
    shelf.rows[KEY] = Loaded(b"written meanwhile", 2)
    world.lose_everything()
    assert cache.read(KEY, shelf.load()).value == b"written meanwhile"
    assert cache.read(KEY, shelf.load()).layer is Layer.L1
