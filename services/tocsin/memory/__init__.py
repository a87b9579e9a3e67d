"""The adapters in memory: one process plays all nodes, time is moved by hand, and messages wait to be delivered.

They keep the same contracts as the Redis adapters (`tests/contracts` runs against both), and are what interleavings are
tested and simulated on.
"""
