"""Family: all living processes of a run, whoever started them, and the ends they are brought to.

    ledger: node-1 = 4711 ──▶ 4711, its leader
                              4720, 4721 in its session (gunicorn's workers)
                              5000 in a session of its own, but with TOCSIN_RUN=<this run> in its environment

A leader is known by number and birth. Another process belongs to the run by a sign that only it can carry: the marker
in its environment, or (nginx overwrites its environment) the session of a leader together with a working directory
inside the run folder. A number alone is no sign: it may have been given to somebody else.
"""

from __future__ import annotations

import signal
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from cluster.errors import ClusterError, NotInTimeError
from cluster.pid import Pid, Seen, environment_of, everyone, folder_of, send, state_of
from cluster.processes.spawn import MARKER, bury
from cluster.runs import Run
from cluster.status import State
from cluster.until import until

KILL_S = 10.0


@dataclass(frozen=True, slots=True)
class Member:
    """A living process of a run. `server`: the one that it belongs to; None when its session is nobody's."""

    server: str | None
    seen: Seen

    @property
    def leads(self) -> bool:
        """Whether it leads its session: the process that was spawned."""
        return self.seen.session == self.seen.pid.number


def members(run: Run, server: str | None = None) -> tuple[Member, ...]:
    """The living processes of a run, or of one of its servers; leaders first."""
    found = [member for member in _search(run) if server is None or member.server == server]
    return tuple(sorted(found, key=lambda member: not member.leads))


def orphans(runs: Path, but: Collection[Path]) -> tuple[Pid, ...]:
    """Living processes that carry the marker of some run below `runs`, those of the runs `but` left out.

    They are found even when somebody has removed the run folder, and its ledger with it.
    """
    begin = f"{MARKER}={runs}/".encode()
    spared = {f"{MARKER}={path}".encode() for path in but}
    return tuple(
        seen.pid
        for seen in everyone()
        if any(pair.startswith(begin) and pair not in spared for pair in environment_of(seen.pid))
    )


def signal_all(family: Iterable[Member], number: signal.Signals) -> int:
    """Send a signal to each; how many were there to get it. Leaders come first, so that none replaces a worker."""
    return sum(send(member.seen.pid, number) for member in family)


def kill(run: Run, server: str | None = None) -> int:
    """End a server, or all of a run, by SIGKILL, and wait until it is gone; how many processes that were.

    Looked for again until nothing is found: a process may be forked between the look and the signal.
        kill: looks: 4711, 4720 .......... kills 4711, 4720
        4711:                   forks 4722                      -> 4722 would serve on
    Raises NotInTimeError when a process does not die (it hangs in the kernel).
    """
    killed: set[Pid] = set()

    def left() -> str | None:
        family = members(run, server)
        signal_all(family, signal.SIGKILL)
        killed.update(member.seen.pid for member in family)
        return f"{len(family)} live on ({_numbers(member.seen.pid for member in family)})" if family else None

    until(left, within_s=KILL_S, waiting_for=f"{server or run.name} to die", every_s=0.02)
    for pid in killed:
        bury(pid)
    return len(killed)


def end(run: Run, servers: Collection[str], *, within_s: float) -> tuple[str, ...]:
    """Ask servers to end (SIGTERM to their leaders), then kill what is left; the names of those that had to be killed.

    A paused server is woken to hear it.
    """
    family = [member for member in members(run) if member.server in servers]
    signal_all((member for member in family if member.leads), signal.SIGTERM)
    signal_all((member for member in family if member.seen.state is State.PAUSED), signal.SIGCONT)

    def left() -> str | None:
        alive = {str(member.server) for member in members(run) if member.server in servers}
        return f"{', '.join(sorted(alive))} still there" if alive else None

    try:
        until(left, within_s=within_s, waiting_for=", ".join(servers) + " to end")
    except NotInTimeError:
        stubborn = sorted({str(member.server) for member in members(run) if member.server in servers})
    else:
        stubborn = []
    for server in stubborn:
        kill(run, server)
    for member in family:
        bury(member.seen.pid)
    return tuple(stubborn)


def kill_pids(pids: Collection[Pid]) -> None:
    """End exactly these processes by SIGKILL, and wait until they are gone. Raises ClusterError when they don't go."""

    def left() -> str | None:
        alive = [pid for pid in pids if state_of(pid) is not State.DEAD]
        for pid in alive:
            send(pid, signal.SIGKILL)
        return f"{_numbers(alive)} live on" if alive else None

    try:
        until(left, within_s=KILL_S, waiting_for="leftovers to die", every_s=0.02)
    except NotInTimeError as late:
        raise ClusterError(f"{late}; they may belong to another user: end them by hand") from None
    for pid in pids:
        bury(pid)


def _search(run: Run) -> Iterator[Member]:
    made = run.ledger.processes()
    leaders = {entry.pid: entry.name for entry in made}
    sessions = {entry.pid.number: entry.name for entry in made}
    marker = f"{MARKER}={run.path}".encode()
    for seen in everyone():
        if seen.pid in leaders:
            yield Member(leaders[seen.pid], seen)
            continue
        environment = environment_of(seen.pid)
        if marker in environment or (seen.session in sessions and _works_in(seen.pid, run.path)):
            yield Member(sessions.get(seen.session) or _node_of(environment), seen)


def _node_of(environment: frozenset[bytes]) -> str | None:
    """The node that a process in a session of its own belongs to, as its environment says (contract §5).

    A node's agent is one: a node that is killed, or stands still, does so with its agent, as a machine would.
    """
    names = (pair.removeprefix(b"CATALOG_NODE=") for pair in environment if pair.startswith(b"CATALOG_NODE="))
    return next((name.decode(errors="replace") for name in names), None)


def _works_in(pid: Pid, folder: Path) -> bool:
    where = folder_of(pid)
    return where is not None and where.is_relative_to(folder)


def _numbers(pids: Iterable[Pid]) -> str:
    return "pid " + ", ".join(str(pid.number) for pid in pids)
