"""Stories of writers: interleavings that once broke the protocol by way of an announcement, a commit or an end.

As in `stories`: each raises `BrokenPromise` if it comes to its old end.
"""

from __future__ import annotations

from collections.abc import Sequence

from tocsin.cache import Cache
from tocsin.journal import Accepted, Behind, Operation
from tocsin.names import Names
from tocsin.position import Position
from tocsin.relay import Row
from tocsin.writing import Write

from tests.simulator.record import BrokenPromise
from tests.simulator.setting import LEASE_S
from tests.simulator.stage import KEY, NAMES, TAG, TAGGED, Client, Stage


def through(stage: Stage, write: Write) -> None:
    """Commit the next version, and offer it to L2 at the write's end."""
    version = stage.commit()
    write.committed(key=KEY, value=b"%d" % version, version=version, tags=(TAG,))


def fenced(stage: Stage, write: Write) -> None:
    """Commit the next version if the database still takes it: it is told how much time is left."""
    if write.left_s() > 0:
        stage.commit()


def value_of_an_old_epoch(stage: Stage) -> None:
    """C5: W1 is announced; a snapshot; W1 commits v2, W2 writes v3; Redis is back from the snapshot; W1 ends."""
    with stage.b.writing(NAMES) as first:
        snapshot = stage.server.snapshot()
        through(stage, first)
        stored = stage.version
        stage.write(stage.c)
        stage.server.restart(snapshot)
    assert stored < stage.version
    stage.agrees(stage.a, "P1")


def stalled_past_its_deadline(stage: Stage) -> None:
    """C6: a strict writer is announced and stops; after its deadline A loads v1; it commits, ends, and A hears late."""
    with stage.b.writing(NAMES) as write:
        stage.clock.move(stage.terms.writer_s + 0.1)
        stage.a.read(KEY, stage.load)
        fenced(stage, write)
        stage.tables[0].deaf = True
    stage.agrees(stage.a, "P4")


def announced_long_ago(stage: Stage) -> None:
    """D4: the answer to a strict announcement comes after the deadline; A has loaded v1 by then; the writer commits."""

    def meanwhile() -> None:
        stage.clock.move(stage.terms.writer_s + 0.1)
        stage.a.read(KEY, stage.load)
        stage.tables[0].deaf = True

    stage.when_answered(1, "announce", meanwhile)
    with stage.b.writing(NAMES) as write:
        fenced(stage, write)
    stage.agrees(stage.a, "P4")


def end_after_a_restart(stage: Stage) -> None:
    """C7: W is announced; Redis restarts empty; A loads v1; W commits v2 and ends; A fills v1."""
    with stage.b.writing(NAMES) as write:
        stage.server.restart()

        def meanwhile() -> None:
            stage.commit()
            write.__exit__(None, None, None)

        stage.a.read(KEY, stage.while_loading(meanwhile))
        stage.clock.move(2 * LEASE_S)
        stage.agrees(stage.c, "P2")


def ends_of_two_writers(stage: Stage) -> None:
    """C8: W1 and W2 are announced; W1 ends; A loads v1; W2 commits v2; a session reads it; A fills v1."""
    client = Client(stage)
    with stage.b.writing(NAMES) as second:
        with stage.b.writing(NAMES):
            pass

        def meanwhile() -> None:
            stage.commit()
            client.read(stage.b)

        stage.a.read(KEY, stage.while_loading(meanwhile))
        client.read(stage.b)
        second.unknown()


def restart_behind_a_proxy(stage: Stage) -> None:
    """C9: L2 has v1; a snapshot; v2 is written, acknowledged; Redis is back from the snapshot, and nobody is told."""
    stage.a.read(KEY, stage.load)
    snapshot = stage.server.snapshot()
    stage.write(stage.b)
    stage.server.restart(snapshot)
    stage.agrees(stage.c, "P1")


def behind(stage: Stage, node: Cache, row_version: int) -> int:
    """Write behind, and return the version that it was given."""
    outcome = node.write_behind(Behind(key=KEY, operation=b"", value=b"", row_version=row_version, names=NAMES))
    assert isinstance(outcome, Accepted)
    return outcome.version


def drain(stage: Stage, operation: Operation) -> None:
    """Write an operation to the database, which takes it only if its version is higher than the row's."""
    if operation.version <= stage.version:
        raise BrokenPromise(f"lost: {operation.version} was acknowledged, and the row is at {stage.version} already")
    stage.version = operation.version


def newer_dirty_value(stage: Stage) -> None:
    """C12a: v2 is written behind, and drained; v3 is written behind; the drain of v2 says that it is done."""
    client = Client(stage)
    behind(stage, stage.b, stage.version)
    (operation,) = stage.c.pending(1)
    drain(stage, operation)
    client.saw(behind(stage, stage.b, stage.version), None)
    stage.c.drained(operation)
    client.read(stage.a)


def invalidated_dirty_value(stage: Stage) -> None:
    """C12b: v2 is written behind; somebody invalidates the key; v2 is still what was acknowledged."""
    client = Client(stage)
    client.saw(behind(stage, stage.b, stage.version), None)
    stage.c.invalidate(NAMES)
    client.read(stage.a)


def two_dirty_writes_of_one_row(stage: Stage) -> None:
    """C12c: two requests have read the row at v1, and write it behind; the database gets both."""
    row_version = stage.version
    behind(stage, stage.b, row_version)
    behind(stage, stage.c, row_version)
    for operation in stage.c.pending(2):
        drain(stage, operation)


def drained_after_a_loss(stage: Stage) -> None:
    """C12d: Redis loses a dirty v2 whose operation the drain has in hand; A loads v1; the drain writes v2, and ends."""
    behind(stage, stage.b, stage.version)
    (operation,) = stage.c.pending(1)
    stage.store.lose_everything()
    stage.server.restart()
    stage.a.read(KEY, stage.load)
    drain(stage, operation)
    stage.c.drained(operation)
    stage.clock.move(2 * LEASE_S)
    stage.agrees(stage.b, "P2")


def counter_that_was_lost(stage: Stage) -> None:
    """C12e: the row is at v5, and Redis knows nothing of it; what is written behind must be above."""
    stage.version = 5
    behind(stage, stage.b, stage.version)
    (operation,) = stage.c.pending(1)
    drain(stage, operation)


class Outbox:
    """An outbox of rows that nobody has acknowledged."""

    def __init__(self) -> None:
        self.rows = [Row(1, NAMES)]

    def waiting(self, limit: int) -> Sequence[Row]:
        """Return the first of them."""
        return self.rows[:limit]

    def acknowledge(self, ids: Sequence[int], position: Position | None) -> None:
        """Take rows out."""
        self.rows = [row for row in self.rows if row.id not in ids]

    def close(self) -> None:
        """Do nothing."""


def stopped_relay(stage: Stage) -> None:
    """C13: L2 has v1; W commits v2 and dies; the relay that would finish it is stopped where it asks Redis."""
    stage.a.read(KEY, stage.load)
    stage.clock.move(stage.terms.writer_s)
    stage.commit()
    outbox = Outbox()

    def finish(names: Names) -> Position | None:
        return stage.b.finish_again(names).watermark

    def stopped(names: Names) -> Position | None:
        turns_of(stage, stage.parts.relay(outbox, finish, now=stage.clock.now, chance=float))
        stage.agrees(stage.c, "P2")
        return finish(names)

    turns_of(stage, stage.parts.relay(outbox, stopped, now=stage.clock.now, chance=float))
    assert not outbox.rows


def turns_of(stage: Stage, relay: object) -> None:
    """Let a relay take its turns for the 300 ms of the promise, and a lease."""
    until_s = stage.clock.now() + 0.3 + LEASE_S
    relay.follow(lambda: stage.clock.now() >= until_s, stage.clock.pause)  # type: ignore[attr-defined]


def came_and_went(stage: Stage, second: Names = NAMES) -> None:
    """D1: W1 is announced, commits v2; W2 is announced, commits v3, ends; W1 ends, alone, and offers v2."""
    with stage.b.writing(NAMES) as first:
        through(stage, first)
        stage.write(stage.c, second)
    stage.agrees(stage.a, "P1")


def came_and_went_by_its_tag(stage: Stage) -> None:
    """D1b: the same, but W2 names a tag of the value and not its key."""
    came_and_went(stage, TAGGED)


def late_at_its_end(stage: Stage) -> None:
    """D1c: W1 and W2 are announced; W2 commits v2, W1 v3; W1 is late; a session sees v3; W2 ends, and offers v2."""
    client = Client(stage)
    with stage.c.writing(NAMES) as first:
        stage.clock.move(1.0)
        with stage.b.writing(NAMES) as second:
            through(stage, second)
            stage.commit()
            stage.clock.move(stage.terms.writer_s - 0.5)
            client.read(stage.a)
        client.read(stage.a)
        first.unknown()


def restart_forgets_the_writer(stage: Stage) -> None:
    """D2: W is announced; Redis restarts empty; A loads v1; W commits v2; a session reads it; A fills v1."""
    client = Client(stage)
    with stage.b.writing(NAMES) as write:
        stage.server.restart()

        def meanwhile() -> None:
            stage.commit()
            client.read(stage.b)

        stage.a.read(KEY, stage.while_loading(meanwhile))
        client.read(stage.b)
        write.unknown()


def commit_after_the_end(stage: Stage) -> None:
    """D3: the commit's outcome is unknown; the writer says it has ended; A loads v1; the commit lands; A fills v1."""
    client = Client(stage)
    with stage.b.writing(NAMES) as write:
        if not stage.parts.finishes_unknown:
            write.unknown()

    def meanwhile() -> None:
        stage.commit()
        client.read(stage.b)

    stage.a.read(KEY, stage.while_loading(meanwhile))
    client.read(stage.b)


def fill_while_a_tag_is_written(stage: Stage) -> None:
    """D, reading 3: a writer of the tag is announced; A looks up and loads v1; it commits v2; A fills v1."""
    client = Client(stage)
    with stage.b.writing(TAGGED) as bulk:

        def meanwhile() -> None:
            stage.commit()
            client.read(stage.b)

        stage.a.read(KEY, stage.while_loading(meanwhile))
        client.read(stage.b)
        bulk.unknown()


def strict_write_past_a_lease(stage: Stage) -> None:
    """S09: A holds v1 under a lease and hears nothing; a strict write is acknowledged; A must not answer v1."""
    stage.a.read(KEY, stage.load)
    stage.tables[0].deaf = True
    stage.write(stage.b)
    stage.agrees(stage.a, "P4")
