"""A launcher whose servers only sleep: enough to try what holds for every launcher, without a second's start.

`python -m tests.cluster.toy_launcher up --launcher toy` is the real command line with this launcher in its table. A
file named `wait` beside the run folders makes `up` wait, with one server started, until somebody interrupts it.
"""

from __future__ import annotations

from collections.abc import Iterator

from cluster.errors import ClusterError
from cluster.launcher import LAUNCHERS, Cut, Deed, LogLine, Peer, Say
from cluster.pid import state_of
from cluster.processes import family
from cluster.processes.spawn import Command, spawn
from cluster.runs import Run
from cluster.status import Data, Endpoint, Node, Server, State, Status
from cluster.target import Target, Verb
from cluster.until import until

NAME = "toy"
FAILS, WAITS = "fail", "wait"


class ToyLauncher:
    """Implements `cluster.launcher.Launcher` on processes that sleep."""

    def __init__(self, run: Run) -> None:
        self.run = run

    def up(self, say: Say) -> None:
        """Start Redis, then the nodes; stop half-way if the test wants it."""
        say("starting toys")
        self._start("redis")
        place = self.run.path.parent
        if (place / FAILS).exists():
            raise ClusterError("a toy broke")
        until(lambda: "told to wait" if (place / WAITS).exists() else None, within_s=60, waiting_for="an interrupt")
        for name in (*self.run.topology().node_names, "edge", "flusher"):
            self._start(name)

    def down(self, say: Say) -> None:
        """End them all."""
        count = family.kill(self.run)
        say(f"ended {count} toys")

    def status(self) -> Status:
        """Which of them live."""
        return Status(
            launcher=NAME,
            run_dir=str(self.run.path),
            strategy=self.run.topology().strategy,
            write_path=self.run.topology().write_path,
            secret_file=str(self.run.secret_file),
            edge=self._endpoint("edge"),
            nodes=tuple(self._node(name) for name in self.run.topology().node_names),
            redis=self._endpoint("redis"),
            database=Data(url="sqlite:////nowhere/toy.db", kind="sqlite"),
            flusher=Server(name="flusher", pid=None, state=self._state("flusher")),
        )

    def logs(self, server: str | None, *, tail: int, follow: bool) -> Iterator[LogLine]:
        """Toys are silent."""
        yield LogLine(server or "redis", f"zzz ({tail}, {follow})")

    def refusal(self, verb: Verb, target: Target, cut: Cut | None = None) -> str | None:
        """Toys have no network."""
        return "toys have no network" if verb is Verb.PARTITION else None

    def kill(self, target: Target) -> Deed:
        """For real."""
        family.kill(self.run, target.name)
        return Deed((f"killed {target}",), (f"{target} is dead",))

    def pause(self, target: Target) -> Deed:
        """Not for real."""
        return Deed((f"paused {target}",), ())

    def resume(self, target: Target) -> Deed:
        """Not for real."""
        return Deed((f"resumed {target}",), ())

    def restart(self, target: Target) -> Deed:
        """For real."""
        self._start(target.name)
        return Deed((f"restarted {target}",), (f"{target} runs",))

    def partition(self, target: Target, cut: Cut) -> Deed:
        """Never asked, since it is refused."""
        raise AssertionError(f"{target} {cut}")

    def mend(self, target: Target, peer: Peer) -> Deed:
        """Nothing to undo."""
        return Deed((f"{target} has no path to {peer}",), ())

    def reload(self, target: Target) -> Deed:
        """Not for real."""
        return Deed((f"reloaded {target}",), ())

    def skew(self, target: Target, offset_s: float) -> Deed:
        """Toys have no clocks."""
        return Deed((f"the clock of {target} is {offset_s:g} s off",), ())

    def heal(self) -> Deed:
        """Nothing to undo."""
        return Deed(("nothing was paused or cut",), ())

    def _start(self, name: str) -> None:
        spawn(self.run, name, Command(("sleep", "120"), self.run.folder(name)))

    def _state(self, name: str) -> State:
        return state_of(self.run.ledger.leaders().get(name))

    def _endpoint(self, name: str) -> Endpoint:
        return Endpoint(name=name, pid=None, state=self._state(name), url=f"toy://{name}")

    def _node(self, name: str) -> Node:
        workers = tuple(
            Endpoint(name=worker, pid=None, state=self._state(name), url=f"toy://{worker}")
            for worker in self.run.topology().worker_names(name)
        )
        return Node(name=name, pid=None, state=self._state(name), url=f"toy://{name}", workers=workers)


ROW = {NAME: f"{__name__ if __name__ != '__main__' else 'tests.cluster.toy_launcher'}:ToyLauncher"}

if __name__ == "__main__":
    LAUNCHERS.update(ROW)
    from cluster.cli import cluster

    cluster(prog_name="cluster")
