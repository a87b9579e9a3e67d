"""`python -m cluster demo`: a first look. Twenty seconds of real traffic, a node killed half way, and what clients saw.

    stage: which cluster ──▶ play: traffic, kill, restart, final reads ──▶ history.jsonl
                                                                             │ read back
                             programme: what a newcomer reads ◀── figures ◀──┴── judges

What is printed is computed from the history on disk, not from counters of the driver, so that it can be computed again.
"""
