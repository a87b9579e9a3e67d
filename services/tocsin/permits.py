"""Permits: how many loads a process has under way at once, so that its database survives when the cache does not help.

    take ─▶ one of `count` is free: go on          give back ─▶ handed to whoever has waited longest
        └─▶ wait in line, at most so long: no permit

After Redis is lost, or everything was cleared, each read is a load (hazard 25). What always holds: at most `count`
permits are out; one that is given back goes to the longest waiting first; nobody waits longer than it said.
"""

from collections import deque

from tocsin.clock import Clock, Gate


class Permits:
    """A pool of permits, for the threads of one process."""

    def __init__(self, count: int, clock: Clock) -> None:
        self._count = count
        self._clock = clock
        self.renew()

    def renew(self) -> None:
        """Begin anew in the child of a fork: whoever held a permit did not survive it."""
        self._lock = self._clock.lock()
        self._free = self._count
        self._line: deque[Gate] = deque()

    def take(self, within_s: float) -> bool:
        """Take a permit, waiting at most `within_s` seconds; return whether there was one."""
        with self._lock:
            if self._free:
                self._free -= 1
                return True
            gate = self._clock.gate()
            self._line.append(gate)
        # Waits for: the end of a load by a thread that was here earlier.
        if gate.wait(within_s):
            return True
        with self._lock:
            try:
                self._line.remove(gate)
            except ValueError:
                # It was handed over between the end of our wait and this line: the permit is ours. Without this look
                # it would be nobody's, and the pool one smaller for good.
                return True
        return False

    def give_back(self) -> None:
        """Give a permit back."""
        with self._lock:
            # Handed over, not set free: a newcomer that found it free would overtake those in line.
            if self._line:
                self._line.popleft().open()
            else:
                self._free += 1
