"""Faults of the network between one node and Redis, or the database. One fault of its links each, by the launcher.

    partition   blackhole │ refuse │ reset │ close: four different ways to be cut off
    one-way     the node is deaf (hears nothing), or mute (is not heard)
    slow        latency with jitter, bandwidth
    messages    single invalidations are dropped, told twice, late, or out of order

The evidence is counted by the link, outside of both ends: bytes swallowed or late, connections broken, messages
touched. Where a strategy says nothing on the path (`no-cache`), the probe says a PING of its own through the link, and
what becomes of that is the evidence. Where a launcher has no links, the node itself must say that it can't reach its
peer. Two of these on the same
path do not add up: the later one replaces the earlier, and the heal of either mends the path.
"""

from __future__ import annotations

import http.client
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import urlsplit

import msgspec

from cluster.errors import ClusterError
from cluster.fault.knock import knock
from cluster.fault.parameters import UNSEEDED, complete
from cluster.fault.port import Cluster, Evidence, Fact, Plan, choose
from cluster.fault.server import Among, edge_agent, nodes
from cluster.launcher import Cut, Direction, Peer
from cluster.link.name import link_name
from cluster.status import LinkState, Status
from cluster.target import Verb, parse_target
from cluster.topology import LISTENING

READYZ_S = 6.0
REFUSE = "refuse"

Count = Callable[[LinkState], int]


def _swallowed(link: LinkState) -> int:
    return sum(link.swallowed_bytes)


def _broken(link: LinkState) -> int:
    return link.broken


def _late(link: LinkState) -> int:
    return sum(link.late_bytes)


def _touched(link: LinkState) -> int:
    return link.messages[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkFault:
    """One fault of the paths of a node to a peer. `count` is what proves it, in `unit`s. `every` means all nodes.
    `told`: it is about what Redis tells listeners.
    """

    name: str
    summary: str
    mode: str
    count: Count
    unit: str
    peer: Peer = Peer.REDIS
    direction: Direction = Direction.BOTH
    parameters: Mapping[str, Fact] = field(default_factory=dict)
    every: bool = False
    among: Among = nodes
    told: bool = False

    def refusal(self, cluster: Cluster) -> str | None:
        """Whatever the launcher says; and no message can be touched where Redis tells nobody anything."""
        status = cluster.status()
        if self.told and status.strategy not in LISTENING:
            return f"under {status.strategy} no node listens to Redis, so there are no messages to touch"
        names = self.among(status)
        if not names:
            return f"this cluster has nothing that {self.name} could be aimed at"
        return cluster.launcher.refusal(Verb.PARTITION, parse_target(names[0], status), self._cut({}))

    def plan(self, cluster: Cluster, spec: str, parameters: Mapping[str, Fact], chance: Random) -> Plan:
        """The nodes, the settings, and the counters of their links as they are."""
        status = cluster.status()
        names = self.among(status)
        plan = Plan(
            fault=self.name,
            spec=spec,
            targets=names if self.every else choose(spec, names, chance),
            parameters=complete(self.name, self.parameters, parameters, chance),
        )
        counts: dict[str, Fact] = {link.name: self.count(link) for link in self._links(status, plan)}
        return msgspec.structs.replace(plan, before=counts)

    def start(self, cluster: Cluster, plan: Plan) -> None:
        """Put it on the paths, established connections included."""
        for name in plan.targets:
            cluster.launcher.partition(parse_target(name, cluster.status()), self._cut(plan.parameters))

    def evidence(self, cluster: Cluster, plan: Plan) -> Evidence:
        """What the links have counted since the plan; without links, what the nodes say of their peer."""
        status = cluster.status()
        if status.links is None:
            return self._told_by_nodes(status, plan)
        links = tuple(self._links(status, plan))
        counted = self._counted(links, plan)
        closed = set()
        if not self.told and self.peer is Peer.REDIS and not all(counted.values()):
            closed = {link.name for link in links if not counted[link.name] and knock(link) and link.upstream == REFUSE}
            links = tuple(self._links(cluster.status(), plan))
            counted = self._counted(links, plan)
        text = "; ".join(f"{name}: {count} {self.unit}" for name, count in counted.items())
        text += "".join(f"; {name} refused a connection of the probe's own" for name in sorted(closed))
        touched = [text for link in links for text in link.touched]
        if touched:
            text += f"; the last was about {touched[-1]!r}"
        took = bool(counted) and all(count or name in closed for name, count in counted.items())
        return Evidence(took=took, text=text, details=counted)

    def _counted(self, links: tuple[LinkState, ...], plan: Plan) -> dict[str, Fact]:
        """What each link has counted since the plan."""
        grown = {link.name: self.count(link) - _before(plan, link) for link in links}
        # A link process that was started anew counts from zero: then everything that it has counted is new.
        return {link.name: grown[link.name] if grown[link.name] >= 0 else self.count(link) for link in links}

    def heal(self, cluster: Cluster, plan: Plan) -> None:
        """Mend the paths. A node that is dead has paths as well."""
        for name in plan.targets:
            cluster.launcher.mend(parse_target(name, cluster.status()), self.peer)

    def _cut(self, parameters: Mapping[str, Fact]) -> Cut:
        return Cut(self.peer, self.mode, self.direction, tuple(sorted(parameters.items())))

    def _links(self, status: Status, plan: Plan) -> Iterator[LinkState]:
        peers = (Peer.REDIS, Peer.DATABASE) if self.peer is Peer.ALL else (self.peer,)
        wanted = {link_name(name, peer) for name in plan.targets for peer in peers}
        return (link for link in status.links or () if link.name in wanted)

    def _told_by_nodes(self, status: Status, plan: Plan) -> Evidence:
        cut = all(link_name(name, self.peer) in status.cut for name in plan.targets)
        lacks = {node.name: _lack(node.workers[0].url, self.peer) for node in status.nodes if node.name in plan.targets}
        if not lacks:
            return Evidence(
                took=cut, text=f"the engine says that {', '.join(status.cut) or 'nothing'} is off its network"
            )
        text = "; ".join(f"{name} {lack or f'reaches {self.peer}'}" for name, lack in lacks.items())
        return Evidence(took=cut and all(lacks.values()), text=text)


def _before(plan: Plan, link: LinkState) -> int:
    count = plan.before.get(link.name, 0)
    assert isinstance(count, int), "counts were counted by us"
    return count


def _lack(url: str, peer: Peer) -> str | None:
    """What a worker's `/readyz` says is wrong with its peer (contract §1); None when it reaches it."""
    connection = http.client.HTTPConnection("127.0.0.1", urlsplit(url).port or 0, timeout=READYZ_S)
    try:
        connection.request("GET", "/readyz", headers={"Connection": "close"})
        checks = msgspec.json.decode(connection.getresponse().read(), type=dict[str, object])["checks"]
        check = msgspec.convert(checks, type=dict[str, dict[str, object]])[peer.value]
    except (OSError, http.client.HTTPException, msgspec.MsgspecError, KeyError) as problem:
        raise ClusterError(f"{url}/readyz can't be asked: {problem}") from None
    finally:
        connection.close()
    return None if check.get("ok") else f"says of {peer}: {check.get('detail')}"


def _partition(name: str, summary: str, mode: str = "blackhole", **other: Any) -> NetworkFault:
    count, unit = (_swallowed, "bytes swallowed") if mode == "blackhole" else (_broken, "connections broken")
    return NetworkFault(name=name, summary=summary, mode=mode, count=count, unit=unit, **other)


def _messages(mode: str, summary: str, **parameters: Fact) -> NetworkFault:
    takes: dict[str, Fact] = {"keys": "", "probability": 1.0, "seed": UNSEEDED, **parameters}
    return NetworkFault(
        name=mode,
        summary=summary,
        mode=mode,
        count=_touched,
        unit="messages",
        direction=Direction.DOWNSTREAM,
        parameters=takes,
        told=True,
    )


PARTITION = _partition("partition", "a node and Redis lose all that they say to each other, and nobody is told")
REFUSED = _partition("partition-refuse", "a node's connections to Redis are torn, and new ones refused", REFUSE)
RESET = _partition("partition-reset", "a node's connections to Redis are torn, again and again", "reset")
CLOSED = _partition(
    "partition-close", "a node's connections to Redis are ended in good order, again and again", "close"
)
DEAF = _partition("partition-deaf", "a node is heard by Redis, but hears nothing", direction=Direction.DOWNSTREAM)
MUTE = _partition("partition-mute", "a node hears what Redis says, but is not heard", direction=Direction.UPSTREAM)
NO_DATABASE = _partition("partition-database", "a node and the database lose all that they say", peer=Peer.DATABASE)
DATABASE_DOWN = _partition("database-down", "the database is out of every node's reach", peer=Peer.DATABASE, every=True)
DEAF_EDGE = _partition("partition-edge-agent", "the edge's agent and Redis lose all that they say", among=edge_agent)
LATENCY = NetworkFault(
    name="latency",
    summary="what a node and Redis say to each other comes late, with jitter",
    mode="latency",
    count=_late,
    unit="bytes late",
    parameters={"latency_ms": 100.0, "jitter_ms": 50.0, "seed": UNSEEDED},
)
BANDWIDTH = NetworkFault(
    name="bandwidth",
    summary="a node's connections to Redis carry little",
    mode="bandwidth",
    count=_late,
    unit="bytes late",
    parameters={"kilobytes_per_s": 16.0},
)
DROPPED = _messages("drop-messages", "invalidations do not reach a node, and its connection is as healthy as before")
DUPLICATED = _messages("duplicate-messages", "a node hears invalidations twice")
DELAYED = _messages("delay-messages", "a node hears invalidations late, and later ones before", delay_ms=500.0)
REORDERED = _messages("reorder-messages", "a node hears invalidations in another order", window=3, delay_ms=500.0)
