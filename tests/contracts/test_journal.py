"""The contract of write-behind: versions rise, nothing acknowledged is forgotten before the database has it."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tocsin import Accepted, Behind, Idempotency, Loaded, Names, Outdated, Replayed, Reused
from tocsin.address import Address
from tocsin.invalidation import Invalidation
from tocsin.shared import Hit, Load

from tests.contracts.world import World

NAMES = Names(keys=("product:1",))
NOTHING = Invalidation(NAMES, (), (), ())
DELETES = Invalidation(NAMES, ("product:1",), (), ())
TEA = Address("product:1", "product:1")


def behind(operation: bytes, *, row_version: int = 1, value: bytes | None = b"value", **more: object) -> Behind:
    return Behind(
        key="product:1",
        operation=operation,
        value=value,
        row_version=row_version,
        names=NAMES,
        **more,  # type: ignore[arg-type]
    )


def test_versions_rise_above_the_row_and_above_each_other(world: World) -> None:
    """The first write is one above the row; each next one is one above the last, whatever row it read."""
    journal = world.journal()
    assert journal.write(behind(b"a", row_version=5), NOTHING) == Accepted(6)
    assert journal.write(behind(b"b", row_version=5), NOTHING) == Accepted(7)
    assert journal.write(behind(b"c", row_version=9), NOTHING) == Accepted(10)


def test_operations_wait_in_the_order_of_their_versions(world: World) -> None:
    """The oldest come first, no more than asked for, on any node, and stay until they are drained."""
    journal = world.journal()
    for operation in (b"a", b"b", b"c"):
        journal.write(behind(operation), NOTHING)
    first_two = world.journal().pending(2)
    assert [(each.operation, each.version, each.key, each.names) for each in first_two] == [
        (b"a", 2, "product:1", NAMES),
        (b"b", 3, "product:1", NAMES),
    ]
    assert journal.pending(2) == first_two
    assert journal.waiting() == 3


def test_a_dirty_value_answers_before_any_entry(world: World) -> None:
    """A lookup returns the value that the database does not have, with its version, over an entry of the row."""
    level = world.shared(consults_dirty=True)
    level.fill(TEA, Load(), Loaded(b"row", 1), 30.0)
    world.journal().write(behind(b"a", value=b"dirty"), NOTHING)
    found = level.lookup(TEA)
    assert isinstance(found, Hit)
    assert (found.entry.value, found.entry.version, found.dirty) == (b"dirty", 2, True)


def test_a_deletion_is_a_dirty_value_too(world: World) -> None:
    """A key that write-behind has deleted reads as known not to be there."""
    level = world.shared(consults_dirty=True)
    world.journal().write(behind(b"delete", value=None), NOTHING)
    found = level.lookup(TEA)
    assert isinstance(found, Hit)
    assert (found.entry.value, found.entry.version) == (None, 2)


def test_no_invalidation_removes_a_dirty_value(world: World) -> None:
    """Dirty values and operations are no cache entries."""
    level, journal = world.shared(consults_dirty=True), world.journal()
    journal.write(behind(b"a"), NOTHING)
    level.finish(DELETES)
    assert isinstance(level.lookup(TEA), Hit)
    assert journal.waiting() == 1


def test_a_drained_operation_leaves_and_its_value_is_unpinned(world: World) -> None:
    """After the drain reads come from the database again, and entries filled meanwhile are gone."""
    level, journal = world.shared(consults_dirty=True), world.journal()
    journal.write(behind(b"a"), NOTHING)
    level.fill(TEA, Load(), Loaded(b"row before the drain", 1), 30.0)
    (operation,) = journal.pending(10)
    journal.drained(operation, DELETES)
    assert isinstance(level.lookup(TEA), Load)
    assert journal.waiting() == 0


def test_a_drain_does_not_unpin_what_was_written_meanwhile(world: World) -> None:
    """Only the value of the very version that the database has may go."""
    level, journal = world.shared(consults_dirty=True), world.journal()
    journal.write(behind(b"a", value=b"first"), NOTHING)
    (first,) = journal.pending(10)
    journal.write(behind(b"b", value=b"second"), NOTHING)
    journal.drained(first, DELETES)
    found = level.lookup(TEA)
    assert isinstance(found, Hit)
    assert found.entry.value == b"second"
    assert [each.operation for each in journal.pending(10)] == [b"b"]


def test_a_drain_may_be_repeated(world: World) -> None:
    """A drain that died after `drained` says so again, and harms nothing that came later."""
    journal = world.journal()
    journal.write(behind(b"a"), NOTHING)
    (first,) = journal.pending(10)
    journal.drained(first, DELETES)
    journal.write(behind(b"b"), NOTHING)
    journal.drained(first, DELETES)
    assert [each.version for each in journal.pending(10)] == [3]


def test_a_version_is_not_given_twice_although_the_drain_overtook_the_writer(world: World) -> None:
    """A writer that read row 5 before version 6 was drained gets 7: the database would refuse a second 6."""
    journal = world.journal()
    journal.write(behind(b"a", row_version=5), NOTHING)
    (first,) = journal.pending(10)
    journal.drained(first, DELETES)
    assert journal.write(behind(b"b", row_version=5), NOTHING) == Accepted(7)


def test_a_write_that_expects_another_version_is_refused(world: World) -> None:
    """`If-Match`, and every read-modify-write, hangs on this: an outdated writer is told the version that is."""
    journal = world.journal()
    assert journal.write(behind(b"a", row_version=5, expected_version=5), NOTHING) == Accepted(6)
    assert journal.write(behind(b"b", row_version=5, expected_version=5), NOTHING) == Outdated(6)
    assert journal.write(behind(b"b", row_version=5, expected_version=-1), NOTHING) == Outdated(6)
    assert journal.waiting() == 1


def test_of_racing_writers_that_expect_the_same_version_one_wins(world: World) -> None:
    """Twelve writers on two nodes saw version 1; one of them writes version 2, the others are refused."""
    journals = (world.journal(), world.journal())

    def write(turn: int) -> object:
        return journals[turn % 2].write(behind(b"%d" % turn, expected_version=1), NOTHING)

    with ThreadPoolExecutor(4) as threads:
        outcomes = list(threads.map(write, range(12)))
    assert outcomes.count(Accepted(2)) == 1
    assert outcomes.count(Outdated(2)) == 11


def test_a_repeated_request_is_answered_as_the_first_was(world: World) -> None:
    """The same idempotency key and fingerprint: the first version and value, also after the drain, and no new write."""
    journal = world.journal()
    request = behind(b"a", value=b"first", idempotency=Idempotency("order 66", "f1"))
    assert journal.write(request, NOTHING) == Accepted(2)
    (operation,) = journal.pending(10)
    journal.drained(operation, DELETES)
    assert journal.write(request, NOTHING) == Replayed(2, b"first")
    assert journal.waiting() == 0


def test_an_idempotency_key_serves_one_request(world: World) -> None:
    """With another fingerprint nothing happens, and the sender is told."""
    journal = world.journal()
    journal.write(behind(b"a", idempotency=Idempotency("order 66", "f1")), NOTHING)
    assert journal.write(behind(b"b", idempotency=Idempotency("order 66", "f2")), NOTHING) == Reused()
    assert journal.waiting() == 1


def test_a_write_invalidates_what_its_names_concern(world: World) -> None:
    """The entry of the row is gone in the same step, so that nobody serves it who does not look for dirty values."""
    level = world.shared(consults_dirty=False)
    level.fill(TEA, Load(), Loaded(b"row", 1), 30.0)
    world.journal().write(behind(b"a"), DELETES)
    assert isinstance(level.lookup(TEA), Load)
