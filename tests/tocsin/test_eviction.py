"""L1 keeps what is asked for: on every trace it hits at least as often as an LRU of its size. Counts, not times."""

from __future__ import annotations

import random
from collections import OrderedDict
from collections.abc import Callable, Iterator

import pytest
from tocsin.entry import Miss
from tocsin.local import ENTRY_OVERHEAD_BYTES, Family, Local, LocalEntry

from tests.tocsin.moved_clock import MovedClock

ENTRIES = 500
KEYS = 5_000
REQUESTS = 60_000


def entry() -> LocalEntry:
    """An entry that never expires; all cost the same."""
    return LocalEntry(
        value=b"",
        version=1,
        family=Family((), None),
        physical="",
        loaded_s=0.0,
        expires_s=float("inf"),
    )


def zipf(exponent: float, *, seed: int = 1, requests: int = REQUESTS) -> list[int]:
    """Requests for keys whose popularity falls with their rank."""
    weights = [(rank + 1) ** -exponent for rank in range(KEYS)]
    return random.Random(seed).choices(range(KEYS), weights, k=requests)


def with_scans(requests: list[int], *, every: int, length: int, fresh: bool) -> Iterator[int]:
    """The same, and now and then somebody walks over `length` keys, the same ones or `fresh` ones."""
    for number, key in enumerate(requests):
        yield key
        if number % every == every - 1:
            begin = 10 * KEYS + (number if fresh else 0) * 10
            yield from range(begin, begin + length)


def drifting() -> Iterator[int]:
    """Popularity moves on: every 6,000 requests the ranks begin 1,500 keys further."""
    for phase in range(10):
        yield from (key + 1_500 * phase for key in zipf(1.0, seed=phase, requests=6_000))


def half_once() -> Iterator[int]:
    """Every other request is for a key that nobody asks for again."""
    for number, key in enumerate(zipf(1.0)):
        yield key
        yield 10 * KEYS + number


TRACES: dict[str, Callable[[], Iterator[int]]] = {
    "zipf 0.7": lambda: iter(zipf(0.7)),
    "zipf 1.0": lambda: iter(zipf(1.0)),
    "zipf 1.2": lambda: iter(zipf(1.2)),
    "zipf, and a crawler of new pages": lambda: with_scans(zipf(1.0), every=6_000, length=2_500, fresh=True),
    "zipf, and a nightly report": lambda: with_scans(zipf(1.0), every=6_000, length=2_500, fresh=False),
    "zipf, and short walks": lambda: with_scans(zipf(1.0), every=500, length=200, fresh=True),
    "half of it once only": half_once,
    "a loop a little too long": lambda: iter(list(range(600)) * 40),
    "drifting": drifting,
}


def hits_of_lru(trace: Iterator[int]) -> int:
    """Return how often an LRU of `ENTRIES` entries hits."""
    held: OrderedDict[int, None] = OrderedDict()
    hits = 0
    for key in trace:
        if key in held:
            hits += 1
            held.move_to_end(key)
            continue
        if len(held) == ENTRIES:
            held.popitem(last=False)
        held[key] = None
    return hits


def hits_of_l1(trace: Iterator[int]) -> int:
    """Return how often L1 hits with room for as many."""
    level = Local(max_bytes=ENTRIES * (ENTRY_OVERHEAD_BYTES + 6), clock=MovedClock())
    hits = 0
    for number in trace:
        key = f"{number:06}"
        if isinstance(level.get(key, 0.0), Miss):
            level.put(key, entry())
        else:
            hits += 1
    assert level.levels().entries == ENTRIES
    return hits


@pytest.mark.parametrize("name", TRACES)
def test_l1_hits_at_least_as_often_as_an_lru(name: str) -> None:
    """Whether popularity is steep, flat, moving, or disturbed by those who walk over everything."""
    trace = list(TRACES[name]())
    assert hits_of_l1(iter(trace)) >= hits_of_lru(iter(trace))


@pytest.mark.parametrize("name", ["zipf 0.7", "zipf, and short walks", "half of it once only"])
def test_what_is_asked_for_once_takes_little_room(name: str) -> None:
    """Where many keys are asked for once only, L1 has a twentieth fewer misses than an LRU, or better."""
    trace = list(TRACES[name]())
    assert len(trace) - hits_of_l1(iter(trace)) <= 0.95 * (len(trace) - hits_of_lru(iter(trace)))
