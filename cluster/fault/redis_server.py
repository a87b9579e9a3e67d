"""Faults of Redis: it is killed, restarted empty, paused, flushed, loses its subscribers or its memory.

    kill-redis, restart-redis     all that it held is gone: L2, counters, subscriptions (it keeps nothing on disk)
    flush-redis                   the same for data, while connections and subscriptions live on
    pause-redis                   connections are accepted by the kernel, and nobody answers
    drop-subscribers              CLIENT KILL TYPE pubsub: listeners are cut off, data stays
    overflow-subscribers          one message above the output buffer's limit: Redis cuts its subscribers off itself
    evict                         maxmemory below what is held: entries go by themselves

Redis is asked directly, never through a link.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from cluster.errors import ClusterError
from cluster.fault.port import Cluster, Evidence, Fact, Plan
from cluster.fault.steps import SteppedFault
from cluster.status import State
from cluster.target import parse_target
from cluster.until import Missing, until

ASK_S = 2.0
SILENT_S = 0.5
OVERFLOW_S = 10.0
REDIS = "redis"
MARK = "examiner:mark"
LIMIT = "client-output-buffer-limit"


@contextlib.contextmanager
def asking(cluster: Cluster, within_s: float = ASK_S) -> Iterator[Redis]:
    """A connection to the cluster's Redis; whatever it says against a command becomes a ClusterError."""
    client = Redis.from_url(
        cluster.status().redis.url,
        socket_timeout=within_s,
        socket_connect_timeout=within_s,
        retry=Retry(NoBackoff(), 0),
        decode_responses=True,
    )
    try:
        yield client
    except RedisError as problem:
        raise ClusterError(f"redis: {problem}") from None
    finally:
        client.close()


def _info(cluster: Cluster) -> dict[str, Any]:
    with asking(cluster) as client:
        return dict(client.info("everything"))


def _run_id(cluster: Cluster, parameters: Mapping[str, Fact]) -> dict[str, Fact]:  # noqa: ARG001  # a step's form
    info = _info(cluster)
    return {"run_id": str(info["run_id"]), "pid": cluster.status().redis.pid or 0}


# ---- it ends, and begins anew ---------------------------------------------------------------------------------------


def _kill(cluster: Cluster, plan: Plan) -> None:  # noqa: ARG001
    cluster.launcher.kill(parse_target(REDIS, cluster.status()))


def _restart(cluster: Cluster, plan: Plan) -> None:  # noqa: ARG001
    cluster.launcher.restart(parse_target(REDIS, cluster.status()))


def _pause(cluster: Cluster, plan: Plan) -> None:  # noqa: ARG001
    cluster.launcher.pause(parse_target(REDIS, cluster.status()))


def _revive(cluster: Cluster, plan: Plan) -> None:  # noqa: ARG001
    status = cluster.status()
    if status.redis.state is State.PAUSED:
        cluster.launcher.resume(parse_target(REDIS, status))
    elif status.redis.state is State.DEAD:
        cluster.launcher.restart(parse_target(REDIS, status))


def _is_gone(cluster: Cluster, plan: Plan) -> Evidence:
    redis = cluster.status().redis
    if redis.state is State.DEAD:
        return Evidence(took=True, text=f"redis was pid {plan.before['pid']} and is dead")
    return _is_another(cluster, plan)


def _is_another(cluster: Cluster, plan: Plan) -> Evidence:
    now = _info(cluster)["run_id"]
    took = now != plan.before["run_id"]
    return Evidence(took=took, text=f"redis has run id {str(now)[:8]}, and had {str(plan.before['run_id'])[:8]}")


def _is_silent(cluster: Cluster, plan: Plan) -> Evidence:  # noqa: ARG001
    state = cluster.status().redis.state
    try:
        with asking(cluster, SILENT_S) as client:
            client.ping()
    except ClusterError as problem:
        return Evidence(took=state is State.PAUSED, text=f"redis is {state}, and PING says: {problem}")
    return Evidence(took=False, text=f"redis is {state} and answers PING")


# ---- it forgets -----------------------------------------------------------------------------------------------------


def _flush(cluster: Cluster, plan: Plan) -> None:
    with asking(cluster) as client:
        # The mark is set first: only a flush between then and the evidence takes it away.
        client.set(MARK, str(plan.before["run_id"]))
        client.flushall()


def _has_forgotten(cluster: Cluster, plan: Plan) -> Evidence:
    with asking(cluster) as client:
        mark, now = client.get(MARK), client.info("server")["run_id"]
        calls = client.info("commandstats").get("cmdstat_flushall", {}).get("calls", 0)
    took = mark is None and calls > 0 and now == plan.before["run_id"]
    same = "the same process" if now == plan.before["run_id"] else "another process"
    text = (
        f"redis is {same}, has done {calls} FLUSHALL, and the mark of before is {'gone' if mark is None else 'there'}"
    )
    return Evidence(took=took, text=text, details={"flushes": int(calls)})


def _memory(cluster: Cluster, parameters: Mapping[str, Fact]) -> dict[str, Fact]:  # noqa: ARG001
    info = _info(cluster)
    return {"maxmemory": int(info["maxmemory"]), "evicted": int(info["evicted_keys"])}


def _squeeze(cluster: Cluster, plan: Plan) -> None:
    share = float(plan.parameters["share"])
    with asking(cluster) as client:
        info = client.info("memory")
        data = max(0, info["used_memory"] - info["used_memory_startup"])
        client.config_set("maxmemory", int(info["used_memory_startup"] + data * share))


def _loosen(cluster: Cluster, plan: Plan) -> None:
    _set_back(cluster, "maxmemory", plan.before["maxmemory"])


def _set_back(cluster: Cluster, setting: str, value: Fact) -> None:
    """Give a setting its former value; a Redis that died meanwhile takes it from its own file when it starts."""
    if cluster.status().redis.state is not State.DEAD:
        with asking(cluster) as client:
            client.config_set(setting, value)


def _has_evicted(cluster: Cluster, plan: Plan) -> Evidence:
    evicted = int(_info(cluster)["evicted_keys"]) - int(plan.before["evicted"])
    return Evidence(took=evicted > 0, text=f"redis has evicted {evicted} entries", details={"evicted": evicted})


# ---- it loses those who listen --------------------------------------------------------------------------------------


def _subscribers(cluster: Cluster) -> set[str]:
    with asking(cluster) as client:
        return {str(each["id"]) for each in client.client_list(_type="pubsub")}


def _listeners(cluster: Cluster, parameters: Mapping[str, Fact]) -> dict[str, Fact]:  # noqa: ARG001
    overflows = int(_info(cluster).get("client_output_buffer_limit_disconnections", 0))
    with asking(cluster) as client:
        limit = str(client.config_get(LIMIT)[LIMIT])
    return {"subscribers": " ".join(sorted(_subscribers(cluster))), "overflows": overflows, "limit": limit}


def _drop_subscribers(cluster: Cluster, plan: Plan) -> None:  # noqa: ARG001
    with asking(cluster) as client:
        client.client_kill_filter(_type="pubsub")


def _have_lost_all(cluster: Cluster, plan: Plan) -> Evidence:
    before = set(str(plan.before["subscribers"]).split())
    stayed = before & _subscribers(cluster)
    text = f"of {len(before)} subscribers' connections {len(before) - len(stayed)} are gone"
    return Evidence(took=bool(before) and not stayed, text=text, details={"dropped": len(before) - len(stayed)})


def _overflow(cluster: Cluster, plan: Plan) -> None:
    flood = "x" * int(plan.parameters["bytes"])

    def missing() -> Missing:
        with asking(cluster) as client:
            client.config_set(LIMIT, "pubsub 65536 65536 1")
            for channel in client.pubsub_channels():
                client.publish(channel, flood)  # that no buffer may hold: Redis closes whoever was to get it
            client.config_set(LIMIT, str(plan.before["limit"]))
        return None if _have_overflowed(cluster, plan).took else "nobody who listens was cut off"

    # Again, until somebody was: at a single moment all who listen may just be connecting.
    until(missing, within_s=OVERFLOW_S, waiting_for="a subscriber's buffer to overflow", every_s=0.3)


def _widen(cluster: Cluster, plan: Plan) -> None:
    _set_back(cluster, LIMIT, plan.before["limit"])


def _have_overflowed(cluster: Cluster, plan: Plan) -> Evidence:
    count = int(_info(cluster).get("client_output_buffer_limit_disconnections", 0)) - int(plan.before["overflows"])
    return Evidence(
        took=count > 0, text=f"redis has cut {count} subscribers off for their buffers", details={"cut": count}
    )


def _nothing(cluster: Cluster, plan: Plan) -> None:
    """Clients connect again by themselves, or that is what is found out."""


KILL_REDIS = SteppedFault(
    name="kill-redis",
    summary="Redis ends by SIGKILL, with all that it held",
    aim=(REDIS,),
    look=_run_id,
    act=_kill,
    proof=_is_gone,
    mend=_revive,
)
RESTART_REDIS = SteppedFault(
    name="restart-redis",
    summary="Redis is restarted, and comes back empty",
    aim=(REDIS,),
    look=_run_id,
    act=_restart,
    proof=_is_another,
    mend=_revive,
)
PAUSE_REDIS = SteppedFault(
    name="pause-redis",
    summary="Redis is frozen: it accepts connections and answers nobody",
    aim=(REDIS,),
    look=_run_id,
    act=_pause,
    proof=_is_silent,
    mend=_revive,
)
FLUSH_REDIS = SteppedFault(
    name="flush-redis",
    summary="FLUSHALL: data and counters are gone, connections live on",
    aim=(REDIS,),
    look=_run_id,
    act=_flush,
    proof=_has_forgotten,
    mend=_nothing,
)
DROP_SUBSCRIBERS = SteppedFault(
    name="drop-subscribers",
    summary="Redis cuts off all who listen (CLIENT KILL TYPE pubsub)",
    aim=(REDIS,),
    look=_listeners,
    act=_drop_subscribers,
    proof=_have_lost_all,
    mend=_nothing,
)
OVERFLOW_SUBSCRIBERS = SteppedFault(
    name="overflow-subscribers",
    summary="subscribers' output buffers overflow, and Redis cuts them off",
    aim=(REDIS,),
    parameters={"bytes": 1 << 20},
    look=_listeners,
    act=_overflow,
    proof=_have_overflowed,
    mend=_widen,
)
EVICT = SteppedFault(
    name="evict",
    summary="Redis has too little memory for what it holds, and evicts entries",
    aim=(REDIS,),
    parameters={"share": 0.7},
    look=_memory,
    act=_squeeze,
    proof=_has_evicted,
    mend=_loosen,
)
