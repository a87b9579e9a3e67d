"""Faults of servers: processes that are killed, paused, ended and started anew. One verb of the launcher each.

    kill    evidence: it is dead, or another process has its name        heal: start it, unless it lives
    pause   evidence: it is paused, and a question to it is not answered  heal: let it run on
    restart evidence: it runs, as another process                        heal: nothing, unless it died

Heal goes by what is so, not by what was done: whoever was paused and killed meanwhile is started, and a worker that
gunicorn has replaced is left alone.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from urllib.parse import urlsplit

from cluster.asking import http_status
from cluster.fault.parameters import complete
from cluster.fault.port import Cluster, Evidence, Fact, Plan, choose
from cluster.launcher import Deed
from cluster.status import Endpoint, Server, State, Status
from cluster.target import Kind, Verb, parse_target
from cluster.until import Missing, until

SILENT_S = 0.5
REPLACED_S = 20.0

Among = Callable[[Status], tuple[str, ...]]
"""The names that a fault can be aimed at."""


def nodes(status: Status) -> tuple[str, ...]:
    """Every node."""
    return tuple(node.name for node in status.nodes)


def workers(status: Status) -> tuple[str, ...]:
    """Every worker."""
    return tuple(worker.name for node in status.nodes for worker in node.workers)


def edge(status: Status) -> tuple[str, ...]:
    """The edge."""
    return (status.edge.name,)


def flusher(status: Status) -> tuple[str, ...]:
    """The flusher."""
    return (status.flusher.name,)


def edge_agent(status: Status) -> tuple[str, ...]:
    """The edge's agent, where the strategy numbers its invalidations and so has one."""
    return () if status.edge_agent is None else (status.edge_agent.name,)


def server_named(status: Status, name: str) -> Server:
    """A server or worker by its full name, which there is."""
    return next(server for server in status.everything() if server.name == name)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerFault:
    """One verb on one kind of server. `every`: whatever the spec says, all are meant, one after the other."""

    name: str
    summary: str
    verb: Verb
    among: Among
    every: bool = False
    parameters: Mapping[str, Fact] = field(default_factory=dict)

    def refusal(self, cluster: Cluster) -> str | None:
        """Whatever the launcher says."""
        status = cluster.status()
        names = self.among(status)
        if not names:
            return f"this cluster has nothing that {self.name} could be aimed at"
        return cluster.launcher.refusal(self.verb, parse_target(names[0], status))

    def plan(self, cluster: Cluster, spec: str, parameters: Mapping[str, Fact], chance: Random) -> Plan:
        """The targets and their processes."""
        status = cluster.status()
        names = self.among(status)
        targets = names if self.every else choose(spec, names, chance)
        return Plan(
            fault=self.name,
            spec=spec,
            targets=targets,
            parameters=complete(self.name, self.parameters, parameters, chance),
            before={name: server_named(status, name).pid or 0 for name in targets},
        )

    def start(self, cluster: Cluster, plan: Plan) -> None:
        """The verb, on each target."""
        launcher = cluster.launcher
        deeds: dict[Verb, Callable[..., Deed]] = {
            Verb.KILL: launcher.kill,
            Verb.PAUSE: launcher.pause,
            Verb.RESTART: launcher.restart,
        }
        for name in plan.targets:
            deeds[self.verb](parse_target(name, cluster.status()))

    def evidence(self, cluster: Cluster, plan: Plan) -> Evidence:
        """Whether every target is what the verb makes of it."""
        status = cluster.status()
        seen = [self._seen(server_named(status, name), plan.before[name]) for name in plan.targets]
        details: dict[str, Fact] = {name: server_named(status, name).pid or 0 for name in plan.targets}
        return Evidence(took=all(took for took, _ in seen), text="; ".join(text for _, text in seen), details=details)

    def heal(self, cluster: Cluster, plan: Plan) -> None:
        """Let the paused run on, start the dead, and wait for the workers that gunicorn replaces."""
        for name in plan.targets:
            status = cluster.status()
            target, state = parse_target(name, status), server_named(status, name).state
            if state is State.PAUSED:
                cluster.launcher.resume(target)
            elif state is State.DEAD and target.kind is not Kind.WORKER:
                cluster.launcher.restart(target)
            elif state is State.DEAD:
                self._await_worker(cluster, name)

    def _seen(self, server: Server, before: Fact) -> tuple[bool, str]:
        other = server.pid != before
        match self.verb:
            case Verb.PAUSE:
                silence = _silence(server)
                return server.state is State.PAUSED and silence is not None, (
                    f"{server.name} is {server.state}, and {silence or 'answers'}"
                )
            case Verb.RESTART:
                return server.state is State.RUNNING and other, (
                    f"{server.name} is {server.state}, pid {server.pid} after {before}"
                )
            case _:
                gone = server.state is State.DEAD or other
                now = "dead" if server.state is State.DEAD else f"pid {server.pid}"
                return gone, f"{server.name} was pid {before} and is {now}"

    def _await_worker(self, cluster: Cluster, name: str) -> None:
        """Wait until gunicorn has replaced a worker, or start its node, if that is dead."""
        node = name.partition("/")[0]
        if server_named(cluster.status(), node).state is State.DEAD:
            cluster.launcher.restart(parse_target(node, cluster.status()))

        def missing() -> Missing:
            state = server_named(cluster.status(), name).state
            return None if state is State.RUNNING else f"it is {state}"

        until(missing, within_s=REPLACED_S, waiting_for=f"gunicorn to replace {name}")


def _silence(server: Server) -> str | None:
    """How a server does not answer; None when it does. Of one without an address its state must do."""
    if not isinstance(server, Endpoint):
        return "can't be asked"
    answer = http_status(urlsplit(server.url).port or 0, "/healthz", SILENT_S)
    return None if isinstance(answer, int) else f"does not answer ({answer})"


KILL_NODE = ServerFault(
    name="kill-node", summary="a node ends by SIGKILL, with all of its processes", verb=Verb.KILL, among=nodes
)
KILL_WORKER = ServerFault(
    name="kill-worker", summary="a worker ends by SIGKILL; gunicorn replaces it", verb=Verb.KILL, among=workers
)
PAUSE_NODE = ServerFault(
    name="pause-node",
    summary="a node is frozen (SIGSTOP): connections stay open and silent",
    verb=Verb.PAUSE,
    among=nodes,
)
PAUSE_WORKER = ServerFault(
    name="pause-worker", summary="a worker is frozen, its siblings are not", verb=Verb.PAUSE, among=workers
)
RESTART_NODE = ServerFault(
    name="restart-node", summary="a node is ended gently and started anew", verb=Verb.RESTART, among=nodes
)
ROLLING_RESTART = ServerFault(
    name="rolling-restart",
    summary="every node is restarted, one after the other",
    verb=Verb.RESTART,
    among=nodes,
    every=True,
)
RECYCLE_WORKER = ServerFault(
    name="recycle-worker",
    summary="a worker is ended gently and replaced, as max_requests does",
    verb=Verb.RESTART,
    among=workers,
)
KILL_EDGE = ServerFault(name="kill-edge", summary="nginx ends by SIGKILL", verb=Verb.KILL, among=edge)
KILL_FLUSHER = ServerFault(
    name="kill-flusher",
    summary="the Celery worker ends by SIGKILL; what it had in hand is delivered again",
    verb=Verb.KILL,
    among=flusher,
)
PAUSE_FLUSHER = ServerFault(
    name="pause-flusher",
    summary="the Celery worker is frozen, with what it has in hand",
    verb=Verb.PAUSE,
    among=flusher,
)
KILL_EDGE_AGENT = ServerFault(
    name="kill-edge-agent",
    summary="the process through which the edge hears of invalidations ends by SIGKILL",
    verb=Verb.KILL,
    among=edge_agent,
)
PAUSE_EDGE_AGENT = ServerFault(
    name="pause-edge-agent",
    summary="the process through which the edge hears of invalidations is frozen",
    verb=Verb.PAUSE,
    among=edge_agent,
)
