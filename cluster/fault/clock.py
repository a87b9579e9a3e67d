"""A skewed clock: a node's wall clock is some seconds off, while its monotonic clock goes on as it was.

The node is restarted with its clock set apart, and restarted again to heal. Only wall clocks are skewed: leases and
time-outs are measured by clocks that no administrator sets, and a history by the driver's own. The evidence is the
`Date` of the node's answers.
"""

from __future__ import annotations

import http.client
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from random import Random
from urllib.parse import urlsplit

from cluster.errors import ClusterError
from cluster.fault.parameters import complete
from cluster.fault.port import Cluster, Evidence, Fact, Plan, choose
from cluster.fault.server import nodes, server_named
from cluster.status import Endpoint
from cluster.target import Verb, parse_target

ASK_S = 5.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockSkew:
    """The one fault of clocks."""

    name: str = "clock-skew"
    summary: str = "a node is restarted with a wall clock that is some seconds off"
    parameters: Mapping[str, Fact] = field(default_factory=lambda: {"offset_s": -5.0})

    def refusal(self, cluster: Cluster) -> str | None:
        """Whatever the launcher says."""
        status = cluster.status()
        return cluster.launcher.refusal(Verb.SKEW, parse_target(nodes(status)[0], status))

    def plan(self, cluster: Cluster, spec: str, parameters: Mapping[str, Fact], chance: Random) -> Plan:
        """The nodes."""
        targets = choose(spec, nodes(cluster.status()), chance)
        whole = complete(self.name, self.parameters, parameters, chance)
        return Plan(fault=self.name, spec=spec, targets=targets, parameters=whole)

    def start(self, cluster: Cluster, plan: Plan) -> None:
        """Restart each with its clock set apart."""
        self._skew(cluster, plan, float(plan.parameters["offset_s"]))

    def evidence(self, cluster: Cluster, plan: Plan) -> Evidence:
        """Whether each node's answers are dated so."""
        wanted_s = float(plan.parameters["offset_s"])
        offsets = {name: self._offset_s(cluster, name) for name in plan.targets}
        details: dict[str, Fact] = dict(offsets)
        took = all(abs(offset_s - wanted_s) <= max(1.5, abs(wanted_s) / 4) for offset_s in offsets.values())
        text = "; ".join(f"the answers of {name} are dated {offset_s:+.0f} s" for name, offset_s in offsets.items())
        return Evidence(took=took, text=text, details=details)

    def heal(self, cluster: Cluster, plan: Plan) -> None:
        """Restart each with the machine's own clock; one that has it is left alone."""
        self._skew(cluster, plan, 0.0)

    def _skew(self, cluster: Cluster, plan: Plan, offset_s: float) -> None:
        for name in plan.targets:
            cluster.launcher.skew(parse_target(name, cluster.status()), offset_s)

    def _offset_s(self, cluster: Cluster, name: str) -> float:
        """By how much the `Date` of an answer is off; to the second, as that field is."""
        node = server_named(cluster.status(), name)
        assert isinstance(node, Endpoint), "a node has an address"
        connection = http.client.HTTPConnection("127.0.0.1", urlsplit(node.url).port or 0, timeout=ASK_S)
        try:
            connection.request("GET", "/healthz", headers={"Connection": "close"})
            dated = connection.getresponse().getheader("Date", "")
            return parsedate_to_datetime(dated).timestamp() - time.time()
        except (OSError, http.client.HTTPException, ValueError) as problem:
            raise ClusterError(f"{name} does not say what time it is: {problem}") from None
        finally:
            connection.close()


CLOCK_SKEW = ClockSkew()
