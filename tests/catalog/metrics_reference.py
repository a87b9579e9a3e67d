"""The table of docs/monitoring.md, made of the metrics: `python -m tests.catalog.metrics_reference` writes it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from catalog.metrics import Metrics, _Waiting
from prometheus_client.core import Metric
from tocsin import Answer, Layer, Names, Step, WritePath
from tocsin.diary import Diary
from tocsin.hit_rate import HitRate
from tocsin.observer import LoadOutcome, Spared
from tocsin.position import Position
from tocsin.prometheus import NodeCollector
from tocsin.vitals import Vitals

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "monitoring.md"
BEGIN, END = "<!-- metrics: python -m tests.catalog.metrics_reference -->\n", "<!-- end of metrics -->\n"


def families() -> Iterator[Metric]:
    """Every metric of a node, with a sample of each label."""
    metrics = Metrics()
    observer = metrics.observer
    observer.read(Answer(b"v", 1, Layer.DATABASE, (Step(Layer.L1, False, "uri-miss"),)), 0.1)
    observer.loaded("", 0.1, LoadOutcome.LOADED)
    observer.spared(Spared.JOINED)
    observer.invalidated(Names(keys=("k",)), "write")
    observer.backplane("subscribed")
    metrics.request("/", "GET", 200, 0.1)
    metrics._vitals.show("node-1/worker-1", Vitals(True, Position(1 << 32, 1), 1.0, 0.1, 1, 1))
    yield from metrics._registry.collect()
    yield from NodeCollector(HitRate(1, 1, 0, {}), Diary().page(1)).collect()
    yield from _Waiting(_Database(), _CACHE).collect()  # type: ignore[arg-type]


def table(metrics: Iterable[Metric]) -> str:
    """The metrics as a table of Markdown."""
    lines = ["| metric | kind | labels | what it tells |", "|---|---|---|---|"]
    for metric in metrics:
        suffix = "_total" if metric.type == "counter" else ""
        names = {name: None for sample in metric.samples for name in sample.labels if name != "le"}
        labels = ", ".join(f"`{name}`" for name in names)
        lines.append(f"| `{metric.name}{suffix}` | {metric.type} | {labels} | {metric.documentation} |")
    return "\n".join(lines) + "\n"


class _Database:
    @contextmanager
    def reading(self) -> Iterator[Any]:
        yield SimpleNamespace(scalar=lambda _: 0)

    def own_hit_ratio(self) -> float:
        return 0.99


_CACHE = SimpleNamespace(settings=SimpleNamespace(write_path=WritePath.WRITE_BEHIND), waiting=lambda: 0)


def main() -> None:
    """Write the table into the document."""
    text = DOCUMENT.read_text(encoding="utf-8")
    before, rest = text.split(BEGIN)
    DOCUMENT.write_text(before + BEGIN + table(families()) + END + rest.split(END)[1], encoding="utf-8")


if __name__ == "__main__":
    main()
