"""Stories of readers: interleavings that once broke the protocol by way of a load, an L1 or an agent.

Each raises `BrokenPromise` if it comes to its old end; on the core as it is it must not, on its mutant it must. The
numbers are those of the model checking; the stories of writers are in `stories_of_writers`.
"""

from __future__ import annotations

from greenlet import greenlet  # type: ignore[import-untyped]
from tocsin.entry import Loaded
from tocsin.names import Names

from tests.simulator.setting import LEASE_S
from tests.simulator.stage import KEY, TAGGED, Client, Stage


def joins_an_old_load(stage: Stage) -> None:
    """C1: A loads v1 and takes its time; a session writes v2, acknowledged; on A it joins the load under way."""
    client = Client(stage)

    def stopped() -> None:
        first.parent.switch()

    first = greenlet(lambda: stage.a.read(KEY, stage.while_loading(stopped)))
    first.switch()
    client.write(stage.c)
    stage.clock.while_waiting = first.switch
    client.read(stage.a)
    assert first.dead, "nobody joined"


def reads_between_commit_and_finish(stage: Stage) -> None:
    """C2: A loads v1; W commits v2 and has not finished; a session reads v2; A fills v1; the session reads v1."""
    client = Client(stage)

    def meanwhile() -> None:
        with stage.a.writing(Names(keys=(KEY,))) as write:
            stage.commit()
            client.read(stage.b)
            write.unknown()

    stage.a.read(KEY, stage.while_loading(meanwhile))
    client.read(stage.b)


def refused_fill_in_l1(stage: Stage) -> None:
    """C3: A has v1; B looks up at 0, C writes v2, B loads it, is refused, keeps it; a session goes from B to A."""
    client = Client(stage)
    stage.a.read(KEY, stage.load)
    assert stage.b.hearing().hears
    stage.server.tables.entries.clear()
    stage.tables[0].deaf = stage.tables[1].deaf = True

    def loader() -> Loaded:
        stage.write(stage.c)
        return stage.load()

    stage.b.read(KEY, loader)
    client.read(stage.b)
    client.read(stage.a)


def put_after_a_flush(stage: Stage) -> None:
    """C4: A's fill of v1 is taken; v2 is written, told to nobody, trimmed; A's agent flushes; then A keeps v1."""

    def meanwhile() -> None:
        stage.write(stage.c)
        stage.lose_messages()
        stage.server.tables.log.clear()
        stage.clock.move(RENEWED_S)
        assert stage.a.hearing().hears, "the agent has flushed, and has its lease again"

    assert stage.a.hearing().hears
    stage.when_answered(0, "fill", meanwhile)
    stage.a.read(KEY, stage.load)
    stage.agrees(stage.a, "P1")


def put_after_a_new_epoch(stage: Stage) -> None:
    """C4, C11: the same, and what A's agent missed is a whole epoch, in which A's lookup was, and then the write."""

    def meanwhile() -> None:
        stage.write(stage.c)
        stage.tables[0].deaf = False
        stage.clock.move(RENEWED_S)
        assert stage.a.hearing().hears

    assert stage.a.hearing().hears
    stage.tables[0].deaf = True
    stage.server.restart()
    stage.when_answered(0, "fill", meanwhile)
    stage.a.read(KEY, stage.load)
    stage.agrees(stage.a, "P1")


def cut_off_past_the_lease(stage: Stage) -> None:
    """P2: A hears nothing any more; L after a write it must not answer with what was before."""
    stage.a.read(KEY, stage.load)
    stage.tables[0].deaf = True
    stage.write(stage.b)
    stage.clock.move(LEASE_S)
    stage.agrees(stage.a, "P2")


def late_reply_to_a_beat(stage: Stage) -> None:
    """M03: A's agent asks, the server answers, v2 is written, the answer arrives 0.9 s later, the agent is paused."""

    def meanwhile() -> None:
        stage.write(stage.c)
        stage.clock.move(0.9)
        stage.tables[0].deaf = True

    stage.a.read(KEY, stage.load)
    stage.when_answered(0, "beat", meanwhile)
    stage.clock.move(RENEWED_S)
    assert stage.a.hearing() is not None  # a look: the agent takes its turn
    assert stage.version == 2, "it has not beaten"
    stage.clock.move(0.5)
    stage.agrees(stage.a, "P2")


def lost_message(stage: Stage) -> None:
    """M04: A has v1; what tells of v2 is lost, the next message is not; L later A must not answer v1."""
    stage.a.read(KEY, stage.load)
    stage.write(stage.c)
    stage.lose_messages()
    stage.c.invalidate(Names(keys=("product:2",)))
    for _ in range(4):
        assert stage.a.hearing() is not None
        stage.clock.move(LEASE_S / 3)
    stage.agrees(stage.a, "P2")


def own_echo(stage: Stage) -> None:
    """M07: A's fill of v1 is taken; A itself writes v2, and hears of it; then the first reader of A keeps v1."""

    def meanwhile() -> None:
        stage.write(stage.a)
        assert stage.a.hearing() is not None

    assert stage.a.hearing().hears
    stage.when_answered(0, "fill", meanwhile)
    stage.a.read(KEY, stage.load)
    stage.agrees(stage.a, "P1")


def base_of_the_reply(stage: Stage) -> None:
    """M02: A loads v1; its tag is written, v2; the fill is refused, at a position that covers the write."""
    assert stage.a.hearing().hears
    stage.a.read(KEY, stage.while_loading(lambda: stage.write(stage.c, TAGGED)))
    stage.agrees(stage.a, "P1")


def read_your_write_elsewhere(stage: Stage) -> None:
    """P3: A has v1 and has heard of nothing; a session writes v2 at B and goes to A, within A's lease."""
    client = Client(stage)
    stage.a.read(KEY, stage.load)
    stage.tables[0].deaf = True
    client.write(stage.b)
    client.read(stage.a)


def unfilled_read(stage: Stage) -> None:
    """WmDb: A keeps v1 in L1; v2 is written; a session reads it from the database while another writer is announced."""
    client = Client(stage)
    stage.a.read(KEY, stage.load)
    stage.tables[0].deaf = True
    stage.write(stage.b)
    with stage.b.writing(Names(keys=(KEY,))) as other:
        client.read(stage.b)
        client.read(stage.a)
        other.unknown()


def system_that_slept(stage: Stage) -> None:
    """C14: A has v1 and a lease; its system sleeps for an hour, in which v2 is written; then A is asked, at once."""
    stage.a.read(KEY, stage.load)
    stage.tables[0].deaf = True
    stage.write(stage.b)
    stage.sleep(3600)
    stage.agrees(stage.a, "P2")


RENEWED_S = 0.5
"""So much later a node's next beat is due, and is done at the next look."""
