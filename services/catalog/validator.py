"""Validator: strong ETags, and the conditions that requests put on them (RFC 9110, sections 8.8.3 and 13.1).

What always holds: an ETag is a hash of the bytes that it stands for. A counter would begin again after a restart and
bless old bytes (hazard 31); a hash can't, and two workers that serve the same bytes agree on it without talking.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from hashlib import blake2b

from werkzeug.datastructures import ETags
from werkzeug.http import parse_etags


class Verdict(enum.Enum):
    """What the conditions of a request say about the present representation."""

    PROCEED = "proceed"
    NOT_MODIFIED = "not-modified"
    FAILED = "failed"


def etag_of(body: bytes) -> str:
    """The opaque part of the strong ETag of these bytes, without its quotes."""
    return blake2b(body, digest_size=12).hexdigest()


@dataclass(frozen=True, slots=True)
class Conditions:
    """`If-Match` and `If-None-Match` of one request; None where the field was absent."""

    match: ETags | None
    none_match: ETags | None

    @classmethod
    def parse(cls, if_match: str | None, if_none_match: str | None) -> Conditions:
        """Read the two fields; what can't be read in them matches nothing."""
        return cls(
            None if if_match is None else parse_etags(if_match),
            None if if_none_match is None else parse_etags(if_none_match),
        )

    def judge(self, etag: str, *, safe: bool) -> Verdict:
        """Compare with the ETag of what exists, in the order of RFC 9110 section 13.2.2.

        Call it only where something exists: without a representation the request fails for that reason first.
        """
        if self.match is not None and not self.match.contains(etag):
            return Verdict.FAILED
        if self.none_match is not None and self.none_match.contains_weak(etag):
            return Verdict.NOT_MODIFIED if safe else Verdict.FAILED
        return Verdict.PROCEED
