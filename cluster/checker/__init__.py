"""The judges: each takes a history and says whether one promise was kept. They are pure, and never search.

    History ──▶ Registers (per key: which writes surely happened, as which version; which reads are about them)
                   │
                   ├─▶ phantom, linearizable, regular, staleness, monotonic reads, read your writes, convergence,
                   │   quiescent agreement, lost write                 ──▶ Verdict: valid | invalid | unknown
                   └─▶ leak, stampede, availability (of the History)        with anomalies and a witness in prose

Why no search is needed: a version is given to a write by the database, in the order of its commits. Any cycle of
"older version" and "ended before the other began" then holds one pair that goes *down* in version while it goes
forward in time, so looking at pairs is enough, and the earliest return among newer versions decides each read.
(Gibbons and Korach, "Testing Shared Memories", SIAM J. Computing 1997: easy once the order of writes is known.)

What always holds: a judge imports `cluster.history` and a short list of the standard library, and so has no clock, no
socket, no thread and no chance: a stored history is judged again anywhere, to the same verdict. Intervals are closed:
operations that share an instant are concurrent. What a node says of itself explains a verdict and never decides it.
"""
