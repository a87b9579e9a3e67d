"""Faults: what can be done to a running cluster, each with a plan, an evidence probe and a heal.

    refusal ─▶ None ─▶ plan (on file) ─▶ start ─▶ … ─▶ evidence ─▶ heal
       │                                                 │
       └─▶ the cell is skipped with this reason          └─▶ none: the cell is unknown, never passed

`port` is what every fault implements; `FAULTS` names them all. A fault is a value without memory: whatever its heal
needs stands in the plan, which is on file before anything is touched, so that another process can heal after a crash.
"""
