"""Traffic: the sessions, writers and the relay of a schedule."""

from __future__ import annotations

from tocsin.entry import Answer, Layer
from tocsin.errors import LoadRefused, Unavailable
from tocsin.names import Names
from tocsin.position import Position, later
from tocsin.writing import Write

from tests.simulator.edge import AT_EDGE, Edge
from tests.simulator.node import Node
from tests.simulator.record import Session
from tests.simulator.schedule import NEVER_S, Schedule
from tests.simulator.setting import KEY, NAMED, TAG

EXPLAINED = ("lease", "invalidated", "epoch", "watermark", "expired")


class Traffic:
    """That of one schedule."""

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule
        self._scheduler = schedule.scheduler
        self._draw = schedule.scheduler.random
        self._parts = schedule.setting.parts
        self._seen = schedule.seen

    def session(self, name: str) -> None:
        """Read a few times, anywhere, and perhaps write in between."""
        draw, session, watermark = self._draw, Session(name), Position()
        for _ in range(2 + (draw.random() < 0.2)):
            if draw.random() < 0.2:
                watermark = later(watermark, self.write(session) or watermark)
            if draw.random() < 0.3:
                self._scheduler.pause(draw.random() * 1.5)
            watermark = later(watermark, self._read(session, watermark) or watermark)

    def _read(self, session: Session, watermark: Position) -> Position | None:
        schedule, draw = self._schedule, self._draw
        place: Node | Edge = schedule.nodes[draw.random() < 0.3]
        if schedule.edge is not None and draw.random() < 0.5:
            place = schedule.edge
        begun_s, floor = self._scheduler.now(), schedule.record.floor()
        try:
            load = schedule.load
            if self._parts.loads_before_lookup:
                early = schedule.load()
                load = lambda: early  # noqa: E731
            answer = place.read(load, watermark if watermark.epoch else None, schedule.flavour.policy)
        except (ConnectionError, LoadRefused):
            return None
        self._count(answer)
        schedule.record.read(session=session, answer=answer, begun_s=begun_s, floor=floor)
        return answer.watermark

    def _count(self, answer: Answer) -> None:
        seen, detail = self._seen, answer.steps[-1].detail
        if answer.joined:
            seen["joined"] += 1
        if answer.value is None:
            seen["negative"] += 1
        if answer.steps[0].hit and (answer.steps[0].detail or "").startswith(("stale", "expired")):
            seen["stale shown"] += 1
        elif detail == AT_EDGE:
            seen["hit at the edge"] += 1
        elif answer.layer is Layer.L1:
            seen["hit in l1"] += 1
        elif detail in EXPLAINED:
            seen[f"l1 refused: {detail}"] += 1

    def write(self, session: Session | None = None) -> Position | None:
        """Announce, commit, finish; perhaps stall, die, roll back or lose the commit's outcome in between."""
        schedule, draw = self._schedule, self._draw
        node, names, fate = draw.choice(schedule.nodes), draw.choice(NAMED), draw.random()
        version = 0
        schedule.in_flight += 1
        try:
            with node.cache.writing(names) as write:
                self._stall()
                if fate < 0.1:
                    return None  # rolled back, certainly
                if fate < 0.2:
                    if not self._parts.finishes_unknown:
                        write.unknown()
                else:
                    version = self._commit(write, names)
                    if version and names.keys:
                        write.committed(
                            key=KEY,
                            value=schedule.value(version),
                            version=version,
                            tags=(TAG,),
                            policy=schedule.flavour.policy,
                        )
                    if fate < 0.3:
                        write.unknown()  # stands for a writer that dies here: nothing is finished
                    self._stall()
            if fate < 0.2:
                self._stall()
                version = self._commit(write, names)  # what was lost on the way arrives
        except Unavailable:
            return None  # strict: not announced, not committed
        finally:
            schedule.in_flight -= 1
        if not version:
            return None
        if write.receipt.pending:
            self._seen["pending"] += 1
        else:
            schedule.record.acknowledged(version, self._scheduler.now())
        if session is not None:
            session.version = max(session.version, version)
        return write.receipt.watermark

    def _stall(self) -> None:
        self._scheduler.step()
        if self._draw.random() < self._schedule.setting.climate.stall:
            self._scheduler.pause(self._draw.random() * 2.0)

    def _commit(self, write: Write, names: Names) -> int:
        """Commit the row and its outbox row, and return its version; 0 if the database's timeout refused it (D4)."""
        schedule, record = self._schedule, self._schedule.record
        if write.left_s() <= 0:
            if record.strict:
                self._seen["commit refused"] += 1
                return 0
            record.excuse("a commit beyond its deadline")
        if write._announced.position is None:
            record.excuse("a write whose node could not reach Redis")
        schedule.version += 1
        schedule.unfinished.append((self._scheduler.now(), schedule.version, names))
        self._scheduler.stir()
        return schedule.version

    def relay(self) -> None:
        """Finish again what has been committed for a while and not been acknowledged."""
        schedule, scheduler = self._schedule, self._scheduler
        acknowledged, finish_again = schedule.record.acknowledged_s, schedule.nodes[0].cache.finish_again
        while self._parts.relays:
            if schedule.unfinished:
                scheduler.pause(0.2)
            else:
                scheduler.park(NEVER_S, lambda: schedule.unfinished)
            for write in list(schedule.unfinished):
                committed_s, version, names = write
                if version not in acknowledged:
                    if scheduler.now() < committed_s + 0.2 or finish_again(names).pending:
                        continue
                    self._seen["relayed"] += 1
                schedule.unfinished.remove(write)
            scheduler.stir()
