"""Errors: what can go wrong in the library, and whether what was asked for happened all the same.

    TocsinError
    ├── SettingsError    a setting that can't be meant; raised before anything is opened
    ├── NotConfigured    a call that the chosen strategy or write path does not serve
    ├── LoadRefused      too many loads, or a source in trouble: the loader was not called
    └── Unavailable      Redis did not answer, or refused; `happened` says what is known of the request

What always holds: `Cache.read` never raises `Unavailable`; a read that can't reach Redis is answered by its loader.
An error of the loader is the application's own and passes through unchanged.
"""

import enum


class Happened(enum.Enum):
    """What the caller may believe of a request that brought no answer."""

    NO = "no"  # refused, or never sent: it is as if it had not been asked
    UNKNOWN = "unknown"  # sent, and the answer is lost: it may have happened, and may yet


class TocsinError(Exception):
    """The root of the library's errors."""


class SettingsError(TocsinError, ValueError):
    """A setting is missing, unknown or contradicts another; the message names the settings that would do."""


class NotConfigured(TocsinError):  # noqa: N818  # read as "raise NotConfigured"
    """The call needs a strategy or write path other than the configured one; the message names it."""


class LoadRefused(TocsinError):  # noqa: N818  # a state of the source that every reader must expect
    """A load was not begun, because its source has enough to do, or was left alone after failures.

    `detail` is `source-crowded` or `source-broken`. The message names the settings that decide.
    """

    def __init__(self, message: str, *, detail: str) -> None:
        super().__init__(message)
        self.detail = detail


class Unavailable(TocsinError):  # noqa: N818  # a state of Redis that every caller must expect
    """Redis did not serve a request.

    `detail` is `redis-unreachable` or `redis-refused`: short enough for a `Cache-Status` field. `happened` matters to
    a writer: after `UNKNOWN` it must not assume that the request was without effect.
    """

    def __init__(self, message: str, *, detail: str, happened: Happened) -> None:
        super().__init__(message)
        self.detail = detail
        self.happened = happened
