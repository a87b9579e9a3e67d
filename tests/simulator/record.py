"""Record: what readers and writers of a schedule saw, and the four promises of the protocol checked against it.

Versions of the one row come from the database's commits, in their order. A write is known once a finish of it was done
by the server, by the writer itself or by the relay; it is acknowledged when its writer has returned.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tocsin.entry import Answer


class BrokenPromise(AssertionError):  # noqa: N818 - the name is the verdict
    """A promise was broken; the message tells which and by whom."""


@dataclass
class Session:
    """What one client has seen: a version, and the watermark that it carries."""

    name: str
    version: int = 0


@dataclass
class Record:
    """The events of one schedule that matter for its promises."""

    lease_s: float
    strict: bool
    through: bool
    stale_s: float = 0.0
    acknowledged_s: dict[int, float] = field(default_factory=dict)
    finished_s: dict[int, float] = field(default_factory=dict)
    seen: int = 0
    excused: str = ""
    reads: int = 0

    def finished(self, version: int, now_s: float) -> None:
        """Note that the server was told of all commits up to `version` of the name that was finished."""
        self.finished_s.setdefault(version, now_s)

    def acknowledged(self, version: int, now_s: float) -> None:
        """Note that a write returned to its caller."""
        self.acknowledged_s[version] = now_s
        self.seen = max(self.seen, version)

    def hit_in_l2(self, version: int, asked_after: int) -> None:
        """P1: L2 gave `version`, though an invalidation came after the commit of `asked_after`.

        What a write-through keeps is no load: another writer that was not announced, or came too late, may have
        committed between its commit and its finish, and its own finish ends that.
        """
        if version < asked_after and not (self.through and self.excused):
            raise BrokenPromise(f"P1: L2 gave version {version} after {asked_after} was finished")

    def newest_finished(self) -> int:
        """Return the newest version whose finish was done."""
        return max(self.finished_s, default=0)

    def floor(self) -> int:
        """P4: what a read that begins now must at least return in a strict namespace."""
        return self.seen

    def excuse(self, why: str) -> None:
        """Note what P3 is not promised across."""
        self.excused = self.excused or why

    def read(self, *, session: Session, answer: Answer, begun_s: float, floor: int) -> None:
        """Check what a read returned: not older than the bound allows, than its session has seen, nor than all has.

        What is labelled as stale may be as old as its policy says.
        """
        self.reads += 1
        version, detail = answer.version, answer.steps[0].detail or ""
        bound_s = self.lease_s + (self.stale_s if detail.startswith("stale") else 0.0)
        for newer, finished_s in self.finished_s.items():
            if newer > version and finished_s < begun_s - bound_s:
                raise BrokenPromise(
                    f"P2: {session.name} read version {version} at {begun_s:.2f}; {newer} was finished at"
                    f" {finished_s:.2f}, more than {bound_s} s before: {answer}"
                )
        if version < session.version and (self.strict or not self.excused):
            raise BrokenPromise(f"P3: {session.name} had seen version {session.version} and read {version}: {answer}")
        if self.strict and version < floor:
            raise BrokenPromise(f"P4: {session.name} read version {version}, after {floor} had been seen: {answer}")
        session.version = max(session.version, version)
        self.seen = max(self.seen, version)
