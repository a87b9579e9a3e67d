"""Mutants that random schedules must convict, each in the climate in which it shows.

The mutants themselves are in `mutants_of_server` and `mutants_of_core`; those that need a story are in `test_stories`.
"""

from __future__ import annotations

from dataclasses import dataclass

from tocsin.settings import Strategy, WritePath

from tests.simulator import mutants_of_core as core
from tests.simulator import mutants_of_server as server
from tests.simulator.setting import BRIEF, Climate, Flavour, Parts, Setting

CALM = Climate(lose_request=0.0, nemesis=("evict", ""))
SLOW_WRITERS = Climate(stall=0.6, slow_load=0.6, lose_request=0.0, nemesis=("evict",))
DEAF = Climate(lose_request=0.0, lose_message=0.6, nemesis=("evict", ""))
SLOW_REPLIES = Climate(lose_request=0.0, lose_message=0.6, delay=0.4, nemesis=("",))
RESTARTS = Climate(slow_load=0.6, lose_request=0.0, nemesis=("snapshot", "restart"), nemesis_s=0.5)
SLOW_RESTARTS = Climate(stall=0.7, lose_request=0.0, nemesis=("snapshot", "restart"), nemesis_s=1.0)
CUTS = Climate(lose_request=0.0, nemesis=("cut", ""), nemesis_s=1.0)
TRIMS = Climate(lose_request=0.0, lose_message=0.6, delay=0.05, nemesis=("trim", "trim", "kill"), nemesis_s=0.5)


PLAIN, REFRESHING = Flavour(), Flavour(policy=BRIEF, background=True, trouble=0.2)


@dataclass(frozen=True)
class Mutant:
    """A core that lacks a rule, where it shows, and the promises that it breaks."""

    name: str
    parts: Parts
    promises: tuple[str, ...]
    strategy: Strategy = Strategy.SEQUENCED
    write_path: WritePath = WritePath.CACHE_ASIDE
    climate: Climate = CALM
    flavour: Flavour = PLAIN

    def setting(self) -> Setting:
        """Return the schedule's setting."""
        return Setting(self.strategy, self.write_path, self.parts, self.climate, self.flavour)

    def control(self) -> Setting:
        """Return the same setting with the core as it is."""
        return Setting(self.strategy, self.write_path, Parts(), self.climate, self.flavour)


P1, P2, P3, P4 = "P1", "P2", "P3", "P4"
STRICT = Strategy.STRICT
ANY = (P1, P2, P3)
THROUGH = WritePath.WRITE_THROUGH
MUTANTS = (
    Mutant("hazard 1: fills without a token", Parts(server=server.FillsWithoutToken), (P1, P2, P3)),
    Mutant("M11: fills in any epoch", Parts(server=server.FillsAnyEpoch), ANY, climate=RESTARTS),
    Mutant("M09: gives without looking at marks", Parts(server=server.GivesWithoutMarks), ANY),
    Mutant("D1: alone at the end", Parts(server=server.AloneAtTheEnd), ANY, write_path=THROUGH),
    Mutant("D1b: alone for the key", Parts(server=server.KeyAlone), ANY, write_path=THROUGH),
    Mutant(
        "C5: a writer of any epoch", Parts(server=server.WriterOfAnyEpoch), ANY, write_path=THROUGH, climate=RESTARTS
    ),
    Mutant("C9: nobody compares runs", Parts(server=server.SameEpochAfterRestart), ANY, climate=RESTARTS),
    Mutant("C4: flushes naively", Parts(keeper=lambda memory, _: core.FlushesNaively(memory)), ANY, climate=TRIMS),
    Mutant("M04: repairs nothing", Parts(follower=core.RepairsNothing), ANY, climate=DEAF),
    Mutant("believes that it heard everything", Parts(follower=core.BelievesItIsThere), ANY, climate=DEAF),
    Mutant("C1: joins blindly", Parts(adjust=core.joins_blindly), (P2, P3)),
    Mutant("ignores watermarks", Parts(adjust=core.ignores_watermarks), (P3,), climate=DEAF),
    Mutant("gives what it glimpsed", Parts(adjust=core.gives_what_it_glimpsed), ANY, climate=RESTARTS),
    Mutant("M02: bases on the reply", Parts(adjust=core.bases_on_the_reply), (P2, P3)),
    Mutant("M06: loads before the lookup", Parts(loads_before_lookup=True), ANY),
    Mutant("D3: finishes what is unknown", Parts(finishes_unknown=True), ANY),
    Mutant("M08: no relay", Parts(relays=False), (P2,), climate=SLOW_WRITERS),
    Mutant("a lease for ever", Parts(keeper=lambda memory, _: core.NeverEnds(memory)), (P2,), climate=CUTS),
    Mutant(
        "M07: suppresses own echoes",
        Parts(server=server.RemembersWhoAsked, follower=core.SuppressesOwnEcho),
        ANY,
        climate=SLOW_REPLIES,
    ),
    Mutant("C7: an end without a number", Parts(server=server.FinishesQuietly), ANY, climate=SLOW_RESTARTS),
    Mutant("WmDb: tells no position", Parts(adjust=core.tells_no_position), ANY, climate=DEAF),
    Mutant("S09: waits for nobody", Parts(adjust=core.waits_for_nobody), (P3, P4), STRICT, climate=DEAF),
    Mutant("refreshes without a token", Parts(server=server.RefreshesFreely), ANY, flavour=REFRESHING),
)
