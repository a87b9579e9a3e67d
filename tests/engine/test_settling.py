"""Coming to rest, by hand: a database whose rows come late, and readers who agreed with what was true before."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import cast

from cluster.engine.settling import Settling, latest_versions, unsettled
from cluster.history.operation import Phase
from cluster.workload.audit import AuditRow, AuditTable, Baseline
from cluster.workload.driver import Driver

FIRST, SECOND = AuditRow("product:2", 49, "a", "node-1"), AuditRow("product:2", 50, "b", "node-1")


@dataclass(slots=True)
class Table:
    """Rows as they are found by each question; the last answer is repeated."""

    answers: list[list[AuditRow]]

    def since(self, baseline: Baseline) -> list[AuditRow]:
        """The next answer."""
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


@dataclass(slots=True)
class Readers:
    """What each via answers, by the question's number; the last answer is repeated."""

    answers: dict[str, list[int]]
    acknowledged: set[str]
    phase: Phase = Phase.HEAL
    asked: list[list[str]] = field(default_factory=list)

    async def read_all(self, places: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]:
        """The next answer of each via that is asked."""
        wanted = list(places)
        self.asked.append([via for via, _ in wanted])
        return {(via, product): self._next(via) for via, product in wanted}

    def _next(self, via: str) -> int:
        answers = self.answers[via]
        return answers.pop(0) if len(answers) > 1 else answers[0]


def settle(table: Table, readers: Readers, within_s: float = 5.0) -> str | None:
    rest = Settling(
        cast(Driver, readers),
        cast(AuditTable, table),
        Baseline({}, 0),
        list(readers.answers),
        tell=lambda _: None,
    )
    return asyncio.run(rest.settle(within_s))


def test_whoever_agreed_with_what_is_no_longer_the_latest_is_asked_again() -> None:
    """A write-behind path drains version 50 late. The edge agreed with 49 while that was the database's latest.

    Without this, nobody asks the edge again, the final reads find it at 49, and an innocent strategy is convicted.
    """
    table = Table([[FIRST], [FIRST, SECOND]])
    readers = Readers({"edge": [49, 49, 50], "node-1/worker-1": [50]}, acknowledged={"a", "b"})
    assert settle(table, readers) is None
    assert readers.asked[1] == ["edge", "node-1/worker-1"]
    assert readers.asked[-1] == ["edge"]


def test_while_nothing_new_is_committed_only_those_who_are_behind_are_asked() -> None:
    """The others have said the latest, and nobody writes any more."""
    readers = Readers({"edge": [49, 50], "node-1/worker-1": [50]}, acknowledged={"b"})
    assert settle(Table([[FIRST, SECOND]]), readers) is None
    assert readers.asked == [["edge", "node-1/worker-1"], ["edge"]]


def test_an_acknowledged_write_that_the_database_never_gets_is_said() -> None:
    """The waiting has a bound."""
    readers = Readers({"edge": [49]}, acknowledged={"a", "lost"})
    assert settle(Table([[FIRST]]), readers, within_s=0.3) == "1 acknowledged writes are not in the database"


def test_what_did_not_come_to_rest_is_counted() -> None:
    """Both kinds, in one sentence."""
    behind = {("edge", 1), ("node-1/worker-1", 1), ("edge", 2)}
    assert unsettled(missing=2, behind=behind, places=30) == (
        "2 acknowledged writes are not in the database and 3 of 30 answers are not the latest (edge, node-1/worker-1)"
    )
    assert latest_versions([SECOND, FIRST]) == {2: 50}
