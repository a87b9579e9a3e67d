"""What a newcomer reads: every number where it belongs, and nothing folded at 80 columns."""

from __future__ import annotations

from rich.console import Console

from cluster.demo.figures import Figures, figures_of
from cluster.demo.meaning import MEANINGS, meaning_of
from cluster.demo.play import Played
from cluster.demo.programme import explanation, programme
from cluster.target import Kind, Target
from cluster.topology import STRATEGIES
from tests.checker.notation import history
from tests.demo.test_figures import TEXT

PLAYED = Played(
    killed=Target(Kind.NODE, "node-2", "node-2"),
    killed_at_s=10.02,
    traffic_s=20.0,
    unsent=0,
    unsettled=None,
    settled_s=1.25,
)


def printed(figures: Figures, played: Played = PLAYED) -> list[str]:
    console = Console(width=120, highlight=False, no_color=True, force_terminal=False)
    with console.capture() as text:
        console.print(programme(figures, played, title="What clients saw: strategy ttl"))
    return [line.rstrip() for line in text.get().splitlines()]


def test_the_programme_is_one_screen_of_aligned_numbers() -> None:
    """The whole of it, as printed."""
    assert printed(figures_of(history(TEXT))) == [
        "What clients saw: strategy ttl",
        "  9 requests in 20.0 s (0 a second), 33.3% of them writes",
        "  node-2 was killed at 10.0 s and started again after the traffic; meanwhile its own ports refuse",
        "",
        "                            reads through the edge    reads of single workers   writes",
        "  asked                     3                         3                         3",
        "  answered                  3 (100.00%)               2 (66.67%)                1 (33.33%)",
        "  errors                    none                      1 refused                 1 status-504, 1 status-412",
        "  p50, p99                  2.0 ms, 4.0 ms            2.0 ms, 8.0 ms            10 ms, 10 ms",
        "",
        "  by the edge                66.7% ████████████████     0.0%",
        "  by L1, the worker's own     0.0%                     50.0% ████████████",
        "  by L2, Redis               33.3% ████████             0.0%",
        "  by the database             0.0%                     50.0% ████████████",
        "",
        "                    reads through the edge           reads of single workers",
        "  stale             1 of 3 (33.33%)                  0 of 2 (0.00%)",
        "  worst staleness   at least 5.0 ms, at most 17 ms   none",
        "",
        "  workers know a write   at once, in 1 observations",
        "  at rest                2 final answers agree with the database, 1.2 s after the traffic",
        "  new, then old          none in 2 reads of what the same session had read before",
        "  own write unseen       none in 1 reads of what the same session had written before",
        "  lost writes            none in 1 acknowledged writes",
        "  phantoms               none in 7 reads (versions that nobody had written)",
        "  leaks                  unknown: 0 personal answers seen, 1 needed",
    ]


def test_a_cluster_that_did_not_come_to_rest_is_said_so() -> None:
    """In the words of whoever waited."""
    lines = printed(
        figures_of(history(TEXT)),
        Played(
            killed=None, killed_at_s=0, traffic_s=3.0, unsent=7, unsettled="2 of 40 answers are not the latest (edge)",
            settled_s=10,
        ),
    )  # fmt: skip
    assert "  at rest                2 of 40 answers are not the latest (edge)" in lines
    assert "  7 more were due while too many waited for an answer, and were not sent" in lines
    assert not any("was killed" in line for line in lines)


def test_what_could_not_be_judged_is_unknown_and_not_good() -> None:
    """Without a personal page nothing is known of leaks."""
    assert any(line.split() == ["leaks", "unknown:", "0", "personal", "answers", "seen,", "1", "needed"]
               for line in printed(figures_of(history(TEXT))))  # fmt: skip


def test_the_explanation_tells_the_strategy_the_stalest_read_and_what_to_try() -> None:
    """Three lines, the last of which can be typed."""
    lines = explanation(figures_of(history(TEXT)), "ttl", command="make demo STRATEGY={}")
    assert lines[0].startswith("ttl: each worker serves its own copy until it expires")
    assert lines[1].startswith("The stalest: session s1's read of x through edge (#4)")
    assert lines[2] == "The contrast: make demo STRATEGY=sequenced"


def test_every_strategy_has_its_meaning() -> None:
    """One sentence each, that names it, and a next one that exists and is another; a new one is named at least."""
    assert set(MEANINGS) <= set(STRATEGIES)
    for name, meaning in MEANINGS.items():
        assert meaning.sentence.startswith(f"{name}: ")
        assert meaning.next_strategy in set(STRATEGIES) - {name}
    assert meaning_of("brand-new").sentence.startswith("brand-new: ")
