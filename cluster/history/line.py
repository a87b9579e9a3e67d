"""The lines of a history file: JSON Lines, schema 1.

The first line is the header; then, in the order in which the driver saw them:

    {"type":"history","index":0,"schema":1,"strategy":"sequenced","seed":7,"started_at":"2026-11-23T08:00:00+00:00"}
    {"type":"baseline","index":1,"time_ns":10,"key":"product:7","version":12}
    {"type":"invoke","index":2,"time_ns":20,"process":4,"kind":"write","key":"product:7","via":"edge","phase":"warm",
     "session":"s3","operation_id":"5f3c…"}
    {"type":"ok","index":3,"time_ns":31,"process":4,"version":13,"status":200,"node":"node-2",…}
    {"type":"fault","index":4,"time_ns":40,"fault":"kill","action":"start","target":"node-2","evidence":{"pid":811}}
    {"type":"audit","index":5,"time_ns":90,"key":"product:7","version":13,"operation_id":"5f3c…","node":"node-2"}
    {"type":"audited","index":6,"time_ns":91,"rows":1}

An invocation and its end (`ok`, `fail`, `info`) share a process, which does one thing at a time. After `info` a process
never speaks again: its write may still land. A `baseline` is a version known to be committed before the run; `audit`
lines are rows of the database's audit table, and `audited` says that they are all of them, read after every write had
ended. A field at its default is left out; a field that is not listed here is an error.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

import msgspec

from cluster.history.operation import NO_VERSION, Kind, Layer, Phase

SCHEMA = 1

Count: TypeAlias = Annotated[int, msgspec.Meta(ge=0)]
Version: TypeAlias = Annotated[int, msgspec.Meta(ge=0, le=2**62)]


class Line(msgspec.Struct, frozen=True, gc=False, tag_field="type", omit_defaults=True, forbid_unknown_fields=True):
    """What every line has: `index` counts lines from 0."""

    index: Count


class Header(Line, frozen=True, tag="history"):
    """The first line: the version of this format, and what was run. `started_at` is for people: it judges nothing."""

    schema: int
    strategy: str = ""
    write_path: str = ""
    seed: int = 0
    started_at: str = ""


class Timed(Line, frozen=True):
    """A line with a time: nanoseconds of the driver's monotonic clock."""

    time_ns: Count


class Baseline(Timed, frozen=True, tag="baseline"):
    """`version` of `key` was committed at `time_ns`, before the first operation on it."""

    key: str
    version: Version


class Invocation(Timed, frozen=True, tag="invoke"):
    """A request is about to be sent. `late_ns`: how long after its scheduled arrival."""

    process: Count
    kind: Kind
    key: str
    via: str
    phase: Phase
    session: str = ""
    user: str = ""
    operation_id: str = ""
    late_ns: Count = 0


class Completion(Timed, frozen=True):
    """How the open operation of `process` ended, and what the answer said.

    `pending`: of a write that was committed, but whose invalidation could not be published yet, by its own answer.
    """

    process: Count
    version: Annotated[int, msgspec.Meta(ge=NO_VERSION, le=2**62)] = NO_VERSION
    operation_id: str = ""
    digest: Annotated[int, msgspec.Meta(ge=0, lt=2**32)] = 0
    status: Annotated[int, msgspec.Meta(ge=0, le=999)] = 0
    node: str = ""
    worker: str = ""
    layer: Layer = Layer.NONE
    owner: str = ""
    error: str = ""
    pending: bool = False


class Ok(Completion, frozen=True, tag="ok"):
    """It happened."""


class Fail(Completion, frozen=True, tag="fail"):
    """It did not happen, and will not."""


class Info(Completion, frozen=True, tag="info"):
    """Nobody knows; it may still happen."""


class Fault(Timed, frozen=True, tag="fault"):
    """Something was done to the cluster: `action` is `start` or `stop`; `evidence` shows that it took effect."""

    fault: str
    action: str
    target: str
    evidence: dict[str, int | float | str | bool] = {}


class Audit(Timed, frozen=True, tag="audit"):
    """A row of the audit table: this write was committed as this version."""

    key: str
    version: Version
    operation_id: str
    node: str = ""


class Audited(Timed, frozen=True, tag="audited"):
    """The `rows` audit lines before this one are the whole table since the baseline; no write was in flight."""

    rows: Count


AnyLine: TypeAlias = Header | Baseline | Invocation | Ok | Fail | Info | Fault | Audit | Audited
