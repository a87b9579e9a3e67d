"""The order of loads and stores in the generation table, in every interleaving of a worker and an agent.

Beside each rule stands the same search with the rule broken, which must find the story that the rule is for (C4, C10
and C11 of the model checking): a search that convicts nobody proves nothing.
"""

from collections.abc import Callable

import pytest
from tocsin.generation import APPLIED, EPOCH, HEADER_WORDS, Generations, Keeper
from tocsin.position import Position
from tocsin.proof import Stamp

from tests.simulator.interleavings import Step
from tests.simulator.stepped_table import (
    BASE,
    KEY,
    LAPSED_S,
    LIVE_S,
    NEW,
    NOW_S,
    OLD,
    UNTRUE_SINCE,
    Scene,
    every_outcome,
    nothing,
)
from tests.simulator.table_mutants import (
    AppliedFirst,
    ChangeAfterSlots,
    ChangeBeforeDeadline,
    EpochFirst,
    EpochOnce,
    SameChange,
    SharesTheLatest,
    SlotsBeforeApplied,
    SlotsBeforeDeadline,
    SuspendsQuietly,
)


def catches_up(scene: Scene) -> None:
    """The agent: apply what makes the entry untrue, then renew the lease."""
    keeper = scene.keeper()
    keeper.apply(UNTRUE_SINCE, (KEY,))
    keeper.renew(LIVE_S)


def applies(scene: Scene) -> None:
    """The agent: apply what makes the entry untrue, while the lease is live."""
    scene.keeper().apply(UNTRUE_SINCE, (KEY,))


def flushes(scene: Scene) -> None:
    """The agent: take up a new epoch that has come to 3, and renew the lease."""
    keeper = scene.keeper()
    keeper.flush(Position(NEW, 3))
    keeper.renew(LIVE_S)


def as_new_as_the_invalidation(scene: Scene) -> bool:
    return scene.hits == [True] and scene.stamp.proof.applied >= UNTRUE_SINCE


@pytest.mark.parametrize("reader", [Generations, SlotsBeforeApplied])
@pytest.mark.parametrize("keeper", [Keeper, AppliedFirst])
def test_an_entry_is_never_proved_up_to_what_made_it_untrue(reader: type[Generations], keeper: type[Keeper]) -> None:
    """C10a, P3: a session that has seen 7 never gets the entry that 7 made untrue, however loads and stores mix."""
    scenes = every_outcome(lambda step: Scene(step, LIVE_S, reader, keeper), catches_up)
    assert any(scene.hits == [True] for scene in scenes), "no read came before the invalidation"
    assert any(scene.hits == [False] for scene in scenes), "no read came after it"
    broken = (reader, keeper) != (Generations, Keeper)
    assert any(map(as_new_as_the_invalidation, scenes)) is broken


@pytest.mark.parametrize(
    ("reader", "proved", "glances", "broken"),
    [
        (Generations, False, False, False),
        (Generations, True, False, False),
        (Generations, True, True, False),
        (SlotsBeforeDeadline, False, False, True),
        (ChangeBeforeDeadline, True, False, True),
    ],
)
def test_a_lapsed_lease_is_renewed_only_for_what_is_still_true(
    reader: type[Generations], proved: bool, glances: bool, broken: bool
) -> None:
    """C10b, P2: the lease was over when the read began, so the untrue entry is never a hit, renewed or not."""

    def make(step: Step) -> Scene:
        scene = Scene(step, LAPSED_S, reader, glances=glances)
        return scene.proved() if proved else scene

    assert any(scene.hits == [True] for scene in every_outcome(make, catches_up)) is broken


@pytest.mark.parametrize(
    ("reader", "proved", "glances", "broken"),
    [
        (Generations, False, False, False),
        (Generations, True, False, False),
        (Generations, True, True, False),
        (EpochOnce, False, False, True),
        (ChangeBeforeDeadline, True, False, True),
    ],
)
def test_an_entry_of_the_old_epoch_is_no_hit_once_the_new_has_a_lease(
    reader: type[Generations], proved: bool, glances: bool, broken: bool
) -> None:
    """C10c: a flush lowers slots, and an entry invalidated in the old epoch is not revived by words of two epochs."""

    def make(step: Step) -> Scene:
        scene = Scene(step, LAPSED_S, reader, glances=glances)
        if proved:
            return scene.proved()
        scene.words[HEADER_WORDS + scene.reader.slot(KEY)] = UNTRUE_SINCE
        return scene

    assert any(scene.hits == [True] for scene in every_outcome(make, flushes)) is broken


@pytest.mark.parametrize(
    ("reader", "glances", "broken"),
    [(Generations, False, False), (Generations, True, False), (ChangeAfterSlots, False, True)],
)
def test_a_remembered_proof_ends_with_the_next_invalidation(
    reader: type[Generations], glances: bool, broken: bool
) -> None:
    """A read that begins after the agent applied 7 is no hit, though a read during it had proved the entry."""
    scenes = every_outcome(lambda step: Scene(step, LIVE_S, reader, glances=glances), applies)
    for scene in scenes:
        scene.step = nothing
        scene.read()
    assert any(scene.hits[0] for scene in scenes), "no read came before the invalidation"
    assert any(scene.hits[1] for scene in scenes) is broken


@pytest.mark.parametrize("glances", [False, True])
@pytest.mark.parametrize(("keeper", "broken"), [(Keeper, False), (SuspendsQuietly, True)])
def test_a_lease_that_was_given_up_is_over_for_those_who_remember_its_deadline(
    keeper: type[Keeper], glances: bool, broken: bool
) -> None:
    """An agent that ends tells strict writers that they need not wait for it; from then on nobody hits under it."""
    scene = Scene(keeper_class=keeper, glances=glances).proved()
    scene.read()
    scene.keeper().suspend()
    scene.read()
    assert scene.hits == [True, broken]


@pytest.mark.parametrize(("reader", "broken"), [(Generations, False), (SharesTheLatest, True)])
def test_entries_share_a_proof_only_up_to_what_each_was_proved_to(reader: type[Generations], broken: bool) -> None:
    """While 7 is being applied, an entry that it leaves true is proved up to 7; the untrue one never shares that."""
    ends = []

    def make(step: Step) -> Scene:
        scene = Scene(step, LIVE_S, reader)
        other = Stamp(OLD, BASE, (0,))

        def reads() -> None:
            scene.read()
            ends.append((scene, not scene.reader.doubt(other, NOW_S), other))
            scene.read()

        scene.actors = [reads]
        return scene

    every_outcome(make, applies)
    assert any(proved and other.proof.applied >= UNTRUE_SINCE for _, proved, other in ends)
    wrong = [scene for scene, _, _ in ends if scene.hits[1] and scene.stamp.proof.applied >= UNTRUE_SINCE]
    assert bool(wrong) is broken


class KilledError(Exception):
    """The agent was killed before its next store."""


def dies_after(stores: int) -> Callable[[], None]:
    """A step that lets `stores` accesses pass and then kills the agent."""
    left = iter(range(stores))

    def step() -> None:
        if next(left, None) is None:
            raise KilledError

    return step


def killed_at_every_step(make: Callable[[], Scene], agent: Callable[[Scene], None]) -> list[Scene]:
    """Run the agent again and again, killed one step later each time, until it lives to its end."""
    scenes = []
    for stores in range(200):
        scene = make()
        scenes.append(scene)
        scene.step = dies_after(stores)
        try:
            agent(scene)
        except KilledError:
            scene.step = nothing
        else:
            scene.step = nothing
            return scenes
    raise AssertionError("the agent took more than 200 steps")


@pytest.mark.parametrize(("keeper", "broken"), [(Keeper, False), (EpochFirst, True)])
def test_an_agent_killed_in_a_flush_leaves_nothing_to_take_up_wrongly(keeper: type[Keeper], broken: bool) -> None:
    """C11: the next agent finds the old epoch, no epoch, or the whole new state; never the new epoch at 6."""
    scenes = killed_at_every_step(
        lambda: Scene(keeper_class=keeper), lambda scene: scene.keeper().flush(Position(NEW, 3))
    )
    found = [scene.keeper().take_over() for scene in scenes]
    assert found[-1] == Position(NEW, 3)
    wrong = [position for position in found if position.epoch == NEW and position.sequence != 3]
    assert bool(wrong) is broken


@pytest.mark.parametrize(("keeper", "broken"), [(Keeper, False), (SameChange, True), (AppliedFirst, True)])
def test_an_agent_killed_while_it_applied_is_followed_by_one_that_ends_its_work(
    keeper: type[Keeper], broken: bool
) -> None:
    """Whenever it was killed, its successor applies what `applied` lacks, renews, and the untrue entry is no hit."""
    scenes = killed_at_every_step(lambda: Scene(keeper_class=keeper).proved(), applies)
    for scene in scenes:
        successor = scene.keeper()
        if successor.take_over().sequence < UNTRUE_SINCE:
            successor.apply(UNTRUE_SINCE, (KEY,))
        successor.renew(LIVE_S)
        scene.read()
    assert any(scene.hits == [True] for scene in scenes) is broken


def test_a_flush_kills_what_is_in_flight_from_before_it() -> None:
    """C4: an entry loaded before the flush and put after it has the epoch and base of its lookup, and so is refused."""
    scene = Scene()
    scene.keeper().flush(Position(OLD, 9))
    scene.keeper().renew(LIVE_S)
    assert (scene.words[EPOCH], scene.words[APPLIED]) == (OLD, 9)
    scene.read()
    scene.stamp.base = 9
    scene.read()
    assert scene.hits == [False, True]
