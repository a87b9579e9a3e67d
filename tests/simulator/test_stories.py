"""Every story on the core as it is, and on the mutant that lacks the rule which the story gave rise to."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tocsin.settings import Strategy

from tests.simulator import mutants, stories
from tests.simulator.record import BrokenPromise
from tests.simulator.setting import Parts
from tests.simulator.stories import Stage

TOLD = [
    (stories.reads_between_commit_and_finish, Parts(adjust=mutants.announces_nothing), Strategy.SEQUENCED),
    (stories.refused_fill_in_l1, Parts(adjust=mutants.keeps_refused_fills), Strategy.SEQUENCED),
    (stories.ends_of_two_writers, Parts(server=mutants.OneWriterForAll), Strategy.SEQUENCED),
    (stories.fill_while_a_tag_is_written, Parts(server=mutants.FillsWhileWriting), Strategy.SEQUENCED),
    (stories.unfilled_read, Parts(adjust=mutants.tells_no_position), Strategy.SEQUENCED),
    (stories.commit_after_the_end, Parts(finishes_unknown=True), Strategy.SEQUENCED),
    (stories.restart_forgets_the_writer, Parts(server=mutants.NoGrace), Strategy.STRICT),
    (stories.strict_write_past_a_lease, Parts(adjust=mutants.waits_for_nobody), Strategy.STRICT),
]


@pytest.mark.parametrize(("story", "without", "strategy"), TOLD, ids=lambda each: getattr(each, "__name__", ""))
def test_a_story_does_not_come_to_its_old_end(
    story: Callable[[Stage], None], without: Parts, strategy: Strategy
) -> None:
    """On the core as it is the promise holds; without the rule it is broken by the same steps."""
    story(Stage(strategy=strategy))
    with pytest.raises(BrokenPromise):
        story(Stage(parts=without, strategy=strategy))


def test_a_node_that_hears_nothing_stops_after_its_lease() -> None:
    """P2, with nothing to remove: the lease is the rule."""
    stories.cut_off_past_the_lease(Stage())
