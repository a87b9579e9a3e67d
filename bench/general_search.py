"""A general search for linearizability, to compare the judges with: it is told nothing of the order of versions.

Wing and Gong's search with Lowe's memory of configurations ("Testing for linearizability", CCPE 2017), the algorithm of
Porcupine and of Knossos' `linear`: take a call that may come next, undo it when nothing fits any more, and never visit
the same (set of operations done, value) twice. Exponential at worst; so it has a budget, and may not know.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

Op = tuple[bool, int, int, int]
"""(is it a write, version, invoked, returned)."""


def search(operations: Sequence[Op], initial: int, *, until_s: float) -> bool | None:
    """Whether one register's history is linearizable; None: not known when `time.process_time()` reached `until_s`."""
    events = sorted(
        [(op[2], 0, number) for number, op in enumerate(operations)]
        + [(op[3], 1, number) for number, op in enumerate(operations)]
    )
    # A ring of events: following[0] is the first; calls (number) and returns (-number - 1) leave it in pairs.
    what = [0] + [number if kind == 0 else -number - 1 for _, kind, number in events]
    following = [*range(1, len(what)), 0]
    previous = [len(what) - 1, *range(len(what) - 1)]
    call_at, return_at = [0] * len(operations), [0] * len(operations)
    for place in range(1, len(what)):
        if what[place] >= 0:
            call_at[what[place]] = place
        else:
            return_at[-what[place] - 1] = place
    done, value, seen = 0, initial, {(0, initial)}
    undo: list[tuple[int, int]] = []
    place, steps = following[0], 0
    while following[0]:
        steps += 1
        if steps % 1024 == 0 and time.process_time() > until_s:
            return None
        number = what[place]
        if number >= 0:
            write, version, _, _ = operations[number]
            after = (done | 1 << number, version if write else value)
            if (write or version == value) and after not in seen:
                seen.add(after)
                undo.append((number, value))
                done, value = after
                for gone in (call_at[number], return_at[number]):
                    following[previous[gone]], previous[following[gone]] = following[gone], previous[gone]
                place = following[0]
            else:
                place = following[place]
            continue
        # An operation returned before any order of the calls ahead of it was found: take the last one back.
        if not undo:
            return False
        number, value = undo.pop()
        done &= ~(1 << number)
        for back in (return_at[number], call_at[number]):
            following[previous[back]], previous[following[back]] = back, back
        place = following[call_at[number]]
    return True
