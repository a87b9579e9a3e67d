"""Policy: how long one kind of entry may be kept, and whether its key is versioned.

What always holds: `None` means "as the settings say". A policy is chosen by the caller of `read`, is not stored with
the entry, and never lengthens the life of what is stored already.
"""

import math

from msgspec import Struct

from tocsin.names import check_name


class Policy(Struct, frozen=True):
    """The caller's wishes for one kind of key; times are in seconds.

    `versioned_by` names a namespace whose version becomes part of the physical key: raising the version orphans all
    keys of the namespace, on all nodes, at once.

    `stale_s`: how long after its end an expired value may be shown, labelled, instead of making the reader wait for
    another's load, go to the database while Redis can't be reached, or be refused because the database is in trouble.
    An invalidated value is never shown. Only `sequenced` can tell the one from the other; other strategies ignore it.

    `early_share`: under the protection `refresh-ahead`, an entry is refreshed when this share of its life is left.
    `beta`: under `xfetch`, above 1 refreshes earlier, below 1 later. `thread_bound`: the loader belongs to the thread
    of its reader (a request's context, a session), so no refresh runs it elsewhere. `source` is what the loader asks:
    loads of one source share permits and a breaker (`tocsin.loading`).

    Raises `ValueError` for a number that can't be meant.
    """

    ttl_s: float | None = None
    l1_ttl_s: float | None = None
    negative_ttl_s: float = 1.0
    stale_s: float = 0.0
    versioned_by: str | None = None
    early_share: float = 0.2
    beta: float = 1.0
    thread_bound: bool = False
    source: str = "database"

    def __post_init__(self) -> None:
        for name, seconds in (
            ("ttl_s", self.ttl_s),
            ("l1_ttl_s", self.l1_ttl_s),
            ("negative_ttl_s", self.negative_ttl_s),
        ):
            if seconds is not None and not seconds > 0:
                raise ValueError(f"Policy.{name} is {seconds!r}: a number of seconds above 0 is needed")
        if not self.stale_s >= 0:
            raise ValueError(f"Policy.stale_s is {self.stale_s!r}: a number of seconds, or 0 for never, is needed")
        if not 0 < self.early_share <= 0.5:
            raise ValueError(f"Policy.early_share is {self.early_share!r}: a share above 0, at most 0.5, is needed")
        if not 0 < self.beta < math.inf:
            raise ValueError(f"Policy.beta is {self.beta!r}: a number above 0 is needed")
        check_name(self.source)
        if self.versioned_by is not None:
            check_name(self.versioned_by)
