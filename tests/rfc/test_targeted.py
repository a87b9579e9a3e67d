"""CDN-Cache-Control: RFC 9213, parsed as RFC 9651 says."""

from __future__ import annotations

import pytest

from tests.rfc.origin import Origin, answer

FIELD = "CDN-Cache-Control"


def is_reused(origin: Origin, *lines: str) -> bool:
    """Is an answer with these lines used again without asking the origin?"""
    page = origin.page(answer(*lines))
    page.get()
    page.get()
    return page.asked == 1


@pytest.mark.requirement("RFC 9213 §2.2", "MUST")
@pytest.mark.parametrize(
    "others",
    [["Cache-Control: no-store"], ["Cache-Control: max-age=0"], ["Cache-Control: private"], ["Expires: 0"], []],
)
@pytest.mark.parametrize(
    "value", ["max-age=3600", "max-age=3600;x=1", " max-age=3600 , foo", "s-maxage=3600, max-age=0"]
)
def test_a_targeted_field_rules_alone(origin: Origin, value: str, others: list[str]) -> None:
    """Where it is valid and not empty, Cache-Control and Expires are ignored."""
    assert is_reused(origin, f"{FIELD}: {value}", *others)


RESTRICTIVE = (
    "max-age=0",
    "no-store",
    "no-cache",
    "private",
    "no-store, max-age=3600",
    "no-cache, max-age=3600",
    "foo",
    "private=?1",
)


@pytest.mark.requirement("RFC 9213 §2.2, §3.1", "MUST")
@pytest.mark.parametrize("value", RESTRICTIVE)
def test_a_targeted_field_may_forbid_what_cache_control_allows(origin: Origin, value: str) -> None:
    """no-store, no-cache, private and max-age are implemented; a field of unknown directives still rules."""
    assert not is_reused(origin, f"{FIELD}: {value}", "Cache-Control: max-age=3600")


BROKEN = (
    "",
    "MAX-AGE=3600",
    "max-age=",
    "max-age=3600,",
    "max-age = 3600",
    "max-age=3600 no-store",
    "max-age=36000000000000000",
    "=1",
    '"x"',
    'a="b',
)


@pytest.mark.requirement("RFC 9213 §2.1; RFC 9651 §4.2", "MUST")
@pytest.mark.parametrize("value", BROKEN)
def test_a_targeted_field_that_does_not_parse_is_ignored(origin: Origin, value: str) -> None:
    """As if it were not there: Cache-Control rules, in both directions."""
    assert is_reused(origin, f"{FIELD}: {value}", "Cache-Control: max-age=3600")
    assert not is_reused(origin, f"{FIELD}: {value}", "Cache-Control: no-store")


@pytest.mark.requirement("RFC 9213 §2.1", "SHOULD NOT")
@pytest.mark.parametrize(
    "value",
    [
        "max-age=3600.0",
        'max-age="3600"',
        "max-age=-3600",
        "max-age",
        "max-age=x",
        "max-age=(3600)",
        "max-age=:MzYwMA==:",
    ],
)
def test_a_value_of_the_wrong_type_is_not_taken_for_a_number(origin: Origin, value: str) -> None:
    """The field parses, so it rules; but it gives no lifetime."""
    assert not is_reused(origin, f"{FIELD}: {value}", "Cache-Control: max-age=3600")


@pytest.mark.requirement("RFC 9213 §2.1; RFC 9651 §4.2.2", "MUST")
def test_of_equal_keys_the_last_counts_over_all_lines(origin: Origin) -> None:
    """A dictionary's rule, unlike Cache-Control's."""
    assert is_reused(origin, f"{FIELD}: max-age=0, max-age=3600")
    assert is_reused(origin, f"{FIELD}: max-age=0", f"{FIELD}: max-age=3600")
    assert not is_reused(origin, f"{FIELD}: max-age=3600, max-age=0")


@pytest.mark.requirement("RFC 9213 §2.2", "MUST NOT")
def test_a_field_for_other_caches_changes_nothing_and_passes(origin: Origin) -> None:
    """Fields that are not on our list are somebody else's; ours is passed on too, for the next cache along the path."""
    page = origin.page(answer("Cache-Control: max-age=3600", "Other-Cache-Control: no-store", f"{FIELD}: max-age=60"))
    page.get()
    reply = page.get()
    assert (page.asked, reply.get("Other-Cache-Control"), reply.get(FIELD)) == (1, "no-store", "max-age=60")


@pytest.mark.requirement("RFC 9213 §2.3", "MUST")
def test_age_counts_against_a_targeted_lifetime(origin: Origin) -> None:
    """There is one freshness model."""
    assert not is_reused(origin, f"{FIELD}: max-age=60", "Age: 60")
    assert is_reused(origin, f"{FIELD}: max-age=3600", "Cache-Control: max-age=60", "Age: 60")


@pytest.mark.requirement("RFC 9213 §2.2", "SHOULD")
def test_a_targeted_field_may_allow_stale_responses(origin: Origin) -> None:
    """stale-if-error in the targeted field; must-revalidate there ends it."""
    for more, status in (("", 200), (", must-revalidate", 503)):
        page = origin.page(
            answer(f"{FIELD}: max-age=10, stale-if-error=600{more}", "Age: 60", 'ETag: "a"'), answer(status=503)
        )
        page.get()
        assert page.get().status == status
