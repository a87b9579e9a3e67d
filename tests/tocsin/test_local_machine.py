"""L1 against a model: whatever is done in whatever order, it holds what a list in order of use would hold."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from tocsin import Names
from tocsin.entry import Miss
from tocsin.local import ENTRY_OVERHEAD_BYTES, Local, LocalEntry

from tests.tocsin.moved_clock import MovedClock

MAX_BYTES = 4 * ENTRY_OVERHEAD_BYTES
KEYS = st.sampled_from("abcdef")
TAGS = st.sampled_from(["toys", "tools"])


class LocalMachine(RuleBasedStateMachine):
    """The model is a list of (key, entry), least recently used first."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = MovedClock()
        self.level = Local(max_bytes=MAX_BYTES, clock=self.clock)
        self.model: list[tuple[str, LocalEntry]] = []

    @rule(key=KEYS, size=st.integers(0, 2 * ENTRY_OVERHEAD_BYTES), tags=st.sets(TAGS), ttl_s=st.floats(0.1, 9.0))
    def put(self, key: str, size: int, tags: set[str], ttl_s: float) -> None:
        entry = LocalEntry(
            value=b"x" * size,
            version=1,
            tags=tuple(tags),
            physical=key,
            namespace=None,
            namespace_version=None,
            loaded_s=self.clock.now(),
            expires_s=self.clock.now() + ttl_s,
        )
        self.model = [each for each in self.model if each[0] != key]
        if self.level.put(key, entry):
            self.model.append((key, entry))
            while sum(cost(*each) for each in self.model) > MAX_BYTES:
                del self.model[0]

    @rule(key=KEYS)
    def get(self, key: str) -> None:
        found = self.level.get(key, self.clock.now())
        held = dict(self.model).get(key)
        if held is None:
            assert found == Miss("uri-miss")
        elif self.clock.now() >= held.expires_s:
            assert found == Miss("stale", "expired")
        else:
            assert found is held
            self.model.remove((key, held))
            self.model.append((key, held))

    @rule(keys=st.sets(KEYS), tags=st.sets(TAGS))
    def drop(self, keys: set[str], tags: set[str]) -> None:
        self.level.drop(Names(keys=tuple(keys), tags=tuple(tags)))
        self.model = [(key, entry) for key, entry in self.model if key not in keys and not tags & set(entry.tags)]

    @rule(seconds=st.floats(0.1, 5.0))
    def move_time(self, seconds: float) -> None:
        self.clock.move(seconds)

    @invariant()
    def books_are_right(self) -> None:
        held = self.level.levels()
        assert held.entries == len(self.model)
        assert held.bytes == sum(cost(*each) for each in self.model) <= MAX_BYTES


def cost(key: str, entry: LocalEntry) -> int:
    return ENTRY_OVERHEAD_BYTES + len(key) + len(entry.physical) + sum(map(len, entry.tags)) + len(entry.value or b"")


TestLocalMachine = LocalMachine.TestCase
TestLocalMachine.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
