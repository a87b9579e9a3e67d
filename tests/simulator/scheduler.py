"""Scheduler: greenlets that take turns at steps, on a clock that nobody waits for, in an order drawn from a seed.

    actor ── step() ──▶ who is next? ── switch ──▶ another actor
    actor ── park(until_s, woken) ──▶ goes on when the time has come or the condition holds

It is a `tocsin.clock.Clock`, so the core waits and locks here. What always holds: actors change only at `step` and
`park`, so a run is decided by its seed alone, and replays.

It is made to be cheap, because schedules are counted in hundreds of thousands: an actor switches to the next one
itself, not by way of a loop; and conditions are looked at only after somebody said, by `stir`, that one may hold now.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from random import Random
from typing import Final

from greenlet import GreenletExit, getcurrent, greenlet  # type: ignore[import-untyped]

STEPS_MAX = 20_000
LEAPS_S = (0.01, 0.05, 0.3, 0.6, 1.1)
"""How far time may go on between two steps: within a beat, past a beat, past a lease."""

_NEVER: Final = float("inf")


class Scheduler:
    """The clock and the order of one schedule. `leap` is the chance that time goes on at a step."""

    def __init__(self, seed: int, *, leap: float) -> None:
        self.random = Random(seed)
        self.chance = self.random.random
        self._leap = leap
        self._now_s = 1000.0
        self._hub = getcurrent()
        self._ready: list[greenlet] = []
        self._parked: list[tuple[greenlet, float, Callable[[], object] | None]] = []
        self._soonest_s = _NEVER
        self.stirs = 0
        self._seen_stirs = 0
        self._over = False
        self._needed = 0
        self.steps = 0

    def spawn(self, act: Callable[[], object], *, needed: bool = True) -> greenlet:
        """Add an actor; the schedule ends when all that are `needed` have ended."""

        def live() -> None:
            act()
            self._needed -= needed

        actor = greenlet(live, self._hub)
        self._ready.append(actor)
        self._needed += needed
        return actor

    def kill(self, actor: greenlet) -> None:
        """End an actor where it stands; whoever kills goes on later."""
        if actor in self._ready:
            self._ready.remove(actor)
        self._parked = [each for each in self._parked if each[0] is not actor]
        self._ready.append(getcurrent())
        actor.throw()

    def run(self) -> None:
        """Let the actors take turns until the needed ones have ended."""
        while self._needed:
            self._next().switch()  # comes back when an actor has ended

    def end(self) -> None:
        """End every actor that is left, where it stands: none of them comes to another step."""
        self._over = True
        for actor in [*self._ready, *(each[0] for each in self._parked)]:
            actor.throw()

    def step(self) -> None:
        """Let others go first."""
        me = getcurrent()
        if me is self._hub:
            return
        if self._over:
            raise GreenletExit
        self._ready.append(me)
        actor = self._next()
        if actor is not me:
            actor.switch()

    def park(self, until_s: float, woken: Callable[[], object] | None = None) -> None:
        """Wait until a time, or for a condition of which others `stir`."""
        me = getcurrent()
        assert me is not self._hub, "only actors wait"
        if self._over:
            raise GreenletExit
        self._parked.append((me, until_s, woken))
        if until_s < self._soonest_s:
            self._soonest_s = until_s
        actor = self._next()
        if actor is not me:
            actor.switch()

    def stir(self) -> None:
        """Say that something has happened for which an actor may wait."""
        self.stirs += 1

    def now(self) -> float:
        """Return the time."""
        return self._now_s

    def pass_s(self, seconds: float) -> None:
        """Let time pass before the schedule begins."""
        self._now_s += seconds

    def lock(self) -> AbstractContextManager[object]:
        """Return a lock of which nothing is needed: actors change at steps, and no locked section has one."""
        return _NO_LOCK

    def gate(self) -> ParkedGate:
        """Return a closed gate."""
        return ParkedGate(self)

    def pause(self, seconds: float) -> None:
        """Wait so many seconds."""
        self.park(self._now_s + seconds)

    def _next(self) -> greenlet:
        """Take who is next out of those that are ready; one draw decides that, and whether time goes on."""
        self.steps += 1
        ready = self._ready
        if self.stirs != self._seen_stirs or self._now_s >= self._soonest_s or not ready:
            self._wake()
        drawn = self.chance() * len(ready)
        index = int(drawn)
        actor = ready[index]
        last = ready.pop()
        if last is not actor:
            ready[index] = last
        if drawn - index < self._leap:
            assert self.steps < STEPS_MAX, "the schedule does not end"
            self._now_s += LEAPS_S[int(self.chance() * len(LEAPS_S))]
        return actor

    def _wake(self) -> None:
        """Make ready whose time has come, or whose condition holds; if nobody can go, time goes on until one can."""
        stirred = self.stirs != self._seen_stirs
        self._seen_stirs = self.stirs
        ready = self._ready
        while True:
            soonest_s, now_s, still = _NEVER, self._now_s, []
            for each in self._parked:
                actor, until_s, woken = each
                if until_s <= now_s or (stirred and woken is not None and woken()):
                    ready.append(actor)
                else:
                    still.append(each)
                    if until_s < soonest_s:
                        soonest_s = until_s
            self._parked, self._soonest_s = still, soonest_s
            if ready:
                return
            self._now_s = soonest_s


_NO_LOCK = nullcontext()


class ParkedGate:
    """A gate at which actors wait."""

    def __init__(self, scheduler: Scheduler) -> None:
        self._scheduler = scheduler
        self._is_open = False

    def open(self) -> None:
        """Let all pass."""
        self._is_open = True
        self._scheduler.stir()

    def wait(self, timeout_s: float) -> bool:
        """Wait until it is open."""
        if not self._is_open:
            self._scheduler.park(self._scheduler.now() + timeout_s, lambda: self._is_open)
        return self._is_open
