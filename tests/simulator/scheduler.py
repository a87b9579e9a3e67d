"""Scheduler: greenlets that take turns at steps, on a clock that nobody waits for, in an order drawn from a seed.

    actor ── step() ──▶ scheduler: who is next?  ── switch ──▶ another actor
    actor ── park(until_s, woken) ──▶ goes on when the time has come or the condition holds

It is a `tocsin.clock.Clock`, so the core waits and locks here. What always holds: actors change only at `step` and
`park`, so a run is decided by its seed alone, and replays.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from random import Random

from greenlet import getcurrent, greenlet  # type: ignore[import-untyped]

STEPS_MAX = 20_000
LEAPS_S = (0.01, 0.05, 0.3, 0.6, 1.1)
"""How far time may go on between two steps: within a beat, past a beat, past a lease."""


class Parked:
    """An actor that waits."""

    __slots__ = ("actor", "until_s", "woken")

    def __init__(self, actor: greenlet, until_s: float, woken: Callable[[], object]) -> None:
        self.actor = actor
        self.until_s = until_s
        self.woken = woken


class Scheduler:
    """The clock and the order of one schedule. `leap` is the chance that time goes on at a step."""

    def __init__(self, seed: int, *, leap: float) -> None:
        self.random = Random(seed)
        self._leap = leap
        self._now_s = 1000.0
        self._hub = getcurrent()
        self._ready: list[greenlet] = []
        self._parked: list[Parked] = []
        self._needed: set[greenlet] = set()
        self.steps = 0

    def spawn(self, act: Callable[[], object], *, needed: bool = True) -> greenlet:
        """Add an actor; the schedule ends when all that are `needed` have ended."""
        actor = greenlet(act, self._hub)
        self._ready.append(actor)
        if needed:
            self._needed.add(actor)
        return actor

    def kill(self, actor: greenlet) -> None:
        """End an actor where it stands."""
        self._ready = [each for each in self._ready if each is not actor]
        self._parked = [each for each in self._parked if each.actor is not actor]
        actor.throw()

    def run(self) -> None:
        """Let the actors take turns until the needed ones have ended."""
        chance = self.random.random
        needed = self._needed
        while needed:
            self.steps += 1
            assert self.steps < STEPS_MAX, "the schedule does not end"
            if chance() < self._leap:
                self._now_s += LEAPS_S[int(chance() * len(LEAPS_S))]
            if self._parked:
                self._wake()
            ready = self._ready
            actor = ready[int(chance() * len(ready))]
            actor.switch()
            if actor.dead:
                ready[:] = [each for each in ready if each is not actor]
                needed.discard(actor)

    def end(self) -> None:
        """End every actor that is left."""
        for actor in [*self._ready, *(parked.actor for parked in self._parked)]:
            actor.throw()

    def step(self) -> None:
        """Let others go first."""
        if getcurrent() is not self._hub:
            self._hub.switch()

    def park(self, until_s: float, woken: Callable[[], object]) -> None:
        """Wait until a time, or for a condition."""
        actor = getcurrent()
        assert actor is not self._hub, "only actors wait"
        self._ready = [each for each in self._ready if each is not actor]
        self._parked.append(Parked(actor, until_s, woken))
        self._hub.switch()

    def now(self) -> float:
        """Return the time."""
        return self._now_s

    def pass_s(self, seconds: float) -> None:
        """Let time pass before the schedule begins."""
        self._now_s += seconds

    def lock(self) -> AbstractContextManager[object]:
        """Return a lock of which nothing is needed: actors change at steps, and no locked section has one."""
        return nullcontext()

    def gate(self) -> ParkedGate:
        """Return a closed gate."""
        return ParkedGate(self)

    def pause(self, seconds: float) -> None:
        """Wait so many seconds."""
        self.park(self._now_s + seconds, bool)

    def _wake(self) -> None:
        if not self._ready and not any(each.woken() for each in self._parked):
            self._now_s = max(self._now_s, min(each.until_s for each in self._parked))
        still = []
        for each in self._parked:
            if each.until_s <= self._now_s or each.woken():
                self._ready.append(each.actor)
            else:
                still.append(each)
        self._parked = still


class ParkedGate:
    """A gate at which actors wait."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._is_open = False

    def open(self) -> None:
        """Let all pass."""
        self._is_open = True

    def wait(self, timeout_s: float) -> bool:
        """Wait until it is open."""
        if not self._is_open:
            self._scheduler.park(self._scheduler.now() + timeout_s, lambda: self._is_open)
        return self._is_open
