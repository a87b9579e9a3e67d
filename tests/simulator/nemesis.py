"""Nemesis: what befalls the nodes and the server of a schedule: cut, heal, restart, kill, evict, trim."""

from __future__ import annotations

from tests.simulator.schedule import Schedule
from tests.simulator.setting import KEY


class Nemesis:
    """The one of a schedule."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._snapshot = schedule.server.snapshot()

    def act(self) -> None:
        """Do one thing after the other, as often as the climate says, until all is to heal."""
        schedule = self._schedule
        draw, climate = schedule.scheduler.random, schedule.setting.climate
        while True:
            schedule.scheduler.pause(0.1 + draw.random() * climate.nemesis_s)
            if schedule.calm:
                return
            self._do(draw.choice(climate.nemesis))

    def evict(self) -> None:
        """Let L2 lose the row, and its token."""
        tables = self._schedule.server.tables
        tables.entries.pop(KEY, None)
        tables.tokens.pop(KEY, None)

    def _do(self, what: str) -> None:
        schedule = self._schedule
        server, seen, draw = schedule.server, schedule.seen, schedule.scheduler.random
        place = draw.choice(schedule.places)
        match what:
            case "cut":
                place.weather.cut = not place.weather.cut
                schedule.scheduler.stir()
                seen["cut"] += place.weather.cut
            case "snapshot":
                self._snapshot = server.snapshot()
            case "restart":
                if schedule.in_flight:
                    schedule.record.excuse("a write in flight while Redis restarted")
                server.restart(self._snapshot if draw.random() < 0.7 else None)
                schedule.scheduler.stir()
                seen["restarted"] += 1
            case "kill":
                place.kill_agent()
                seen["agent killed"] += 1
            case "evict":
                self.evict()
            case "trim":
                server.tables.log.clear()
                seen["log trimmed"] += 1
