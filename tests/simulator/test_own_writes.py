"""A process sees its own writes at once, whatever its node has applied, in every interleaving of reader and writer."""

from collections.abc import Callable

import pytest
from tocsin.generation import Generations

from tests.simulator.interleavings import Actor, Step, interleavings
from tests.simulator.stepped_table import NOW_S, Scene
from tests.simulator.table_mutants import NoRounds


def stepped(reader: type[Generations], step: Step) -> type[Generations]:
    """Return the reader with its rounds and its current proof as shared things, each access of which is a step."""

    def shared(name: str) -> property:
        def load(self: Generations) -> object:
            step()
            return vars(self)[name]

        def store(self: Generations, value: object) -> None:
            step()
            vars(self)[name] = value

        return property(load, store)

    return type("Stepped", (reader,), {"round": shared("round"), "proof": shared("proof")})


@pytest.mark.parametrize(("reader", "broken"), [(Generations, False), (NoRounds, True)])
def test_no_proof_of_before_an_own_write_is_current_after_it(reader: type[Generations], broken: bool) -> None:
    """Whoever looked for own writes in vain, before there was one, leaves nothing for the shortest way to find."""
    found: list[bool] = []
    proofs: list[bool] = []

    def scene(step: Step) -> list[Actor]:
        there = Scene(reader_class=stepped(reader, step))
        wrote: list[str] = []

        def reads() -> None:
            since = there.reader.round
            step()
            proofs.append(not wrote and not there.reader.doubt(there.stamp, NOW_S, since))

        def writes() -> None:
            wrote.append("the tag of the entry")
            there.reader.forget()
            looks: Callable[[], bool] = lambda: there.stamp.proof is there.reader.proof  # noqa: E731
            found.extend((looks(), looks()))

        return [reads, writes]

    trails = list(interleavings(scene))
    assert len(trails) > 50, "a search of so few orders proves nothing"
    assert {*proofs} == {True, False}, "the reader was always first, or never"
    assert any(found) is broken
