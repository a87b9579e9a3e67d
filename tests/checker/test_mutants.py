"""The judges judged: each of these mistakes, made on purpose in a judge, is noticed by the differential test.

A mutant that survives shows a world that the generator never makes. (In the notes' prototype the mutant that dropped
the phantom check survived: nothing ever read a version that was never written.)
"""

from __future__ import annotations

from random import Random

import pytest

from tests.checker.comparison import observed, required
from tests.checker.mutant import Mutant, judge_of
from tests.checker.worlds import world_of

WORLDS_MAX = 3_000

MUTANTS = [
    Mutant("half-open", "register", "if earliest[rank] < invoked", "if earliest[rank] <= invoked"),
    Mutant("never-late", "register", "if earliest[rank] < invoked", "if False"),
    Mutant("writes-never-out-of-order", "linearizable", "found += len(reads) + len(writes)", "found += len(reads)"),
    Mutant("reads-never-late", "linearizable", "found += len(reads) + len(writes)", "found += len(writes)"),
    Mutant(
        "inversions-overlooked",
        "linearizable",
        "register.earliest_newer(reads_too=True, excepted=excepted)",
        "register.earliest_newer(reads_too=False, excepted=excepted)",
    ),
    Mutant(
        "inversions-called-stale", "staleness", "earliest_newer(reads_too=reads_too)", "earliest_newer(reads_too=True)"
    ),
    Mutant("shared-versions-allowed", "linearizable", "+ len(registers.shared)", "+ 0"),
    Mutant("phantoms-allowed", "linearizable", "found = len(registers.phantoms) +", "found = 0 +"),
    Mutant("never-written-allowed", "register", "kind = PhantomKind.NEVER_WRITTEN", "kind = None"),
    Mutant("future-allowed", "register", "elif writer[0] > history.returned_ns[row]:", "elif False:"),
    Mutant("half-open-future", "register", "elif writer[0] > history", "elif writer[0] >= history"),
    Mutant(
        "wrong-value-allowed",
        "register",
        "elif operation_id and operation_id not in writer[2]",
        "elif False and operation_id not in writer[2]",
    ),
    Mutant("aborted-read-allowed", "settling", "settled.barred[operation_id] = PhantomKind.ABORTED", "pass"),
    Mutant("uncommitted-read-allowed", "settling", "settled.barred[operation_id] = PhantomKind.UNCOMMITTED", "pass"),
    Mutant(
        "unknown-write-returns",
        "settling",
        "entry = (version, invoked, history.returned_ns[row],",
        "entry = (version, invoked, invoked,",
    ),
    Mutant("unknown-write-kept-unseen", "settling", "version = seen.get(operation_id, NO_VERSION)", "version = 1"),
    Mutant(
        "unknown-write-never-placed", "settling", "version = seen.get(operation_id, NO_VERSION)", "version = NO_VERSION"
    ),
    Mutant("audit-not-believed", "settling", "version = committed[0]", "pass"),
    Mutant("refused-write-placed", "settling", "if outcome == FAIL:", "if False:"),
    Mutant("baseline-forgotten", "settling", "if baseline is not None:", "if False:"),
    Mutant(
        "baseline-from-the-beginning",
        "settling",
        "(baseline[0], BEGINNING, baseline[1],",
        "(baseline[0], baseline[1], baseline[1],",
    ),
    Mutant(
        "newer-or-equal",
        "register",
        "earliest[rank], rows[rank] = newer, newer_row",
        "earliest[rank], rows[rank] = min((newer, newer_row), (own, own_row))",
    ),
    Mutant("older-instead-of-newer", "register", "range(len(self.versions) - 1, -1, -1)", "range(len(self.versions))"),
    Mutant("latest-instead-of-earliest", "register", "if own < newer:", "if own != FOREVER:"),
    Mutant(
        "staleness-of-the-least",
        "staleness",
        "worst_at_least_ns=worst[0].at_least_ns if",
        "worst_at_least_ns=worst[-1].at_least_ns if",
    ),
    Mutant("session-past-is-the-last", "session", "if rank > floor:", "if True:"),
    Mutant(
        "session-half-open", "session", "while returned < invoked_ns[place]:", "while returned <= invoked_ns[place]:"
    ),
    Mutant("strangers-are-a-session", "session", "if session and returned != FOREVER:", "if returned != FOREVER:"),
    Mutant("own-writes-are-everybodys", "session", "session = sessions[row] if row != NO_ROW else 0", "session = 1"),
    Mutant("monotonic-by-writes", "session", '"monotonic reads", _own_reads', '"monotonic reads", _own_writes'),
    Mutant(
        "converged-at-the-first-new-answer",
        "convergence",
        "if via.last_invoked_ns[rank] > last_older:",
        "if last_older < 0:",
    ),
    Mutant(
        "convergence-counts-the-new-version", "convergence", "while rank < write_rank:", "while rank <= write_rank:"
    ),
    Mutant(
        "convergence-of-unknown-writes", "convergence", "if row != NO_ROW and returned != FOREVER:", "if row != NO_ROW:"
    ),
    Mutant("unobserved-is-converged", "convergence", "if last_invoked <= returned:", "if False:"),
    Mutant("vias-mixed-up", "convergence", "column = registers.history.via", "column = registers.history.layer"),
]


def first_difference(mutant: Mutant) -> int | None:
    """The seed of the first world on which the mutant's answers are wrong; None if there is none."""
    judge = judge_of(mutant)
    for seed in range(WORLDS_MAX):
        world = world_of(Random(seed))
        try:
            if observed(world, judge) != required(world):
                return seed
        except (AssertionError, ArithmeticError, LookupError, StopIteration):
            return seed  # it can't even answer
    return None


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mistake_in_a_judge_is_noticed(mutant: Mutant) -> None:
    """Some random world tells the mutant from the truth."""
    assert first_difference(mutant) is not None, f"{mutant.name} survived {WORLDS_MAX} worlds"


def test_an_unchanged_judge_is_no_mutant() -> None:
    """The machinery itself changes nothing."""
    assert first_difference(Mutant("none", "phantom", "registers.reads,", "registers.reads,")) is None
