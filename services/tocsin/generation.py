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
- `change` never has the same value twice, and is another one after whatever might make a hit untrue: an invalidation,
  a flush, an end of the lease before its time. An entry that was proved under one value of it needs no second look at
  slots or deadline until it changes, or the deadline that was read then has come: that is the fast path of a hit, one
  load and a clock.

Source: PROTOCOL "State"; the stories C4, C10 and C11 of the model checking (docs/coherence.md).
"""

import threading
import zlib
from array import array
from collections.abc import Iterable
from typing import Protocol

from msgspec import Struct

from tocsin.message import EVERYTHING, key_name
from tocsin.position import Position
from tocsin.proof import DEAD, UNPROVED, Proof, Stamp

EPOCH, DEADLINE, APPLIED, CHANGE = 1, 2, 3, 4
FORMAT = 0
"""Word 0: which layout this is, and with how many slots; a table of another format is not read."""

HEADER_WORDS = 8
SLOTS = 1 << 16
PROOFS_KEPT = 256
"""Live proofs that are kept before the dead ones among them are looked for."""


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


_GIVEN_UP = private_memory(1)
"""A table without an epoch or a lease: nothing is proved by it."""


class Generations:
    """The reader's side, used by every worker on every hit."""

    def __init__(self, memory: Memory) -> None:
        self.words = memory.words
        self.moments = memory.moments
        self._others = memory.slots - 1
        self.round = 0
        self._lock = threading.Lock()
        self._proofs: list[Proof] = []
        self._proofs_max = PROOFS_KEPT

    def slot(self, name: str) -> int:
        """Return the slot of a name: 0 for `*`, else one of the others by checksum, the same in every process."""
        return 0 if name == EVERYTHING else 1 + zlib.crc32(name.encode()) % self._others

    def slots(self, names: Iterable[str]) -> tuple[int, ...]:
        """Return the slots of an entry's names, with that of `*`."""
        return (0, *{self.slot(name) for name in names})

    def slots_of(self, stamp: Stamp) -> tuple[int, ...]:
        """Return the slots of an entry's key and of its other names."""
        physical = stamp.physical
        return (self.slot(key_name(physical)), *stamp.slots) if physical else stamp.slots

    def doubt(self, stamp: Stamp, now_s: float, since: int | None = None) -> str:
        """Return why an entry can't be used at `now_s`, or '' if it can: `lease`, `epoch` or `invalidated`.

        `since` is the round in which the caller began to look, if it has looked at anything before.
        """
        proof = stamp.proof
        # The deadline before the change. Change first, then the deadline (C10c):
        #   reader: change = 7, as proved ...................................... deadline: live → hits the old entry
        #   agent:                        flush to another epoch, renew the lease
        if now_s < proof.until_s and self.words[CHANGE] == proof.change:
            return ""
        return self._prove(stamp, now_s, self.round if since is None else since)

    def _prove(self, stamp: Stamp, now_s: float, since: int) -> str:
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
        deadline_s = self.moments[DEADLINE]
        if now_s >= deadline_s:
            return "lease"
        # Before the slots (C10a): the entry is then proved up to at least this sequence.
        #   reader: slot = 0 ...................... applied = 1, as new as the session's watermark → the old entry
        #   agent:           slot = 1, applied = 1
        applied = words[APPLIED]
        base = stamp.base
        for slot in self.slots_of(stamp):
            if words[slot + HEADER_WORDS] > base:
                return "invalidated"
        # Again (C10c, d): a flush may have lowered the slots, or `applied` be another epoch's.
        if words[EPOCH] != stamp.epoch:
            return "epoch"
        until_s = deadline_s if deadline_s < stamp.expires_s else stamp.expires_s
        stamp.proof = self._proof(change, applied, until_s, since)
        return ""

    def _proof(self, change: int, applied: int, until_s: float, since: int) -> Proof:
        """Return a proof that says what was found and no more: that of others who found the same, or a new one."""
        # Nothing in here waits or calls out. Without the lock a proof could be made live beside `forget`, unseen.
        with self._lock:
            # What was found before a `forget` must not live after it:
            #   reader: own writes: none ... proves an entry ..................................... the proof lives → hit
            #   writer:                      writes the entry's tag, tells this reader to forget
            if self.round != since:
                return Proof(DEAD, applied)
            last = self._proofs[-1] if self._proofs else UNPROVED
            # A proof up to a later sequence than what was found here would be too much:
            #   reader: change = 7, applied = 8, slot = 0 ........................... shares it: hit at watermark 9
            #   other reader:                               applied = 9 → a proof at change 7, up to 9
            #   agent:                           slot = 9, applied = 9
            if last.change == change and last.until_s == until_s and last.applied <= applied:
                return last
            if len(self._proofs) >= self._proofs_max:
                self._proofs = [proof for proof in self._proofs if proof.change >= change]
                self._proofs_max = 2 * len(self._proofs) + PROOFS_KEPT
            proof = Proof(change, applied, until_s)
            self._proofs.append(proof)
            return proof

    def forget(self) -> None:
        """Begin a new round: every entry must be proved anew, by somebody who began to look after this."""
        with self._lock:
            self.round += 1
            for proof in self._proofs:
                proof.change = DEAD
            self._proofs.clear()

    def end(self) -> None:
        """Prove nothing any more: the table has been replaced, or given up."""
        self.words, self.moments = _GIVEN_UP.words, _GIVEN_UP.moments
        self.forget()

    def refutes(self, stamp: Stamp) -> bool:
        """Return whether an entry is known to be untrue, or of another epoch, whatever became of the lease."""
        words = self.words
        return words[EPOCH] != stamp.epoch or any(
            words[slot + HEADER_WORDS] > stamp.base for slot in self.slots_of(stamp)
        )

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
        return Position(self._words[EPOCH], self._words[APPLIED])

    def suspend(self) -> None:
        """End the lease: something may have been missed.

        A new change tells those who remember the deadline of before:
            reader: proves an entry until 9.0 ................................ 8.5: hits the old entry
            agent:                           lease given up, and told so
            strict writer:                                              waits for nobody, commits
        """
        self._moments[DEADLINE] = 0.0
        self._next_change()

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
