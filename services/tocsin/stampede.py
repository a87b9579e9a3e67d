"""Stampede: what keeps many readers of one popular key from loading it all at once.

| protection | in a process | across processes | before the end of an entry |
|---|---|---|---|
| `none` | every reader loads | | |
| `single-flight` | one loads, the others take its value | every process loads | |
| `redis-lock` | the same | one holds a lock of the key, the others wait for its fill | |
| `fill-token` | the same | one holds the fill token, the others wait for its fill | |
| `xfetch` | the same | as the strategy has it: token, else lock | each look at L2 may refresh it, by chance |
| `refresh-ahead` | the same | as the strategy has it: token, else lock | the first look after a moment refreshes it |

Locks and tokens bound the number of loads, and all others wait as long as one lasts. Only a refresh before the end
spares them the wait: one loads, the others are given what is good still. So a hot key is loaded once per life, and at
most one reader notices.

What always holds: nothing here decides whether a value may be shown. What is given while another loads is an entry that
a lookup gave as valid; an invalidation in between voids the refresh's token like that of any load (hazard 29). The lock
is for efficiency alone: whoever lost it fills as one who never had it (hazard 20).

XFetch is Vattani, Chierichetti and Lowenstein, "Optimal Probabilistic Cache Stampede Prevention", VLDB 2015.
"""

import enum
import math

from tocsin.policy import Policy

LOADS_AHEAD = 2.0
"""Refresh-ahead begins at least so many load times before the end, or the end would come before the new value."""

LONGEST_SHARE = 0.5
"""Whatever a load takes, an entry is not refreshed in the first half of its life."""


class Stampede(enum.Enum):
    """The protections; see the module."""

    NONE = "none"
    SINGLE_FLIGHT = "single-flight"
    REDIS_LOCK = "redis-lock"
    FILL_TOKEN = "fill-token"  # noqa: S105  # not a password
    XFETCH = "xfetch"
    REFRESH_AHEAD = "refresh-ahead"

    @property
    def joins(self) -> bool:
        """Whether threads of one process share a load."""
        return self is not Stampede.NONE

    @property
    def waits(self) -> bool:
        """Whether a process waits for another's fill."""
        return self not in (Stampede.NONE, Stampede.SINGLE_FLIGHT)

    def early_s(self, policy: Policy, ttl_s: float, load_s: float, chance: float) -> float:
        """Return how long before its end an entry is to be refreshed, if it is looked at then; 0 for never.

        `ttl_s` is its whole time to live, `load_s` how long its load took; `chance` is drawn for this look, evenly from
        above 0 up to 1.
        """
        if math.isinf(ttl_s):
            return 0.0
        match self:
            case Stampede.XFETCH:
                # now − δ·β·ln(rand) ≥ expiry  ⇔  expiry − now ≤ −δ·β·ln(rand): what is left is at most this. The
                # logarithm of a chance is never above 0, so the minus makes it a time; without it nothing is early.
                return -load_s * policy.beta * math.log(chance)
            case Stampede.REFRESH_AHEAD:
                return min(max(policy.early_share * ttl_s, LOADS_AHEAD * load_s), LONGEST_SHARE * ttl_s)
            case _:
                return 0.0
