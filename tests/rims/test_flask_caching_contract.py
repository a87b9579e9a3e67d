"""One contract for the backends of Flask-Caching: what SimpleCache and RedisCache do alike, TocsinCache does too.

Where those two differ from each other, the last tests show what TocsinCache decided; docs/flask.md lists it.
"""

from __future__ import annotations

import datetime
import threading
from typing import Any

import pytest

from tests.rims.conftest import WITHIN_S, BuildSite
from tests.until import until

BACKENDS = ["SimpleCache", "RedisCache", "TocsinCache sequenced", "TocsinCache pubsub"]
SAMPLES: dict[str, Any] = {
    "bytes": b"\x00\xff",
    "text": "über",
    "empty": "",
    "number": 128,
    "negative": -5,
    "large": 2**100,
    "fraction": 0.5,
    "yes": True,
    "no": False,
    "zero": 0,
    "list": [1, "two", [3.0]],
    "tuple": (1, (2,)),
    "set": {1, 2},
    "dict": {"a": 1, 2: {"b": None}},
    "moment": datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC),
}


@pytest.fixture(params=BACKENDS)
def backend(request: pytest.FixtureRequest, build_site: BuildSite) -> Any:
    """A backend, empty."""
    return build_site(request.param).backend


@pytest.fixture
def tocsin(build_site: BuildSite) -> Any:
    """TocsinCache alone."""
    return build_site().backend


def test_what_was_set_comes_back(backend: Any) -> None:
    """Equal, and of the same type."""
    for key, value in SAMPLES.items():
        assert backend.set(key, value) is True
        assert backend.get(key) == value
        assert type(backend.get(key)) is type(value)


def test_what_was_set_together_comes_back_together(backend: Any) -> None:
    """`set_many` names the keys that it set; `get_many` keeps the order asked for; `get_dict` names the values."""
    assert backend.set_many(SAMPLES) == list(SAMPLES)
    assert backend.get_many(*reversed(SAMPLES)) == list(reversed(SAMPLES.values()))
    assert backend.get_dict(*SAMPLES) == SAMPLES


def test_what_is_not_there_is_none(backend: Any) -> None:
    """One by one, and among others."""
    backend.set("there", 1)
    assert backend.get("gone") is None
    assert backend.get_many("there", "gone") == [1, None]
    assert backend.get_dict("there", "gone") == {"there": 1, "gone": None}
    assert not backend.has("gone")


def test_none_is_a_value(backend: Any) -> None:
    """It can't be told from nothing by `get`, but by `has`, and by `add`."""
    assert backend.set("none", None) is True
    assert backend.get("none") is None
    assert backend.has("none")
    assert backend.add("none", 1) is False


def test_a_value_is_replaced(backend: Any) -> None:
    """By one of another type too."""
    backend.set("key", "old")
    backend.set("key", ["new"])
    assert backend.get("key") == ["new"]


def test_a_value_is_a_copy(backend: Any) -> None:
    """Whoever changes what he got changes nothing for others."""
    backend.set("key", ["a"])
    backend.get("key").append("b")
    assert backend.get("key") == ["a"]


def test_delete_says_whether_there_was_a_value(backend: Any) -> None:
    """Once true, then false."""
    backend.set("key", 0)
    assert backend.delete("key") is True
    assert backend.delete("key") is False
    assert backend.get("key") is None
    assert not backend.has("key")


def test_delete_many_returns_what_is_gone_now(backend: Any) -> None:
    """Also what was never there; other keys stay."""
    backend.set_many({"a": 1, "b": 2, "c": 3})
    assert backend.delete_many("a", "never", "b") == ["a", "never", "b"]
    assert backend.get_many("a", "b", "c") == [None, None, 3]
    assert backend.delete_many() == []


def test_add_sets_only_what_is_not_there(backend: Any) -> None:
    """And says which it was."""
    assert backend.add("key", "first") is True
    assert backend.add("key", "second") is False
    assert backend.get("key") == "first"
    backend.delete("key")
    assert backend.add("key", "third") is True


def test_numbers_are_counted_up_and_down(backend: Any) -> None:
    """A missing one begins at 0; the new number is returned, and is a value like any other."""
    assert backend.inc("up") == 1
    assert backend.inc("up", 5) == 6
    assert backend.dec("down", 3) == -3
    backend.set("set", 10)
    assert backend.dec("set") == 9
    assert backend.get_many("up", "down", "set") == [6, -3, 9]


def test_counting_a_text_is_an_error(backend: Any) -> None:
    """And the text stays."""
    backend.set("key", "text")
    with pytest.raises(Exception):  # noqa: B017, PT011  # TypeError here, redis-py's ResponseError there
        backend.inc("key")
    assert backend.get("key") == "text"


def test_clear_removes_everything(backend: Any) -> None:
    """Whatever its timeout; afterwards the cache is as new."""
    backend.set_many({"a": 1, "b": 2})
    backend.set("for ever", 3, timeout=0)
    assert backend.clear() is True
    assert backend.get_many("a", "b", "for ever") == [None, None, None]
    assert backend.add("a", 4) is True


@pytest.mark.parametrize("timeout", [1, datetime.timedelta(milliseconds=1)])
def test_a_value_ends_with_its_timeout(backend: Any, timeout: Any) -> None:
    """Given in seconds, or as a span of time, which is rounded up to seconds; set or added, alone or with others."""
    assert backend.set("set", 1, timeout=timeout)
    assert backend.add("added", 2, timeout=timeout)
    assert backend.set_many({"many": 3}, timeout=timeout)
    backend.set("stays", 4, timeout=60)
    until(
        lambda: backend.get_many("set", "added", "many") == [None] * 3,
        within_s=WITHIN_S,
        waiting_for="the values to end",
    )
    assert not backend.has("set")
    assert backend.get("stays") == 4
    assert backend.add("set", 5) is True


def test_a_timeout_of_zero_is_no_end(backend: Any) -> None:
    """Also where the default timeout is short."""
    backend.default_timeout = 1
    backend.set("for ever", 1, timeout=0)
    backend.set("default", 2)
    until(lambda: backend.get("default") is None, within_s=WITHIN_S, waiting_for="the default timeout to pass")
    assert backend.get("for ever") == 1


def test_a_wrong_timeout_is_an_error(backend: Any) -> None:
    """Cachelib's own check."""
    with pytest.raises(TypeError, match="timeout must be"):
        backend.set("key", 1, timeout="soon")


@pytest.mark.parametrize("key", ["", "with space", "new\nline", "ключ", "x" * 3000, "a:b{c}*[d]?"])
def test_any_text_is_a_key(backend: Any, key: str) -> None:
    """Long ones, strange ones; none is another's."""
    backend.set(key, "value")
    backend.set(key + "x", "other")
    assert backend.get(key) == "value"
    assert backend.delete(key) is True
    assert backend.get(key + "x") == "other"


def test_what_is_no_text_is_a_key_too(backend: Any) -> None:
    """A number, a function; they are given back as they came."""
    for key in (7, len):
        assert backend.set(key, 1) is True
        assert backend.get(key) == 1
        assert backend.set_many({key: 2}) == [key]
        assert backend.get_dict(key) == {key: 2}
        assert backend.delete_many(key) == [key]
        assert backend.add(key, 3) is True
        assert backend.has(key)
        assert backend.delete(key) is True
        assert backend.get(key) is None
    assert backend.inc(7) == 1


def test_of_many_adds_one_wins_and_of_many_counts_none_is_lost(backend: Any) -> None:
    """Eight threads at once."""
    won: list[int] = []

    def work(number: int) -> None:
        if backend.add("leader", number):
            won.append(number)
        for _ in range(20):
            backend.inc("count")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WITHIN_S)
    assert len(won) == 1
    assert backend.get("leader") == won[0]
    assert backend.get("count") == 160


def test_minus_one_is_no_end_as_redis_cache_has_it(tocsin: Any, build_site: BuildSite) -> None:
    """RedisCache keeps such a value for ever, SimpleCache never returns it."""
    redis_cache, simple_cache = (build_site(each).backend for each in ("RedisCache", "SimpleCache"))
    for backend, kept in ((tocsin, 1), (redis_cache, 1), (simple_cache, None)):
        assert backend.set("key", 1, timeout=-1) is True
        assert backend.get("key") == kept


def test_a_timeout_below_minus_one_is_over_at_once_as_simple_cache_has_it(tocsin: Any, build_site: BuildSite) -> None:
    """RedisCache raises what Redis says to it."""
    for backend in (tocsin, build_site("SimpleCache").backend):
        backend.set("key", "old")
        assert backend.set("key", "new", timeout=-2) is True
        assert backend.get("key") is None
        assert backend.add("key", "new", timeout=-2) is True
        assert backend.get("key") is None


def test_a_number_keeps_its_time_to_live_when_it_is_counted(tocsin: Any) -> None:
    """As RedisCache has it; SimpleCache begins a new default timeout with each count."""
    tocsin.set("key", 1, timeout=1)
    assert tocsin.inc("key") == 2
    until(lambda: tocsin.get("key") is None, within_s=WITHIN_S, waiting_for="the number to end")


def test_a_number_ends_at_64_bits(tocsin: Any) -> None:
    """Larger ones are values, but can't be counted; nothing wraps around."""
    tocsin.set("key", 2**63 - 1)
    with pytest.raises(TypeError, match="64 bits"):
        tocsin.inc("key")
    with pytest.raises(TypeError, match="64 bits"):
        tocsin.inc("other", 2**64)
    assert tocsin.get("key") == 2**63 - 1


def test_a_huge_timeout_is_a_long_time(tocsin: Any) -> None:
    """Not an error of Redis about milliseconds."""
    assert tocsin.set("key", 1, timeout=10**15) is True
    assert tocsin.get("key") == 1


def test_get_many_of_nothing_is_nothing(tocsin: Any, build_site: BuildSite) -> None:
    """As SimpleCache has it; RedisCache raises."""
    assert tocsin.get_many() == build_site("SimpleCache").backend.get_many() == []
    assert tocsin.set_many({}) == []


def test_prefixes_keep_caches_apart(build_site: BuildSite) -> None:
    """Two caches on one Redis: neither reads nor clears the other's values, whatever their prefixes begin with."""
    one, other = (build_site(CACHE_KEY_PREFIX=prefix).backend for prefix in ("shop", "shop:old"))
    one.set("key", 1)
    other.set("key", 2)
    assert (one.get("key"), other.get("key")) == (1, 2)
    one.clear()
    assert (one.get("key"), other.get("key")) == (None, 2)


def test_a_prefix_may_be_a_function(build_site: BuildSite) -> None:
    """It is asked at each call, as RedisCache does."""
    tenant = "a"
    backend = build_site(CACHE_KEY_PREFIX=lambda: tenant).backend
    backend.set("key", 1)
    tenant = "b"
    assert backend.get("key") is None
    tenant = "a"
    assert backend.get("key") == 1
