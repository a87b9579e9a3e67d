"""Fetched: what a trip beyond L1 brought, and the answer that a copy of it gives.

What always holds: an answer from a copy says how old the value is, and what a session has seen with it.
"""

from msgspec import Struct
from msgspec.structs import replace

from tocsin.entry import Answer, Layer, Step
from tocsin.evidence import watermark_of
from tocsin.local import LocalEntry


class Fetched(Struct, frozen=True):
    """What a trip brought: the answer without its L1 step, and its copy for L1, if it may be kept and shared.

    With `due_s` above 0 the entry is to be refreshed: so much was left to it.
    """

    answer: Answer
    copy: LocalEntry | None
    due_s: float = 0.0

    def after(self, passed: tuple[Step, ...]) -> Answer:
        """Return the answer with the steps of the levels that were passed before L2, which stand after it."""
        return replace(self.answer, steps=self.answer.steps + passed) if passed else self.answer


def from_copy(entry: LocalEntry, now_s: float, detail: str | None = None) -> Answer:
    """Return the answer that an entry of L1 gives."""
    watermark = watermark_of(entry)
    return Answer(
        entry.value,
        entry.version,
        Layer.L1,
        (Step(Layer.L1, True, ttl_s=entry.expires_s - now_s, detail=detail),),
        age_s=now_s - entry.loaded_s,
        namespace_version=entry.family.namespace_version,
        watermark=watermark,
        base=None if detail else watermark,  # what is shown as a stale one is proved by nothing
        tags=entry.family.tags,
    )
