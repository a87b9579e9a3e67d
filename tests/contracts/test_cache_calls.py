"""What an application calls beside `read`, under every strategy: get, set, delete, batches, all invalidations."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from tocsin import Cache, Layer, Loaded, Names, NotConfigured, Policy, Strategy, WritePath
from tocsin.explaining import Verdict

from tests.contracts.world import World

CACHING = [strategy for strategy in Strategy if strategy is not Strategy.NO_CACHE]
TELLING = [Strategy.PUBSUB, Strategy.PUBSUB_FLUSH, Strategy.TRACKING]
PREFIXES_ONLY = [strategy for strategy in CACHING if strategy not in TELLING]
ABSENT = object()


def having(value: bytes | None, version: int = 1, *tags: str) -> Callable[[], Loaded]:
    """A loader that finds this."""
    return lambda: Loaded(value, version, tags)


def unasked() -> Loaded:
    """A loader that must not be called."""
    raise AssertionError("the database was asked")


@pytest.mark.parametrize("strategy", list(Strategy))
def test_get_returns_what_is_kept_and_asks_no_database(world: World, strategy: Strategy) -> None:
    """Nothing before the first load; then its value, on every node; a key known to be absent is None, not missing."""
    here, there = world.cache(strategy), world.cache(strategy)
    assert here.get("product:1", ABSENT) is ABSENT
    here.get_or_load("product:1", having(b"robot"))
    here.get_or_load("product:2", having(None), Policy(negative_ttl_s=60.0))
    kept = strategy is not Strategy.NO_CACHE
    for cache in (here, there, here, there):
        assert cache.get("product:1", ABSENT) == (b"robot" if kept else ABSENT)
        assert cache.get("product:2", ABSENT) is (None if kept else ABSENT)
        assert cache.get("product:3", ABSENT) is ABSENT


@pytest.mark.parametrize("strategy", CACHING)
def test_a_look_takes_no_permission_to_load(world: World, strategy: Strategy) -> None:
    """Whoever loads after a look loads at once, and what it loaded is kept."""
    here, there = world.cache(strategy, join_within_s=30.0), world.cache(strategy)
    assert there.get("product:1") is None
    assert there.get_many(["product:1"]) == {}
    assert here.read("product:1", having(b"robot")).stored


@pytest.mark.parametrize("strategy", CACHING)
def test_many_are_got_at_once(world: World, strategy: Strategy) -> None:
    """Those that are kept, by key; some near, some in L2, some absent, some nowhere; more than go into one message."""
    here, there = world.cache(strategy), world.cache(strategy)
    for number in range(20):
        here.get_or_load(f"product:{number}", having(b"%d" % number, 1, "toys"))
    here.get_or_load("product:absent", having(None), Policy(negative_ttl_s=60.0))
    for number in range(5):
        there.get(f"product:{number}")
    keys = [f"product:{number}" for number in range(1100)] + ["product:absent"]
    expected = {f"product:{number}": b"%d" % number for number in range(20)} | {"product:absent": None}
    assert there.get_many(keys) == expected
    assert there.get_many(keys) == expected
    assert there.get_many([]) == {}
    there.invalidate(tags=("toys",))
    assert there.get_many(keys) == {"product:absent": None}


@pytest.mark.parametrize("strategy", CACHING)
def test_what_is_set_is_got_everywhere_until_it_is_deleted(world: World, strategy: Strategy) -> None:
    """No loader at hand: the caller knows the value. Other nodes drop what they hold, when they hear of it."""
    here, there = (world.cache(strategy, l1_ttl_s=0.2) for _ in range(2))
    assert not here.set("product:1", b"robot", tags=("toys",)).pending
    assert here.get("product:1") == b"robot"
    assert there.get_or_load("product:1", unasked) == b"robot"
    here.set("product:1", b"tin robot", version=2)
    world.until(lambda: there.get("product:1") == b"tin robot", "the other node to see it")
    there.delete("product:1")
    assert there.get("product:1", ABSENT) is ABSENT
    world.until(lambda: here.get("product:1", ABSENT) is ABSENT, "the node that set it to see that it is gone")


@pytest.mark.parametrize("strategy", [Strategy.SEQUENCED, Strategy.STRICT, Strategy.VERSIONED])
def test_a_load_that_began_before_a_set_does_not_replace_it(world: World, strategy: Strategy) -> None:
    """Where fills are fenced, a slow reader of the old row does not undo what was set meanwhile (hazard 1)."""
    here, there = world.cache(strategy), world.cache(strategy)

    def slow() -> Loaded:
        there.set("product:1", b"new", version=2)
        return Loaded(b"old", 1)

    here.read("product:1", slow)
    assert there.get("product:1") == b"new"


def test_a_set_under_a_namespaces_version_is_kept_where_the_version_is_no_part_of_the_address(world: World) -> None:
    """`sequenced` knows namespaces by name; elsewhere the error says what to do."""
    policy = Policy(versioned_by="products")
    cache = world.cache(Strategy.SEQUENCED)
    cache.set("list:1", b"robots", policy)
    assert cache.get("list:1", None, policy) == b"robots"
    cache.invalidate(namespaces=("products",))
    assert cache.get("list:1", ABSENT, policy) is ABSENT
    with pytest.raises(NotConfigured, match="let a read load it"):
        world.cache(Strategy.PUBSUB).set("list:1", b"robots", policy)


def test_on_the_write_path_write_behind_nothing_is_set(world: World) -> None:
    """There the dirty value is the truth, and a set would be hidden by it, or hide it."""
    with pytest.raises(NotConfigured, match="write_behind"):
        world.cache(Strategy.SEQUENCED, WritePath.WRITE_BEHIND).set("product:1", b"robot")


def filled(cache: Cache) -> None:
    """Keep two products, a list and one page without a colon."""
    for key in ("product:1", "product:2:image", "list:1", "front"):
        cache.get_or_load(key, having(key.encode(), 1, "toys"))


def kept(cache: Cache) -> set[str]:
    """The keys that are there."""
    return set(cache.get_many(["product:1", "product:2:image", "list:1", "front"]))


@pytest.mark.parametrize("strategy", CACHING)
@pytest.mark.parametrize(
    ("forms", "left"),
    [
        ({"keys": ("product:1",)}, ("front", "list:1", "product:2:image")),
        ({"tags": ("toys",)}, ()),
        ({"pattern": "product:*"}, ("front", "list:1")),
        ({"pattern": "*"}, ()),
        ({"everything": True}, ()),
        ({"pattern": "other:*", "keys": ("front",)}, ("list:1", "product:1", "product:2:image")),
    ],
    ids=str,
)
def test_each_form_of_invalidation_forgets_what_it_names(
    world: World, strategy: Strategy, forms: dict[str, Any], left: tuple[str, ...]
) -> None:
    """On the node that invalidates at once, on others when they hear of it; and nothing else."""
    here, there = (world.cache(strategy, l1_ttl_s=0.2) for _ in range(2))
    filled(here)
    assert len(kept(there)) == 4
    assert not here.invalidate(**forms).pending
    assert kept(here) == set(left)
    world.until(lambda: kept(there) == set(left), "the other node to hear of it, or its L1 to end")
    filled(there)
    assert len(kept(there)) == 4, "what was forgotten can be kept again"


@pytest.mark.parametrize("strategy", [Strategy.SEQUENCED, Strategy.STRICT, Strategy.VERSIONED])
@pytest.mark.parametrize("forms", [{"pattern": "product:*"}, {"everything": True}], ids=str)
def test_a_load_under_way_is_not_kept_past_an_invalidation_of_its_prefix_or_of_everything(
    world: World, strategy: Strategy, forms: dict[str, Any]
) -> None:
    """Hazards 22 and 24: no search can miss it, because there is no search."""
    here, there = world.cache(strategy), world.cache(strategy)

    def overtaken() -> Loaded:
        there.invalidate(**forms)
        return Loaded(b"old")

    here.read("product:1", overtaken)
    for cache in (there, here):
        assert cache.get("product:1", ABSENT) is ABSENT


@pytest.mark.parametrize("strategy", TELLING)
def test_strategies_that_tell_by_key_search_for_any_pattern(world: World, strategy: Strategy) -> None:
    """As the literature does, through L2 and each L1; brackets and backslashes are themselves."""
    here, there = (world.cache(strategy, l1_ttl_s=60.0) for _ in range(2))
    for key in ("product:2:image", "product:22:image", "product:2:name", "product:[2]:image"):
        here.get_or_load(key, having(key.encode()))
        there.get(key)
    here.invalidate(pattern="product:?:image")
    names = ["product:2:image", "product:22:image", "product:2:name", "product:[2]:image"]
    world.until(lambda: set(there.get_many(names)) == set(names[1:]), "the other node to hear")
    here.invalidate(pattern="product:[2]*")
    world.until(lambda: set(there.get_many(names)) == set(names[1:3]), "the other node to hear")


@pytest.mark.parametrize("strategy", PREFIXES_ONLY)
@pytest.mark.parametrize("pattern", ["product:*:image", "*:1", "product?:*", "pro*"])
def test_other_strategies_refuse_a_search_and_name_tags(world: World, strategy: Strategy, pattern: str) -> None:
    """A search would cost what all keys cost, and miss what is being kept; the error says what to do instead."""
    cache = world.cache(strategy)
    filled(cache)
    with pytest.raises(NotConfigured, match=r"Loaded\(tags=…\).*tags="):
        cache.invalidate(pattern=pattern)
    assert len(kept(cache)) == 4


def test_nothing_to_invalidate_is_an_error(world: World) -> None:
    """A call that forgets nothing was not meant; an empty pattern is none. Names that somebody made may be empty."""
    cache = world.cache(Strategy.SEQUENCED)
    forms: dict[str, Any]
    for forms in ({}, {"pattern": ""}, {"keys": ()}):
        with pytest.raises(ValueError, match="nothing to invalidate"):
            cache.invalidate(**forms)
    assert not cache.invalidate(Names()).pending


@pytest.mark.parametrize("strategy", CACHING)
def test_an_explanation_says_what_a_read_would_find_and_changes_nothing(world: World, strategy: Strategy) -> None:
    """Cold, then a hit; each level with its reason; as a value and as text; and no entry moves into L1 by it."""
    here, there = world.cache(strategy), world.cache(strategy)
    cold = here.explain("product:1")
    assert cold.verdict is Verdict.MISS
    assert {step.cause for step in cold.steps} == {"cold"}
    assert "nothing is kept under this key" in cold.text
    here.get_or_load("product:1", having(b"robot", 7))
    warm = there.explain("product:1")
    assert (warm.verdict, warm.version) == (Verdict.HIT, 7)
    assert warm.steps[0].hit
    assert "product:1: hit, version 7" in warm.text
    assert there.levels().entries == 0
    assert there.read("product:1", unasked).layer is Layer.L2


@pytest.mark.parametrize("strategy", CACHING)
def test_an_entity_tag_is_the_same_on_every_node_and_level(world: World, strategy: Strategy) -> None:
    """Made of the bytes alone, so that equal answers have equal tags, wherever they come from (hazard 31)."""
    here, there = world.cache(strategy), world.cache(strategy)
    tags = [cache.read("product:1", having(b"robot")).etag for cache in (here, here, there, there)]
    assert len(set(tags)) == 1
    assert tags[0] is not None
    assert tags[0].startswith('"')
    here.invalidate(keys=("product:1",))
    assert here.read("product:1", having(b"tin robot")).etag not in tags
    assert here.read("product:9", having(None)).etag is None
