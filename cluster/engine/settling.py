"""Coming to rest: read until everybody agrees with the database, then read everything once more, for the record.

acknowledged writes all in the audit?  every via answers the latest version?  ─▶ settled, else what is behind
final: audit before ─ reads of every worker, the edge and Redis ─ audit after; equal? the reads mean something
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Sequence

from cluster.history.line import Audit, Audited
from cluster.history.operation import Phase
from cluster.history.recorder import Recorder
from cluster.workload.audit import AuditRow, AuditTable, Baseline
from cluster.workload.driver import Driver

SETTLE_S = 10.0
"""How long the cluster may take to agree with its database before the final reads are taken as they are."""
SETTLE_EVERY_S = 0.25
FINAL_READINGS_MAX = 3


class Settling:
    """The end of one run. `vias`: whom to ask, by the names of the history; `tell` gets what is being waited for."""

    def __init__(
        self,
        driver: Driver,
        table: AuditTable,
        baseline: Baseline,
        vias: Sequence[str],
        *,
        tell: Callable[[str], None],
        secret: str = "",
    ) -> None:
        """Nothing is asked yet. With the cluster's `secret`, the final reads show what Redis holds, too."""
        self._secret = secret
        self._driver = driver
        self._table = table
        self._baseline = baseline
        self._vias = list(vias)
        self._tell = tell

    async def settle(self, within_s: float = SETTLE_S) -> str | None:
        """Read until every via agrees with the database on everything that was written; else what did not in time."""
        self._driver.phase = Phase.SETTLE
        deadline = time.monotonic() + within_s
        behind: set[tuple[str, int]] | None = None
        before: list[AuditRow] = []
        told = False
        while True:
            rows = await asyncio.to_thread(self._table.since, self._baseline)
            latest = latest_versions(rows)
            # A write that was committed meanwhile (drained, or of unknown end) makes old news of what agreed before:
            #   edge: 49 ... audit: 49, agrees ............ audit: 50, and only those who were behind are asked again
            if rows != before:
                before, behind = rows, None
            missing = self._driver.acknowledged - {row.operation_id for row in rows}
            asked = {(via, product) for via in self._vias for product in latest} if behind is None else behind
            seen = await self._driver.read_all(sorted(asked))
            behind = {place for place in asked if seen.get(place) != latest[place[1]]}
            if not missing and not behind:
                return None
            what = unsettled(missing=len(missing), behind=behind, places=len(latest) * len(self._vias))
            if time.monotonic() > deadline:
                return what
            if not told:
                self._tell(f"waiting for all to agree: {what}")
            told = True
            await asyncio.sleep(SETTLE_EVERY_S)

    async def read_finally(self, recorder: Recorder) -> None:
        """Read all that was written once more, then the audit.

        If a write of unknown end commits between the reads and the audit, they can't agree, and nobody is to blame:
        then both are taken again.
        """
        self._driver.phase = Phase.FINAL
        for _ in range(FINAL_READINGS_MAX):
            before = await asyncio.to_thread(self._table.since, self._baseline)
            products = sorted(latest_versions(before))
            await self._driver.read_all([(via, product) for via in self._vias for product in products])
            if self._secret:
                await self._driver.read_shared(products, self._secret)
            rows = await asyncio.to_thread(self._table.since, self._baseline)
            if rows == before:
                break
        write, time_ns = recorder.write, time.monotonic_ns()
        for row in rows:
            write(Audit(recorder.index, time_ns, row.key, row.version, row.operation_id, row.node))
        write(Audited(recorder.index, time_ns, len(rows)))


def latest_versions(rows: Iterable[AuditRow]) -> dict[int, int]:
    """Product → its latest version, of the products in these audit rows."""
    latest: dict[int, int] = {}
    for row in rows:
        product = int(row.key.removeprefix("product:"))
        latest[product] = max(row.version, latest.get(product, 0))
    return latest


def unsettled(*, missing: int, behind: Collection[tuple[str, int]], places: int) -> str:
    """What had not come to rest in time: acknowledged writes that the database lacks, answers that are not its last."""
    parts = []
    if missing:
        parts.append(f"{missing} acknowledged writes are not in the database")
    if behind:
        whose = ", ".join(sorted({via for via, _ in behind}))
        parts.append(f"{len(behind)} of {places} answers are not the latest ({whose})")
    return " and ".join(parts)
