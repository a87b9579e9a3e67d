"""Interleavings: every order in which a few actors can take their steps, one after the other.

    def scene(step):            # step() is called before each access to what the actors share
        table = Table(step)
        return [lambda: read(table), lambda: write(table)]

    for trail in interleavings(scene): ...

Actors are plain functions run in greenlets; the code under test is unchanged, only the memory (or port) it is given
calls `step`. The search is exhaustive: depth first, each run replaying a prefix of choices and then taking the first
actor that can go. What always holds: the same trail gives the same run, so a failing trail can be replayed.
"""

from collections.abc import Callable, Iterator, Sequence

from greenlet import getcurrent, greenlet  # type: ignore[import-untyped]

Step = Callable[[], None]
Actor = Callable[[], None]
Scene = Callable[[Step], Sequence[Actor]]
Trail = tuple[int, ...]


def play(scene: Scene, trail: Trail = ()) -> list[tuple[int, int]]:
    """Run a fresh scene along `trail`, then by the first actor that can go; return (choice, number of options)."""
    hub = getcurrent()

    def step() -> None:
        if getcurrent() is not hub:  # setting up and looking at the outcome are no steps
            hub.switch()

    waiting = [greenlet(actor, hub) for actor in scene(step)]
    taken: list[tuple[int, int]] = []
    while waiting:
        choice = trail[len(taken)] if len(taken) < len(trail) else 0
        taken.append((choice, len(waiting)))
        waiting[choice].switch()
        waiting = [actor for actor in waiting if not actor.dead]
    return taken


def interleavings(scene: Scene, *, at_most: int = 200_000) -> Iterator[Trail]:
    """Run the scene in every order and yield each trail after its run; raise `AssertionError` beyond `at_most` runs."""
    trail: Trail = ()
    for _ in range(at_most):
        taken = play(scene, trail)
        yield tuple(choice for choice, _ in taken)
        while taken and taken[-1][0] == taken[-1][1] - 1:
            taken.pop()
        if not taken:
            return
        trail = (*(choice for choice, _ in taken[:-1]), taken[-1][0] + 1)
    raise AssertionError(f"more than {at_most} interleavings: make the scene smaller")
