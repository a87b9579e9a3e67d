"""Every fault by its name; adding one adds a row here and a file beside this one.

The value is `module:attribute`, imported when it is asked for, so that a command pays only for what it names.
"""

from __future__ import annotations

from importlib import import_module

from cluster.errors import WrongInputError
from cluster.fault.port import Fault

FAULTS: dict[str, str] = {
    "kill-node": "cluster.fault.server:KILL_NODE",
    "pause-node": "cluster.fault.server:PAUSE_NODE",
    "restart-node": "cluster.fault.server:RESTART_NODE",
    "partition": "cluster.fault.network:PARTITION",
    "drop-messages": "cluster.fault.network:DROPPED",
    "crash-after-commit": "cluster.fault.failpoint:CRASH_AFTER_COMMIT",
    "restart-redis": "cluster.fault.redis_server:RESTART_REDIS",
    "flush-redis": "cluster.fault.redis_server:FLUSH_REDIS",
    "kill-worker": "cluster.fault.server:KILL_WORKER",
    "pause-worker": "cluster.fault.server:PAUSE_WORKER",
    "recycle-worker": "cluster.fault.server:RECYCLE_WORKER",
    "rolling-restart": "cluster.fault.server:ROLLING_RESTART",
    "kill-edge": "cluster.fault.server:KILL_EDGE",
    "kill-edge-agent": "cluster.fault.server:KILL_EDGE_AGENT",
    "pause-edge-agent": "cluster.fault.server:PAUSE_EDGE_AGENT",
    "partition-edge-agent": "cluster.fault.network:DEAF_EDGE",
    "kill-flusher": "cluster.fault.server:KILL_FLUSHER",
    "pause-flusher": "cluster.fault.server:PAUSE_FLUSHER",
    "kill-redis": "cluster.fault.redis_server:KILL_REDIS",
    "pause-redis": "cluster.fault.redis_server:PAUSE_REDIS",
    "drop-subscribers": "cluster.fault.redis_server:DROP_SUBSCRIBERS",
    "overflow-subscribers": "cluster.fault.redis_server:OVERFLOW_SUBSCRIBERS",
    "evict": "cluster.fault.redis_server:EVICT",
    "sleep-after-commit": "cluster.fault.failpoint:SLEEP_AFTER_COMMIT",
    "sleep-before-fill": "cluster.fault.failpoint:SLEEP_BEFORE_FILL",
    "sleep-before-apply": "cluster.fault.failpoint:SLEEP_BEFORE_APPLY",
    "partition-refuse": "cluster.fault.network:REFUSED",
    "partition-reset": "cluster.fault.network:RESET",
    "partition-close": "cluster.fault.network:CLOSED",
    "partition-deaf": "cluster.fault.network:DEAF",
    "partition-mute": "cluster.fault.network:MUTE",
    "latency": "cluster.fault.network:LATENCY",
    "bandwidth": "cluster.fault.network:BANDWIDTH",
    "duplicate-messages": "cluster.fault.network:DUPLICATED",
    "delay-messages": "cluster.fault.network:DELAYED",
    "reorder-messages": "cluster.fault.network:REORDERED",
    "clock-skew": "cluster.fault.clock:CLOCK_SKEW",
    "reload-edge": "cluster.fault.inner:RELOAD_EDGE",
    "kill-agent": "cluster.fault.inner:KILL_AGENT",
    "lock-database": "cluster.fault.database:LOCK_DATABASE",
    "slow-database": "cluster.fault.database:SLOW_DATABASE",
    "partition-database": "cluster.fault.network:NO_DATABASE",
    "database-down": "cluster.fault.network:DATABASE_DOWN",
}


def fault_named(name: str) -> Fault:
    """The fault of this name. Raises WrongInputError that lists the names."""
    if name not in FAULTS:
        raise WrongInputError(f"no fault is called {name!r}; there are {', '.join(FAULTS) or 'none yet'}")
    module, _, attribute = FAULTS[name].partition(":")
    fault: Fault = getattr(import_module(module), attribute)
    return fault
