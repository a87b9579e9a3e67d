"""Evidence: what allows a value that this process holds to be used now.

L1 knows when an entry expires; whether it is still true is the strategy's business, and asked here. The same question
is asked before a thread takes the result of another thread's load, because a load that began before a write is, for
whoever came after the write, an old value like any other.

What always holds: an answer of "no" costs a lookup and never an error.
"""

# ruff: noqa: ARG002  # a method takes what its port says, whether or not this adapter needs it

import math
from typing import Protocol

from tocsin.address import Address
from tocsin.clock import Clock
from tocsin.generation import DEADLINE, Generations
from tocsin.glob import prefix_of
from tocsin.local import LocalEntry
from tocsin.message import names_in, namespace_name, prefix_name, tag_name
from tocsin.names import Names
from tocsin.position import Position
from tocsin.shared import Filled, Load

NAMES_KNOWN = 1024
"""Combinations of names whose slots are remembered, so that the entries that have them share one tuple."""

LEASE = "lease"
"""The doubt of a node that can't prove anything at the moment: the entry may be true all the same."""


class Evidence(Protocol):
    """The port."""

    def doubt(self, entry: LocalEntry, address: Address, now_s: float, at_least: Position | None) -> str:
        """Return why `entry` can't answer for `address` now, or '' if it can, for a session that saw `at_least`."""

    def admits(self, load: Load | None, filled: Filled) -> bool:
        """Return whether a value loaded under `load` (None: L2 could not be asked) may be kept and shared."""

    def judges(self, now_s: float) -> bool:
        """Return whether this evidence can tell by itself what became of an entry since its base."""

    def covers(self, position: Position) -> bool:
        """Return whether it knows of all that was invalidated up to `position`."""

    def proves(self, entry: LocalEntry, now_s: float) -> Generations | None:
        """Return the table whose word is enough for `entry` until it changes; None where a proper read has to look."""

    def refutes(self, entry: LocalEntry, at_least: Position | None) -> bool:
        """Return whether an entry may not be shown even as a stale one: it was invalidated, or nobody can tell."""

    def untrue_s(self, entry: LocalEntry, now_s: float) -> float:
        """Return for how many seconds an entry that is not in doubt may have been untrue, at most."""

    def slots(self, address: Address, tags: tuple[str, ...]) -> tuple[int, ...] | None:
        """Return the slots of an entry's names beside its key, () where there are none, None if nothing can be kept."""

    def renew(self) -> None:
        """Begin anew in the child of a fork."""

    def wrote(self, names: Names, position: Position | None) -> Names:
        """Take note that this process invalidated `names` at `position`; return what must be dropped from its L1."""


class Expiry:
    """The strategies `ttl` and `pubsub`: an entry is believed until it expires or is dropped.

    Nobody notices here that a message was lost, or that a load was overtaken by a write: these are the strategies'
    known holes, and the entry's time to live is their only bound.
    """

    def doubt(self, entry: LocalEntry, address: Address, now_s: float, at_least: Position | None) -> str:
        """Refuse what was kept under another version of its namespace."""
        return "" if entry.physical == address.physical else "version"

    def admits(self, load: Load | None, filled: Filled) -> bool:
        """Keep everything, also what was loaded while Redis was away."""
        return True

    def judges(self, now_s: float) -> bool:
        """Return that it can't: what was invalidated must have been deleted."""
        return False

    def covers(self, position: Position) -> bool:
        """Return that it does not."""
        return False

    def proves(self, entry: LocalEntry, now_s: float) -> Generations | None:
        """Return None: there is no table, and an address may have to be resolved first."""
        return None

    def refutes(self, entry: LocalEntry, at_least: Position | None) -> bool:
        """Return that nobody can tell: what was removed is gone, and what was not may have been missed."""
        return True

    def untrue_s(self, entry: LocalEntry, now_s: float) -> float:
        """Return its age: what was written since its load may have been missed."""
        return now_s - entry.loaded_s

    def slots(self, address: Address, tags: tuple[str, ...]) -> tuple[int, ...] | None:
        """Return none."""
        return ()

    def renew(self) -> None:
        """Do nothing: there is nothing to forget."""

    def wrote(self, names: Names, position: Position | None) -> Names:
        """Return them all: nothing else removes them."""
        return names


class Answered(Expiry):
    """Keep only what L2 was asked about before the load, and took.

    For the strategy `versioned`, whose tags reach an entry only through L2, and for write-behind, where a load may
    have missed a value that only L2 had.
    """

    def admits(self, load: Load | None, filled: Filled) -> bool:
        """Refuse what was loaded without an answer, or whose fill was refused or lost."""
        return load is not None and filled.stored


class Listening(Protocol):
    """The listener of this process; see `tocsin.backplane.Listener`."""

    @property
    def heard_until_s(self) -> float:
        """Until when what was proved last may be relied on."""


class Heard(Answered):
    """The strategies `pubsub-flush` and `tracking`: an entry is believed only while this process hears.

    The moment is compared at every read, not by the listener's thread: in a process that was stopped and runs on,
    a reader may come before the thread has noticed anything.

    What was loaded without L2 is not kept: where entries are tracked, nobody would tell of it.
    """

    def __init__(self, listening: Listening) -> None:
        self._listening = listening

    def doubt(self, entry: LocalEntry, address: Address, now_s: float, at_least: Position | None) -> str:
        """Refuse everything while it is not known that we hear."""
        if now_s >= self._listening.heard_until_s:
            return "deaf"
        return super().doubt(entry, address, now_s, at_least)


class Table(Protocol):
    """Where this process finds its node's generation table."""

    @property
    def generations(self) -> Generations | None:
        """The table, or None while there is none."""

    def lapsed(self) -> None:
        """Hear that the lease is over: see whether there is another table, or nobody who keeps it. Returns at once."""


class Proved(Answered):
    """The strategies `sequenced` and `strict`: an entry is believed only while the node's table proves it.

    A lease lasts `lease_s` from the moment up to which it proves everything. `shows_stale`: entries may be shown as
    stale ones while Redis can't be reached; never in `strict`.
    """

    def __init__(self, table: Table, clock: Clock, *, lease_s: float, shows_stale: bool) -> None:
        self._table = table
        self._clock = clock
        self._lease_s = lease_s
        self._shows_stale = shows_stale
        self.renew()

    def renew(self) -> None:
        """Begin anew in the child of a fork, which has written nothing."""
        self._lock = self._clock.lock()
        self._own: dict[int, int] = {}
        self._own_until = Position()
        self._known_slots: dict[tuple[Generations, tuple[str, ...]], tuple[int, ...]] = {}

    def doubt(self, entry: LocalEntry, address: Address, now_s: float, at_least: Position | None) -> str:
        """Ask the table; then compare what the session has seen with what the entry was proved up to."""
        generations = self._table.generations
        if generations is None:
            self._table.lapsed()
            return LEASE
        doubt = self._doubt(entry, generations, now_s)
        if doubt:
            if doubt == LEASE:
                self._table.lapsed()
            return doubt
        return "" if _is_as_new(entry, at_least) else "watermark"

    def judges(self, now_s: float) -> bool:
        """Return whether the node holds a lease."""
        generations = self._table.generations
        return generations is not None and generations.lease_s(now_s) > 0

    def covers(self, position: Position) -> bool:
        """Return whether the node has applied it."""
        generations = self._table.generations
        applied = None if generations is None else generations.position()
        return applied is not None and applied.epoch == position.epoch and applied.sequence >= position.sequence

    def proves(self, entry: LocalEntry, now_s: float) -> Generations | None:
        """Return the table, if it proves the entry for a reader who has seen nothing."""
        generations = self._table.generations
        if generations is None or self._doubt(entry, generations, now_s):
            return None
        return generations

    def _doubt(self, entry: LocalEntry, generations: Generations, now_s: float) -> str:
        # Before the own writes: one that comes in between begins another round, and the proof is nobody else's.
        since = generations.round
        if self._own and self._wrote_since(entry, generations):
            return "invalidated"
        return generations.doubt(entry, now_s, since)

    def refutes(self, entry: LocalEntry, at_least: Position | None) -> bool:
        """Ask the table what it heard before it fell silent, and compare with what the session has seen."""
        generations = self._table.generations
        if generations is None or not self._shows_stale or not _is_as_new(entry, at_least):
            return True
        return generations.refutes(entry)

    def untrue_s(self, entry: LocalEntry, now_s: float) -> float:
        """Return how long ago the node asked, when it last proved that it had heard everything: t0 of that beat."""
        generations = self._table.generations
        if generations is None:
            return math.inf
        return max(0.0, now_s - (generations.moments[DEADLINE] - self._lease_s))

    def slots(self, address: Address, tags: tuple[str, ...]) -> tuple[int, ...] | None:
        """Return the slots of the tags, the namespace, the prefix and `*`: one tuple for all entries with the same."""
        generations = self._table.generations
        if generations is None:
            return None
        names = names_of(address, tags)
        known = self._known_slots.get((generations, names))
        if known is None:
            if len(self._known_slots) >= NAMES_KNOWN:
                self._known_slots.clear()
            known = self._known_slots[generations, names] = generations.slots(names)
        return known

    def wrote(self, names: Names, position: Position | None) -> Names:
        """Remember the slots until the table has them: a process sees its own writes at once, whoever asks.

        Only the keys are to be dropped; nothing here takes a look at all entries.
        """
        generations = self._table.generations
        if generations is not None and position is not None:
            slots = generations.slots(names_in(names))[1:]
            with self._lock:
                # Without the lock one of two writers' notes could be lost. Readers take whichever dictionary they find.
                self._own = self._own | dict.fromkeys(slots, position.sequence)
                self._own_until = position
                generations.forget()
        return Names(keys=names.keys)

    def _wrote_since(self, entry: LocalEntry, generations: Generations) -> bool:
        own = self._own
        applied = generations.position()
        if applied is not None and (applied.epoch != self._own_until.epoch or applied >= self._own_until):
            with self._lock:
                if self._own is own:  # else somebody has written meanwhile
                    self._own = {}
                    # What was proved before the slots were stored must not outlive the note of them:
                    #   reader: proves an entry ...................... applied = 9: forgets that it wrote 9 → hit
                    #   agent:                   slot = 9, applied = 9                                     change
                    generations.forget()
            return False
        return any(own.get(slot, 0) > entry.base for slot in generations.slots_of(entry))


def names_of(address: Address, tags: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names, beside its key's, whose invalidation makes an entry untrue: tags, namespace, prefix."""
    namespace = () if address.namespace is None else (namespace_name(address.namespace),)
    prefix = prefix_of(address.key)
    return (*map(tag_name, tags), *namespace, *((prefix_name(prefix),) if prefix else ()))


def _is_as_new(entry: LocalEntry, at_least: Position | None) -> bool:
    """Whether an entry covers a watermark. One of another epoch, older or newer, is not compared: it passes by once."""
    if at_least is None:
        return True
    return at_least.epoch == entry.epoch and at_least.sequence <= max(entry.proof.applied, entry.base)


def watermark_of(entry: LocalEntry) -> Position | None:
    """Return what a session has seen with an entry of L1: None where the strategy numbers nothing."""
    return Position(entry.epoch, max(entry.proof.applied, entry.base)) if entry.epoch else None
