"""Stampede protections under the strategies that have them: who loads, who waits, who is given what."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from tocsin import CacheSettings, Layer, Loaded, Policy, SettingsError, Stampede, Strategy

from tests.contracts.world import RedisWorld, World
from tests.redis_server import RedisServer

KEY = "product:1"
SIMPLE = [Strategy.L2_ONLY, Strategy.TTL, Strategy.PUBSUB, Strategy.VERSIONED]
EXCLUSIVE = [(strategy, Stampede.REDIS_LOCK) for strategy in SIMPLE] + [
    (Strategy.SEQUENCED, Stampede.FILL_TOKEN),
    (Strategy.STRICT, Stampede.FILL_TOKEN),
]
AHEAD = [(strategy, Stampede.REFRESH_AHEAD) for strategy in (*SIMPLE, Strategy.SEQUENCED)]


class Counted:
    """A database whose loads are counted."""

    def __init__(self) -> None:
        self.loads = 0

    def load(self, value: bytes = b"robot", meanwhile: Callable[[], object] = lambda: None) -> Callable[[], Loaded]:
        """Return a loader during which something else happens."""

        def loader() -> Loaded:
            self.loads += 1
            meanwhile()
            return Loaded(value)

        return loader


@pytest.fixture
def redis_world(redis_for_contracts: RedisServer) -> Iterator[RedisWorld]:
    """A world where waiting takes time: in memory a pause moves the clock, and so the end of the wait."""
    redis = RedisWorld(redis_for_contracts)
    yield redis
    redis.close()


@pytest.mark.parametrize(("strategy", "stampede"), EXCLUSIVE)
def test_while_one_process_loads_another_waits_for_its_fill(
    redis_world: RedisWorld, strategy: Strategy, stampede: Stampede
) -> None:
    """Two processes miss at once: the second is given the first one's value, and loads nothing."""
    here, there = (redis_world.cache(strategy, stampede=stampede, join_within_s=30.0) for _ in range(2))
    database = Counted()
    answers: list[Layer] = []
    second = threading.Thread(target=lambda: answers.append(there.read(KEY, database.load(b"second")).layer))

    def begin() -> None:
        second.start()
        second.join(0.05)
        assert second.is_alive(), "it goes on when there is a value, and not before"

    assert here.read(KEY, database.load(meanwhile=begin)).stored
    second.join(30.0)
    assert answers == [Layer.L2]
    assert database.loads == 1


@pytest.mark.parametrize(("strategy", "stampede"), EXCLUSIVE)
def test_a_load_that_fails_lets_the_next_one_begin_at_once(
    world: World, strategy: Strategy, stampede: Stampede
) -> None:
    """The lock or token is given back: another process loads without waiting for its end."""
    here, there = (world.cache(strategy, stampede=stampede, join_within_s=30.0) for _ in range(2))
    database = Counted()

    def failing() -> Loaded:
        raise LookupError("no such table")

    with pytest.raises(LookupError, match="no such table"):
        here.read(KEY, failing)
    answer = there.read(KEY, database.load())
    assert (answer.layer, answer.stored, database.loads) == (Layer.DATABASE, True, 1)


@pytest.mark.parametrize("strategy", [*SIMPLE, Strategy.SEQUENCED, Strategy.STRICT])
@pytest.mark.parametrize("stampede", [Stampede.NONE, Stampede.SINGLE_FLIGHT])
def test_without_a_lock_or_a_token_to_wait_for_every_process_loads(
    world: World, strategy: Strategy, stampede: Stampede
) -> None:
    """The second process does not wait; where there are tokens, only the first one's value is kept."""
    here, there = (world.cache(strategy, stampede=stampede, join_within_s=30.0) for _ in range(2))
    database = Counted()
    answers = []
    here.read(KEY, database.load(meanwhile=lambda: answers.append(there.read(KEY, database.load()))))
    assert database.loads == 2
    assert answers[0].layer is Layer.DATABASE


@pytest.mark.parametrize(("strategy", "stampede"), AHEAD)
def test_a_due_entry_is_loaded_by_one_and_given_to_the_others(
    world: World, strategy: Strategy, stampede: Stampede
) -> None:
    """While the first loads anew, the second is given the old value, and loads nothing; then both have the new one."""
    here, there = (world.cache(strategy, stampede=stampede, l1_ttl_s=0.001) for _ in range(2))
    database = Counted()
    policy = Policy(ttl_s=4.0, early_share=0.5)
    here.read(KEY, database.load(b"old"), policy)
    during: list[tuple[bytes | None, Layer]] = []

    def look() -> None:
        answer = there.read(KEY, database.load(b"wrong"), policy)
        during.append((answer.value, answer.layer))

    new = database.load(b"new", meanwhile=look)
    world.until(lambda: here.read(KEY, new, policy).value == b"new", "the entry to be due")
    assert database.loads == 2
    assert during[0][0] == b"old"
    assert during[0][1] in (Layer.L1, Layer.L2)
    world.until(lambda: there.read(KEY, database.load(b"wrong"), policy).value == b"new", "the other's L1 to end")
    assert database.loads == 2


@pytest.mark.parametrize(("strategy", "stampede"), AHEAD)
def test_a_refresh_that_fails_leaves_the_old_value(world: World, strategy: Strategy, stampede: Stampede) -> None:
    """The value is good until its end: what the loader raises early reaches nobody, and hinders no later load."""
    cache = world.cache(strategy, stampede=stampede, l1_ttl_s=0.001)
    policy = Policy(ttl_s=4.0, early_share=0.5)
    cache.read(KEY, lambda: Loaded(b"old"), policy)
    failures: list[int] = []

    def failing() -> Loaded:
        failures.append(1)
        raise ConnectionRefusedError("database away")

    def tried() -> bool:
        assert cache.read(KEY, failing, policy).value == b"old"
        return bool(failures)

    world.until(tried, "the entry to be due")
    world.until(lambda: cache.read(KEY, lambda: Loaded(b"new"), policy).value == b"new", "the next refresh")


@pytest.mark.parametrize("strategy", list(Strategy))
def test_a_protection_that_a_strategy_has_not_is_refused_with_those_it_has(world: World, strategy: Strategy) -> None:
    """A setting that would do nothing, or would break the strategy's promise, is an error and no silence."""
    for stampede in Stampede:
        try:
            settings = CacheSettings(redis_url="redis://r", node="n", strategy=strategy, stampede=stampede)
        except SettingsError as error:
            assert stampede.value in str(error)  # noqa: PT017 - which ones are refused is the next assertion's business
        else:
            assert settings.protection is stampede
    strict = strategy is Strategy.STRICT
    early = [Stampede.XFETCH, Stampede.REFRESH_AHEAD]
    for stampede in early if strict else []:
        with pytest.raises(SettingsError, match="fill-token, none, single-flight"):
            CacheSettings(redis_url="redis://r", node="n", strategy=strategy, stampede=stampede)


def test_the_default_protects_as_far_as_the_strategy_can() -> None:
    """`sequenced` refreshes ahead by itself; who names nothing has the best there is."""
    chosen = {
        strategy: CacheSettings(redis_url="redis://r", node="n", strategy=strategy).protection for strategy in Strategy
    }
    assert chosen[Strategy.SEQUENCED] is Stampede.REFRESH_AHEAD
    assert chosen[Strategy.STRICT] is Stampede.FILL_TOKEN
    assert chosen[Strategy.NO_CACHE] is Stampede.NONE
    assert {chosen[strategy] for strategy in SIMPLE} == {Stampede.SINGLE_FLIGHT}
