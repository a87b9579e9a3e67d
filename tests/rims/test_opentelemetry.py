"""OpenTelemetry: a read and a load are spans in the request's trace, and nothing in them belongs to anybody."""

from __future__ import annotations

from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from tocsin import Answer, Layer, Names, Step
from tocsin.observer import LoadOutcome
from tocsin.opentelemetry import OpenTelemetryObserver
from tocsin.position import Position

MISSED = Answer(
    b"secret",
    3,
    Layer.DATABASE,
    (Step(Layer.L2, False, "uri-miss"), Step(Layer.L1, False, "stale", None, "expired")),
    watermark=Position(1, 42),
)


def traced() -> tuple[TracerProvider, InMemorySpanExporter]:
    """A provider whose spans can be looked at."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider, exporter


def by_name(exporter: InMemorySpanExporter) -> dict[str, ReadableSpan]:
    return {span.name: span for span in exporter.get_finished_spans()}


def test_reads_and_loads_are_spans_of_the_request() -> None:
    """With their durations, layers and causes, below the span that is under way; an invalidation is an event in it."""
    provider, exporter = traced()
    observer = OpenTelemetryObserver(provider)
    with provider.get_tracer("shop").start_as_current_span("GET /") as request:
        observer.loaded("products", 0.25, LoadOutcome.LOADED)
        observer.read(MISSED, 0.5)
        observer.invalidated(Names(keys=("product:7",), tags=("a", "b")), "write")
    spans = by_name(exporter)
    read, load = spans["tocsin.read"], spans["tocsin.load"]
    assert read.parent is not None
    assert read.parent.span_id == request.get_span_context().span_id
    assert read.start_time is not None
    assert read.end_time is not None
    assert read.end_time - read.start_time >= 0.5e9
    assert read.attributes == {
        "tocsin.layer": "database",
        "tocsin.version": 3,
        "tocsin.age_s": 0.0,
        "tocsin.joined": False,
        "tocsin.l1.miss": "expired",
        "tocsin.l2.miss": "cold",
        "tocsin.sequence": 42,
    }
    assert load.attributes == {"tocsin.source": "products", "tocsin.outcome": "loaded"}
    (event,) = spans["GET /"].events
    assert (event.name, dict(event.attributes or {})["tocsin.tags"]) == ("tocsin.invalidated", 2)


def test_a_load_that_failed_is_an_error() -> None:
    """And a refused one too, so that a trace shows why a request was answered by a stale value."""
    provider, exporter = traced()
    OpenTelemetryObserver(provider).loaded("products", 0.1, LoadOutcome.CROWDED)
    assert not by_name(exporter)["tocsin.load"].status.is_ok


def test_no_name_and_no_value_is_in_a_span() -> None:
    """Keys and values may be somebody's."""
    provider, exporter = traced()
    observer = OpenTelemetryObserver(provider)
    with provider.get_tracer("shop").start_as_current_span("GET /"):
        observer.read(MISSED, 0.5)
        observer.invalidated(Names(keys=("basket:ada",)), "write")
    assert not any(word in span.to_json() for span in exporter.get_finished_spans() for word in ("ada", "secret"))
