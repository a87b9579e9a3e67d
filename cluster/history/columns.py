"""The history in memory: one array per field, one row per operation.

A million operations as objects would take gigabytes; as columns they take about 100 MB. Strings are interned: a column
holds the number of a name. A row is appended when its operation *ends*, so rows are ordered by return.

    row            0     1     2
    key            3     1     3        Names: 0 "", 1 "product:9", 2 …, 3 "product:7"
    invoked_ns     20    25    26
    returned_ns    31    33    FOREVER
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator

from cluster.history.line import Audit, Baseline, Completion, Fault, Header, Invocation
from cluster.history.operation import FOREVER, Kind, Layer, Operation, Outcome, Phase

KINDS = tuple(Kind)
OUTCOMES = tuple(Outcome)
PHASES = tuple(Phase)
LAYERS = tuple(Layer)
"""A column of an enumeration holds the position in one of these."""

READ, WRITE = KINDS.index(Kind.READ), KINDS.index(Kind.WRITE)
OK, FAIL, INFO = (OUTCOMES.index(each) for each in (Outcome.OK, Outcome.FAIL, Outcome.INFO))
FINAL = PHASES.index(Phase.FINAL)
FROM_DATABASE = LAYERS.index(Layer.DATABASE)

_KIND_CODES = {kind: code for code, kind in enumerate(KINDS)}
_PHASE_CODES = {phase: code for code, phase in enumerate(PHASES)}
_LAYER_CODES = {layer: code for code, layer in enumerate(LAYERS)}


class Names:
    """Interned strings. Number 0 is the empty string: "none"."""

    __slots__ = ("_numbers", "_strings")

    def __init__(self) -> None:
        """Only the empty string is known."""
        self._numbers: dict[str, int] = {"": 0}
        self._strings: list[str] = [""]

    def number(self, string: str) -> int:
        """The number of `string`, a new one if it is new."""
        number = self._numbers.get(string)
        if number is None:
            number = self._numbers[string] = len(self._strings)
            self._strings.append(string)
        return number

    def __getitem__(self, number: int) -> str:
        """The string that has this number."""
        return self._strings[number]

    def __len__(self) -> int:
        """How many numbers are given out, 0 among them."""
        return len(self._strings)


class History:
    """The operations, faults and audit of one run. Filled by a Gathering; only read by everybody else."""

    __slots__ = (
        "audit_keys", "audit_operation_ids", "audit_versions", "audited", "baselines", "digest", "error", "faults",
        "header", "index", "invoked_ns", "key", "keys", "kind", "late_ns", "layer", "names", "node", "operation_id",
        "operation_ids", "outcome", "owner", "pending", "phase", "process", "returned_ns", "session", "status",
        "truncated", "user", "version", "via", "worker",
    )  # fmt: skip

    def __init__(self, header: Header) -> None:
        """A history without operations."""
        self.header = header
        self.keys = Names()
        self.operation_ids = Names()
        self.names = Names()
        """Sessions, users, nodes, workers, errors and whom was asked."""
        self.kind, self.outcome, self.phase, self.layer = bytearray(), bytearray(), bytearray(), bytearray()
        self.pending = bytearray()
        self.index, self.process, self.key, self.operation_id = array("I"), array("I"), array("I"), array("I")
        self.session, self.user, self.owner = array("I"), array("I"), array("I")
        self.via, self.node, self.worker, self.error = array("I"), array("I"), array("I"), array("I")
        self.invoked_ns, self.returned_ns, self.late_ns = array("q"), array("q"), array("q")
        self.version = array("q")
        self.digest, self.status = array("I"), array("H")
        self.baselines: dict[int, tuple[int, int]] = {}
        """By key: the version that was committed before the run, and the time at which that was known."""
        self.audit_keys, self.audit_versions, self.audit_operation_ids = array("I"), array("q"), array("I")
        self.audited = False
        """Whether the audit lines are complete: a write that is not in them never happened."""
        self.faults: list[Fault] = []
        self.truncated = False
        """Whether the file ends in the middle of a line: the driver died."""

    def __len__(self) -> int:
        """How many operations there are."""
        return len(self.kind)

    def operation(self, row: int) -> Operation:
        """The operation in `row`, as a value."""
        names = self.names
        return Operation(
            row=row,
            index=self.index[row],
            kind=KINDS[self.kind[row]],
            outcome=OUTCOMES[self.outcome[row]],
            phase=PHASES[self.phase[row]],
            key=self.keys[self.key[row]],
            via=names[self.via[row]],
            process=self.process[row],
            session=names[self.session[row]],
            user=names[self.user[row]],
            owner=names[self.owner[row]],
            invoked_ns=self.invoked_ns[row],
            returned_ns=self.returned_ns[row],
            late_ns=self.late_ns[row],
            version=self.version[row],
            operation_id=self.operation_ids[self.operation_id[row]],
            digest=self.digest[row],
            status=self.status[row],
            node=names[self.node[row]],
            worker=names[self.worker[row]],
            layer=LAYERS[self.layer[row]],
            error=names[self.error[row]],
        )

    def operations(self) -> Iterator[Operation]:
        """Every operation, in order of return. For small histories and for people: a million take seconds."""
        return map(self.operation, range(len(self)))

    def append(self, call: Invocation, outcome: int, end: Completion) -> None:
        """Add an operation that has ended (`outcome`: OK, FAIL or INFO)."""
        name = self.names.number
        self.kind.append(_KIND_CODES[call.kind])
        self.outcome.append(outcome)
        self.phase.append(_PHASE_CODES[call.phase])
        self.layer.append(_LAYER_CODES[end.layer])
        self.index.append(call.index)
        self.process.append(call.process)
        self.key.append(self.keys.number(call.key))
        # A write's own id; in a read, the id that the value carried.
        self.operation_id.append(self.operation_ids.number(call.operation_id or end.operation_id))
        self.session.append(name(call.session))
        self.user.append(name(call.user))
        self.owner.append(name(end.owner))
        self.via.append(name(call.via))
        self.node.append(name(end.node))
        self.worker.append(name(end.worker))
        self.error.append(name(end.error))
        self.invoked_ns.append(call.time_ns)
        self.returned_ns.append(FOREVER if outcome == INFO else end.time_ns)
        self.late_ns.append(call.late_ns)
        self.version.append(end.version)
        self.digest.append(end.digest)
        self.status.append(end.status)
        self.pending.append(end.pending)

    def add_baseline(self, line: Baseline) -> None:
        """Note a version that was committed before the run."""
        self.baselines[self.keys.number(line.key)] = (line.version, line.time_ns)

    def add_audit(self, line: Audit) -> None:
        """Note a row of the audit table."""
        self.audit_keys.append(self.keys.number(line.key))
        self.audit_versions.append(line.version)
        self.audit_operation_ids.append(self.operation_ids.number(line.operation_id))
