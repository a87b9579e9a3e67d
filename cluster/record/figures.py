"""The numbers of a run: what it was like for clients, and what it cost. All computed from the history.

Durations are nanoseconds; shares are between 0 and 1; a share of nothing is None, never 0.
"""

from __future__ import annotations

import msgspec


class Share(msgspec.Struct, frozen=True, kw_only=True):
    """`part` of `whole`, with the Wilson 95 % interval of the share that such counts support (None of nothing)."""

    part: int
    whole: int
    low: float | None = None
    high: float | None = None

    @property
    def value(self) -> float | None:
        """The share itself."""
        return self.part / self.whole if self.whole else None


class Latency(msgspec.Struct, frozen=True, kw_only=True):
    """From when a request was due to the end of its answer, of those that were answered; 0 where none was."""

    p50_ns: int
    p99_ns: int
    max_ns: int


class Freshness(msgspec.Struct, frozen=True, kw_only=True):
    """How fresh the judged reads of one part of a run were.

    `worst_*`: of the stalest read, at least and at most (None: not known). `visible`: for each threshold in
    milliseconds, how many reads were staler than it by their lower bound. `nines`: −log10 of the stale share;
    where no read was stale, as much as the count of reads can support (3/n), and `nines_capped` is true.
    """

    stale: Share
    worst_at_least_ns: int
    worst_at_most_ns: int | None
    visible: dict[str, int] = {}
    nines: float | None = None
    nines_capped: bool = False


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """A run in numbers.

    `freshness` by part: `all`, `warm`, `fault`, `after` (heal, settle and final), and of all parts `edge` and
    `workers`. `layers`: who answered the reads (`edge`, `l1`, `l2`, `database`), `hits` of L1 and L2 together.
    `convergence_*`: after how long the workers knew a write. `permanently_stale`: final answers that were not the
    latest. `unsent`: requests that were due while too many waited; `late_p99_ns`: how late the driver itself was.
    """

    operations: int
    reads: int
    writes: int
    answered: Share
    errors: dict[str, int]
    layers: dict[str, int]
    hits: Share
    freshness: dict[str, Freshness]
    convergence_p50_ns: int | None
    convergence_p99_ns: int | None
    convergence_max_ns: int | None
    permanently_stale: int
    lost_writes: int
    unknown_writes: int
    loads: int
    largest_stampede: int
    read_latency: Latency
    write_latency: Latency
    late_p99_ns: int
    unsent: int
    traffic_s: float
