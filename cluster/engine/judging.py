"""From a run's folder to its verdict: what `run` does at its end, and `recheck` at any time afterwards.

Nothing is used but the record, the history and the traces: the same folder gives the same verdict, on any machine.
"""

from __future__ import annotations

import msgspec

from cluster.application.adapter import parse_adapter
from cluster.application.promises import contract_of_adapter
from cluster.checker.verdict import Decision
from cluster.contract.case import Case
from cluster.contract.contracts import contract_of
from cluster.contract.figures import figures
from cluster.contract.judgement import judge_case
from cluster.contract.promise import Contract
from cluster.engine.tracing import causes
from cluster.errors import ClusterError
from cluster.history.operation import HistoryError
from cluster.history.reader import read_history
from cluster.record.run import RunRecord
from cluster.record.store import RunFolder


def _contract(record: RunRecord) -> Contract:
    """That of the strategy or, where a foreign application was examined, the one that its adapter states."""
    scenario = record.scenario
    if record.target:
        return contract_of_adapter(parse_adapter(record.target, source="the adapter in the record"))
    database = scenario.topology().database_kind
    return contract_of(scenario.strategy, scenario.write_path, scenario.settings, database=database)


def judged(folder: RunFolder, record: RunRecord) -> RunRecord:
    """The record with all that follows from its history. Raises ClusterError where there is none."""
    try:
        history = read_history(folder.history)
    except HistoryError as problem:
        raise ClusterError(f"the history can't be judged: {problem}") from None
    except OSError as problem:
        raise ClusterError(f"{folder.history}: {problem.strerror}; a run that was kept without its history") from None
    case = Case(history)
    scenario = record.scenario
    contract = _contract(record)
    found = judge_case(
        case,
        contract,
        faults=record.faults,
        phases=record.phases,
        nodes=scenario.nodes,
        origin_ns=record.origin_ns,
    )
    decision, reason = found.decision, found.reason
    if record.interrupted and decision is Decision.VALID:
        decision, reason = Decision.UNKNOWN, "interrupted before its end; what was seen kept every promise"
    return msgspec.structs.replace(
        record,
        contract=contract.summary,
        decision=decision,
        reason=reason,
        promises=found.promises,
        gates=found.gates,
        verdicts=found.verdicts,
        causes=causes(case, folder.traces, record.origin_ns),
        figures=figures(case, unsent=record.unsent),
    )
