"""Memoized functions: one call per arguments on all nodes, until somebody says that it is over."""

from __future__ import annotations

import enum
import threading
from collections.abc import Iterator
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import uuid4

import pytest
from tocsin import Cache, CacheSettings, Names, Policy, Strategy, connect
from tocsin.codec import MsgspecCodec, Unstorable
from tocsin.decorators import memoize
from tocsin.signed_pickle import SignedPickleCodec

from tests.redis_server import RedisServer
from tests.rims.conftest import WITHIN_S
from tests.until import until


class Colour(enum.Enum):
    """An argument that names itself."""

    RED = 1


class Shop:
    """An argument with a key of its own, and a memoized method."""

    def __init__(self, number: int) -> None:
        self.number = number

    def __cache_key__(self) -> int:
        return self.number


@pytest.fixture
def nodes(redis: RedisServer) -> Iterator[tuple[Cache, Cache]]:
    """Two nodes that hear each other."""
    settings = CacheSettings(
        redis_url=redis.url,
        node="node",
        namespace=uuid4().hex,
        strategy=Strategy.PUBSUB,
        l1_ttl_s=3600,
        canary_every_s=0.1,
    )
    caches = connect(settings), connect(settings)
    for cache in caches:
        cache.start()
        until(lambda cache=cache: cache.hearing().hears, within_s=WITHIN_S, waiting_for="the node to hear")  # type: ignore[misc]
    yield caches
    for cache in caches:
        cache.stop()


@pytest.fixture
def cache(nodes: tuple[Cache, Cache]) -> Cache:
    """One of them."""
    return nodes[0]


def test_a_function_is_called_once_per_arguments_however_they_are_written(cache: Cache) -> None:
    """By position, by name, by default."""
    calls = count(1)

    @memoize(cache)
    def add(a: int, b: int = 2, *, c: int = 3) -> tuple[int, int]:
        return a + b + c, next(calls)

    assert [add(1), add(1, 2), add(a=1, c=3), add(1, 3)] == [(6, 1), (6, 1), (6, 1), (7, 2)]
    assert add.uncached(1) == (6, 3)


def test_arguments_are_told_apart_by_type(cache: Cache) -> None:
    """1, 1.0, True and "1" are four arguments."""

    @memoize(cache)
    def kind(value: object) -> str:
        return type(value).__name__

    assert [kind(value) for value in (1, 1.0, True, "1", b"1", None)] == [
        "int",
        "float",
        "bool",
        "str",
        "bytes",
        "NoneType",
    ]


def test_none_is_a_result(cache: Cache) -> None:
    """And is kept like any other."""
    calls = count(1)

    @memoize(cache)
    def nothing() -> None:
        next(calls)

    assert [nothing(), nothing()] == [None, None]
    assert next(calls) == 2


def test_a_result_is_forgotten_on_all_nodes(nodes: tuple[Cache, Cache]) -> None:
    """Of one call, of all calls, by a tag."""
    calls = count(1)

    def rate(currency: str) -> int:
        return next(calls)

    use, forget = (memoize(node, tags=lambda currency: (f"rates:{currency}",))(rate) for node in nodes)
    assert [use("EUR"), use("USD"), use("EUR")] == [1, 2, 1]
    forget.invalidate("EUR")
    until(lambda: use("EUR") == 3, within_s=WITHIN_S, waiting_for="the other node to forget one call")
    assert use("USD") == 2
    nodes[1].invalidate(Names(tags=("rates:USD",)))
    until(lambda: use("USD") == 4, within_s=WITHIN_S, waiting_for="the other node to forget a tag")
    assert use("EUR") == 3
    forget.invalidate_all()
    until(lambda: {use("EUR"), use("USD")} == {5, 6}, within_s=WITHIN_S, waiting_for="the other node to forget all")


def test_of_many_callers_at_once_one_calls(cache: Cache) -> None:
    """The others get its result."""
    calls = count(1)
    entered, leave = threading.Event(), threading.Event()

    @memoize(cache)
    def slow() -> int:
        entered.set()
        leave.wait(WITHIN_S)
        return next(calls)

    results: list[int] = []
    threads = [threading.Thread(target=lambda: results.append(slow())) for _ in range(8)]
    for thread in threads:
        thread.start()
    assert entered.wait(WITHIN_S)
    leave.set()
    for thread in threads:
        thread.join(WITHIN_S)
    assert set(results) == {1}
    assert len(results) == 8


def test_what_the_function_raises_is_raised_and_not_kept(cache: Cache) -> None:
    """The next call calls it again."""
    calls = count(1)

    @memoize(cache)
    def fails_once() -> int:
        number = next(calls)
        if number == 1:
            raise LookupError("once")
        return number

    with pytest.raises(LookupError, match="once"):
        fails_once()
    assert fails_once() == 2


def test_a_method_s_object_is_an_argument(cache: Cache) -> None:
    """Which needs a key of its own."""
    calls = count(1)

    class Till(Shop):
        @memoize(cache)
        def total(self, day: str) -> int:
            return next(calls)

    assert [Till(1).total("mon"), Till(2).total("mon"), Till(1).total(day="mon")] == [1, 2, 1]
    Till.total.invalidate(Till(1), "mon")
    assert Till(1).total("mon") == 3


def test_an_argument_without_a_key_is_an_error_that_says_what_to_do(cache: Cache) -> None:
    """Its text would be an address, and another object's the next day."""

    @memoize(cache)
    def use(shop: object) -> int:
        return 1

    with pytest.raises(TypeError, match=r"argument 'shop' is a builtins\.object.*__cache_key__"):
        use(object())
    with pytest.raises(TypeError, match="argument 'shop'"):
        use([{"deep": object()}])


@pytest.mark.parametrize(
    "value", [(1, [2, {"a": {3}}]), frozenset({1}), {"b": 1, "a": 2}, Decimal("1.0"), Colour.RED, Shop(1), int]
)
def test_arguments_with_structure_have_keys(cache: Cache, value: Any) -> None:
    """Equal ones the same; sets and dicts in any order; none that of another kind."""

    @memoize(cache)
    def use(value: object) -> int:
        return 1

    assert use.key(value) == use.key(value)
    assert use.key(value) != use.key(repr(value))
    Names(keys=(use.key(value), use.key("x" * 1000), use.key("\n")))
    assert use.key({"a": 1, "b": 2}) == use.key({"b": 2, "a": 1})
    assert use.key([1]) != use.key((1,))


def test_open_argument_lists_are_arguments(cache: Cache) -> None:
    """`*args` and `**kwargs`."""

    @memoize(cache)
    def many(*args: int, **kwargs: int) -> tuple[object, ...]:
        return args, kwargs

    assert many(1, 2, a=3) == ((1, 2), {"a": 3})
    assert many.key(1, 2) != many.key((1, 2))  # type: ignore[arg-type]
    assert many.key(a=1, b=2) == many.key(b=2, a=1)


def test_a_result_that_the_codec_can_t_hold_is_an_error(cache: Cache) -> None:
    """It names the codec that can, and that one does."""

    def colour() -> Colour:
        return Colour.RED

    with pytest.raises(Unstorable, match="SignedPickleCodec"):
        memoize(cache)(colour)()
    signed = memoize(cache, codec=SignedPickleCodec([b"k" * 32]))(colour)
    assert [signed(), signed()] == [Colour.RED, Colour.RED]


def test_a_result_of_another_codec_is_computed_again(cache: Cache) -> None:
    """After a release that changed it: no error, and the old result goes."""
    calls = count(1)

    def number() -> int:
        return next(calls)

    old, new = (memoize(cache, codec=codec)(number) for codec in (SignedPickleCodec([b"k" * 32]), MsgspecCodec()))
    assert old() == 1
    assert new() == 2
    assert [new(), new()] == [3, 3]


def test_a_policy_bounds_the_life_of_a_result(cache: Cache) -> None:
    """Its time to live, in seconds."""
    calls = count(1)

    @memoize(cache, policy=Policy(ttl_s=0.05))
    def short() -> int:
        return next(calls)

    assert short() == 1
    until(lambda: short() > 1, within_s=WITHIN_S, waiting_for="the result to end")


def test_without_redis_the_function_is_called(cache: Cache, redis: RedisServer) -> None:
    """It fails nobody."""

    @memoize(cache)
    def number() -> int:
        return 1

    redis.stop()
    assert number() == 1
