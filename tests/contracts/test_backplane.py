"""The contract of the backplane: names arrive as they were told, and hearing is said only when it is proved."""

from __future__ import annotations

from tocsin import Names
from tocsin.backplane import Backplane
from tocsin.invalidation import Invalidation

from tests.contracts.world import World


def told(names: Names) -> Invalidation:
    return Invalidation(names, (), (), ())


def hearing(world: World, backplane: Backplane) -> list[Names]:
    heard: list[Names] = []
    backplane.start(heard.append)
    world.until(lambda: backplane.hearing().hears, "the node to hear")
    return heard


def test_names_arrive_as_they_were_told(world: World) -> None:
    """Keys, tags and namespaces of one node's finish reach the others, whatever letters they are written in."""
    heard = hearing(world, world.backplane())
    names = Names(("product:1", "größe:2"), ("category:toys",), ("products",))
    world.shared().finish(told(names))
    world.until(lambda: heard, "the message")
    assert heard == [names]


def test_every_node_hears_every_message_in_order(world: World) -> None:
    """Two nodes hear ten finishes in the order in which they happened."""
    both = [hearing(world, world.backplane()) for _ in range(2)]
    level = world.shared()
    for number in range(10):
        level.finish(told(Names((f"product:{number}",))))
    world.until(lambda: all(len(heard) == 10 for heard in both), "ten messages on both nodes")
    assert [heard == [Names((f"product:{number}",)) for number in range(10)] for heard in both] == [True, True]


def test_a_node_that_has_not_started_does_not_hear_and_says_so(world: World) -> None:
    """Hearing is claimed only between start and stop."""
    backplane = world.backplane()
    assert not backplane.hearing().hears
    hearing(world, backplane)
    backplane.stop(2.0)
    assert not backplane.hearing().hears


def test_what_was_told_while_nobody_listened_is_lost(world: World) -> None:
    """The known hole of pub/sub (hazards 3 and 4): a node that stopped and started again is told nothing of between."""
    backplane = world.backplane()
    hearing(world, backplane)
    backplane.stop(2.0)
    world.shared().finish(told(Names(("missed",))))
    heard = hearing(world, backplane)
    world.shared().finish(told(Names(("heard",))))
    world.until(lambda: heard, "the message after the restart")
    assert heard == [Names(("heard",))]


def test_starting_twice_is_starting_once(world: World) -> None:
    """A message is heard once however often the backplane was started."""
    backplane = world.backplane()
    heard = hearing(world, backplane)
    backplane.start(heard.append)
    world.shared().finish(told(Names(("product:1",))))
    world.shared().finish(told(Names(("product:2",))))
    world.until(lambda: Names(("product:2",)) in heard, "the second message")
    assert len(heard) == 2
