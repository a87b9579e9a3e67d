"""OpenTelemetry: spans of what the cache did, within the span of the request; needs the extra `tocsin[opentelemetry]`.

    GET /api/products/7              the application's span
      └─ tocsin.read                 layer, the causes of misses, version, age, position
           └─ (tocsin.load)          its source and outcome, beside it

An observer is told after the fact, so a span is begun in the past and ended at once. What always holds: no key, name or
value is put into a span, as they may be somebody's; hits by the shortest way make none. Without a configured SDK the
API does nothing, and this costs about as much.
"""

import time

from opentelemetry import trace
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, TracerProvider
from opentelemetry.util.types import AttributeValue

from tocsin.entry import Answer
from tocsin.names import Names
from tocsin.observer import LoadOutcome, Unobserved


class OpenTelemetryObserver(Unobserved):
    """Makes spans by `provider`'s tracer, or by that of the process."""

    def __init__(self, provider: TracerProvider | None = None) -> None:
        self._tracer = trace.get_tracer("tocsin", tracer_provider=provider)

    def read(self, answer: Answer, seconds: float) -> None:
        """Make the span of one read."""
        attributes: dict[str, AttributeValue] = {
            "tocsin.layer": answer.layer.value,
            "tocsin.version": answer.version,
            "tocsin.age_s": answer.age_s,
            "tocsin.joined": answer.joined,
        }
        for step in answer.steps:
            if not step.hit:
                attributes[f"tocsin.{step.layer.value}.miss"] = step.cause
        if answer.watermark is not None:
            attributes["tocsin.sequence"] = answer.watermark.sequence
        self._span("tocsin.read", seconds, attributes)

    def loaded(self, source: str, seconds: float, outcome: LoadOutcome) -> None:
        """Make the span of one load; one that failed or was refused is an error."""
        span = self._begun("tocsin.load", seconds, {"tocsin.source": source, "tocsin.outcome": outcome.value})
        if outcome is not LoadOutcome.LOADED:
            span.set_status(Status(StatusCode.ERROR, outcome.value))
        span.end()

    def invalidated(self, names: Names, source: str) -> None:
        """Note an invalidation in the span that is under way: how many names of each kind, and whose."""
        if source == "backplane":
            return  # heard from elsewhere, on the listener's thread: nobody's request
        trace.get_current_span().add_event(
            "tocsin.invalidated",
            {
                "tocsin.source": source,
                "tocsin.keys": len(names.keys),
                "tocsin.tags": len(names.tags),
                "tocsin.namespaces": len(names.namespaces),
            },
        )

    def _span(self, name: str, seconds: float, attributes: dict[str, AttributeValue]) -> None:
        self._begun(name, seconds, attributes).end()

    def _begun(self, name: str, seconds: float, attributes: dict[str, AttributeValue]) -> Span:
        begun_ns = time.time_ns() - round(seconds * 1e9)
        return self._tracer.start_span(name, kind=SpanKind.INTERNAL, attributes=attributes, start_time=begun_ns)
