"""What became of a request: ok, fail or info, by Jepsen's rule: `fail` only where it surely did not happen.

| what came back                                   | a read | a write                                  |
|--------------------------------------------------|--------|------------------------------------------|
| 2xx (a read's 404: there is no such product)     | ok     | ok                                       |
| no connection was made: nothing was sent         | fail   | fail                                     |
| 4xx                                              | fail   | fail: refused                            |
| 5xx whose body says `"outcome": "not-applied"`   | fail   | fail: whoever lies is a lost write's     |
| any other 5xx: the edge's 504 among them         | fail   | info: it may have been applied           |
| reset or closed after sending, cut off, too late | fail   | info: it may have been, or may yet be    |

A read that failed told nobody anything, so it never happened as far as a verdict goes.
"""

from __future__ import annotations

import aiohttp

from cluster.history.operation import Kind, Outcome

NOT_APPLIED = "not-applied"


def outcome_of_status(kind: Kind, status: int, *, said: str) -> tuple[Outcome, str]:
    """The outcome of an answer that came whole, and its error ("" where it is ok).

    `said`: the `outcome` member of a failed write's body (docs/contract.md §1, "Refusals").
    """
    if 200 <= status < 300 or (kind is Kind.READ and status == 404):
        return Outcome.OK, ""
    error = f"status-{status}"
    if kind is Kind.WRITE and status >= 500 and said != NOT_APPLIED:
        return Outcome.INFO, error
    return Outcome.FAIL, error


def outcome_of_error(kind: Kind, error: BaseException) -> tuple[Outcome, str]:
    """The outcome of a request that got no whole answer, and a name for what happened.

    `error` is aiohttp's, or a TimeoutError of ours.
    """
    # aiohttp has a timeout of its own for connecting; like a refusal it comes before anything was sent.
    if isinstance(error, aiohttp.ClientConnectorError | aiohttp.ConnectionTimeoutError):
        return Outcome.FAIL, "refused"
    lost = Outcome.FAIL if kind is Kind.READ else Outcome.INFO
    if isinstance(error, TimeoutError):
        return lost, "timeout"
    if isinstance(error, aiohttp.ClientPayloadError):
        return lost, "cut-short"
    return lost, "reset"
