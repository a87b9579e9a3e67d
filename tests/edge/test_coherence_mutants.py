"""Each rule of coherence taken out of the edge, one at a time: the test that is there for it fails.

Rules that guard against what no test can time (two steps of a worker with a SIGSTOP between them) have no mutant; the
lines that keep them say which interleaving they are for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.edge import test_coherence as coherence
from tests.edge import test_control as control
from tests.edge import test_sessions as sessions
from tests.edge.hearing_edge import EPOCH, Scene, hearing_edge

NAMES = ("product:1", "category:toys", "products")


@dataclass(frozen=True)
class Mutant:
    """A text in a file of nginx/cache, by what it is replaced, and the test that must fail then."""

    file: str
    text: str
    by: str
    noticed_by: Callable[[Scene], None]


MUTANTS = {
    "slots are not compared": Mutant(
        "marks.js",
        "mark > variant.base",
        "false",
        lambda scene: coherence.test_all_variants_of_a_url_fall_at_once(scene),
    ),
    "a mark as old as the base is enough": Mutant(
        "marks.js",
        "mark > variant.base",
        "mark > variant.base + 1",
        coherence.test_a_late_answer_is_refused_whenever_it_arrives,
    ),
    "the base is what the edge has applied": Mutant(
        "marks.js",
        "variant.base = proved;",
        "variant.base = Math.max(proved, Number(v.edge_applied));",
        coherence.test_an_answer_that_was_late_at_its_node_is_not_kept_beyond_its_base,
    ),
    "the floor is not compared": Mutant(
        "marks.js",
        "variant.base < held.floor",
        "false",
        lambda scene: coherence.test_an_invalidation_of_any_of_its_names_ends_an_answer(scene, "*"),
    ),
    "terms are not compared": Mutant(
        "marks.js",
        "variant.term !== held.term || ",
        "",
        coherence.test_a_new_epoch_ends_everything,
    ),
    "a slot that is gone was never invalidated": Mutant(
        "marks.js", "mark === undefined || mark", "mark", control.test_marks_that_are_gone_are_noticed
    ),
    "what is not proved is kept": Mutant(
        "marks.js",
        "!said && immutable && v.edge_term",
        "!said && v.edge_term",
        lambda scene: coherence.test_what_is_not_proved_is_not_kept(scene, None),
    ),
    "epochs are not compared": Mutant(
        "marks.js", " || now.epoch !== parts[1]", "", coherence.test_an_answer_of_another_epoch_is_not_kept
    ),
    "nobody looks at the lease": Mutant(
        "marks.js",
        "clock_s() < found.deadline_s ? found : undefined",
        "true ? found : undefined",
        coherence.test_without_a_lease_everything_goes_past_the_store,
    ),
    "the short way asks for no proof": Mutant(
        "looking.js",
        "v.edge_hears && !proved(v, rows[0])",
        "false",
        lambda scene: coherence.test_an_invalidation_of_any_of_its_names_ends_an_answer(scene, "k:product:1"),
    ),
    "any secret is good": Mutant(
        "control.js",
        "secret !== '' && digest(r.headersIn['Tocsin-Secret'] || '') === digest(secret)",
        "true",
        lambda scene: control.test_who_has_another_secret_is_refused(scene, "x"),
    ),
    "an agent of before is heard": Mutant(
        "control.js",
        "now === undefined || now.term !== words[0]",
        "now === undefined",
        control.test_another_agent_fences_out_the_one_before,
    ),
    "only the last part of many names is marked": Mutant(
        "control.js",
        "        return mark(now, words, lines.slice(1));\n    case '/apply'",
        "        return 204;\n    case '/apply'",
        control.test_more_names_than_one_call_holds_are_all_marked,
    ),
    "sessions are not compared": Mutant(
        "answering.js",
        "seen !== undefined && seen.sequence > proved",
        "false",
        sessions.test_a_session_gets_nothing_older_than_what_it_has_seen,
    ),
    "what is applied proves nothing": Mutant(
        "answering.js",
        "Math.max(held.applied, variant.base)",
        "variant.base",
        sessions.test_an_answer_is_as_new_as_what_the_edge_has_applied,
    ),
    "the short way knows no sessions": Mutant(
        "cache.conf",
        '"~tocsin-watermark=" 1;',
        '"~tocsin-watermark=" "";',
        sessions.test_a_session_gets_nothing_older_than_what_it_has_seen,
    ),
    "pending is like any other": Mutant(
        "answering.js",
        "seen.pending || seen.epoch !== held.epoch",
        "seen.epoch !== held.epoch && !seen.pending",
        sessions.test_what_nobody_was_told_of_goes_past_everything,
    ),
    "epochs of sessions are not compared": Mutant(
        "answering.js",
        "|| seen.epoch !== held.epoch",
        "",
        lambda scene: sessions.test_a_watermark_of_another_epoch_passes_by_once(scene, EPOCH + 1),
    ),
    "signatures are not compared": Mutant(
        "session.js",
        "signed(signed(text, secret), secret) !== signed(value, secret)",
        "false",
        lambda scene: sessions.test_a_forged_watermark_is_as_good_as_none(scene, f"{EPOCH:016x}-9.x"),
    ),
    "with a cookie it is still public": Mutant(
        "session.js",
        "'private, max-age=0, must-revalidate'",
        "'public, max-age=0, must-revalidate'",
        sessions.test_a_hit_raises_the_watermark_of_who_presents_one,
    ),
    "everybody is taken for an edge": Mutant(
        "cache.conf",
        '"~^([A-Za-z0-9_-]+):\\1$" 1;',
        '"~^([A-Za-z0-9_-]+):." 1;',
        lambda scene: sessions.test_nobody_else_is_taken_for_an_edge(scene, "x"),
    ),
    "the base leaves us": Mutant(
        "locations.conf",
        "proxy_hide_header Tocsin-Base;",
        "proxy_pass_header Tocsin-Base;",
        coherence.test_a_proved_answer_is_kept_and_the_proof_stays_with_us,
    ),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_of_coherence_is_noticed(name: str, tmp_path: Path) -> None:
    """The test named beside it passes on the edge as it is (in its own module), and fails on this one."""
    mutant = MUTANTS[name]

    def change(prefix: Path) -> None:
        file = prefix / "cache" / mutant.file
        before = file.read_text(encoding="utf-8")
        assert before.count(mutant.text) == 1, f"{mutant.file} has {mutant.text!r} {before.count(mutant.text)} times"
        file.write_text(before.replace(mutant.text, mutant.by), encoding="utf-8")

    with hearing_edge(tmp_path / "edge", *NAMES, change=change) as scene:
        try:
            mutant.noticed_by(scene)
        except (AssertionError, pytest.fail.Exception):
            return
    raise AssertionError(f"nobody noticed that {name}")
