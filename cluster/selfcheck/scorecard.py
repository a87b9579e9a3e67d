"""The scorecard: which planted bugs were convicted, and as what; which clean controls were acquitted.

convicted   the run is invalid, the promise that is broken is the bug's, and so is the cause of most stale reads
escaped     the run is valid, or broken in another way: the examiner did not find what was there
acquitted   a clean run is valid                     accused   a clean run is invalid: the worst thing to happen
unknown     nothing could be decided                 skipped   it can't be run here, or no workload shows it yet
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from cluster.checker.verdict import Decision
from cluster.record.run import RunRecord
from cluster.selfcheck.planted import PlantedBug
from cluster.trace.cause import Cause

SCHEMA = 1


class Finding(StrEnum):
    """What came of one run."""

    CONVICTED = "convicted"
    ESCAPED = "escaped"
    ACQUITTED = "acquitted"
    ACCUSED = "accused"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"


GOOD = (Finding.CONVICTED, Finding.ACQUITTED)
BAD = (Finding.ESCAPED, Finding.ACCUSED)


class Line(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One bug or control. `run` is its folder; `said` what the examiner said of it, `wanted` what was wanted."""

    name: str
    planted: bool
    finding: Finding
    wanted: str
    said: str
    run: str = ""


class Scorecard(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All lines of one self-check."""

    schema: int = SCHEMA
    seed: int = 1
    lines: tuple[Line, ...] = ()

    def count(self, *, planted: bool, finding: Finding) -> int:
        """How many bugs, or controls, came to this."""
        return sum(line.planted is planted and line.finding is finding for line in self.lines)

    @property
    def decision(self) -> Decision:
        """Valid if whatever could be run was found out; one mistake outranks anything unknown."""
        findings = {line.finding for line in self.lines}
        if findings & set(BAD):
            return Decision.INVALID
        return Decision.UNKNOWN if Finding.UNKNOWN in findings or not findings & set(GOOD) else Decision.VALID

    @property
    def banner(self) -> str:
        """`convicted 13 of 14 planted bugs (2 skipped), acquitted 32 of 32 controls`."""
        bugs = sum(line.planted and line.finding is not Finding.SKIPPED for line in self.lines)
        controls = sum(not line.planted and line.finding is not Finding.SKIPPED for line in self.lines)
        skipped = sum(line.finding is Finding.SKIPPED for line in self.lines)
        return (
            f"convicted {self.count(planted=True, finding=Finding.CONVICTED)} of {bugs} planted bugs, "
            f"acquitted {self.count(planted=False, finding=Finding.ACQUITTED)} of {controls} controls, "
            f"skipped {skipped}"
        )


def line_of_bug(bug: PlantedBug, record: RunRecord, run: str) -> Line:
    """How a run with a bug is to be counted."""
    wanted = bug.property + (f", {bug.cause}" if bug.cause else "")
    broken = [promise.property for promise in record.promises if promise.decision is Decision.INVALID]
    # The edge keeps what a worker gave it, so its stale answers have the worker's cause.
    own = [each for each in record.causes if each.cause != Cause.EDGE]
    cause = max(own, key=lambda each: each.count).cause if own else ""
    said = f"{', '.join(dict.fromkeys(broken)) or record.reason}" + (f", {cause}" if cause and broken else "")
    if record.skipped:
        finding, said = Finding.SKIPPED, record.skipped
    elif bug.property in broken and (bug.cause is None or cause == bug.cause):
        finding = Finding.CONVICTED
    elif record.decision is Decision.UNKNOWN and not broken:
        finding = Finding.UNKNOWN
    else:
        finding = Finding.ESCAPED
    return Line(name=bug.name, planted=True, finding=finding, wanted=wanted, said=said, run=run)


def line_of_control(name: str, record: RunRecord, run: str) -> Line:
    """How a clean run is to be counted."""
    found = {
        Decision.VALID: Finding.ACQUITTED,
        Decision.INVALID: Finding.ACCUSED,
        Decision.UNKNOWN: Finding.UNKNOWN,
        None: Finding.UNKNOWN,
    }[record.decision]
    if record.skipped:
        found = Finding.SKIPPED
    return Line(name=name, planted=False, finding=found, wanted="valid", said=record.skipped or record.reason, run=run)
