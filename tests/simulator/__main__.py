"""`python -m tests.simulator [SCHEDULES] [FIRST SEED] [STRATEGY] [WRITE PATH]`: many schedules, and what happened.

Exits with 1 when a promise was broken, after printing the seed that breaks it again, and when some risky overlap never
happened in a run of a thousand schedules or more: such a run would prove nothing of it.
"""

from __future__ import annotations

import gc
import itertools
import sys
import time
from collections import Counter

from tocsin.settings import Strategy, WritePath

from tests.simulator.record import BrokenPromise
from tests.simulator.schedule import Schedule
from tests.simulator.setting import OVERLAPS, Setting

ENOUGH = 1000
"""From so many schedules on every overlap must have happened."""

TELL_EVERY_S = 5.0
COLLECT_EVERY = 25


def main(words: list[str]) -> int:
    """Run them one after the other on this core; both strategies and write paths in turn unless one is named."""
    count, first = int(words[0]) if words else 1000, int(words[1]) if len(words) > 1 else 0
    strategies = [Strategy.named(words[2])] if len(words) > 2 else [Strategy.SEQUENCED, Strategy.STRICT]
    paths = [WritePath.named(words[3])] if len(words) > 3 else [WritePath.CACHE_ASIDE, WritePath.WRITE_THROUGH]
    settings = [Setting(strategy, path) for strategy, path in itertools.product(strategies, paths)]
    seen: Counter[str] = Counter()
    begun_s, worked_s = time.perf_counter(), time.process_time()
    tell_s = begun_s + TELL_EVERY_S
    gc.freeze()
    gc.disable()  # a schedule leaves a few thousand objects that know each other: they go together
    for number in range(count):
        seed = first + number
        setting = settings[seed % len(settings)]
        try:
            Schedule(seed, setting, seen).run()
        except BrokenPromise as broken:
            again = f"1 {seed} {setting.strategy.value} {setting.write_path.value}"
            print(f"{broken}\nsame schedule: python -m tests.simulator {again}", file=sys.stderr)
            return 1
        if number % COLLECT_EVERY == 0:
            gc.collect()
            now_s = time.perf_counter()
            if now_s > tell_s:
                tell_s = now_s + TELL_EVERY_S
                print(f"{number:10} of {count} schedules, {now_s - begun_s:.0f} s", file=sys.stderr, flush=True)
    took_s, worked_s = time.perf_counter() - begun_s, time.process_time() - worked_s
    happened = sum(seen[overlap] for overlap in OVERLAPS)
    print(
        f"{count} schedules in {took_s:.1f} s ({worked_s:.1f} s of one core, {worked_s / max(count, 1) * 1000:.2f} ms"
        f" each), every promise kept; {happened / worked_s:.0f} risky overlaps a second:"
    )
    for event, times in seen.most_common():
        print(f"{times:10}  {event}")
    missing = [overlap for overlap in OVERLAPS if not seen[overlap]]
    if missing and count >= ENOUGH:
        print(f"never happened, so nothing is proved of it: {', '.join(missing)}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
