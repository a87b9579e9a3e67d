"""Self-check: what the examiner must convict, and what it must acquit.

`PLANTED` says of each planted bug (`services/planted`, which this half knows by name only) which run shows it, which
promise it breaks, and which cause its stale reads must be given. `CONTROLS` are strategies that must be acquitted.
"""
