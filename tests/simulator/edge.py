"""Edge: a cache in front of the nodes that keeps their answers by what they say of them, and follows the log itself.

    session ─▶ edge: kept, and its own table proves it ─▶ answer
                  └─▶ a node, with the session's watermark ─▶ answer; kept if it says as of which position it is true

It is the smallest edge that the contract allows (docs/edge.md), not the one that the cluster runs; what it tests is the
nodes' half: `Answer.base`, and that an agent keeps a table of any sink.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace
from tocsin.entry import Answer, Step
from tocsin.generation import Generations
from tocsin.message import key_name, tag_name
from tocsin.policy import Policy
from tocsin.position import Position
from tocsin.proof import Stamp

from tests.simulator.following import Following
from tests.simulator.setting import KEY

if TYPE_CHECKING:
    from tocsin.loading import Loader

    from tests.simulator.node import Node

AT_EDGE = "edge"


class Edge(Following):
    """The edge of a schedule, before one of its nodes."""

    def __init__(self, node: Node) -> None:
        super().__init__("edge", node.world)
        self._node = node
        self._table = Generations(self.memory)
        self._kept: tuple[Stamp, Answer, float] | None = None
        self.begin()

    def read(self, load: Loader, at_least: Position | None, policy: Policy) -> Answer:
        """Answer from here, else ask the node."""
        now_s = self.world.scheduler.now()
        if self._kept is not None:
            stamp, answer, expires_s = self._kept
            if now_s < expires_s and not self._table.doubt(stamp, now_s):
                proved = Position(stamp.epoch, max(stamp.proof.applied, stamp.base))
                if at_least is None or (at_least.epoch == proved.epoch and at_least <= proved):
                    return replace(answer, watermark=proved)
        answer = self._node.read(load, at_least, policy)
        base = answer.base
        if base is not None:
            slots = self._table.slots((key_name(KEY), *map(tag_name, answer.tags)))
            stamp = Stamp(epoch=base.epoch, base=base.sequence, slots=slots)
            kept = replace(answer, steps=(*answer.steps, Step(answer.layer, True, detail=AT_EDGE)))
            self._kept = (stamp, kept, now_s + (policy.ttl_s or 60.0))
        return answer
