"""The examiner: brings a cluster up, breaks it, drives it, and judges what its clients saw.

It shares no code with the services; what both must know is written down in `docs/contract.md`.
"""
