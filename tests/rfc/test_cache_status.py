"""Cache-Status, which is what the edge says of its own part in an answer: RFC 9211."""

from __future__ import annotations

import re

import pytest

from tests.rfc.origin import Origin, answer

FRESH = "Cache-Control: max-age=3600"


def ttl_of(member: str) -> int:
    """The ttl parameter of a Cache-Status member."""
    found = re.search(r"; ttl=(-?\d+)", member)
    assert found, member
    return int(found[1])


@pytest.mark.requirement("RFC 9211 §2.1, §2.4", "MUST")
def test_a_hit_says_so_and_how_long_it_stays_fresh(origin: Origin) -> None:
    """`hit` and not `fwd`; ttl is what is left of the lifetime."""
    page = origin.page(answer(FRESH, "Age: 100"))
    page.get()
    member = page.get().member
    assert member.startswith("edge; hit; ttl=")
    assert "fwd" not in member
    assert 3490 <= ttl_of(member) <= 3500


@pytest.mark.requirement("RFC 9211 §2.4", "MAY")
def test_a_stale_hit_has_a_negative_ttl(origin: Origin) -> None:
    """It tells by how much it is stale."""
    page = origin.page(answer("Cache-Control: max-age=10", "Age: 60"))
    page.get()
    member = page.get("Cache-Control: max-stale").member
    assert member.startswith("edge; hit")
    assert -55 <= ttl_of(member) <= -50


@pytest.mark.requirement("RFC 9211 §2.2, §2.5", "SHOULD")
def test_a_miss_says_why_and_whether_it_was_stored(origin: Origin) -> None:
    """uri-miss, vary-miss, request, stale, method: the most specific reason."""
    page = origin.page(answer(FRESH, "Vary: X-A", 'ETag: "a"'))
    assert page.get().member.startswith("edge; fwd=uri-miss; stored; ttl=")
    assert page.get("X-A: 1").member.startswith("edge; fwd=vary-miss; stored")
    assert page.get("Cache-Control: no-cache").member.startswith("edge; fwd=request; stored")
    assert page.ask("POST", body=b"x").member == "edge; fwd=method"
    assert origin.page(answer("Cache-Control: no-store")).get().member == "edge; fwd=uri-miss"
    stale = origin.page(answer("Cache-Control: max-age=0", 'ETag: "a"'))
    stale.get()
    assert stale.get().member.startswith("edge; fwd=stale; stored")


@pytest.mark.requirement("RFC 9211 §2.3", "MAY")
def test_a_validation_tells_the_origin_s_status(origin: Origin) -> None:
    """fwd-status where it differs from what the client got."""
    page = origin.page(answer("Cache-Control: max-age=0", 'ETag: "a"'), answer(FRESH, 'ETag: "a"', status=304))
    page.get()
    assert page.get().member.startswith("edge; fwd=stale; fwd-status=304; stored; ttl=")


@pytest.mark.requirement("RFC 9211 §2.3", "MAY")
def test_an_error_that_was_covered_is_told(origin: Origin) -> None:
    """stale-if-error: the status that the origin gave."""
    page = origin.page(answer("Cache-Control: max-age=10, stale-if-error=600", "Age: 60"), answer(status=503))
    page.get()
    assert page.get().member.startswith("edge; fwd=stale; fwd-status=503; ttl=-5")


@pytest.mark.requirement("RFC 9211 §2", "SHOULD")
def test_the_members_of_caches_before_us_are_kept_in_order(origin: Origin) -> None:
    """Nearest the origin first, ours last, on a miss and on a hit."""
    page = origin.page(answer(FRESH, "Cache-Status: inner; hit; ttl=5", "Cache-Status: middle; fwd=stale"))
    for _ in range(2):
        text = page.get().get("Cache-Status") or ""
        assert [member.strip().partition(";")[0] for member in text.split(",")] == ["inner", "middle", "edge"]
    assert page.asked == 1


@pytest.mark.requirement("RFC 9211 §2", "SHOULD NOT")
def test_an_answer_of_the_edge_s_own_has_no_member(origin: Origin) -> None:
    """A 504 that nothing stored stands behind."""
    page = origin.page(answer(FRESH))
    assert page.get("Cache-Control: only-if-cached").get("Cache-Status") is None


@pytest.mark.requirement("RFC 9211 §2", "SHOULD NOT")
def test_a_304_made_from_what_is_stored_is_a_hit(origin: Origin) -> None:
    """It is based on a stored response, so it has a member."""
    page = origin.page(answer(FRESH, 'ETag: "a"'))
    page.get()
    assert page.get('If-None-Match: "a"').member.startswith("edge; hit")
