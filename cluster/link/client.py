"""The client of the control socket: what the verbs use. Every call is bounded."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import msgspec

from cluster.errors import ClusterError
from cluster.link.control import Change, Look, Reply, Request, connect
from cluster.link.faults import PASS, Setting
from cluster.link.name import canonical
from cluster.status import LinkState

TIMEOUT_S = 3.0


@dataclass(frozen=True, slots=True)
class LinkClient:
    """Talks to the link process whose control socket lies in `folder`."""

    folder: Path
    secret: str
    timeout_s: float = TIMEOUT_S

    def look(self) -> tuple[LinkState, ...]:
        """What every link does. Raises ClusterError when the link process does not answer."""
        return self._ask(Look(secret=self.secret))

    def change(
        self,
        names: Iterable[str],
        *,
        upstream: str | None = None,
        downstream: str | None = None,
        settings: Mapping[str, Setting] | None = None,
    ) -> tuple[LinkState, ...]:
        """Put faults on links, established connections included, and return what all links do then.

        `settings` are those of the faults (`cluster.link.faults`), where they have any.

        Raises WrongInputError for what is no link's name, ClusterError for what the link process refuses.
        """
        return self._ask(
            Change(
                secret=self.secret,
                names=tuple(map(canonical, names)),
                upstream=upstream,
                downstream=downstream,
                settings=dict(settings or {}),
            )
        )

    def heal(self, names: Iterable[str]) -> tuple[LinkState, ...]:
        """Let links pass everything again."""
        return self.change(names, upstream=PASS.name, downstream=PASS.name)

    def _ask(self, request: Request) -> tuple[LinkState, ...]:
        try:
            with connect(self.folder, self.timeout_s) as socket, socket.makefile("rwb") as stream:
                stream.write(msgspec.json.encode(request) + b"\n")
                stream.flush()
                line = stream.readline()
            reply = msgspec.json.decode(line, type=Reply)
        except (OSError, msgspec.DecodeError) as problem:
            raise ClusterError(f"the link process does not answer ({problem}); try `restart links`") from None
        if reply.error is not None:
            raise ClusterError(f"the link process says: {reply.error}")
        return reply.links
