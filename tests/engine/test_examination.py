"""One examination on a toy cluster: its phases, its faults with their evidence, and that all is healed at its end."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from cluster.engine import examination
from cluster.errors import ClusterError
from cluster.history.operation import Phase
from tests.demo.toy import committing, forgetful
from tests.engine.stand import Stand
from tests.engine.toy_fault import ToyFault


def test_a_fault_is_planned_started_proven_and_healed(tmp_path: Path) -> None:
    """In this order, each on file, while the traffic goes on; the phases follow from it."""
    stand, fault = Stand(tmp_path, committing), ToyFault()
    conducted = stand.perform(fault)
    assert fault.did == ["plan", "start", "evidence", "heal"]
    assert [line.action for line in stand.history.faults] == ["plan", "start", "evidence", "stop"]
    (record,) = conducted.faults
    assert record.started_s is not None
    assert record.healed_s is not None
    assert 0.25 <= record.planned_s <= record.started_s < record.healed_s
    assert record.evidence is not None
    assert record.evidence.took
    assert [phase.phase for phase in conducted.phases] == ["warm", "fault", "heal", "settle", "final"]
    assert {each.phase for each in stand.history.operations()} == set(Phase)
    assert conducted.unsettled is None


def test_the_plan_is_on_record_before_anything_is_touched(tmp_path: Path) -> None:
    """If the examiner dies in `start`, its folder says what was about to be done, and to whom."""
    stand, fault = Stand(tmp_path, committing), ToyFault()
    stand.perform(fault)
    first = stand.changes[0][0]
    assert (first.plan.targets != (), first.started_s, first.healed_s) == (True, None, None)


def test_the_history_begins_with_baselines_and_ends_with_the_audit(tmp_path: Path) -> None:
    """Every product that is there has a baseline; every acknowledged write is in the audit; nobody asks for others."""
    stand = Stand(tmp_path, committing)
    stand.perform()
    history = stand.history
    assert len(history.baselines) == 20
    assert history.audited
    writes = {each.operation_id for each in history.operations() if each.kind == "write"}
    assert writes == {history.operation_ids[each] for each in history.audit_operation_ids}


def test_the_same_seed_asks_for_the_same(tmp_path: Path) -> None:
    """What is sent, where and in which order is fixed by the seed, and so is who suffers.

    Who sends it is not: that depends on who has had an answer by then.
    """
    found = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        stand = Stand(tmp_path / name, committing)
        stand.perform(ToyFault())
        traffic = [each for each in stand.history.operations() if each.phase in (Phase.WARM, Phase.FAULT, Phase.HEAL)]
        asked = [
            (each.kind, each.key.partition(":")[0] == "product" and each.key, each.via)
            for each in sorted(traffic, key=lambda each: each.index)
        ]
        found.append((stand.changes[0][0].plan.targets, asked))
    (one, first), (two, second) = found
    both = min(len(first), len(second))  # how far it came is the machine's affair
    assert both > 20
    assert (one, first[:both]) == (two, second[:both])


def test_a_fault_that_can_not_be_injected_is_healed_all_the_same(tmp_path: Path) -> None:
    """It may have been half done. The run goes on, and its record says why this fault proves nothing."""
    stand, fault = Stand(tmp_path, committing), ToyFault(fails=("start",))
    (record,) = stand.perform(fault).faults
    assert fault.did == ["plan", "start", "heal"]
    assert record.error == "it could not be injected: the toy's start broke"
    assert (record.started_s, record.evidence) == (None, None)


def test_why_a_fault_was_not_injected_is_still_said_when_its_heal_had_to_be_repeated(tmp_path: Path) -> None:
    """A link process too busy to answer fails both; the heal is tried again, and the first trouble is the reason."""
    stand, fault = Stand(tmp_path, committing), ToyFault(fails=("start", "heal"), fails_times=2)
    (record,) = stand.perform(fault).faults
    assert fault.did == ["plan", "start", "heal", "heal"]
    assert record.healed_s is not None
    assert record.error == "it could not be injected: the toy's start broke"


def test_evidence_that_can_not_be_had_is_none(tmp_path: Path) -> None:
    """And the fault is healed."""
    stand, fault = Stand(tmp_path, committing), ToyFault(fails=("evidence",))
    (record,) = stand.perform(fault).faults
    assert record.evidence is not None
    assert not record.evidence.took
    assert fault.did[-1] == "heal"


def test_a_heal_that_fails_is_tried_again_and_said(tmp_path: Path) -> None:
    """At the end of the traffic and at the end of the run; the record says that it is still in force."""
    stand, fault = Stand(tmp_path, committing), ToyFault(fails=("heal",))
    (record,) = stand.perform(fault).faults
    assert fault.did.count("heal") > 1
    assert (record.healed_s, record.error) == (None, "it could not be healed: the toy's heal broke")


def test_a_cluster_that_is_drowned_gets_well_without_traffic(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An open model goes on asking whoever can't answer: so the traffic ends, that is said, and all comes to rest."""
    monkeypatch.setattr(examination, "UNDER_LOAD_S", 0.3)
    stand = Stand(tmp_path, committing)
    stand.toy.dead.add("node-1")

    class Told(list[str]):
        def append(self, line: str) -> None:
            super().append(line)
            if "the traffic ends" in line:
                stand.toy.dead.clear()

    stand.told = Told()
    conducted = stand.perform(ToyFault())
    (heal,) = [phase for phase in conducted.phases if phase.phase == "heal"]
    assert heal.note.startswith("not well within 0.3 s under load: node-1 is dead")
    assert stand.history.audited


def test_faults_may_overlap(tmp_path: Path) -> None:
    """Both are in force at once, and seen to be."""
    stand, one, two = Stand(tmp_path, committing), ToyFault(name="one"), ToyFault(name="two")
    stand.perform(one, two)
    assert ("one", "two") in [progress.in_force for progress in stand.watched]


def test_a_wish_to_stop_before_the_fault_injects_none(tmp_path: Path) -> None:
    """Ctrl-C: the traffic ends, the rest happens as always."""
    stand, fault = Stand(tmp_path, committing), ToyFault()
    conducted = stand.perform(fault, duration_s=40, arrange=lambda loop, stop: loop.call_later(0.3, stop.set))
    assert conducted.interrupted
    assert fault.did == []
    assert stand.history.audited


def test_a_wish_to_stop_in_the_fault_heals_it_at_once(tmp_path: Path) -> None:
    """What is in force is proven and healed; then all comes to rest."""
    stand, fault = Stand(tmp_path, committing), ToyFault()

    def arrange(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
        def look() -> None:
            if "start" in fault.did:
                stop.set()
            else:
                loop.call_later(0.02, look)

        look()

    conducted = stand.perform(fault, duration_s=3, arrange=arrange)
    assert conducted.interrupted
    assert fault.did == ["plan", "start", "evidence", "heal"]
    assert stand.history.audited


def test_whoever_is_cancelled_heals_what_was_begun(tmp_path: Path) -> None:
    """A second Ctrl-C: everything stops at once, but nothing stays broken."""
    stand, fault = Stand(tmp_path, committing), ToyFault()

    def arrange(loop: asyncio.AbstractEventLoop, _: asyncio.Event) -> None:
        me = asyncio.current_task()
        assert me is not None

        def look() -> None:
            if "start" in fault.did:
                me.cancel()
            else:
                loop.call_later(0.02, look)

        look()

    with pytest.raises(asyncio.CancelledError):
        stand.perform(fault, duration_s=40, arrange=arrange)
    assert fault.did == ["plan", "start", "heal"]


def test_readers_who_never_hear_of_a_write_are_waited_for_and_named(tmp_path: Path) -> None:
    """The waiting has a bound, and says who is behind; stale reads are counted while they happen."""
    stand = Stand(tmp_path, forgetful)
    conducted = stand.perform(settle_s=0.3)
    assert conducted.unsettled is not None
    assert "answers are not the latest (edge, node-1/worker-1, node-2/worker-1)" in conducted.unsettled
    assert any(line.startswith("waiting for all to agree: ") for line in stand.told)
    assert stand.watched[-1].tally.stale > 0


def test_a_database_without_the_products_is_said_at_once(tmp_path: Path) -> None:
    """Before anything is sent."""
    stand = Stand(tmp_path, committing, products=0)
    with pytest.raises(ClusterError, match="none of the products"):
        stand.perform()
    assert len(stand.history) == 0
