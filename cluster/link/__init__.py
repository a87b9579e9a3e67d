"""Links: each path from a node (or the flusher) to Redis, or to a networked database, runs through one and can be cut.

    node-1 ──▶ 127.0.0.1:21007 ═══ link node-1→redis ═══▶ 127.0.0.1:21000 redis
                                  ──upstream──▶
                                 ◀──downstream──
                                       ▲
                 python -m cluster ────┘ control socket: look, change, heal

One process holds all links of a cluster (`python -m cluster.link FOLDER`). They pass bytes on until a fault is put on
them, and a fault acts on established connections as well as on new ones. A fault is one file in `faults/` and one row
in its registry; nothing else knows which faults there are.
"""
