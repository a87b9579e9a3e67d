"""Target: whom a verb is aimed at. `node-2`, `node-2/worker-1`, `redis`, `edge`, `edge-agent`, …, or `random`.

A wrong name is answered with the right ones. `random` is drawn with a seed, which is always said, so that the same
cluster, asked again with it, draws the same name.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from random import Random

from cluster.errors import ClusterError, WrongInputError
from cluster.status import Node, Server, State, Status

RANDOM = "random"


class Verb(enum.StrEnum):
    """What can be done to a running cluster."""

    KILL = "kill"
    PAUSE = "pause"
    RESUME = "resume"
    RESTART = "restart"
    PARTITION = "partition"
    RELOAD = "reload"
    SKEW = "skew"


class Kind(enum.StrEnum):
    """What sort of thing a target is."""

    NODE = "node"
    WORKER = "worker"
    REDIS = "redis"
    EDGE = "edge"
    EDGE_AGENT = "edge-agent"
    FLUSHER = "flusher"
    LINKS = "links"


@dataclass(frozen=True, slots=True)
class Target:
    """A thing of a running cluster, by its full name. `node` and `slot` say more where it is a node or a worker."""

    kind: Kind
    name: str
    node: str | None = None
    slot: int | None = None

    def __str__(self) -> str:
        """The name as a person types it."""
        return self.name


def parse_target(text: str, status: Status) -> Target:
    """The target that `text` names. Raises WrongInputError, listing the right names, when nothing is called that."""
    targets = {str(target): target for target in targets_of(status)}
    if text in targets:
        return targets[text]
    raise WrongInputError(f"nothing here is called {text!r}; there are {', '.join([*targets, RANDOM])}")


def targets_of(status: Status) -> tuple[Target, ...]:
    """Everything that can be named, in the order in which `status` lists it."""
    targets: list[Target] = []
    for server in status.everything():
        node, slash, worker = server.name.partition("/")
        if slash:
            targets.append(Target(Kind.WORKER, server.name, node, int(worker.removeprefix("worker-"))))
        elif isinstance(server, Node):
            targets.append(Target(Kind.NODE, server.name, server.name))
        else:
            targets.append(Target(Kind(server.name), server.name))
    return tuple(targets)


def draw(verb: Verb, status: Status, rng: Random) -> Target:
    """A random target that the verb can do something to. Raises ClusterError when there is none.

    kill, pause: a running node. partition: a node that is not cut yet. resume: anything paused.
    restart: a dead node if there is one, else any.
    """
    candidates = sorted(server.name for server in _candidates(verb, status))
    if not candidates:
        lack = {Verb.RESUME: "nothing is paused", Verb.PARTITION: "every node is cut already"}
        raise ClusterError(f"{verb} {RANDOM}: {lack.get(verb, 'no node runs; `restart` one first')}")
    return parse_target(rng.choice(candidates), status)


def _candidates(verb: Verb, status: Status) -> tuple[Server, ...]:
    if verb is Verb.RESUME:
        return tuple(server for server in status.everything() if server.name in status.named(State.PAUSED))
    if verb is Verb.RESTART:
        return tuple(node for node in status.nodes if node.state is State.DEAD) or status.nodes
    running = tuple(node for node in status.nodes if node.state is State.RUNNING)
    if verb is Verb.PARTITION:
        cut = {name.partition("→")[0] for name in status.cut}
        return tuple(node for node in running if node.name not in cut)
    return running
