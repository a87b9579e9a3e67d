"""What a share of a sample supports: Wilson's interval, and nines that are capped by the sample."""

from __future__ import annotations

from math import log10, sqrt

from cluster.record.figures import Share

Z_95 = 1.959963984540054


def share(part: int, whole: int) -> Share:
    """`part` of `whole`, with the Wilson score interval at 95 % (E. B. Wilson, JASA 22, 1927)."""
    if not whole:
        return Share(part=part, whole=whole)
    p, z2 = part / whole, Z_95 * Z_95
    centre = (p + z2 / (2 * whole)) / (1 + z2 / whole)
    half = Z_95 / (1 + z2 / whole) * sqrt(p * (1 - p) / whole + z2 / (4 * whole * whole))
    # At the ends the bound is exact, and arithmetic is not.
    low = max(0.0, centre - half) if part else 0.0
    high = min(1.0, centre + half) if part < whole else 1.0
    return Share(part=part, whole=whole, low=low, high=high)


def nines(bad: int, whole: int) -> tuple[float | None, bool]:
    """−log10 of the bad share, and whether the sample caps it; None of nothing.

    No bad one among n supports, at 95 %, only a share of 3/n (Hanley and Lippman-Hand, JAMA 1983): so log10(n/3) nines.
    """
    if not whole:
        return None, False
    if bad:
        return -log10(bad / whole), False
    return max(0.0, log10(whole / 3)), True
