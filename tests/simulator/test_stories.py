"""Every story on the core as it is, and on the mutant that lacks the rule which the story gave rise to.

C10 and C11 are about single loads and stores, and told in every order, in `test_table_order`.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from typing import NamedTuple

import pytest
from tocsin.settings import Strategy, WritePath

from tests.simulator import mutants_of_core as core
from tests.simulator import mutants_of_server as server
from tests.simulator import stories
from tests.simulator import stories_of_writers as writers
from tests.simulator.record import BrokenPromise
from tests.simulator.setting import Parts
from tests.simulator.stage import Stage

ASIDE, THROUGH, BEHIND = WritePath.CACHE_ASIDE, WritePath.WRITE_THROUGH, WritePath.WRITE_BEHIND


class Told(NamedTuple):
    """A story, and the core that lacks its rule."""

    number: str
    story: Callable[[Stage], None]
    without: Parts
    strategy: Strategy = Strategy.SEQUENCED
    write_path: WritePath = ASIDE

    def stage(self, parts: Parts) -> Stage:
        """Return a stage for it."""
        return Stage(parts=parts, strategy=self.strategy, write_path=self.write_path)


NAIVE = Parts(keeper=lambda memory, _: core.FlushesNaively(memory))
UNFENCED, LATE_FENCE = Parts(adjust=core.commits_whenever), Parts(adjust=core.counts_from_the_reply)
OWN_ECHO = Parts(server=server.RemembersWhoAsked, follower=core.SuppressesOwnEcho)
TOLD = [
    Told("C1", stories.joins_an_old_load, Parts(adjust=core.joins_blindly)),
    Told("C2", stories.reads_between_commit_and_finish, Parts(adjust=core.announces_nothing)),
    Told("C3", stories.refused_fill_in_l1, Parts(adjust=core.keeps_refused_fills)),
    Told("C4", stories.put_after_a_flush, NAIVE),
    Told("C4", stories.put_after_a_new_epoch, NAIVE),
    Told("C5", writers.value_of_an_old_epoch, Parts(server=server.WriterOfAnyEpoch), write_path=THROUGH),
    Told("C6", writers.stalled_past_its_deadline, UNFENCED, Strategy.STRICT),
    Told("C7", writers.end_after_a_restart, Parts(server=server.FinishesQuietly)),
    Told("C8", writers.ends_of_two_writers, Parts(server=server.OneWriterForAll)),
    Told("C9", writers.restart_behind_a_proxy, Parts(server=server.SameEpochAfterRestart)),
    Told("C12a", writers.newer_dirty_value, Parts(journal=core.UnpinsAlways), write_path=BEHIND),
    Told("C12b", writers.invalidated_dirty_value, Parts(server=server.InvalidatesDirty), write_path=BEHIND),
    Told("C12c", writers.two_dirty_writes_of_one_row, Parts(journal=core.VersionsByTheRow), write_path=BEHIND),
    Told("C12d", writers.drained_after_a_loss, Parts(adjust=core.drains_quietly), write_path=BEHIND),
    Told("C12e", writers.counter_that_was_lost, Parts(journal=core.VersionsByTheCounter), write_path=BEHIND),
    Told("C13", writers.stopped_relay, Parts(relay=core.UnderALock)),
    Told("C14", stories.system_that_slept, Parts(boottime=False)),
    Told("D1", writers.came_and_went, Parts(server=server.AloneAtTheEnd), write_path=THROUGH),
    Told("D1b", writers.came_and_went_by_its_tag, Parts(server=server.KeyAlone), write_path=THROUGH),
    Told("D1c", writers.late_at_its_end, Parts(server=server.ExpiredAreForgotten), write_path=THROUGH),
    Told("D2", writers.restart_forgets_the_writer, Parts(server=server.NoGrace), Strategy.STRICT),
    Told("D3", writers.commit_after_the_end, Parts(finishes_unknown=True)),
    Told("D4", writers.announced_long_ago, LATE_FENCE, Strategy.STRICT),
    Told("M02", stories.base_of_the_reply, Parts(adjust=core.bases_on_the_reply)),
    Told("M03", stories.late_reply_to_a_beat, Parts(keeper=core.RenewsFromTheReply)),
    Told("M04", stories.lost_message, Parts(follower=core.RepairsNothing)),
    Told("M07", stories.own_echo, OWN_ECHO),
    Told("P2", stories.cut_off_past_the_lease, Parts(keeper=lambda memory, _: core.NeverEnds(memory))),
    Told("P3", stories.read_your_write_elsewhere, Parts(adjust=core.ignores_watermarks)),
    Told("WmDb", stories.unfilled_read, Parts(adjust=core.tells_no_position)),
    Told("TagP3", writers.fill_while_a_tag_is_written, Parts(server=server.FillsWhileWriting)),
    Told("S09", writers.strict_write_past_a_lease, Parts(adjust=core.waits_for_nobody), Strategy.STRICT),
]


@pytest.mark.parametrize("told", TOLD, ids=lambda told: f"{told.number}-{told.story.__name__}")
def test_a_story_does_not_come_to_its_old_end(told: Told) -> None:
    """On the core as it is the promise holds; without the rule it is broken by the same steps."""
    told.story(told.stage(Parts()))
    with pytest.raises(BrokenPromise):
        told.story(told.stage(told.without))


def test_every_story_of_the_model_checking_is_told() -> None:
    """C1 to C14 and D1 to D4, but those of the order of single loads and stores."""
    told = {each.number.rstrip("abcde") for each in TOLD}
    assert {f"C{number}" for number in range(1, 15)} - told == {"C10", "C11"}
    assert {f"D{number}" for number in range(1, 5)} <= told


def test_the_clock_of_leases_goes_on_while_the_system_sleeps() -> None:
    """C14: where one clock of the system has stood still for an hour and another has not, the other is taken."""
    asks = (
        "import time; time.monotonic = lambda: 0.0;"
        " time.clock_gettime = lambda clock: 3600.0 if clock == time.CLOCK_BOOTTIME else 0.0;"
        " from tocsin.clock import SystemClock; print(SystemClock().now())"
    )
    if not hasattr(__import__("time"), "CLOCK_BOOTTIME"):
        pytest.skip("this system has no CLOCK_BOOTTIME")
    done = subprocess.run([sys.executable, "-c", asks], capture_output=True, text=True, check=True)
    assert float(done.stdout) == 3600.0
