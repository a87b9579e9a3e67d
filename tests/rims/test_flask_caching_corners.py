"""Corners of TocsinCache that generated calls rarely turn: what one request does to a key, and keys written alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.rims.conftest import BuildSite

OWN_CHANGES: dict[str, Callable[[Any], object]] = {
    "delete": lambda cache: cache.delete("key"),
    "delete_many": lambda cache: cache.delete_many("other", "key"),
    "clear": lambda cache: cache.clear(),
    "set and delete": lambda cache: (cache.set("key", 0), cache.delete("key")),
    "over at once": lambda cache: cache.set("key", 0, timeout=-2),
    "inc and delete": lambda cache: (cache.delete("key"), cache.inc("key"), cache.delete("key")),
    "add and delete": lambda cache: (cache.add("key", 0), cache.delete("key")),
    "unlink": lambda cache: cache.unlink("key"),
}


@pytest.mark.parametrize("change", OWN_CHANGES)
@pytest.mark.parametrize("before", [None, "old"])
def test_what_a_request_does_itself_makes_none_of_its_values_late(
    build_site: BuildSite, change: str, before: str | None
) -> None:
    """It looked, it removed, it sets: that is a new value, and not one computed before somebody else's removal."""
    site = build_site()
    with site.app.test_request_context():
        if before is not None:
            site.backend.set("key", before)
        assert site.backend.get("key") == before
        OWN_CHANGES[change](site.backend)
        assert site.backend.set("key", "new") is True
        assert site.backend.get("key") == "new"
        OWN_CHANGES[change](site.backend)
        assert site.backend.set("key", "new") is True  # the very value that a look found before


@pytest.mark.parametrize("backend", ["SimpleCache", "RedisCache", "TocsinCache sequenced"])
def test_values_set_in_one_call_are_named_as_they_were_given(build_site: BuildSite, backend: str) -> None:
    """Also two keys that are written alike; an empty mapping sets nothing."""
    cache = build_site(backend).backend
    assert cache.set_many({7: "number", "7": "text"}) == [7, "7"]
    assert cache.get("7") == "text"
    assert cache.set_many({}) == []


def test_unlink_says_how_many_were_there(build_site: BuildSite) -> None:
    """RedisCache alone has it; Flask-Caching's `Cache` calls `delete_many` for the others."""
    for site in (build_site("RedisCache"), build_site("TocsinCache sequenced")):
        site.backend.set_many({"a": 1, "b": 2})
        with site.app.app_context():
            unlink: Callable[..., Any] = site.cache.unlink
            assert unlink("a", "never", "b") == 2
            assert unlink() is None
        assert site.backend.get_many("a", "b") == [None, None]
