"""L1 against a model: whatever is done in whatever order, it holds of what was put last, and nothing else."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from tocsin import Names
from tocsin.entry import Miss
from tocsin.local import ENTRY_OVERHEAD_BYTES, Family, Local, LocalEntry

from tests.tocsin.moved_clock import MovedClock

MAX_BYTES = 4 * ENTRY_OVERHEAD_BYTES
KEYS_ALL = "abcdef"
KEYS = st.sampled_from(KEYS_ALL)
TAGS = st.sampled_from(["toys", "tools"])


class LocalMachine(RuleBasedStateMachine):
    """The model holds what was put last under each key and not dropped since; L1 may have evicted some of it."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = MovedClock()
        self.level = Local(max_bytes=MAX_BYTES, clock=self.clock)
        self.model: dict[str, LocalEntry] = {}

    @rule(key=KEYS, size=st.integers(0, 2 * ENTRY_OVERHEAD_BYTES), tags=st.sets(TAGS), ttl_s=st.floats(0.1, 9.0))
    def put(self, key: str, size: int, tags: set[str], ttl_s: float) -> None:
        entry = LocalEntry(
            value=b"x" * size,
            version=1,
            family=Family(tuple(tags), None),
            physical=key,
            loaded_s=self.clock.now(),
            expires_s=self.clock.now() + ttl_s,
        )
        fitted = sum(cost(*each) for each in self.held()) + cost(key, entry) <= MAX_BYTES
        before = [each for each, _ in self.held()]
        if self.level.put(key, entry):
            self.model[key] = entry
            assert self.level.kept(key) is entry, "what has just been put is there"
            if fitted:
                assert {each for each, _ in self.held()} == {*before, key}, "nothing goes while there is room"
        else:
            assert cost(key, entry) > MAX_BYTES
            self.model.pop(key, None)
            assert self.level.kept(key) is None

    @rule(key=KEYS)
    def get(self, key: str) -> None:
        found = self.level.get(key, self.clock.now())
        kept = self.level.kept(key)
        if kept is None:
            assert found in (Miss("uri-miss"), Miss("uri-miss", "invalidated"), Miss("uri-miss", "evicted"))
        elif self.clock.now() >= kept.expires_s:
            assert found == Miss("stale", "expired")
        else:
            assert found is kept is self.model[key]

    @rule(keys=st.sets(KEYS), tags=st.sets(TAGS))
    def drop(self, keys: set[str], tags: set[str]) -> None:
        stay = [each for each, entry in self.held() if each not in keys and not tags & set(entry.family.tags)]
        self.level.drop(Names(keys=tuple(keys), tags=tuple(tags)))
        assert [each for each, _ in self.held()] == stay
        for key in [key for key, entry in self.model.items() if key in keys or tags & set(entry.family.tags)]:
            del self.model[key]

    @rule(seconds=st.floats(0.1, 5.0))
    def move_time(self, seconds: float) -> None:
        self.clock.move(seconds)

    def held(self) -> list[tuple[str, LocalEntry]]:
        """Return what L1 holds, in order of keys."""
        return [(key, entry) for key in KEYS_ALL if (entry := self.level.kept(key)) is not None]

    @invariant()
    def books_are_right(self) -> None:
        held = self.held()
        levels = self.level.levels()
        assert levels.entries == len(held)
        assert levels.bytes == sum(cost(*each) for each in held) <= MAX_BYTES
        assert all(self.model[key] is entry for key, entry in held), "an older entry came back"


def cost(key: str, entry: LocalEntry) -> int:
    return (
        ENTRY_OVERHEAD_BYTES
        + len(key)
        + len(entry.physical)
        + sum(map(len, entry.family.tags))
        + len(entry.value or b"")
    )


TestLocalMachine = LocalMachine.TestCase
TestLocalMachine.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
