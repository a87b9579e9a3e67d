"""Traces: what the nodes wrote down about invalidations (docs/contract.md §9), and the cause of a stale read in it.

    trace/*.jsonl ── read_traces ──▶ Traces ──┐
    a stale read, from the history ───────────┴── explain ──▶ Explained(cause, text)

A trace explains what a checker has found; it neither convicts nor acquits. Which bug was planted is not known here.
"""
