"""Launcher: the port between the verbs and whatever runs the servers (plain processes, docker compose).

    cli ── verb, Target ──▶ Launcher ──▶ processes | compose
                               │
                               └─▶ Status (values; what is so, whoever asked)

A launcher belongs to one run folder and keeps nothing in memory that a later command needs: each command is a new
process, and what was made stands in the run's ledger. What a launcher can't do it declares: `refusal` answers the
reason before anything is touched, so that an examiner can skip a fault by its reason instead of failing in it.
Adding a launcher adds a row to LAUNCHERS and a package; no other file asks which launcher it is.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol, cast

from cluster.errors import RefusedError, WrongInputError
from cluster.link.faults import Setting
from cluster.runs import Run
from cluster.status import Status
from cluster.target import Target, Verb

Say = Callable[[str], None]


class Peer(enum.StrEnum):
    """What a node can be cut from."""

    REDIS = "redis"
    DATABASE = "database"
    ALL = "all"


class Direction(enum.StrEnum):
    """Which way a cut works: upstream is from the node to the server, downstream is what the server sends back."""

    BOTH = "both"
    UPSTREAM = "upstream"
    DOWNSTREAM = "downstream"


@dataclass(frozen=True, slots=True)
class Cut:
    """What is done to a path. `mode` names a fault of `cluster.link.faults`: `blackhole`, `refuse`, `reset` and `close`
    cut it, four different ways; `latency` and `bandwidth` slow it down; `drop-messages` and the like act on single
    messages to a subscriber. `settings` are that fault's.
    """

    peer: Peer = Peer.REDIS
    mode: str = "blackhole"
    direction: Direction = Direction.BOTH
    settings: tuple[tuple[str, Setting], ...] = ()


@dataclass(frozen=True, slots=True)
class Deed:
    """What a verb did, and what is now so: lines for a person, one sentence each, without a full stop."""

    did: tuple[str, ...]
    now: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line of a server's log, without its newline. `server`: `node-1`, `redis`, …"""

    server: str
    text: str


class Launcher(Protocol):
    """What every launcher can be asked. Each method may raise ClusterError; each is bounded in time but `logs(follow)`.

    Verbs get a target that exists (`target.parse_target`), and only after `refusal` answered None.
    """

    def up(self, say: Say) -> None:
        """Start everything that the run's topology names and return when it is ready: every worker answers its own
        `/readyz` with 200, the flusher is up, the edge answers for a product. `say` gets progress lines.
        On any error, KeyboardInterrupt included, the caller calls `down`.
        """
        ...

    def down(self, say: Say) -> None:
        """End everything that this run made, gently and then hard. Idempotent; works from any half-made state, also
        when another process made it and was killed while it did.
        """
        ...

    def status(self) -> Status:
        """What is so now. Never waits for a server that hangs."""
        ...

    def logs(self, server: str | None, *, tail: int, follow: bool) -> Iterator[LogLine]:
        """The last `tail` lines of each log (of one server, or of all); with `follow` what comes after, until the
        reader stops or the cluster is gone. Raises WrongInputError that lists the logs.
        """
        ...

    def refusal(self, verb: Verb, target: Target, cut: Cut | None = None) -> str | None:
        """Why this launcher can't do that, or None when it can. Touches nothing."""
        ...

    def kill(self, target: Target) -> Deed:
        """End it without warning (SIGKILL): a node with all of its processes; of a worker only its process."""
        ...

    def pause(self, target: Target) -> Deed:
        """Freeze it (SIGSTOP or the freezer): its connections stay open and silent."""
        ...

    def resume(self, target: Target) -> Deed:
        """Let what is paused run on. Does nothing, and says so, when it is not paused."""
        ...

    def restart(self, target: Target) -> Deed:
        """Start it anew, dead or alive, on the same addresses, and return when it is ready."""
        ...

    def partition(self, target: Target, cut: Cut) -> Deed:
        """Cut a node's (or the flusher's) paths, established connections included."""
        ...

    def mend(self, target: Target, peer: Peer) -> Deed:
        """Undo what `partition` did to this one's paths to that peer, and nothing else. Idempotent."""
        ...

    def reload(self, target: Target) -> Deed:
        """Let the edge read its configuration again (SIGHUP); what it has in hand is finished by the old workers."""
        ...

    def skew(self, target: Target, offset_s: float) -> Deed:
        """Restart a node with its wall clock so many seconds off; 0: with the machine's own. Idempotent."""
        ...

    def heal(self) -> Deed:
        """Undo every pause and every partition. Restarts nothing, but says what is dead. Idempotent."""
        ...


LAUNCHERS = {
    "processes": "cluster.processes.launcher:ProcessesLauncher",
    "compose": "cluster.compose.launcher:ComposeLauncher",
}


def launcher_of(run: Run) -> Launcher:
    """The launcher that a run's topology names. Raises WrongInputError for one that does not exist."""
    return launcher_named(run.topology().launcher)(run)


def launcher_named(name: str) -> Callable[[Run], Launcher]:
    """A launcher's class by its name; imported only now. Raises WrongInputError that lists the names."""
    if name not in LAUNCHERS:
        raise WrongInputError(f"unknown launcher {name!r}; there are {', '.join(LAUNCHERS)}")
    module, _, attribute = LAUNCHERS[name].partition(":")
    return cast(Callable[[Run], Launcher], getattr(import_module(module), attribute))


def insist(launcher: Launcher, verb: Verb, target: Target, cut: Cut | None = None) -> None:
    """Raise RefusedError with the launcher's reason when it can't do what is asked."""
    reason = launcher.refusal(verb, target, cut)
    if reason is not None:
        raise RefusedError(f"{verb} {target} is refused: {reason}")
