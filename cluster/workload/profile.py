"""What kind of traffic: how much, on which products, by how many people."""

from __future__ import annotations

from dataclasses import dataclass

from cluster.errors import WrongInputError


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A shop's traffic. Shares are between 0 and 1.

    `products` are the ids, the most popular first; how much more popular is `zipf_exponent` (the n-th is asked for
    n^-exponent as often as the first). `write_share` of the requests change a product, `personal_share` ask for a
    personal page; of the reads, `direct_share` ask one worker by its own address, the others the edge.
    `sessions` people are there at the start. A request that has no answer after `timeout_s` is given up; while
    `in_flight_max` requests wait, further ones are not sent, and counted.
    """

    products: tuple[int, ...]
    rate_per_s: float = 400.0
    write_share: float = 0.05
    personal_share: float = 0.03
    direct_share: float = 0.25
    zipf_exponent: float = 1.0
    sessions: int = 16
    timeout_s: float = 5.0
    in_flight_max: int = 1000

    def __post_init__(self) -> None:
        """Raise WrongInputError for traffic that can't be."""
        if not self.products:
            raise WrongInputError("traffic needs at least one product")
        for name in ("rate_per_s", "timeout_s", "in_flight_max", "sessions"):
            if getattr(self, name) <= 0:
                raise WrongInputError(f"traffic: {name} must be above 0, not {getattr(self, name)}")
        for name in ("write_share", "personal_share", "direct_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise WrongInputError(f"traffic: {name} must be between 0 and 1, not {getattr(self, name)}")
        if self.write_share + self.personal_share > 1:
            raise WrongInputError("traffic: write_share and personal_share are more than everything together")
