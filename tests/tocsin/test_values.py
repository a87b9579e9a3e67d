"""Values that an application hands in: what can't be meant is refused when it is said, with words that help."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from tocsin import CacheSettings, Names, Policy, SettingsError, Strategy, WritePath


def settings(**more: Any) -> CacheSettings:
    return CacheSettings(**{"redis_url": "redis://127.0.0.1/0", "node": "node-1", **more})


@pytest.mark.parametrize("name", ["", "a\nb", "a\x00b", "x" * 513])
def test_a_name_is_short_printable_text(name: str) -> None:
    """Names become parts of Redis keys; what could be mistaken there is refused, whichever kind of name it is."""
    for kind in ("keys", "tags", "namespaces"):
        with pytest.raises(ValueError, match="1 to 512 printable characters"):
            msgspec.structs.replace(Names(), **{kind: (name,)})


def test_names_may_be_written_in_any_language() -> None:
    """Printable is not the same as ASCII."""
    assert Names(keys=("größe:7", "товар 1")).keys == ("größe:7", "товар 1")


@pytest.mark.parametrize("member", ["ttl_s", "l1_ttl_s", "negative_ttl_s"])
@pytest.mark.parametrize("seconds", [0, -1, float("nan")])
def test_a_policy_knows_no_time_that_is_not_positive(member: str, seconds: Any) -> None:
    """Zero could be read as "for ever" as well as "not at all"; neither can be said."""
    with pytest.raises(ValueError, match=f"Policy.{member}"):
        Policy(**{member: seconds})


def test_a_policy_is_versioned_by_a_name() -> None:
    """The namespace of a policy is a name like any other."""
    with pytest.raises(ValueError, match="printable"):
        Policy(versioned_by="")


def test_an_unknown_strategy_is_answered_with_the_known_ones() -> None:
    """The error lists what may be chosen."""
    assert Strategy.named("pubsub") is Strategy.PUBSUB
    with pytest.raises(SettingsError, match="unknown strategy 'pubsb': it is one of no-cache, l2-only, ttl, pubsub"):
        Strategy.named("pubsb")


def test_an_unknown_write_path_is_answered_with_the_known_ones() -> None:
    """The error lists what may be chosen."""
    assert WritePath.named("write-behind") is WritePath.WRITE_BEHIND
    with pytest.raises(SettingsError, match="cache-aside, write-through, write-behind"):
        WritePath.named("write-around")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"namespace": "a{b}"}, "namespace 'a{b}'"),
        ({"namespace": ""}, "namespace ''"),
        ({"node": ""}, "node is empty"),
        ({"l1_ttl_s": 0}, "l1_ttl_s is 0"),
        ({"l2_ttl_s": -3.0}, "l2_ttl_s is -3.0"),
        ({"l1_max_bytes": 0}, "l1_max_bytes is 0"),
        ({"socket_timeout_s": float("inf")}, "socket_timeout_s is inf"),
        ({"strategy": Strategy.NO_CACHE, "write_path": WritePath.WRITE_THROUGH}, "choose 'cache-aside'"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(wrong: dict[str, Any], words: str) -> None:
    """Settings that exist are usable; the error names the one that is wrong."""
    with pytest.raises(SettingsError, match=words.replace("{", r"\{")):
        settings(**wrong)


def test_a_wrong_url_is_refused_without_being_shown() -> None:
    """An error may end in a log, and a URL may hold a password."""
    with pytest.raises(SettingsError, match="begins with 'http'") as refusal:
        settings(redis_url="http://:secret@redis/0")
    assert "secret" not in str(refusal.value)
