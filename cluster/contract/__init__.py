"""Contracts: what each strategy promises, and whether a history kept it.

    strategy, settings ──▶ Contract (promises, gates) ─┐
    History ──▶ Case (registers, windows, pauses) ─────┴▶ promises kept? gates passed? ──▶ decision, reason

A cell is judged by what its strategy promises, never by an absolute law: a cache with a TTL may be stale, for so long.
What nobody promised is shown all the same. A broken promise convicts however little was seen; `valid` needs the vacuity
gates (enough was seen, the fault took effect); else *unknown*. Only the lower bound of staleness convicts: what a clock
or a slow driver could explain away is no evidence. Like the checkers, nothing here touches a cluster or reads a clock.
"""
