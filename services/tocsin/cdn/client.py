"""Client: the port to one CDN, and how its answers are read: done, later, or refused."""

from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from tocsin.errors import TocsinError

ANSWER_S = 10.0


class PurgeLater(TocsinError):  # noqa: N818  # read as "raise PurgeLater"
    """The CDN can't do it now: unreachable, overloaded, or asked too often. `after_s`: its own wish, 0 for none."""

    def __init__(self, message: str, after_s: float = 0.0) -> None:
        super().__init__(message)
        self.after_s = after_s


class PurgeRefused(TocsinError):  # noqa: N818
    """The CDN will not do it: a wrong token, zone or service. It is no use to ask again before somebody mends that."""


class PurgeClient(Protocol):
    """One CDN. Both calls block for at most ANSWER_S; both raise `PurgeLater` and `PurgeRefused`."""

    name: str
    """What it is called in messages."""

    names_max: int
    """How many names one call takes."""

    every_s: float
    """How far apart calls must be, so that the CDN's rate limit is kept."""

    def purge(self, tags: Sequence[str]) -> None:
        """Purge what carries one of these tags (`tocsin.edge.group`)."""

    def purge_everything(self) -> None:
        """Purge all."""


class Reply(Struct, frozen=True):
    """An answer over HTTP."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def post(url: str, headers: Mapping[str, str], body: bytes) -> Reply:
    """POST, bounded in time, following no redirect. Raises `PurgeLater` where no answer came."""
    request = urllib.request.Request(url, data=body, headers=dict(headers), method="POST")  # noqa: S310 - https or a test's
    try:
        with _OPENER.open(request, timeout=ANSWER_S) as answer:
            return Reply(answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return Reply(error.code, {name.lower(): value for name, value in error.headers.items()}, error.read())
    except (OSError, ValueError) as error:
        raise PurgeLater(f"{url} did not answer: {error}") from error


def insist(name: str, reply: Reply) -> None:
    """Return if a reply is a success. Raises `PurgeLater` for 408, 429 and 5xx, `PurgeRefused` for anything else."""
    if 200 <= reply.status < 300:
        return
    said = f"{name} answered {reply.status}: {reply.body[:200].decode('utf-8', 'replace')}"
    if reply.status in (408, 429) or reply.status >= 500:
        raise PurgeLater(said, _seconds(reply.headers.get("retry-after", "")))
    raise PurgeRefused(said)


def _seconds(text: str) -> float:
    """Retry-After in seconds; its other form, a date, is taken for no wish: the clocks of two sites need not agree."""
    return float(text) if text.isascii() and text.isdigit() else 0.0


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """A redirect would take the token to somebody else."""

    def redirect_request(self, *_: object) -> None:
        """Follow none."""
        return


_OPENER = urllib.request.build_opener(_NoRedirect)
