"""`python -m tests.simulator [SCHEDULES] [FIRST SEED] [STRATEGY] [WRITE PATH]`: many schedules, and what happened.

Exits with 1 when a promise was broken, after printing the seed that breaks it again.
"""

from __future__ import annotations

import sys
import time
from collections import Counter

from tocsin.settings import Strategy, WritePath

from tests.simulator.record import BrokenPromise
from tests.simulator.schedule import Schedule
from tests.simulator.setting import Setting


def main(words: list[str]) -> int:
    """Run them one after the other on this core; both strategies and write paths in turn unless one is named."""
    count, first = int(words[0]) if words else 1000, int(words[1]) if len(words) > 1 else 0
    strategies = [Strategy.named(words[2])] if len(words) > 2 else [Strategy.SEQUENCED, Strategy.STRICT]
    paths = [WritePath.named(words[3])] if len(words) > 3 else [WritePath.CACHE_ASIDE, WritePath.WRITE_THROUGH]
    settings = [Setting(strategy, path) for strategy in strategies for path in paths]
    seen: Counter[str] = Counter()
    begun = time.perf_counter()
    for seed in range(first, first + count):
        setting = settings[seed % len(settings)]
        try:
            Schedule(seed, setting, seen).run()
        except BrokenPromise as broken:
            words = ["1", str(seed), setting.strategy.value, setting.write_path.value]
            print(f"{broken}\nsame schedule: python -m tests.simulator {' '.join(words)}", file=sys.stderr)
            return 1
    took = time.perf_counter() - begun
    print(f"{count} schedules in {took:.1f} s ({took / count * 1000:.2f} ms each), every promise kept; there were:")
    for event, times in seen.most_common():
        print(f"{times:10}  {event}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
