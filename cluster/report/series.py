"""Series: a run over time, in bins, and how staleness and convergence are distributed.

    history ──▶ Series: in bins of `width_s`, rates, latencies, stale reads, who answered, how far each was behind

A curve is what was *due* in a bin: a slow answer counts where it was asked for, so that an outage shows where it began.
Everything here is for eyes: verdicts come from the checkers, and whatever is stale here was judged so by them.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left
from collections.abc import Sequence

import msgspec

from cluster.checker.convergence import convergence
from cluster.checker.register import Register, Registers, registers
from cluster.checker.settling import NO_ROW
from cluster.checker.staleness import stale_reads
from cluster.history.columns import FINAL, LAYERS, OK, READ, History
from cluster.history.operation import FOREVER

BINS = 60
POINTS_MAX = 60
"""How many points a distribution is drawn with."""
WIDTH_S_MIN = 0.05
LAYER_NAMES = {layer: layer.value for layer in LAYERS if layer.value}


class Band(msgspec.Struct, frozen=True, kw_only=True):
    """The median and the 99th percentile in each bin, in milliseconds; None where nothing was asked."""

    p50_ms: list[float | None]
    p99_ms: list[float | None]


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """A distribution: the share of all that is at most (or, of `visible`, more than) `at_ms`."""

    at_ms: list[float]
    share: list[float]


class Series(msgspec.Struct, frozen=True, kw_only=True):
    """The run over time. Lists have an entry per bin.

    `answered_per_s`, `failed_per_s`: of all operations. `layers`: share of the answered reads by who answered.
    `behind`: for each whom the driver asked, by how many acknowledged versions its worst read was behind, None where it
    was not asked. `stale_visible`: the share of all reads that were staler than a time, by their lower bound
    (t-visibility, PBS).
    """

    width_s: float
    starts_s: list[float]
    answered_per_s: list[float]
    failed_per_s: list[float]
    read: Band
    write: Band
    stale: list[int]
    stale_worst_ms: list[float]
    layers: dict[str, list[float | None]]
    behind: dict[str, list[int | None]]
    stale_visible: Curve
    converged: Curve


def series(history: History, origin_ns: int, traffic_s: float) -> Series:
    """The series of a history. `origin_ns`: the first instant of the traffic, `traffic_s` how long it lasted."""
    width_s = max(WIDTH_S_MIN, math.ceil(traffic_s / BINS / WIDTH_S_MIN) * WIDTH_S_MIN)
    clock = _Clock(origin_ns, round(width_s * 1e9), max(1, math.ceil(traffic_s / width_s)))
    laid_out = registers(history)
    stale = stale_reads(laid_out, reads_too=True)
    answered, failed, read, write, layers = _asked(history, clock)
    counts, worst = _staleness(history, stale.rows, stale.at_least_ns, clock)
    return Series(
        width_s=width_s,
        starts_s=[round(number * width_s, 3) for number in range(clock.bins)],
        answered_per_s=[round(count / width_s, 2) for count in answered],
        failed_per_s=[round(count / width_s, 2) for count in failed],
        read=_band(read),
        write=_band(write),
        stale=counts,
        stale_worst_ms=worst,
        layers=layers,
        behind=_behind(laid_out, clock),
        stale_visible=_visible(stale.at_least_ns, laid_out.reads),
        converged=_distribution(convergence(laid_out).after_ns),
    )


class _Clock:
    """Which bin an instant belongs to."""

    def __init__(self, origin_ns: int, width_ns: int, bins: int) -> None:
        self.bins = bins
        self._origin_ns = origin_ns
        self._width_ns = width_ns

    def bin(self, at_ns: int) -> int:
        """Its number, or -1 outside of the traffic."""
        number = (at_ns - self._origin_ns) // self._width_ns
        return number if 0 <= number < self.bins else -1


def _asked(
    history: History, clock: _Clock
) -> tuple[list[int], list[int], list[list[int]], list[list[int]], dict[str, list[float | None]]]:
    """Answered, failed, durations of reads and of writes, and the layers' shares, by bin."""
    answered, failed = [0] * clock.bins, [0] * clock.bins
    reads: list[list[int]] = [[] for _ in range(clock.bins)]
    writes: list[list[int]] = [[] for _ in range(clock.bins)]
    by_layer = [[0] * clock.bins for _ in LAYERS]
    columns = zip(
        history.kind, history.outcome, history.phase, history.layer,
        history.invoked_ns, history.returned_ns, history.late_ns,
        strict=True,
    )  # fmt: skip
    for kind, outcome, phase, layer, invoked_ns, returned_ns, late_ns in columns:
        number = -1 if phase == FINAL else clock.bin(invoked_ns - late_ns)
        if number < 0:
            continue
        if outcome != OK:
            failed[number] += 1
            continue
        answered[number] += 1
        (reads if kind == READ else writes)[number].append(returned_ns - invoked_ns + late_ns)
        if kind == READ:
            by_layer[layer][number] += 1
    return answered, failed, reads, writes, _shares(by_layer)


def _shares(by_layer: list[list[int]]) -> dict[str, list[float | None]]:
    totals = [sum(counts) for counts in zip(*by_layer, strict=True)]
    return {
        LAYER_NAMES[layer]: [
            round(count / total, 4) if total else None for count, total in zip(counts, totals, strict=True)
        ]
        for layer, counts in zip(LAYERS, by_layer, strict=True)
        if layer in LAYER_NAMES and any(counts)
    }


def _band(durations: list[list[int]]) -> Band:
    ordered = [sorted(each) for each in durations]
    return Band(
        p50_ms=[_ms(each[len(each) // 2]) if each else None for each in ordered],
        p99_ms=[_ms(each[min(len(each) - 1, len(each) * 99 // 100)]) if each else None for each in ordered],
    )


def _staleness(
    history: History, rows: Sequence[int], at_least_ns: Sequence[int], clock: _Clock
) -> tuple[list[int], list[float]]:
    counts, worst = [0] * clock.bins, [0.0] * clock.bins
    for row, lateness in zip(rows, at_least_ns, strict=True):
        number = clock.bin(history.invoked_ns[row])
        if number >= 0:
            counts[number] += 1
            worst[number] = max(worst[number], _ms(lateness))
    return counts, worst


def _behind(laid_out: Registers, clock: _Clock) -> dict[str, list[int | None]]:
    """How many acknowledged versions each read was behind: the worst per bin and per whom was asked."""
    history = laid_out.history
    found: dict[int, list[int | None]] = {}
    for register in laid_out:
        known_ns, newest = _acknowledged(register)
        for row, invoked_ns, rank in zip(
            register.read_rows, register.read_invoked_ns, register.read_ranks, strict=True
        ):
            number = -1 if history.phase[row] == FINAL else clock.bin(invoked_ns)
            if number < 0:
                continue
            place = bisect_left(known_ns, invoked_ns) - 1
            behind = max(0, newest[place] - rank) if place >= 0 else 0
            line = found.setdefault(history.via[row], [None] * clock.bins)
            line[number] = max(behind, line[number] or 0)
    return {history.names[via]: line for via, line in sorted(found.items(), key=lambda each: history.names[each[0]])}


def _acknowledged(register: Register) -> tuple[list[int], list[int]]:
    """When writes were acknowledged, in order, and the newest rank that was acknowledged by then."""
    known = sorted(
        (returned, rank)
        for returned, rank, row in zip(
            register.write_returned_ns, register.write_ranks, register.write_rows, strict=True
        )
        if returned != FOREVER and row != NO_ROW
    )
    newest: list[int] = []
    for _, rank in known:
        newest.append(max(rank, newest[-1] if newest else 0))
    return [returned for returned, _ in known], newest


def _visible(at_least_ns: Sequence[int], reads: int) -> Curve:
    """The share of all reads staler than a time: falling, from the share of stale reads to 0."""
    ordered = sorted(at_least_ns)
    if not ordered or not reads:
        return Curve(at_ms=[], share=[])
    places = _places(len(ordered))
    return Curve(
        at_ms=[_ms(ordered[place]) for place in places],
        share=[round((len(ordered) - place - 1) / reads, 6) for place in places],
    )


def _distribution(ordered_ns: array[int]) -> Curve:
    places = _places(len(ordered_ns))
    return Curve(
        at_ms=[_ms(ordered_ns[place]) for place in places],
        share=[round((place + 1) / len(ordered_ns), 6) for place in places],
    )


def _places(length: int) -> list[int]:
    """At most POINTS_MAX places of a list of that length, evenly, the last among them."""
    if length <= POINTS_MAX:
        return list(range(length))
    return [(number + 1) * length // POINTS_MAX - 1 for number in range(POINTS_MAX)]


def _ms(duration_ns: int) -> float:
    return round(duration_ns / 1e6, 3)
