"""The write path: announce, commit, finish, whatever the outcome of the commit."""

from __future__ import annotations

import pytest
from tocsin import Layer, Names, Policy, Strategy, WritePath

from tests.tocsin.town import Town, found, unexpected, write

NAMES = Names(keys=("k",))


def test_a_committed_write_is_finished_with_a_receipt() -> None:
    """The entry is gone when the block is left, and the receipt says that everybody was told."""
    node = Town().node()
    node.cache.read("k", found(b"old"))
    with node.cache.writing(NAMES) as writing:
        writing.committed(key="k", value=b"new", version=2)
    assert not writing.receipt.pending
    assert node.cache.read("k", found(b"new", 2)).layer is Layer.DATABASE


def test_a_rollback_is_finished_too_and_stores_nothing() -> None:
    """An error inside the block passes through; what was to be committed is not kept."""
    node = Town().node(Strategy.L2_ONLY, WritePath.WRITE_THROUGH)
    with pytest.raises(ZeroDivisionError), node.cache.writing(NAMES) as writing:
        raise ZeroDivisionError
    assert not writing.receipt.pending
    assert node.cache.read("k", found(b"old")).layer is Layer.DATABASE


def test_an_error_after_the_commit_does_not_undo_it() -> None:
    """The row is committed, so the finish stores it, though the block ends in an error."""
    node = Town().node(Strategy.L2_ONLY, WritePath.WRITE_THROUGH)
    with pytest.raises(ZeroDivisionError), node.cache.writing(NAMES) as writing:  # noqa: PT012
        writing.committed(key="k", value=b"new", version=2)
        raise ZeroDivisionError
    assert node.cache.read("k", unexpected).value == b"new"


def test_a_commit_of_unknown_outcome_is_left_to_the_relay() -> None:
    """No finish happens here (model.md, D3); the receipt is pending, and the relay's finish ends it."""
    node = Town().node()
    node.cache.read("k", found(b"old"))
    with pytest.raises(ConnectionResetError), node.cache.writing(NAMES) as writing:  # noqa: PT012
        writing.unknown()
        raise ConnectionResetError
    assert writing.receipt.pending
    assert node.witness.invalidations == []
    assert node.cache.read("k", unexpected).value == b"old"
    assert not node.cache.finish_again(NAMES).pending
    assert node.cache.read("k", found(b"new")).value == b"new"


def test_redis_out_of_reach_leaves_a_committed_write_pending() -> None:
    """The write stands, its own node drops its copy, the others keep theirs until the relay repeats the finish."""
    town = Town()
    here, there = town.node(), town.node()
    here.cache.read("k", found(b"old"))
    there.cache.read("k", unexpected)
    here.shared.cut = True
    with here.cache.writing(NAMES) as writing:
        writing.committed(key="k", value=b"new", version=2)
    assert writing.receipt.pending
    assert here.cache.read("k", found(b"new", 2)).value == b"new"
    assert there.cache.read("k", unexpected).value == b"old"
    assert not there.cache.finish_again(NAMES).pending
    assert there.cache.read("k", found(b"new", 2)).value == b"new"


def test_a_receipt_exists_when_the_block_has_been_left() -> None:
    """Asking earlier is a mistake of the caller's, and is told so."""
    with Town().node().cache.writing(NAMES) as writing, pytest.raises(RuntimeError, match="block has been left"):
        writing.receipt  # noqa: B018  # the access is the test


def test_only_what_was_announced_can_be_committed() -> None:
    """A key outside the names would be stored and never invalidated."""
    node = Town().node()
    with pytest.raises(ValueError, match=r"'other' was committed, but the write was announced for \('k',\)"):  # noqa: SIM117
        with node.cache.writing(NAMES) as writing:
            writing.committed(key="other", value=b"", version=1)


def test_write_through_stores_a_deletion_as_a_negative_entry() -> None:
    """A deleted row is known not to be there, for as long as the policy says."""
    town = Town()
    node = town.node(Strategy.L2_ONLY, WritePath.WRITE_THROUGH)
    policy = Policy(negative_ttl_s=1.0)
    with node.cache.writing(NAMES) as writing:
        writing.committed(key="k", value=None, version=3, policy=policy)
    assert node.cache.read("k", unexpected, policy).negative
    town.clock.move(1.0)
    assert node.cache.read("k", found(b"again"), policy).value == b"again"


def test_write_through_leaves_a_namespace_s_keys_to_the_next_read() -> None:
    """Their address changes with the very write that would store them."""
    node = Town().node(Strategy.L2_ONLY, WritePath.WRITE_THROUGH)
    policy = Policy(versioned_by="products")
    with node.cache.writing(Names(keys=("k",), namespaces=("products",))) as writing:
        writing.committed(key="k", value=b"page", version=0, policy=policy)
    assert node.cache.read("k", found(b"page"), policy).layer is Layer.DATABASE


def test_a_write_drops_tags_and_namespaces_from_the_own_l1() -> None:
    """What carries a tag of the write, or lies under a namespace of it, is gone from the writer's L1."""
    node = Town().node(Strategy.TTL)
    node.cache.read("tagged", found(b"v", 1, "toys"))
    node.cache.read("page", found(b"p"), Policy(versioned_by="products"))
    assert node.cache.levels().entries == 2
    write(node, tags=("toys",), namespaces=("products",))
    assert node.cache.levels().entries == 0
