"""A case: one history, laid out once for all the promises that are judged on it."""

from __future__ import annotations

from functools import cached_property

from cluster.checker.register import Registers, registers
from cluster.checker.settling import NO_ROW
from cluster.checker.staleness import StaleReads, stale_reads
from cluster.contract.promise import Scope
from cluster.contract.window import Pauses, Window, healed_ns, health_ends_ns, pauses, windows
from cluster.history.columns import History
from cluster.history.operation import FOREVER

EDGE, REDIS = "edge", "redis"
"""Whom the driver asks; anybody else is a worker by name."""
MEMORY_LOSSES = frozenset({"kill-redis", "restart-redis", "flush-redis"})
"""Faults in which Redis loses what it had acknowledged. (Evicting loses entries, and nothing that counts.)"""
STALL_NS = 3_000_000_000
"""A writer's deadline between announcing and committing (PROTOCOL: 3 s): who takes longer is promised less."""


class Case:
    """A history with everything that several judgements need. Reads nothing but the history."""

    def __init__(self, history: History) -> None:
        """`history`: as read from its file."""
        self.history = history
        self.windows: tuple[Window, ...] = windows(history)
        self.health_ends_ns = health_ends_ns(self.windows)
        self.healed_ns = healed_ns(self.windows)
        self._registers: dict[Scope, Registers] = {}
        self._stale: dict[Scope, StaleReads] = {}

    @cached_property
    def pauses(self) -> Pauses:
        """When the machine stood still."""
        return pauses(self.history)

    @cached_property
    def losses(self) -> tuple[Window, ...]:
        """The faults in which Redis lost its memory."""
        return tuple(each for each in self.windows if each.fault in MEMORY_LOSSES)

    @cached_property
    def edge_via(self) -> int:
        """The number of the edge among the names."""
        return self.history.names.number(EDGE)

    @cached_property
    def worker_vias(self) -> frozenset[int]:
        """The numbers of the workers that were asked."""
        others = {self.edge_via, self.history.names.number(REDIS), 0}
        return frozenset(set(self.history.via) - others)

    def registers(self, scope: Scope) -> Registers:
        """Every key, with the reads of the scope."""
        if scope not in self._registers:
            vias = {Scope.ALL: None, Scope.WORKERS: self.worker_vias, Scope.EDGE: frozenset({self.edge_via})}[scope]
            self._registers[scope] = registers(self.history, vias=vias)
        return self._registers[scope]

    def stale(self, scope: Scope) -> StaleReads:
        """The stale reads of the scope, whoever had shown the newer version."""
        if scope not in self._stale:
            self._stale[scope] = stale_reads(self.registers(scope), reads_too=True)
        return self._stale[scope]

    def finished_badly(self, row: int) -> bool:
        """Whether the write in `row` had no good end: unknown, pending (nobody could be told), or from elsewhere."""
        if row == NO_ROW:
            return True
        return self.history.returned_ns[row] == FOREVER or bool(self.history.pending[row])

    @cached_property
    def excepted(self) -> frozenset[tuple[int, int]]:
        """Versions of which sessions were promised nothing, as (key's number, version).

        Made while the writer's node could not reach Redis (pending), in flight while Redis lost its memory, by a writer
        that stalled beyond its deadline, or with an end that nobody knows.
        """
        found = set()
        for register in self.registers(Scope.ALL):
            columns = zip(register.write_rows, register.write_ranks, strict=True)
            for row, rank in columns:
                if row != NO_ROW and self._excepted(row):
                    found.add((register.key, register.versions[rank]))
        return frozenset(found)

    @cached_property
    def stalled(self) -> frozenset[tuple[int, int]]:
        """Versions whose write took longer than its deadline, or nobody knows how long: (key's number, version)."""
        found = set()
        for register in self.registers(Scope.ALL):
            for row, rank in zip(register.write_rows, register.write_ranks, strict=True):
                if row != NO_ROW and self._stalled(row):
                    found.add((register.key, register.versions[rank]))
        return frozenset(found)

    def _stalled(self, row: int) -> bool:
        return self.history.returned_ns[row] - self.history.invoked_ns[row] > STALL_NS

    def _excepted(self, row: int) -> bool:
        invoked, returned = self.history.invoked_ns[row], self.history.returned_ns[row]
        if self.finished_badly(row) or self._stalled(row):
            return True
        return any(invoked <= each.stop_ns and returned >= each.start_ns for each in self.losses)
