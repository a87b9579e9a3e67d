"""The contract of L2: what every adapter of `SharedLevel` keeps, and the hole that all of them have."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tocsin import Loaded, Names, Policy
from tocsin.address import Address, PlainAddresses, VersionedAddresses
from tocsin.invalidation import Invalidation
from tocsin.shared import Hit, Load, SharedLevel, Store

from tests.contracts.world import World

TEA = Address("product:1", "product:1")
TEAPOT = Loaded(b"teapot", 7, ("category:kitchen",))


def plain(level: SharedLevel, names: Names) -> Invalidation:
    return PlainAddresses(level.versions).invalidation(names)


def value_at(level: SharedLevel, address: Address) -> bytes | None:
    found = level.lookup(address)
    assert isinstance(found, Hit), f"nothing at {address.physical}"
    return found.entry.value


def test_what_one_node_fills_another_finds(world: World) -> None:
    """An entry comes back as it was loaded, with what is left of its time to live, and its age."""
    world.shared().fill(TEA, Load(), TEAPOT, 30.0)
    found = world.shared().lookup(TEA)
    assert isinstance(found, Hit)
    assert (found.entry.value, found.entry.version, found.entry.tags) == (b"teapot", 7, ("category:kitchen",))
    assert 0 < found.entry.ttl_s <= 30
    assert 0 <= found.entry.age_s < 30
    assert not found.dirty


def test_what_is_not_there_permits_a_load(world: World) -> None:
    """A lookup that finds nothing answers with a permission, not with None."""
    assert world.shared().lookup(TEA) == Load(reason="uri-miss")


def test_that_a_key_is_not_there_is_an_entry_too(world: World) -> None:
    """A negative entry is a hit whose value is None; an empty value is a value."""
    level = world.shared()
    level.fill(TEA, Load(), Loaded(None, 3), 30.0)
    assert value_at(level, TEA) is None
    level.fill(TEA, Load(), Loaded(b"", 3), 30.0)
    assert value_at(level, TEA) == b""


def test_an_entry_ends_with_its_time_to_live(world: World) -> None:
    """After its time to live an entry is a miss."""
    level = world.shared()
    level.fill(TEA, Load(), TEAPOT, 0.05)
    world.until(lambda: isinstance(level.lookup(TEA), Load), "the entry to expire")


def test_a_finish_deletes_its_keys_on_behalf_of_all_nodes(world: World) -> None:
    """After a finish no node finds an entry of the keys that it names; the others stay."""
    here, there = world.shared(), world.shared()
    other = Address("product:2", "product:2")
    here.fill(TEA, Load(), TEAPOT, 30.0)
    here.fill(other, Load(), Loaded(b"cup", 1), 30.0)
    there.finish(plain(there, Names(keys=("product:1",))))
    assert isinstance(here.lookup(TEA), Load)
    assert value_at(here, other) == b"cup"


def test_a_finish_deletes_what_carries_its_tags(world: World) -> None:
    """A tag reaches every entry that was filled with it, and no other."""
    level = world.shared()
    other = Address("product:2", "product:2")
    level.fill(TEA, Load(), TEAPOT, 30.0)
    level.fill(other, Load(), Loaded(b"lamp", 1, ("category:light",)), 30.0)
    level.finish(plain(level, Names(tags=("category:kitchen",))))
    assert isinstance(level.lookup(TEA), Load)
    assert value_at(level, other) == b"lamp"


def test_a_finish_that_names_a_key_finds_it_under_its_versioned_address(world: World) -> None:
    """Who names a key need not know that its entry is kept under the version of a namespace."""
    level = world.shared()
    addresses = PlainAddresses(level.versions)
    address = addresses.resolve(["products:all:1:20"], Policy(versioned_by="products"))[0]
    level.fill(address, Load(), Loaded(b"page"), 30.0)
    level.finish(addresses.invalidation(Names(keys=("products:all:1:20",))))
    assert isinstance(level.lookup(address), Load)


def test_a_finish_may_be_repeated(world: World) -> None:
    """What a relay repeats deletes again, and breaks nothing."""
    level = world.shared()
    invalidation = plain(level, Names(("product:1",), ("category:kitchen",), ("products",)))
    level.finish(invalidation)
    level.finish(invalidation)
    assert isinstance(level.lookup(TEA), Load)


def test_a_peek_leaves_everything_as_it_is(world: World) -> None:
    """Looking at an entry neither makes nor removes one."""
    level = world.shared()
    assert not isinstance(level.peek([TEA])[0], Hit)
    level.fill(TEA, Load(), TEAPOT, 30.0)
    assert isinstance(level.peek([TEA])[0], Hit)
    assert value_at(level, TEA) == b"teapot"


def test_bumping_a_namespace_orphans_its_keys_for_every_node_at_once(world: World) -> None:
    """The old address is asked for no more; whoever resolves the key, on any node, gets the same new one."""
    here, there = world.shared(), world.shared()
    policy = Policy(versioned_by="products")
    old = PlainAddresses(here.versions).resolve(["products:all:1:20"], policy)[0]
    here.fill(old, Load(), Loaded(b"page"), 30.0)
    there.bump("namespace:products")
    seen_here = PlainAddresses(here.versions).resolve(["products:all:1:20"], policy)[0]
    seen_there = PlainAddresses(there.versions).resolve(["products:all:1:20"], policy)[0]
    assert seen_here == seen_there != old
    assert isinstance(here.lookup(seen_here), Load)


def test_racing_bumps_lose_none(world: World) -> None:
    """Sixty bumps by four threads on two nodes raise the version by sixty, and no two see the same one."""
    nodes = (world.shared(), world.shared())
    (before,) = nodes[0].versions(("namespace:products",))
    with ThreadPoolExecutor(4) as threads:
        seen = list(threads.map(lambda turn: nodes[turn % 2].bump("namespace:products"), range(60)))
    assert sorted(seen) == list(range(before + 1, before + 61))


def test_a_lost_counter_never_takes_an_old_number(world: World) -> None:
    """After the state vanished a counter begins above all that it ever was: no entry that survived is asked for."""
    level = world.shared()
    seen = [level.bump("namespace:products") for _ in range(3)]
    world.lose_everything()
    (begun,) = level.versions(("namespace:products",))
    assert begun > max(seen)


def test_under_versioned_addresses_a_tag_raises_the_counters_of_its_entries(world: World) -> None:
    """What L1 holds of a tagged entry can only be orphaned by its counter, so a tag raises it."""
    level = world.shared()
    addresses = VersionedAddresses(level.versions)
    address = addresses.resolve(["product:1"], Policy())[0]
    level.fill(address, Load(), TEAPOT, 30.0)
    level.finish(addresses.invalidation(Names(tags=("category:kitchen",))))
    assert addresses.resolve(["product:1"], Policy())[0].physical != address.physical
    assert isinstance(level.lookup(address), Load)


def test_a_write_through_keeps_its_value(world: World) -> None:
    """A finish that stores leaves the new value, under the plain key and under the raised version alike."""
    level = world.shared()
    for addresses in (PlainAddresses(level.versions), VersionedAddresses(level.versions)):
        level.fill(addresses.resolve(["product:1"], Policy())[0], Load(), TEAPOT, 30.0)
        store = Store("product:1", addresses.counter("product:1"), ("tag:new",), Loaded(b"pot", 8, ("new",)), 30.0)
        level.finish(addresses.invalidation(Names(keys=("product:1",))), (store,))
        assert value_at(level, addresses.resolve(["product:1"], Policy())[0]) == b"pot"
        level.finish(addresses.invalidation(Names(tags=("new",))))
        assert isinstance(level.lookup(addresses.resolve(["product:1"], Policy())[0]), Load)


def test_the_slower_of_two_write_throughs_does_not_bring_back_the_older_value(world: World) -> None:
    """Writers commit 7 and 8 and finish in the other order: what remains is 8, or nothing."""
    level = world.shared()
    for addresses in (PlainAddresses(level.versions), VersionedAddresses(level.versions)):
        invalidation = addresses.invalidation(Names(keys=("product:1",)))
        counter = addresses.counter("product:1")
        level.finish(invalidation, (Store("product:1", counter, (), Loaded(b"new", 8), 30.0),))
        level.finish(invalidation, (Store("product:1", counter, (), Loaded(b"old", 7), 30.0),))
        found = level.lookup(addresses.resolve(["product:1"], Policy())[0])
        assert isinstance(found, Load) or (isinstance(found, Hit) and found.entry.version == 8)
        level.finish(invalidation)


def test_a_late_fill_is_stored(world: World) -> None:
    """The known hole of these strategies (hazard 1): a value loaded before a write can be filled after its finish."""
    level = world.shared()
    permission = level.lookup(TEA)
    assert isinstance(permission, Load)
    level.finish(plain(level, Names(keys=("product:1",))))
    assert level.fill(TEA, permission, Loaded(b"old", 6), 30.0).stored
    assert value_at(level, TEA) == b"old"
