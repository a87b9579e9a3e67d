"""The table: what each strategy promises, from its own documents (docs/coherence.md, docs/contract.md) and settings.

| strategy             | in health                                | always                                          |
|----------------------|------------------------------------------|-------------------------------------------------|
| no-cache             |                                          | workers linearizable                            |
| l2-only, versioned   | staleness ≤ 250 ms                       | ≤ TTL of L2                                     |
| ttl                  | staleness ≤ TTL of L1                    | ≤ TTL of L1 + TTL of L2                         |
| pubsub and its like  | staleness ≤ 1 s (delivery)               | ≤ TTL of L1 + TTL of L2; after the heal as well |
| sequenced            |                                          | staleness ≤ 1 s, + 300 ms if the writer died;   |
|                      |                                          | sessions read their writes, and never backwards |
| strict               |                                          | the same, and workers linearizable unless Redis |
|                      |                                          | loses its memory, or (on SQLite) a writer stalls|

Everybody: nobody reads what was not written, or another user's page; no acknowledged write is lost; at rest all agree.
The edge hears invalidations under `sequenced` and `strict`; elsewhere it adds its own second or two.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from cluster.contract.promise import MS, Contract, Gates, Promise, Scope, When

S = 1000 * MS
LEASE_NS = 1 * S
"""L: for so long a node serves from L1 after it last proved that it heard everything."""
REPAIR_NS = 300 * MS
"""How long it takes somebody else to tell of a write whose own process can't: 200 ms and up to 100 ms of jitter."""
EDGE_NS = 2 * S
"""`s-maxage=1` in an nginx that counts whole seconds: one to two."""
DELIVERY_NS = 1 * S
"""Within which a message that is not lost reaches every worker, on a machine that is not standing still."""
AT_ONCE_NS = 250 * MS
LOSS_WINDOW_NS = 5 * S
SETTLE_S, MOMENT_S = 10.0, 3.0
FENCED = frozenset({"postgresql", "mariadb"})
"""Databases that end the transaction of a writer that was stopped. SQLite runs in the writer's own process."""
L1_TTL_S, L2_TTL_S = 2.0, 30.0
"""The defaults of docs/contract.md §5."""


@dataclass(frozen=True, slots=True)
class Times:
    """What a promise depends on: settings, in nanoseconds, and whether the database ends a writer that stands still."""

    l1_ttl_ns: int
    l2_ttl_ns: int
    fenced: bool = True


def contract_of(strategy: str, write_path: str, settings: Mapping[str, str], *, database: str = "sqlite") -> Contract:
    """What a strategy promises with these settings; one that is not in the table promises what everybody does.

    `database`: its kind, sqlite, postgresql or mariadb.
    """
    times = Times(
        round(float(settings.get("TOCSIN_L1_TTL_S", L1_TTL_S)) * S),
        round(float(settings.get("TOCSIN_L2_TTL_S", L2_TTL_S)) * S),
        fenced=database in FENCED,
    )
    behind = write_path == "write-behind"
    summary, own = OWN.get(strategy, _nothing)(times)
    if behind:
        # A loss takes versions back: what was shown is then given to other writes, and no order of them means anything.
        own = tuple(_void_after_loss(promise) for promise in own)
    return Contract(
        strategy=strategy,
        write_path=write_path,
        summary=summary + ("; what was not drained is lost with Redis" if behind else ""),
        promises=(*_everybody(behind=behind), *own),
        gates=Gates(hits_min=0.0 if strategy == "no-cache" else Gates().hits_min),
    )


def _everybody(*, behind: bool) -> tuple[Promise, ...]:
    lost = "no acknowledged write is lost" + (
        f", but those acknowledged in the {LOSS_WINDOW_NS // S} s before Redis lost its memory" if behind else ""
    )
    return (
        Promise(property="phantom", text="nobody reads what was not written", void_after_loss=behind),
        Promise(property="leak", text="nobody is given another user's data"),
        Promise(property="lost write", text=lost, loss_window_ns=LOSS_WINDOW_NS if behind else 0),
        Promise(property="quiescent agreement", text="at rest, everybody answers with the latest version"),
    )


def _void_after_loss(promise: Promise) -> Promise:
    return replace(promise, void_after_loss=True)


def _stale(
    bound_ns: int,
    text: str,
    *,
    scope: Scope = Scope.WORKERS,
    when: When = When.ALWAYS,
    delivery: bool = False,
    repair_ns: int = 0,
) -> Promise:
    whose = {Scope.WORKERS: "the workers' answers", Scope.EDGE: "the edge's answers", Scope.ALL: "all answers"}[scope]
    moment = {When.ALWAYS: "", When.HEALTH: " before the fault", When.AFTER: " after the heal"}[when]
    repair = f", + {repair_ns // MS} ms after a write without a good end" if repair_ns else ""
    return Promise(
        property="staleness",
        text=f"{whose}{moment} are stale by at most {bound_ns / S:g} s ({text}){repair}",
        scope=scope,
        when=when,
        bound_ns=bound_ns,
        delivery=delivery,
        repair_ns=repair_ns,
    )


def _micro_cache(bound_ns: int, text: str, *, when: When = When.ALWAYS, delivery: bool = True) -> Promise:
    """The same through an edge that keeps each answer for a second or two and hears of nothing."""
    return _stale(
        bound_ns + EDGE_NS, f"{text}, and the edge's two seconds", scope=Scope.EDGE, when=when, delivery=delivery
    )


def _nothing(_: Times) -> tuple[str, tuple[Promise, ...]]:
    return "nothing about staleness", ()


def _no_cache(_: Times) -> tuple[str, tuple[Promise, ...]]:
    return "linearizable", (
        Promise(property="linearizable", text="the workers' answers are linearizable", scope=Scope.WORKERS),
        _micro_cache(0, "no cache"),
    )


def _shared_level(times: Times) -> tuple[str, tuple[Promise, ...]]:
    return f"fresh in health; staleness ≤ {times.l2_ttl_ns / S:g} s whatever happens", (
        _stale(AT_ONCE_NS, "every read asks Redis", when=When.HEALTH, delivery=True),
        _micro_cache(AT_ONCE_NS, "every read asks Redis", when=When.HEALTH),
        _stale(times.l2_ttl_ns, "the TTL of L2", delivery=True),
        _micro_cache(times.l2_ttl_ns, "the TTL of L2"),
    )


def _ttl(times: Times) -> tuple[str, tuple[Promise, ...]]:
    both = times.l1_ttl_ns + times.l2_ttl_ns
    return f"staleness ≤ {times.l1_ttl_ns / S:g} s in health, ≤ {both / S:g} s whatever happens", (
        _stale(times.l1_ttl_ns, "the TTL of L1", when=When.HEALTH, delivery=True),
        _micro_cache(times.l1_ttl_ns, "the TTL of L1", when=When.HEALTH),
        _stale(both, "the TTLs of both levels", delivery=True),
        _micro_cache(both, "the TTLs of both levels"),
    )


def _islands(times: Times) -> tuple[str, tuple[Promise, ...]]:
    return f"staleness ≤ {times.l1_ttl_ns / S:g} s", (
        _stale(times.l1_ttl_ns + AT_ONCE_NS, "the TTL, from the end of the load", delivery=True),
        _micro_cache(times.l1_ttl_ns + AT_ONCE_NS, "the TTL, from the end of the load"),
    )


def _called_back(times: Times) -> tuple[str, tuple[Promise, ...]]:
    return f"staleness ≤ {DELIVERY_NS / S:g} s in health, ≤ {times.l2_ttl_ns / S:g} s whatever happens", (
        _stale(DELIVERY_NS, "delivery", when=When.HEALTH, delivery=True),
        _micro_cache(DELIVERY_NS, "delivery", when=When.HEALTH),
        _stale(times.l2_ttl_ns, "the TTL of what is in Redis", delivery=True),
        _micro_cache(times.l2_ttl_ns, "the TTL of what is in Redis"),
    )


def _pubsub(times: Times) -> tuple[str, tuple[Promise, ...]]:
    both = times.l1_ttl_ns + times.l2_ttl_ns
    return f"staleness ≤ {DELIVERY_NS / S:g} s in health, ≤ {both / S:g} s whatever happens", (
        _stale(DELIVERY_NS, "delivery", when=When.HEALTH, delivery=True),
        _micro_cache(DELIVERY_NS, "delivery", when=When.HEALTH),
        _stale(both, "the TTLs of both levels", delivery=True),
        _micro_cache(both, "the TTLs of both levels"),
    )


SESSIONS = (
    Promise(property="read your writes", text="a session reads its own writes", scope=Scope.EDGE),
    Promise(property="monotonic reads", text="a session never reads backwards", scope=Scope.EDGE),
)
"""Sessions are those of people, who come through the edge; workers are asked without one."""


def _sequenced(_: Times) -> tuple[str, tuple[Promise, ...]]:
    return "staleness ≤ 1 s under every fault; sessions read their writes, and never backwards", (
        _stale(LEASE_NS, "the lease", repair_ns=REPAIR_NS),
        _stale(LEASE_NS, "the lease", scope=Scope.EDGE, repair_ns=REPAIR_NS),
        *SESSIONS,
        Promise(property="convergence", text="every worker comes to know every write", scope=Scope.WORKERS),
    )


def _strict(times: Times) -> tuple[str, tuple[Promise, ...]]:
    stalls = "" if times.fenced else ", and no writer stalls for 3 s (SQLite can't end one)"
    but = "" if times.fenced else ", but for writes that took longer than 3 s"
    return f"linearizable while Redis loses no acknowledged write{stalls}", (
        Promise(
            property="linearizable",
            text=f"the workers' answers are linearizable{but}",
            scope=Scope.WORKERS,
            void_after_loss=True,
            stalls_excused=not times.fenced,
        ),
        _stale(LEASE_NS, "the lease", repair_ns=REPAIR_NS),
        _stale(LEASE_NS, "the lease", scope=Scope.EDGE, repair_ns=REPAIR_NS),
        *SESSIONS,
    )


OWN: dict[str, Callable[[Times], tuple[str, tuple[Promise, ...]]]] = {
    "no-cache": _no_cache,
    "l2-only": _shared_level,
    "versioned": _shared_level,
    "ttl": _ttl,
    "pubsub": _pubsub,
    "pubsub-flush": _pubsub,
    "tracking": _pubsub,
    "sequenced": _sequenced,
    "strict": _strict,
    "flask-caching-simple": _islands,
    "flask-caching-redis": _shared_level,
    "dogpile": _shared_level,
    "cashews": _called_back,
    "redis-py-tracking": _called_back,
}
"""Of other people's caches: what a reader of their documents would take from them, with the times to live set here."""


def settles_within_s(strategy: str, settings: Mapping[str, str]) -> float:
    """How long after a heal all must agree: what depends on a TTL alone may take that TTL, and a moment."""
    if strategy in ("no-cache", "sequenced", "strict"):
        return SETTLE_S
    l1_ttl_s = float(settings.get("TOCSIN_L1_TTL_S", L1_TTL_S))
    return max(SETTLE_S, l1_ttl_s + float(settings.get("TOCSIN_L2_TTL_S", L2_TTL_S)) + MOMENT_S)
