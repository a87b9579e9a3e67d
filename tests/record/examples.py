"""Records as a run would leave them, small enough to be read: for tests of whatever is built on records."""

from __future__ import annotations

from cluster.checker.verdict import Decision
from cluster.fault.port import Evidence, Plan
from cluster.record.figures import Figures, Freshness, Latency, Share
from cluster.record.matrix import CellRecord, ColumnRecord, MatrixRecord, RowRecord
from cluster.record.run import CauseRecord, FaultRecord, GateRecord, PhaseRecord, PromiseRecord, RunRecord
from cluster.scenario.scenario import FaultStep, Scenario

FRESH = Freshness(stale=Share(part=3, whole=900, low=0.001, high=0.01), worst_at_least_ns=7_000_000, worst_at_most_ns=9)
FIGURES = Figures(
    operations=1000,
    reads=900,
    writes=100,
    answered=Share(part=990, whole=1000),
    errors={"refused": 10},
    layers={"edge": 300, "l1": 400, "database": 200},
    hits=Share(part=700, whole=900),
    freshness={"all": FRESH},
    convergence_p50_ns=0,
    convergence_p99_ns=5_000_000,
    convergence_max_ns=None,
    permanently_stale=0,
    lost_writes=0,
    unknown_writes=2,
    loads=200,
    largest_stampede=3,
    read_latency=Latency(p50_ns=1, p99_ns=2, max_ns=3),
    write_latency=Latency(p50_ns=1, p99_ns=2, max_ns=3),
    late_p99_ns=4,
    unsent=0,
    traffic_s=8.0,
)
RUN = RunRecord(
    id="20261125T040000Z-run-1a2b",
    argv=("run", "--strategy", "ttl"),
    scenario=Scenario(strategy="ttl", faults=(FaultStep(fault="kill"),)),
    started_at="2026-11-25T04:00:00+00:00",
    origin_ns=5,
    decision=Decision.INVALID,
    reason="3 of 900 reads were staler than 2500 ms",
    phases=(PhaseRecord(phase="warm", began_s=0, ended_s=2),),
    faults=(
        FaultRecord(
            plan=Plan(fault="kill", targets=("node-2",), before={"pid": 811}),
            planned_s=2,
            started_s=2.1,
            evidence=Evidence(took=True, text="pid 811 is gone", details={"pid": 0}),
            healed_s=6,
        ),
    ),
    promises=(
        PromiseRecord(
            property="staleness",
            text="no read is staler than its TTL",
            decision=Decision.INVALID,
            reason="3 of 900 reads were staler than 2500 ms",
            checked=900,
            found=3,
            witnesses=("session s3's read …",),
        ),
    ),
    gates=(GateRecord(gate="evidence", passed=True, reason="kill took effect: pid 811 is gone"),),
    causes=(CauseRecord(cause="not delivered", count=3, worst_at_least_ns=7_000_000, witness="…"),),
    figures=FIGURES,
)
MATRIX = MatrixRecord(
    id="20261125T040000Z-matrix-1a2b",
    rows=(RowRecord(name="ttl", strategy="ttl", write_path="cache-aside"),),
    columns=(ColumnRecord(name="kill", fault="kill", target="one"),),
    seeds=(1, 2, 3, 4),
    cells=(
        CellRecord(row="ttl", column="kill", seed=1, folder="cells/ttl/kill-1", decision=Decision.INVALID, reason="…"),
        CellRecord(row="ttl", column="kill", seed=2, folder="cells/ttl/kill-2", decision=Decision.UNKNOWN, reason="…"),
        CellRecord(row="ttl", column="kill", seed=3, folder="", decision=None, reason="toys have no network"),
        CellRecord(row="ttl", column="kill", seed=4, folder="cells/ttl/kill-4", decision=Decision.VALID, reason="…"),
    ),
)
