"""What judging costs: a history of a million operations, written, read back and put before each judge.

    python -m bench.checkers [OPERATIONS] [--write-share 0.1] [--keys 500]

Prints seconds and peak memory. It is no test: figures of a shared machine convict nobody.
"""

from __future__ import annotations

import argparse
import heapq
import multiprocessing
import random
import resource
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from bench.general_search import Op, search
from cluster.checker.availability import availability
from cluster.checker.convergence import convergence
from cluster.checker.leak import leak
from cluster.checker.linearizable import linearizable
from cluster.checker.lost_write import lost_write
from cluster.checker.phantom import phantom
from cluster.checker.quiescent_agreement import quiescent_agreement
from cluster.checker.register import Register, Registers, registers
from cluster.checker.regular import regular
from cluster.checker.session import monotonic_reads, read_your_writes
from cluster.checker.staleness import staleness
from cluster.checker.stampede import stampede
from cluster.checker.verdict import Verdict
from cluster.history.line import Audit, Audited, Baseline, Invocation, Ok
from cluster.history.operation import BEGINNING, Kind, Layer, Phase
from cluster.history.reader import read_history
from cluster.history.recorder import Recorder

Result = TypeVar("Result")
WORKERS = [f"node-{node}/worker-{worker}" for node in (1, 2, 3) for worker in (1, 2)]
PROCESSES = 40
GAP_NS = 500_000
"""2,000 operations a second."""


def write_history(path: Path, operations: int, *, write_share: float, keys: int) -> None:
    """A history as a strategy with a short TTL would leave it: one read in fifty is up to a second old."""
    chance = random.Random(1)  # noqa: S311 - a benchmark has no secrets
    versions: list[list[tuple[int, str]]] = [[(1, "")] for _ in range(keys)]
    open_until: list[tuple[int, int, int, str]] = []
    with Recorder(path) as recorder:
        for key in range(keys):
            recorder.write(Baseline(recorder.index, 1, f"product:{key}", 1))
        for number in range(operations):
            now = 1000 + number * GAP_NS
            while open_until and open_until[0][0] < now:
                _end(recorder, *heapq.heappop(open_until))
            process = number % PROCESSES
            key = min(int(chance.paretovariate(0.7)), keys) - 1
            write = chance.random() < write_share
            operation_id = ""
            if write:
                operation_id = f"{chance.getrandbits(64):016x}"
                versions[key].append((versions[key][-1][0] + 1, operation_id))
            stale = not write and len(versions[key]) > 1 and chance.random() < 0.02
            version, carried = versions[key][-2 if stale else -1]
            via = "edge" if write or chance.random() < 0.7 else chance.choice(WORKERS)
            recorder.write(
                Invocation(
                    recorder.index,
                    now,
                    process,
                    Kind.WRITE if write else Kind.READ,
                    f"product:{key}",
                    via,
                    Phase.WARM if number < operations * 0.95 else Phase.FINAL,
                    session=f"s{process}" if via == "edge" else "",
                    operation_id=operation_id,
                )
            )
            end = now + chance.randrange(1_000_000, (PROCESSES - 1) * GAP_NS)
            heapq.heappush(open_until, (end, process, version, carried))
        while open_until:
            _end(recorder, *heapq.heappop(open_until))
        rows = 0
        for key, written in enumerate(versions):
            for version, operation_id in written[1:]:
                recorder.write(Audit(recorder.index, now, f"product:{key}", version, operation_id))
                rows += 1
        recorder.write(Audited(recorder.index, now, rows))


def _end(recorder: Recorder, time_ns: int, process: int, version: int, operation_id: str) -> None:
    recorder.write(
        Ok(
            recorder.index,
            time_ns,
            process,
            version,
            operation_id,
            digest=version * 2654435761 % 2**32,
            status=200,
            node="node-1",
            worker=WORKERS[process % 6],
            layer=Layer.DATABASE if process % 10 == 0 else Layer.L1,
        )
    )


def timed(name: str, work: Callable[[], Result], note: Callable[[Result], str]) -> Result:
    """Do `work`; print what it cost and what `note` says of its result."""
    start = time.process_time()
    result = work()
    seconds = time.process_time() - start
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{name:<22}{seconds:>8.2f} s{peak_mb:>9.0f} MB   {note(result)}", flush=True)
    return result


def main() -> None:
    """Make the history in a process of its own, so that its memory is not counted; then read and judge it."""
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("operations", type=int, nargs="?", default=1_000_000)
    options.add_argument("--write-share", type=float, default=0.1)
    options.add_argument("--keys", type=int, default=500)
    options.add_argument("--search-s", type=float, default=10, help="CPU for a general search on the same history")
    chosen = options.parse_args()
    start = time.process_time()
    print(f"{'':<22}{'CPU':>10}{'peak':>12}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "history.jsonl"
        writer = multiprocessing.Process(
            target=write_history,
            args=(path, chosen.operations),
            kwargs={"write_share": chosen.write_share, "keys": chosen.keys},
        )
        writer.start()
        writer.join()
        size_mb = path.stat().st_size / 2**20
        history = timed("read the file", lambda: read_history(path), lambda h: f"{len(h):,} rows, {size_mb:.0f} MB")
    laid_out = timed("lay out the registers", lambda: registers(history), lambda r: f"{len(r.all)} keys")
    of_registers = (
        phantom, linearizable, regular, staleness, monotonic_reads, read_your_writes, convergence, lost_write,
    )  # fmt: skip
    for judge in of_registers:
        timed(judge.__name__, partial(judge, laid_out), verdict_note)
    for judge_history in (quiescent_agreement, leak, stampede, availability):
        timed(judge_history.__name__, partial(judge_history, history), verdict_note)
    print(f"{'everything':<22}{time.process_time() - start:>8.2f} s")
    compare(laid_out, budget_s=chosen.search_s)


def compare(laid_out: Registers, *, budget_s: float) -> None:
    """Put the same keys, smallest first, before a general search, and say how far it comes in `budget_s` of CPU."""
    start = time.process_time()
    until_s = start + budget_s
    decided, agreed, operations, whole = 0, 0, 0, 0
    for register in sorted(laid_out, key=lambda each: len(each.read_rows)):
        ops = operations_of(register)
        whole += len(ops)
        if time.process_time() > until_s:
            continue
        found = search(ops, register.versions[0], until_s=until_s)
        if found is not None:
            one = Registers(laid_out.history, [register])
            decided, operations = decided + 1, operations + len(ops)
            agreed += found == (linearizable(one).found == 0)
    took_s = time.process_time() - start
    print(
        f"\na general search, in {took_s:.2f} of {budget_s:g} s: {decided} of {len(laid_out.all)} keys decided, "
        f"with {operations:,} of {whole:,} operations; {agreed} of {decided} as the judge"
    )


def operations_of(register: Register) -> list[Op]:
    """One key's operations as the search wants them; the baseline is its first value."""
    writes = zip(register.write_ranks, register.write_invoked_ns, register.write_returned_ns, strict=True)
    reads = zip(register.read_ranks, register.read_invoked_ns, register.read_returned_ns, strict=True)
    versions = register.versions
    found = [(True, versions[rank], invoked, returned) for rank, invoked, returned in writes if invoked != BEGINNING]
    return found + [(False, versions[rank], invoked, returned) for rank, invoked, returned in reads]


def verdict_note(verdict: Verdict) -> str:
    """A verdict in a few words."""
    return f"{verdict.decision.value}: {verdict.reason}"


if __name__ == "__main__":
    main()
