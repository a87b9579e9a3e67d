"""Promises: the contract of an adapter, in the same words as those of our own strategies."""

from __future__ import annotations

from cluster.application.adapter import Adapter
from cluster.contract.promise import MS, Contract, Gates, Promise


def contract_of_adapter(adapter: Adapter) -> Contract:
    """What the application promises, by its own word; and what everybody does."""
    promised = adapter.contract
    promises = [Promise(property="phantom", text="nobody reads what was not written")]
    own = []
    if promised.staleness_ms_max is not None:
        text = f"answers are stale by at most {promised.staleness_ms_max:g} ms"
        bound_ns = round(promised.staleness_ms_max * MS)
        promises.append(Promise(property="staleness", text=text, bound_ns=bound_ns, delivery=True))
        own.append(f"staleness ≤ {promised.staleness_ms_max:g} ms")
    for asked, name in (
        (promised.linearizable, "linearizable"),
        (promised.monotonic_reads, "monotonic reads"),
        (promised.read_your_writes, "read your writes"),
    ):
        if asked:
            promises.append(Promise(property=name, text=f"answers are {name}" if name == "linearizable" else name))
            own.append(name)
    promises.append(Promise(property="quiescent agreement", text="at rest, everybody answers with the latest version"))
    return Contract(
        strategy=adapter.name,
        write_path="",
        summary="; ".join(own) or "nothing beyond what everybody does",
        promises=tuple(promises),
        gates=Gates(hits_min=0.0),
    )
