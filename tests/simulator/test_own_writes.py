"""A process sees its own writes at once, whatever its node has applied, in every interleaving of reader and writer."""

from collections.abc import Callable

import pytest
from tocsin.generation import CHANGE, Generations

from tests.simulator.interleavings import Actor, Step, interleavings
from tests.simulator.stepped_table import NOW_S, Scene
from tests.simulator.table_mutants import ForgetsNothing, NoRounds


@pytest.mark.parametrize(
    ("reader", "proved", "broken"),
    [
        (Generations, False, False),
        (Generations, True, False),
        (NoRounds, False, True),
        (ForgetsNothing, True, True),
    ],
)
def test_no_proof_of_before_an_own_write_lives_after_it(reader: type[Generations], proved: bool, broken: bool) -> None:
    """Whoever looked for own writes in vain, before there was one, leaves nothing for the shortest way to find."""
    found: list[bool] = []
    proofs: list[bool] = []
    looks: list[Callable[[], bool]] = []

    def scene(step: Step) -> list[Actor]:
        there = Scene(step, reader_class=reader)
        if proved:
            assert not there.reader.doubt(there.stamp, NOW_S)
        wrote: list[str] = []

        def live() -> bool:
            proof = there.stamp.proof
            return proof.until_s > NOW_S and there.words[CHANGE] == proof.change

        def reads() -> None:
            step()
            since = there.reader.round
            step()
            if not wrote:
                proofs.append(not there.reader.doubt(there.stamp, NOW_S, since))

        def writes() -> None:
            step()
            wrote.append("the tag of the entry")
            step()
            there.reader.forget()
            found.append(live())

        looks.append(live)
        return [reads, writes]

    trails = 0
    for _ in interleavings(scene):
        found.append(looks[-1]())  # and when both have ended
        trails += 1
    assert trails > 20, "a search of so few orders proves nothing"
    assert any(proofs), "the writer was always first"
    assert any(found) is broken
