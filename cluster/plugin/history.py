"""History: what clients saw while a test ran, and the examiner's word on it.

with history.traffic(rate_per_s=200): …      a thread of its own: driver, recorder, one event loop
history.wait(4)                          four seconds more of it
history.judge()                              settled, read finally, audited; then judged by the strategy's contract
"""

from __future__ import annotations

import asyncio
import secrets
import threading
import time
from collections.abc import Coroutine, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import TypeVar

from cluster.checker.judgement import Judgement, judge
from cluster.checker.verdict import Decision
from cluster.contract.case import Case
from cluster.contract.contracts import contract_of, settles_within_s
from cluster.contract.judgement import Judged, judge_case
from cluster.engine.subject import ClusterSubject
from cluster.fault.port import Cluster, Fact, Plan
from cluster.history.line import Baseline, Fault
from cluster.history.operation import Phase
from cluster.history.reader import read_history
from cluster.history.recorder import Recorder
from cluster.workload.arrival import arrivals
from cluster.workload.driver import Driver
from cluster.workload.profile import Profile
from cluster.workload.workloads import workload_named

T = TypeVar("T")
ENDS_WITHIN_S = 90.0
FOR_EVER_S = 24 * 3600.0


@dataclass(frozen=True)
class Word:
    """What the examiner says of a history. `assert word.valid, word` shows why not."""

    judged: Judged
    checkers: Judgement

    @property
    def decision(self) -> Decision:
        """valid, invalid or unknown, by the contract of the strategy and enough evidence."""
        return self.judged.decision

    @property
    def valid(self) -> bool:
        """Whether every promise was kept, and enough was seen to say so."""
        return self.decision is Decision.VALID

    def __str__(self) -> str:
        """The reason, and a witness for each broken promise."""
        broken = [each for each in self.judged.promises if each.decision is not Decision.VALID]
        lines = [
            f"{each.text}: {each.reason}" + "".join(f"\n  {text}" for text in each.witnesses[:1]) for each in broken
        ]
        return "\n".join([f"{self.decision.value}: {self.judged.reason}", *lines])


class History:
    """The history of one test."""

    def __init__(self, cluster: Cluster, path: Path, *, seed: int) -> None:
        """Nothing is driven yet. `path`: where it will lie; `seed` fixes who asks for what and when."""
        self.path = path
        self._cluster = cluster
        self._seed = seed
        self._loop: asyncio.AbstractEventLoop | None = None
        self._recorder: Recorder | None = None

    @contextmanager
    def traffic(
        self, workload: str = "register", *, rate_per_s: float = 200.0, seed: int | None = None
    ) -> Iterator[Driver]:
        """Drive traffic while the block runs; when it ends, wait until all agree, and read everything once more."""
        chance = self._seed if seed is None else seed
        subject = ClusterSubject(self._cluster)
        topology = self._cluster.run.topology()
        loop = self._loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, name="tocsin-history", daemon=True)
        thread.start()
        self._recorder = Recorder(self.path, strategy=topology.strategy, write_path=topology.write_path, seed=chance)
        stop = asyncio.Event()
        try:
            profile = self._with_what_is_there(subject, workload_named(workload).profile(rate_per_s))
            prices = Random(f"{chance} prices")  # noqa: S311 - chance, not a secret
            tag = secrets.token_hex(4)
            driver = Driver(subject.shop, profile, self._recorder, chance=prices, run_tag=tag)
            self._do(driver.__aenter__())
            try:
                self._do(driver.greet())
                coming = arrivals(profile, subject.workers, Random(f"{chance} arrivals"))  # noqa: S311
                driving = self._begin(driver.drive(coming, for_s=FOR_EVER_S, stop=stop))
                yield driver
                loop.call_soon_threadsafe(stop.set)
                driving.result(ENDS_WITHIN_S)
                self._do(driver.drain())
                rest = subject.rest(driver, lambda _: None)
                self._do(rest.settle(settles_within_s(topology.strategy, dict(topology.settings))))
                driver.phase = Phase.FINAL
                self._do(rest.read_finally(self._recorder))
            finally:
                loop.call_soon_threadsafe(stop.set)
                self._do(driver.__aexit__())
        finally:
            subject.close()
            self._recorder.close()
            loop.call_soon_threadsafe(loop.stop)
            thread.join(ENDS_WITHIN_S)
            loop.close()
            self._recorder = self._loop = None

    def wait(self, seconds: float) -> None:
        """Let the traffic go on for so many seconds; only inside of `traffic`."""
        self._begin(asyncio.sleep(seconds)).result(seconds + ENDS_WITHIN_S)

    def note(self, plan: Plan, action: str, facts: dict[str, Fact]) -> None:
        """Put a line about a fault on file, if there is one."""
        if self._recorder is None or self._loop is None:
            return
        recorder = self._recorder

        async def write() -> None:
            targets = "+".join(plan.targets)
            recorder.write(Fault(recorder.index, time.monotonic_ns(), plan.fault, action, targets, facts))

        self._do(write())

    def judge(self) -> Word:
        """The verdict by the contract of the cluster's strategy. Raises FileNotFoundError where nothing was driven."""
        topology = self._cluster.run.topology()
        found = read_history(self.path)
        case = Case(found)
        contract = contract_of(
            topology.strategy, topology.write_path, dict(topology.settings), database=topology.database_kind
        )
        origin_ns = min(found.invoked_ns, default=0)
        judged = judge_case(case, contract, faults=(), phases=(), nodes=topology.nodes, origin_ns=origin_ns)
        return Word(judged, judge(found))

    def _with_what_is_there(self, subject: ClusterSubject, profile: Profile) -> Profile:
        assert self._recorder is not None
        versions = subject.baseline(profile.products)
        for key, version in versions.items():
            self._recorder.write(Baseline(self._recorder.index, time.monotonic_ns(), key, version))
        return replace(profile, products=tuple(each for each in profile.products if subject.shop.key(each) in versions))

    def _begin(self, what: Coroutine[object, object, T]) -> Future[T]:
        assert self._loop is not None, "inside of `traffic`"
        return asyncio.run_coroutine_threadsafe(what, self._loop)

    def _do(self, what: Coroutine[object, object, T]) -> T:
        return self._begin(what).result(ENDS_WITHIN_S)
