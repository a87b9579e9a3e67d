"""Lifecycle: bringing a cluster up so that it is there once, and taking it down so that nothing of it is left.

    up ─▶ lock ─▶ leftovers of killed commands? end them
               ─▶ a cluster runs? the same: say so · another: refuse · half dead: say what to restart
               ─▶ run folder, `current`, launcher.up ─▶ ledger: ready
                                    │ any error, Ctrl-C, SIGTERM
                                    └─▶ launcher.down, `current` away, ledger: closed

No matter which launcher: what is here holds for all of them.
"""

from __future__ import annotations

import contextlib
import secrets
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from types import FrameType
from urllib.parse import urlsplit

import msgspec

from cluster.errors import ClusterError
from cluster.launcher import Launcher, Say, launcher_named, launcher_of
from cluster.ledger import Closed, Ready
from cluster.runs import Run, Runs
from cluster.seal import plant, wished
from cluster.status import State, Status
from cluster.topology import Topology

HANGUPS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class StoppedError(ClusterError):
    """Ctrl-C (or SIGTERM, or the terminal's end) came while the cluster was starting; all of it was taken down."""


@dataclass(frozen=True, slots=True)
class Brought:
    """What `up` came to. `seconds`: from the wish to ready, now or back then. `fresh`: whether it was this command."""

    status: Status
    seconds: float
    fresh: bool


def bring_up(
    topology: Topology,
    runs: Runs,
    say: Say,
    *,
    planted: str | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> Brought:
    """Make the cluster that `topology` describes run. Does nothing when it does already.

    `planted` is the name of a bug that its services are to have (default: what the environment asks for).

    Raises ClusterError when another one runs, when parts of it are dead, or when it does not come up; then, and on
    Ctrl-C, everything that was started is ended again.
    """
    began = clock()
    launcher_named(topology.launcher)  # an unknown name is a mistake of the caller's, not of a cluster's
    with runs.lock("up", notice=say):
        _clear_leftovers(runs, say)
        running = runs.current()
        if running is not None:
            return _as_it_runs(running, topology)
        runs.prune()
        with _hangups_raise():
            run = runs.create(topology, now=datetime.now(UTC), secret=secrets.token_urlsafe(32))
            plant(run, planted or wished())
            try:
                runs.make_current(run)
                launcher_of(run).up(say)
                seconds = clock() - began
                status = launcher_of(run).status()
                run.ledger.add(Ready(seconds=seconds))
            except BaseException as problem:
                with _hangups_ignored():
                    if isinstance(problem, KeyboardInterrupt):
                        say("interrupted: taking everything down again")
                    _end(run, runs, say)
                if isinstance(problem, KeyboardInterrupt):
                    raise StoppedError("interrupted; nothing of the cluster is left") from None
                raise
        return Brought(status, seconds, fresh=True)


def take_down(runs: Runs, say: Say) -> Run | None:
    """End the cluster that runs, and whatever killed commands left, clusters of demos and examinations included; the
    run that was ended, None when none ran.
    """
    if not runs.root.is_dir():
        return None
    for other in runs.elsewhere():
        take_down(other, say)
    with runs.lock("down", notice=say), _hangups_ignored():
        running = runs.current()
        _clear_leftovers(runs, say)
        running_still = runs.current()
        if running_still is not None:
            _end(running_still, runs, say)
        runs.no_current()
        return running


def running_cluster(runs: Runs) -> tuple[Run, Launcher]:
    """The cluster that runs. Raises ClusterError when there is none."""
    run = runs.current()
    if run is None:
        raise ClusterError(f"no cluster runs (looked in {runs.root}); `up` starts one")
    return run, launcher_of(run)


def _as_it_runs(run: Run, asked: Topology) -> Brought:
    status = launcher_of(run).status()
    running = run.topology()
    if asked.edge_port in (None, 0, urlsplit(status.edge.url).port):  # whoever names no port is content with this one
        asked = msgspec.structs.replace(asked, edge_port=running.edge_port)
    differences = running.differences(asked)
    if differences:
        raise ClusterError(f"a cluster with {'; '.join(differences)} is running; `down` first, then `up`")
    ready = run.ledger.ready
    assert ready is not None, "a run that never was ready is a leftover, and those were cleared"
    dead = status.named(State.DEAD)
    if dead:
        raise ClusterError(f"the cluster is up, but dead: {', '.join(dead)}; `restart` brings one back")
    return Brought(status, ready.seconds, fresh=False)


def _clear_leftovers(runs: Runs, say: Say) -> None:
    """End what commands that were killed have left: runs that never were ready, and those that are not current."""
    current = runs.current()
    for run in runs.unfinished():
        if run == current and run.ledger.ready is not None and _lives(run):
            continue
        say(f"clearing what was left of {run.name}")
        _end(run, runs, say)
    if current is not None and current.ledger.closed:
        runs.no_current()  # its command was killed between the last process and this link


def _lives(run: Run) -> bool:
    """Whether anything of a run is alive: after a reboot nothing is."""
    return any(server.state is not State.DEAD for server in launcher_of(run).status().servers())


def _end(run: Run, runs: Runs, say: Say) -> None:
    launcher_of(run).down(say)
    if runs.current() == run:
        runs.no_current()
    run.ledger.add(Closed())


@contextlib.contextmanager
def _hangups_raise() -> Iterator[None]:
    """Let SIGTERM and SIGHUP do what Ctrl-C does: raise KeyboardInterrupt, so that the way out is one."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    with _handlers(interrupt):
        yield


@contextlib.contextmanager
def _hangups_ignored() -> Iterator[None]:
    """Taking down is bounded and must be whole: a second Ctrl-C in the middle of it would leave the rest."""
    with _handlers(signal.SIG_IGN):
        yield


@contextlib.contextmanager
def _handlers(handler: Callable[[int, FrameType | None], None] | signal.Handlers) -> Iterator[None]:
    before = {}
    try:
        for number in HANGUPS:
            before[number] = signal.signal(number, handler)
    except ValueError:  # not the main thread (a test, a notebook): signals are somebody else's there
        before = {}
    try:
        yield
    finally:
        for number, old in before.items():
            signal.signal(number, old)
