"""One run as a value: `run.json`. Times are seconds after `origin_ns`, the first instant of the traffic (monotonic)."""

from __future__ import annotations

import msgspec

from cluster.checker.verdict import Decision
from cluster.fault.port import Evidence, Plan
from cluster.record.figures import Figures
from cluster.scenario.scenario import Scenario

SCHEMA = 1


class PhaseRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A part of the run: `start`, `warm`, `fault`, `heal`, `settle`, `final`. `note`: what was not as it should be."""

    phase: str
    began_s: float
    ended_s: float
    note: str = ""


class FaultRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One fault as it went. A time that is None never came; `evidence` None: it could not be asked (see `error`).

    `healed_s` None and `started_s` set: it was still in force at the end; the cluster was then taken down.
    """

    plan: Plan
    planned_s: float
    started_s: float | None = None
    evidence: Evidence | None = None
    healed_s: float | None = None
    error: str = ""


class PromiseRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One promise of the strategy's contract, and whether it was kept.

    `text` is the promise in words; `property` the checker's. `excused`: violations that the contract names as its
    exceptions and that are counted apart. `witnesses`: the worst violations in prose, with the index of the operation
    in the history.
    """

    property: str
    text: str
    decision: Decision
    reason: str
    checked: int
    found: int
    excused: int = 0
    witnesses: tuple[str, ...] = ()


class VerdictRecord(msgspec.Struct, frozen=True, kw_only=True):
    """What a checker says by itself, promised or not: the raw numbers beside the contract."""

    property: str
    decision: Decision
    reason: str
    checked: int
    found: int
    witness: str = ""


class GateRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A vacuity gate: what a run must have seen before `valid` means anything."""

    gate: str
    passed: bool
    reason: str


class CauseRecord(msgspec.Struct, frozen=True, kw_only=True):
    """Why reads were stale, by the nodes' own traces: how many, and the stalest of them in prose."""

    cause: str
    count: int
    worst_at_least_ns: int
    witness: str


class RunRecord(msgspec.Struct, frozen=True, kw_only=True):
    """A run. `decision` None: it was skipped, for the reason in `skipped`.

    `reason` is one sentence: the first broken promise, or what was missing. `interrupted`: Ctrl-C ended the traffic
    early, and what there was has been judged. `unsent`: requests that were due while too many waited. `target`: the
    adapter (TOML) of a foreign application, "" for a cluster. `versions`: of Tocsin, Python, Redis, nginx, the machine.
    """

    schema: int = SCHEMA
    id: str
    argv: tuple[str, ...] = ()
    scenario: Scenario
    contract: str = ""
    started_at: str = ""
    origin_ns: int = 0
    versions: dict[str, str] = {}
    decision: Decision | None = None
    skipped: str = ""
    reason: str = ""
    interrupted: bool = False
    unsent: int = 0
    phases: tuple[PhaseRecord, ...] = ()
    faults: tuple[FaultRecord, ...] = ()
    promises: tuple[PromiseRecord, ...] = ()
    gates: tuple[GateRecord, ...] = ()
    verdicts: tuple[VerdictRecord, ...] = ()
    causes: tuple[CauseRecord, ...] = ()
    figures: Figures | None = None
    target: str = ""
