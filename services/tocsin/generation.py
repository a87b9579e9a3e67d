"""Generation table: what a node has heard, as an array of 64-bit words that all its workers read.

    agent:   log ──▶ Keeper ──stores──▶ │ epoch │ deadline │ applied │ change │ slot 0 (`*`) │ slot 1 │ … │
    workers: L1 entry with its Stamp ──▶ Generations.doubt ──loads──▲

A slot holds the sequence of the last invalidation whose name falls into it. An entry is valid while the node's lease
lasts, the epoch is the entry's, and no slot of its key, its tags or `*` exceeds the entry's base. So an invalidation is
one store, clearing everything is one store, and a value loaded before an invalidation is refused whenever it arrives:
no invalidation looks for entries. Two names in one slot cost a miss, never a stale hit.

What always holds:

- One writer (the process that holds the table's lock), any number of readers, no locks between them. Every word is
  aligned, and CPython moves an aligned word of a memoryview with one machine instruction, so none is ever seen half
  written. Between words the *order* carries the proof; it is written down at each step, with what would break.
- The order of stores is the order in which others see them. x86-64 promises this for shared memory, and the
  interpreter's lock for threads of one process on any machine (see `tocsin.generation_file`).
- `change` never has the same value twice. An entry that was proved under one value of it needs no second look at its
  slots until it changes: that is the fast path of a hit, two loads and a clock.

Source: PROTOCOL "State"; the stories C4, C10 and C11 of the model checking (docs/coherence.md).
"""

import zlib
from array import array
from collections.abc import Iterable
from typing import Protocol

from msgspec import Struct

from tocsin.position import Position

EPOCH, DEADLINE, APPLIED, CHANGE = 1, 2, 3, 4
FORMAT = 0
"""Word 0: which layout this is, and with how many slots; a table of another format is not read."""

HEADER_WORDS = 8
SLOTS = 1 << 16
EVERYTHING = "*"
"""The name that every entry carries: invalidating it clears all. It has slot 0 to itself."""


class Words(Protocol):
    """Aligned 64-bit words; a load or a store of one is never torn."""

    def __getitem__(self, index: int, /) -> int: ...
    def __setitem__(self, index: int, value: int, /) -> None: ...


class Moments(Protocol):
    """The same memory, seen as 64-bit floating-point numbers: for the deadline, seconds on the clock."""

    def __getitem__(self, index: int, /) -> float: ...
    def __setitem__(self, index: int, value: float, /) -> None: ...


class Memory(Struct, frozen=True):
    """The two views of a table's memory, and its number of slots."""

    words: Words
    moments: Moments
    slots: int


class Stamp(Struct):
    """What an entry brings to its proof.

    `epoch` and `base` are those that the lookup returned, never the node's own: an answer may have come from an epoch
    that the node has not heard of yet, or be older than what it has applied (C4). `slots` are those of the entry's
    names. `change` and `proved_to` remember the last proof: the table's change, and the sequence it was proved up to.
    """

    epoch: int = 0
    base: int = 0
    slots: tuple[int, ...] = ()
    change: int = 0
    proved_to: int = 0


def private_memory(slots: int = SLOTS) -> Memory:
    """Return a table for one process, fed by a thread of its own."""
    return memory_over(memoryview(bytearray(array("Q", bytes(8 * (HEADER_WORDS + slots))))), slots)


def memory_over(raw: memoryview, slots: int) -> Memory:
    """Return the views of `raw`, which is `size_bytes(slots)` long; a blank one gets its format written."""
    memory = Memory(raw.cast("Q"), raw.cast("d"), slots)
    if not raw.readonly and memory.words[FORMAT] == 0:
        memory.words[FORMAT] = format_of(slots)
    return memory


def size_bytes(slots: int) -> int:
    """Return how long the memory of a table is."""
    return 8 * (HEADER_WORDS + slots)


def format_of(slots: int) -> int:
    """Return word 0 of a table of this layout: `tocsin` 1, and its slots."""
    return int.from_bytes(b"toc1", "big") << 32 | slots


class Generations:
    """The reader's side, used by every worker on every hit."""

    def __init__(self, memory: Memory) -> None:
        self.words = memory.words
        self.moments = memory.moments
        self._others = memory.slots - 1

    def slot(self, name: str) -> int:
        """Return the slot of a name: 0 for `*`, else one of the others by checksum, the same in every process."""
        return 0 if name == EVERYTHING else 1 + zlib.crc32(name.encode()) % self._others

    def slots(self, names: Iterable[str]) -> tuple[int, ...]:
        """Return the slots of an entry's names, with that of `*`."""
        return (0, *{self.slot(name) for name in names})

    def doubt(self, stamp: Stamp, now_s: float) -> str:
        """Return why an entry can't be used at `now_s`, or '' if it can: `lease`, `epoch` or `invalidated`."""
        words = self.words
        # The deadline before the change. Change first, then the deadline (C10c):
        #   reader: change = 7, as proved ...................................... deadline: live → hits the old entry
        #   agent:                        flush to another epoch, renew the lease
        if now_s < self.moments[DEADLINE] and words[CHANGE] == stamp.change:
            return ""
        return self._prove(stamp, now_s)

    def _prove(self, stamp: Stamp, now_s: float) -> str:
        """Compare everything, in the one order that proves it: change, epoch, deadline, applied, slots, epoch."""
        words = self.words
        # First of all. A change read after the slots could be that of an invalidation which came between, and the
        # entry would be remembered as proved against it.
        change = words[CHANGE]
        if words[EPOCH] != stamp.epoch:
            return "epoch"
        # Before the slots (C10b):
        #   reader: slot = 0 ............................................. deadline: live → hits what 1 invalidated
        #   agent:           lease lapsed, slot = 1, applied = 1, renewed
        if now_s >= self.moments[DEADLINE]:
            return "lease"
        # Before the slots (C10a): the entry is then proved up to at least this sequence.
        #   reader: slot = 0 ...................... applied = 1, as new as the session's watermark → the old entry
        #   agent:           slot = 1, applied = 1
        applied = words[APPLIED]
        base = stamp.base
        for slot in stamp.slots:
            if words[slot + HEADER_WORDS] > base:
                return "invalidated"
        # Again (C10c, d): a flush may have lowered the slots, or `applied` be another epoch's.
        if words[EPOCH] != stamp.epoch:
            return "epoch"
        # `proved_to` before `change`: another thread that sees this change finds a sequence at least as old as it.
        stamp.proved_to = applied
        stamp.change = change
        return ""

    def refutes(self, stamp: Stamp) -> bool:
        """Return whether an entry is known to be untrue, or of another epoch, whatever became of the lease."""
        words = self.words
        return words[EPOCH] != stamp.epoch or any(words[slot + HEADER_WORDS] > stamp.base for slot in stamp.slots)

    def position(self) -> Position | None:
        """Return the position up to which this node has applied everything, or None while it is being flushed."""
        epoch = self.words[EPOCH]
        applied = self.words[APPLIED]
        return Position(epoch, applied) if epoch and self.words[EPOCH] == epoch else None

    def lease_s(self, now_s: float) -> float:
        """Return how many seconds of the lease are left; 0 or less when it is over."""
        return self.moments[DEADLINE] - now_s


class Keeper:
    """The agent's side: the only writer of a table."""

    def __init__(self, memory: Memory) -> None:
        self._words = memory.words
        self._moments = memory.moments
        self._slots = memory.slots
        self._slot = Generations(memory).slot

    def take_over(self) -> Position:
        """End the lease, and return where the agent before this one stopped: (0, 0) in a blank table.

        The change must be new. The agent before may have died between its stores:
            old agent: slot = 5, applied = 5, dies
            new agent: takes up 5, hears of nothing new, renews → entries proved before 5 would go on by their change
        """
        self.suspend()
        self._next_change()
        return Position(self._words[EPOCH], self._words[APPLIED])

    def suspend(self) -> None:
        """End the lease: something may have been missed."""
        self._moments[DEADLINE] = 0.0

    def renew(self, deadline_s: float) -> None:
        """Prolong the lease; an earlier deadline than the present one changes nothing."""
        if deadline_s > self._moments[DEADLINE]:
            self._moments[DEADLINE] = deadline_s

    def apply(self, sequence: int, names: Iterable[str]) -> None:
        """Store one invalidation: the slots, then `applied`, then the change.

        Applied first would let a session that has seen it hit an entry whose slot is still old, and a crash between
        the two would lose the invalidation for good.
        """
        words = self._words
        for name in names:
            slot = HEADER_WORDS + self._slot(name)
            if sequence > words[slot]:
                words[slot] = sequence
        words[APPLIED] = sequence
        self._next_change()

    def flush(self, position: Position) -> None:
        """Clear everything as of `position`: entries of its epoch with at least its base survive, all others die.

        No lease and no epoch while the table is between two states, and the epoch last (C11):
            agent:  epoch = E2, dies before applied = 0      next agent: takes up (E2, 7) and ignores 1…7 of E2
        """
        words = self._words
        self.suspend()
        before = words[EPOCH]
        words[EPOCH] = 0
        self._next_change()
        if before != position.epoch:
            # The sequences of another epoch say nothing in this one, and might refuse its entries for ever.
            for slot in range(HEADER_WORDS, HEADER_WORDS + self._slots):
                if words[slot]:
                    words[slot] = 0
        words[HEADER_WORDS] = position.sequence
        words[APPLIED] = position.sequence
        words[EPOCH] = position.epoch

    def _next_change(self) -> None:
        self._words[CHANGE] = self._words[CHANGE] + 1
