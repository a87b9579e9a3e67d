"""The record of a run: what clients asked, what they got and when, and what was done to the cluster meanwhile.

    driver ── lines ──▶ history.jsonl ── lines ──▶ Gathering ──▶ History (columns) ──▶ checkers
                        one object a line           pairs call     a million operations
                        flushed at invocation       and return     in some 100 MB

What always holds: only the driver's monotonic clock orders operations; an interval is closed (equal stamps are
concurrent); an operation whose end is unknown (`info`) stays concurrent for ever and its process never speaks again.
Nothing here opens a socket, starts a thread or reads a clock: times are arguments.

`line` is the format, `recorder` writes it, `reader` reads it, `columns` holds it, `operation` is one row of it.
"""
