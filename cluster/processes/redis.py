"""Redis, as the cluster runs it: on loopback, in memory only.

It keeps no snapshot and no journal, so a restarted Redis is an empty one. That is the harder case for a cache, and the
one that a testbed is for: everything that was in L2, every counter and every subscription is gone.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass

from cluster.asking import ASK_S
from cluster.ports import LOOPBACK
from cluster.processes.binary import Binary
from cluster.processes.plan import REDIS, Plan
from cluster.processes.spawn import Command, Spawned
from cluster.until import Missing

# volatile-lru: under pressure only what has a TTL goes; counters and journals have none. The title would overwrite the
# environment, and with it the marker by which a run's processes are found.
CONFIGURATION = """\
bind {host}
port {port}
protected-mode yes
dir {folder}
save ""
appendonly no
maxmemory 128mb
maxmemory-policy volatile-lru
set-proc-title no
"""


@dataclass(frozen=True, slots=True)
class RedisServer:
    """The one Redis of a run."""

    plan: Plan
    binary: Binary
    name: str = REDIS

    def command(self) -> Command:
        """Write redis.conf and start from it."""
        folder = self.plan.run.folder(self.name)
        configuration = folder / "redis.conf"
        text = CONFIGURATION.format(host=LOOPBACK, port=self.plan.addresses.redis, folder=_quoted(str(folder)))
        configuration.write_text(text, encoding="utf-8")
        return Command((str(self.binary.path), str(configuration)), folder)

    def answers(self, spawned: Spawned) -> Missing:  # noqa: ARG002  # its port says more than its log
        """It answers PING."""
        return self.ready()

    def ready(self) -> Missing:
        """It answers PING on its own port, whatever is wrong with the links to it."""
        try:
            with socket.create_connection((LOOPBACK, self.plan.addresses.redis), timeout=ASK_S) as connection:
                connection.sendall(b"PING\r\n")
                reply = connection.recv(64)
        except OSError as problem:
            return f"redis: {problem.strerror or problem}"
        return None if reply == b"+PONG\r\n" else f"redis answers {reply!r}"


def _quoted(path: str) -> str:
    return '"' + path.replace("\\", "\\\\").replace('"', '\\"') + '"'
