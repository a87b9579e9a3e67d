"""What an edge that hears may use, and what it may not: every way in which evidence can be missing is a miss."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from tocsin.position import Position

from tests.edge.hearing_edge import EPOCH, Scene, boot_clock_s, hearing_edge, is_hit, member
from tests.until import until

PRODUCT, TAG, LISTS = "product:1", "category:toys", "products"


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with hearing_edge(tmp_path / "edge", PRODUCT, TAG, LISTS) as scene:
        yield scene


def test_a_proved_answer_is_kept_and_the_proof_stays_with_us(scene: Scene) -> None:
    """It is used for as long as its node says, and neither the base nor the right to keep it for so long leaves us."""
    first, second = scene.edge.get("/x"), scene.edge.get("/x")
    assert (first.text, second.text) == ("answer 1", "answer 1")
    assert is_hit(second)
    assert second.get("X-Filled-By") == "node-1/worker-1"
    for reply in (first, second, scene.edge.get("/x", If_None_Match='"none"')):
        assert not [name for name, _ in reply.headers if name.lower().startswith("tocsin-")]
        assert reply.get("CDN-Cache-Control") is None
        assert reply.get("Cache-Control") == "public, max-age=0, must-revalidate"
        assert reply.get("Cache-Groups") == '"product:1", "category:toys", "products"'


@pytest.mark.parametrize("name", ["k:product:1", "t:category:toys", "n:products", "*"])
def test_an_invalidation_of_any_of_its_names_ends_an_answer(scene: Scene, name: str) -> None:
    """A key, a tag, a namespace, or everything: what was kept before is not used after."""
    scene.read()
    scene.write(1, name)
    assert scene.read() == "answer 2"
    assert scene.kept()


def test_an_invalidation_of_other_names_leaves_it(scene: Scene) -> None:
    """Whose slots are others; some names share one, by chance, and then it costs a miss."""
    scene.read()
    scene.write(1, "k:product:2", "t:category:tools")
    assert scene.kept()


def test_all_variants_of_a_url_fall_at_once(scene: Scene) -> None:
    """One German reader's refresh must not leave the English answer as it was."""
    scene.node.more = (("Vary", "Accept-Language"),)
    languages = ("de", "en", "fr")
    for language in languages:
        scene.read(Accept_Language=language)
        assert scene.kept(Accept_Language=language)
    scene.write(1, "k:product:1")
    assert not any(scene.kept(Accept_Language=language) for language in languages)


def test_a_late_answer_is_refused_whenever_it_arrives(scene: Scene) -> None:
    """Its base is older than a mark that the edge has by then.

    reader: miss, asks the node (old, base 0) ............................ arrives: stored, never used
    writer:                              invalidation 1 ─▶ edge: slot = 1
    """
    scene.node.before = lambda: scene.sink.apply(1, ["k:product:1"])
    assert scene.read() == "answer 1"
    scene.node.before = lambda: None
    assert scene.read() == "answer 2"


def test_an_answer_that_was_late_at_its_node_is_not_kept_beyond_its_base(scene: Scene) -> None:
    """A node that has not heard of 1 and 2 yet answers from its L1: true as of 0, whatever the edge has heard."""
    scene.sink.apply(1, ["k:other"])
    scene.sink.apply(2, ["k:product:1"])
    assert scene.read() == "answer 1"
    assert scene.read() == "answer 2"


def test_an_answer_of_before_the_term_is_not_kept(scene: Scene) -> None:
    """The edge began at 5 and knows nothing of what was invalidated before."""
    scene.lead(5)
    assert scene.node.base.sequence == 0
    assert (scene.read(), scene.read()) == ("answer 1", "answer 2")
    scene.node.base = Position(EPOCH, 5)
    assert (scene.read(), scene.read()) == ("answer 3", "answer 3")


@pytest.mark.parametrize("base", [None, "", "5", "x,1", f"{EPOCH:016x}", f"{EPOCH:016x},-1", f"{EPOCH:016x},1, 2"])
def test_what_is_not_proved_is_not_kept(scene: Scene, base: str | None) -> None:
    """A node that can't say as of when it is true says nothing, and what can't be read is nothing."""
    scene.node.proves = False
    scene.node.more = () if base is None else (("Tocsin-Base", base),)
    assert (scene.read(), scene.read()) == ("answer 1", "answer 2")


def test_an_answer_of_another_epoch_is_not_kept(scene: Scene) -> None:
    """Sequences of two epochs are not compared, whichever is the newer."""
    for epoch in (EPOCH - 1, EPOCH + 1):
        scene.node.base = Position(epoch, 9)
        scene.read()
        assert not scene.kept()


def test_what_can_not_change_needs_no_base(scene: Scene) -> None:
    """A fingerprinted asset was not read from anything that is invalidated; a lifetime alone would not do."""
    scene.node.proves = False
    scene.node.names = ()
    scene.node.more = (("CDN-Cache-Control", "immutable"),)
    assert (scene.read("/static/a.1f.css"), scene.read("/static/a.1f.css")) == ("answer 1", "answer 1")


def test_without_a_lease_everything_goes_past_the_store(scene: Scene) -> None:
    """And nothing is stored; the answer says why. When the lease is back, what was kept may be used again."""
    scene.read()
    scene.sink.suspend()
    for number in (2, 3):
        reply = scene.edge.get("/x")
        assert reply.text == f"answer {number}"
        assert member(reply) == "edge; fwd=bypass; detail=lease"
    scene.renew()
    assert scene.read() == "answer 1"


def test_a_lease_ends_by_itself(scene: Scene) -> None:
    """The agent is gone: nobody has to tell the edge."""
    scene.lead(lease_s=0.5)
    ends_s = boot_clock_s() + 0.5
    scene.read()
    until(lambda: not scene.kept(), within_s=10, waiting_for="the end of the lease", every_s=0.01)
    while boot_clock_s() < ends_s:  # whatever the machine was busy with, it must be over by then
        pass
    assert not scene.kept()


def test_a_new_epoch_ends_everything(scene: Scene) -> None:
    """Also where its sequences are smaller, so that no mark could exceed a base."""
    scene.write(7, "k:other")
    scene.read()
    scene.sink.flush(Position(EPOCH + 1, 0))
    scene.renew()
    assert scene.read() == "answer 2"


def test_a_reload_neither_loses_an_invalidation_nor_brings_back_what_had_fallen(scene: Scene) -> None:
    """The memory of all workers outlives them. The sink finds the new ones by itself, in the same term."""
    scene.read()
    scene.read("/y")
    scene.write(1, "k:product:1")
    scene.node.names = ()
    scene.read("/z")
    scene.edge.reload()
    assert scene.kept("/z")
    assert scene.read() != "answer 1"
    scene.write(2, "*")
    assert not scene.kept("/z")


def test_a_restart_brings_nothing_back(tmp_path: Path) -> None:
    """The bodies of before lie on the disk still; nothing can name them, and the agent's term is unknown."""
    prefix = tmp_path / "edge"
    with hearing_edge(prefix, PRODUCT) as scene:
        scene.read()
        assert scene.kept()
    assert list((prefix / "run" / "bodies").rglob("*")), "nothing was on the disk to be brought back"
    with hearing_edge(prefix, PRODUCT) as scene:
        assert scene.read() == "answer 1"
        assert len(scene.node.requests) == 1


def test_the_purge_of_a_tag_with_many_answers_is_one_number(scene: Scene) -> None:
    """Three hundred answers (bench/ has ten thousand) fall by one call, whose size does not depend on them."""
    targets = [f"/{number}" for number in range(300)]
    for target in targets:
        scene.read(target)
    assert all(scene.kept(target) for target in targets)
    scene.write(1, "t:category:toys")
    assert not any(scene.kept(target) for target in targets)


def test_no_reader_gets_what_was_invalidated_before_it_asked(scene: Scene) -> None:
    """Readers and a writer at once, both workers at work: what is read is never older than what was applied before."""
    over = threading.Event()
    stale: list[str] = []
    written = 0

    def reads() -> None:
        while not over.is_set():
            least = written
            number = int(scene.read("/race").removeprefix("answer "))
            if first_of[least] > number:
                stale.append(f"after write {least}: answer {number}")

    first_of = {0: 1}
    with ThreadPoolExecutor(4) as pool:
        for _ in range(4):
            pool.submit(reads)
        for sequence in range(1, 60):
            scene.node.base = Position(EPOCH, sequence)
            first_of[sequence] = len(scene.node.requests)  # whatever is asked from now on is new
            scene.sink.apply(sequence, ["k:product:1"])
            written = sequence
        over.set()
    assert stale == []
    assert len(scene.node.requests) < scene.edge.answered, "the store answered nobody: nothing was shown"
