"""What kind of traffic: how much, on which products, by how many people."""

from __future__ import annotations

from dataclasses import dataclass

from cluster.errors import WrongInputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A shop's traffic. Shares are between 0 and 1.

    `products` are the ids, the most popular first; how much more popular is `zipf_exponent` (the n-th is asked for
    n^-exponent as often as the first). `write_share` of the requests change a product, `personal_share` ask for a
    personal page; of the others, reads and writes, `direct_share` go to one worker by its own address (so that there
    are some while the edge is down), the rest through the edge. Of the reads of products, `list_share` look at a page
    of the product's category, and `scan_share` walk through all products in turn,
    as a crawler does. `own_share` of what people do is about a few products of their own, so that they see their own
    writes again. In the first `burst_for_s` of every `burst_every_s` seconds (0: never), `burst_write_share` of the
    requests are writes. `sessions` people are there at the start. A request that has no answer after `timeout_s` is
    given up; while `in_flight_max` requests wait, further ones are not sent, and counted.
    """

    products: tuple[int, ...]
    rate_per_s: float = 400.0
    write_share: float = 0.05
    personal_share: float = 0.03
    direct_share: float = 0.25
    zipf_exponent: float = 1.0
    list_share: float = 0.0
    scan_share: float = 0.0
    own_share: float = 0.0
    burst_every_s: float = 0.0
    burst_for_s: float = 0.5
    burst_write_share: float = 0.5
    sessions: int = 16
    timeout_s: float = 5.0
    in_flight_max: int = 500

    def __post_init__(self) -> None:
        """Raise WrongInputError for traffic that can't be."""
        if not self.products:
            raise WrongInputError("traffic needs at least one product")
        for name in ("rate_per_s", "timeout_s", "in_flight_max", "sessions"):
            if getattr(self, name) <= 0:
                raise WrongInputError(f"traffic: {name} must be above 0, not {getattr(self, name)}")
        shares = ("write_share", "personal_share", "direct_share", "list_share", "scan_share", "own_share")
        for name in (*shares, "burst_write_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise WrongInputError(f"traffic: {name} must be between 0 and 1, not {getattr(self, name)}")
        if self.write_share + self.personal_share > 1:
            raise WrongInputError("traffic: write_share and personal_share are more than everything together")

    def write_share_at(self, at_s: float) -> float:
        """The share of writes in this second of the traffic."""
        in_burst = self.burst_every_s > 0 and at_s % self.burst_every_s < self.burst_for_s
        return self.burst_write_share if in_burst else self.write_share
