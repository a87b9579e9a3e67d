"""L1: bounded in bytes, the least asked for first, expiring, dropped by key, tag and namespace."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tocsin import Names
from tocsin.entry import Miss
from tocsin.local import ENTRY_OVERHEAD_BYTES, SEATS_SPARE, Family, Local, LocalEntry

from tests.tocsin.moved_clock import MovedClock


def entry(
    value: bytes = b"", *, expires_s: float = 2000.0, tags: tuple[str, ...] = (), namespace: str | None = None
) -> LocalEntry:
    return LocalEntry(
        value=value,
        version=1,
        family=Family(tags, namespace),
        physical="",
        loaded_s=1000.0,
        expires_s=expires_s,
    )


def local(*, entries: int = 3) -> Local:
    """An L1 with room for so many entries of one-letter keys and empty values."""
    return Local(max_bytes=entries * (ENTRY_OVERHEAD_BYTES + 1), clock=MovedClock())


def keys(level: Local) -> str:
    return "".join(key for key in "abcdefgh" if not isinstance(level.get(key, 1000.0), Miss))


def test_what_is_put_can_be_got() -> None:
    """An entry is returned as it was put."""
    level = local()
    kept = entry(b"")
    assert level.put("a", kept)
    assert level.get("a", 1000.0) is kept


def test_nothing_is_a_miss_with_a_reason() -> None:
    """An unknown key is a `Miss`, in RFC 9211's words; so is an expired entry, from the very moment it expires."""
    level = local()
    level.put("a", entry(expires_s=1001.0))
    assert level.get("b", 1000.0) == Miss("uri-miss")
    assert isinstance(level.get("a", 1000.9), LocalEntry)
    assert level.get("a", 1001.0) == Miss("stale", "expired")


def test_what_nobody_asked_for_goes_first() -> None:
    """A read is a reason to stay; the oldest without one makes room."""
    level = local(entries=3)
    for key in "abc":
        level.put(key, entry())
    level.get("a", 1000.0)
    level.put("d", entry())
    assert keys(level) == "acd"


def test_a_large_entry_makes_room_for_itself() -> None:
    """As many entries go as are needed, and the bound holds."""
    level = local(entries=3)
    for key in "abc":
        level.put(key, entry())
    level.put("d", entry(b"x" * ENTRY_OVERHEAD_BYTES))
    assert keys(level) == "cd"
    assert level.levels().bytes <= 3 * (ENTRY_OVERHEAD_BYTES + 1)


def test_what_is_larger_than_the_bound_is_not_kept() -> None:
    """It would evict everything and still not fit; the old entry of its key is gone all the same."""
    level = local(entries=2)
    level.put("a", entry())
    level.put("b", entry())
    assert not level.put("a", entry(b"x" * 10_000))
    assert keys(level) == "b"


def test_replacing_an_entry_counts_its_bytes_once() -> None:
    """The bytes of what was replaced are given back."""
    level = local()
    level.put("a", entry(b"x" * 100))
    level.put("a", entry())
    assert level.levels().bytes == ENTRY_OVERHEAD_BYTES + 1
    assert level.levels().entries == 1


def test_a_drop_removes_keys_tags_and_namespaces() -> None:
    """Each kind of name removes what it concerns and nothing else."""
    level = local(entries=8)
    level.put("a", entry())
    level.put("b", entry(tags=("toys", "tin")))
    level.put("c", entry(namespace="products"))
    level.put("d", entry())
    level.drop(Names(keys=("a", "unknown")))
    assert keys(level) == "bcd"
    level.drop(Names(tags=("tin",)))
    assert keys(level) == "cd"
    level.drop(Names(namespaces=("products",)))
    assert keys(level) == "d"
    assert level.levels().bytes == ENTRY_OVERHEAD_BYTES + 1


def test_what_comes_back_soon_stays_longer() -> None:
    """A key that was evicted unread and is put again is not the first to go a second time; its miss said why."""
    level = local(entries=3)
    for key in "abcd":
        level.put(key, entry())
    assert level.get("a", 1000.0) == Miss("uri-miss", "evicted")
    for key in "aefg":
        level.put(key, entry())
    assert "a" in keys(level)
    assert level.get("never", 1000.0) == Miss("uri-miss")


def test_keys_that_are_dropped_and_put_again_leave_nothing_behind() -> None:
    """However often that happens, the queues stay as short as L1, and what is in it can be evicted."""
    level = local(entries=3)
    for step in range(10_000):
        level.put("abc"[step % 3], entry())
        level.drop(Names(keys=("abc"[step % 3],)))
    assert len(level._small) + len(level._main) <= SEATS_SPARE
    for key in "defgh":
        level.put(key, entry())
    assert level.levels().entries == 3


def test_a_new_beginning_is_empty() -> None:
    """What a forked child inherits is forgotten."""
    level = local()
    level.put("a", entry())
    level.renew()
    assert level.levels().entries == level.levels().bytes == 0


def test_threads_that_read_put_and_drop_at_once_keep_the_books_right() -> None:
    """Readers take no lock: none of them fails while entries come and go, and the bytes add up afterwards."""
    level = local(entries=4)

    def work(turn: int) -> None:
        for step in range(400):
            key = "abcdefgh"[(turn + step) % 8]
            level.get(key, 1000.0)
            level.put(key, entry())
            if step % 5 == 0:
                level.drop(Names(keys=(key,)))

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(work, range(4)))
    held = level.levels()
    assert held.bytes == held.entries * (ENTRY_OVERHEAD_BYTES + 1)
    assert held.entries <= 4


def test_a_miss_says_whether_the_entry_was_invalidated() -> None:
    """Dropped by name, by tag or by pattern is another miss than one that was never there."""
    level = local(entries=100)
    for key in ("product:1", "product:2", "product:3", "list:1"):
        level.put(key, entry(b"v", tags=("toys",) if key == "list:1" else ()))
    level.drop(Names(keys=("product:1", "never there"), tags=("toys",), patterns=("product:?",)))
    for key in ("product:1", "product:2", "product:3", "list:1"):
        found = level.get(key, 0.0)
        assert isinstance(found, Miss)
        assert found.detail == "invalidated"
    assert level.get("never there", 0.0) == Miss("uri-miss")
