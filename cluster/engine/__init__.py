"""The engine: one run from the first request to the verdict, and many runs as a matrix.

    start ─▶ warm ─▶ fault(s) ─▶ heal ─▶ health ─▶ quiesce ─▶ final reads ─▶ judge ─▶ record ─▶ clean up
             └────────── traffic ─────────────┘              workers, Redis, database

One coordinator; faults are healed again in `finally`; everything a verdict rests on is on file before it is reached, so
that `recheck` comes to the same verdict from the folder alone. An examination has a folder and a cluster of its own: it
never touches one that runs.
"""
