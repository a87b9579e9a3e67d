"""The order of loads and stores in the generation table, in every interleaving of a worker and an agent.

Beside each rule stands the same search with the rule broken, which must find the story that the rule is for (C4, C10
and C11 of the model checking): a search that convicts nobody proves nothing.
"""

from collections.abc import Callable

import pytest
from tocsin.generation import APPLIED, EPOCH, HEADER_WORDS, Generations, Keeper
from tocsin.position import Position

from tests.simulator.interleavings import Step
from tests.simulator.stepped_table import (
    KEY,
    LAPSED_S,
    LIVE_S,
    NEW,
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
    SlotsBeforeApplied,
    SlotsBeforeDeadline,
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
    return scene.hits == [True] and scene.stamp.proved_to >= UNTRUE_SINCE


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
    ("reader", "proved", "broken"),
    [
        (Generations, False, False),
        (Generations, True, False),
        (SlotsBeforeDeadline, False, True),
        (ChangeBeforeDeadline, True, True),
    ],
)
def test_a_lapsed_lease_is_renewed_only_for_what_is_still_true(
    reader: type[Generations], proved: bool, broken: bool
) -> None:
    """C10b, P2: the lease was over when the read began, so the untrue entry is never a hit, renewed or not."""

    def make(step: Step) -> Scene:
        scene = Scene(step, LAPSED_S, reader)
        return scene.proved() if proved else scene

    assert any(scene.hits == [True] for scene in every_outcome(make, catches_up)) is broken


@pytest.mark.parametrize(
    ("reader", "proved", "broken"),
    [
        (Generations, False, False),
        (Generations, True, False),
        (EpochOnce, False, True),
        (ChangeBeforeDeadline, True, True),
    ],
)
def test_an_entry_of_the_old_epoch_is_no_hit_once_the_new_has_a_lease(
    reader: type[Generations], proved: bool, broken: bool
) -> None:
    """C10c: a flush lowers slots, and an entry invalidated in the old epoch is not revived by words of two epochs."""

    def make(step: Step) -> Scene:
        scene = Scene(step, LAPSED_S, reader)
        if proved:
            return scene.proved()
        scene.words[HEADER_WORDS + scene.reader.slot(KEY)] = UNTRUE_SINCE
        return scene

    assert any(scene.hits == [True] for scene in every_outcome(make, flushes)) is broken


@pytest.mark.parametrize(("reader", "broken"), [(Generations, False), (ChangeAfterSlots, True)])
def test_a_remembered_proof_ends_with_the_next_invalidation(reader: type[Generations], broken: bool) -> None:
    """A read that begins after the agent applied 7 is no hit, though a read during it had proved the entry."""
    scenes = every_outcome(lambda step: Scene(step, LIVE_S, reader), applies)
    for scene in scenes:
        scene.step = nothing
        scene.read()
    assert any(scene.hits[0] for scene in scenes), "no read came before the invalidation"
    assert any(scene.hits[1] for scene in scenes) is broken


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
