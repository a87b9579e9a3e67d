"""Errors of the examiner: each is one sentence for a person, and knows its exit code.

    ClusterError              1    the verb could not do what it says
    ├── RefusedError          1    this launcher can't do that here; the reason is the message
    ├── NotInTimeError        1    a bounded wait ran out; says for what, and what was still missing
    └── WrongInputError     254    a name, option or file that can't be right; lists the right ones

Anything else that reaches the top is a mistake of ours: 255. The codes are those of `docs/contract.md` §6.
"""

from __future__ import annotations

BROKEN = 1
UNKNOWN = 2
USAGE = 254
EXAMINER_FAILED = 255


class ClusterError(Exception):
    """What was asked for could not be done. The message names who, what, and what to try."""

    exit_code = BROKEN


class RefusedError(ClusterError):
    """The launcher can't do this at all, here: a capability that is missing, with its reason."""


class NotInTimeError(ClusterError):
    """A bounded wait ended without what it waited for."""


class WrongInputError(ClusterError):
    """The person (or program) asked for something that does not exist; the message lists what does."""

    exit_code = USAGE
