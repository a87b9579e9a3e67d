"""Validating with the origin, and for the client: RFC 9111 §4.3, §3.2; RFC 9110 §13."""

from __future__ import annotations

import pytest

from tests.rfc.dates import HOUR_S, from_now
from tests.rfc.origin import Origin, answer

STALE = "Cache-Control: max-age=0"
FRESH = "Cache-Control: max-age=3600"
LONG_AGO = "Thu, 01 Dec 1994 16:00:00 GMT"


@pytest.mark.requirement("RFC 9111 §4.3.1", "MUST")
@pytest.mark.parametrize("tag", ['"a"', 'W/"a"', '"a,b"', '""'])
def test_a_validation_sends_the_entity_tag(origin: Origin, tag: str) -> None:
    """The stored ETag goes out as If-None-Match, strong or weak, as it came."""
    page = origin.page(answer(STALE, f"ETag: {tag}"), answer(f"ETag: {tag}", status=304))
    page.get()
    page.get()
    assert page.last.fields["if-none-match"] == tag


@pytest.mark.requirement("RFC 9111 §4.3.1", "SHOULD")
def test_a_validation_sends_last_modified_too(origin: Origin) -> None:
    """Both validators are sent, for the sake of old intermediaries; Last-Modified alone where there is no ETag."""
    page = origin.page(answer(STALE, 'ETag: "a"', f"Last-Modified: {LONG_AGO}"), answer('ETag: "a"', status=304))
    page.get()
    page.get()
    assert (page.last.fields["if-none-match"], page.last.fields["if-modified-since"]) == ('"a"', LONG_AGO)
    alone = origin.page(answer(STALE, f"Last-Modified: {LONG_AGO}"), answer(status=304))
    alone.get()
    alone.get()
    assert "if-none-match" not in alone.last.fields
    assert alone.last.fields["if-modified-since"] == LONG_AGO


@pytest.mark.requirement("RFC 9111 §4.3.3, §4.3.4", "MUST")
@pytest.mark.parametrize("validator", ['ETag: "a"', 'ETag: W/"a"', f"Last-Modified: {LONG_AGO}"])
def test_a_304_lets_the_stored_response_be_used(origin: Origin, validator: str) -> None:
    """The client gets the stored 200, and the new lifetime counts from now on."""
    page = origin.page(answer(STALE, validator), answer(FRESH, validator, status=304))
    first, second, third = page.get(), page.get(), page.get()
    assert (second.status, second.body) == (200, first.body)
    assert (third.status, third.body) == (200, first.body)
    assert page.asked == 2


UPDATED = {
    "Cache-Control": ("max-age=0", "max-age=3600"),
    "Content-Language": ("de", "fr"),
    "Content-Type": ("text/plain", "text/html"),
    "X-Unheard-Of": ("1", "2"),
    "Expires": (LONG_AGO, from_now(HOUR_S)),
    "Link": ("</a>", "</b>"),
    "Content-Location": ("/a", "/b"),
}


@pytest.mark.requirement("RFC 9111 §3.2, §4.3.4", "MUST")
@pytest.mark.parametrize("name", UPDATED)
def test_a_304_updates_the_stored_fields(origin: Origin, name: str) -> None:
    """What the 304 says of a field replaces what was stored: for this client, and for those that come."""
    old, new = UPDATED[name]
    control = [] if name == "Cache-Control" else [STALE]
    page = origin.page(
        answer(*control, 'ETag: "a"', f"{name}: {old}"),
        answer(FRESH if name != "Cache-Control" else "X: y", 'ETag: "a"', f"{name}: {new}", status=304),
    )
    assert page.get().all(name) == [old]
    assert page.get().all(name) == [new]
    assert page.get().all(name) == [new]
    assert page.asked == 2


@pytest.mark.requirement("RFC 9111 §3.2", "MUST")
def test_a_304_may_bring_a_field_and_leave_one(origin: Origin) -> None:
    """A new field is added; one that the 304 does not mention stays."""
    page = origin.page(
        answer(STALE, 'ETag: "a"', "X-Stays: 1"), answer(FRESH, 'ETag: "a"', "Content-Disposition: inline", status=304)
    )
    page.get()
    for reply in (page.get(), page.get()):
        assert (reply.get("X-Stays"), reply.get("Content-Disposition")) == ("1", "inline")


@pytest.mark.requirement("RFC 9111 §3.2", "MUST")
def test_a_304_does_not_update_content_length(origin: Origin) -> None:
    """The stored body keeps its own length."""
    page = origin.page(
        answer(STALE, 'ETag: "a"', body=b"12345"), answer(FRESH, 'ETag: "a"', "Content-Length: 3", status=304)
    )
    page.get()
    assert (page.get().body, page.get().get("Content-Length")) == (b"12345", "5")


@pytest.mark.requirement("RFC 9111 §4.2.3", "MUST")
def test_a_304_starts_the_age_anew(origin: Origin) -> None:
    """Age counts from the last validation, and a response validated just now is not said to be old."""
    page = origin.page(
        answer("Cache-Control: max-age=60", 'ETag: "a"', "Age: 100"),
        answer("Cache-Control: max-age=60", 'ETag: "a"', f"Date: {from_now(0)}", status=304),
    )
    page.get()
    assert int(page.get().get("Age") or 0) <= 2
    assert int(page.get().get("Age") or -1) <= 5
    assert page.asked == 2


@pytest.mark.requirement("RFC 9111 §4.3.4", "MUST NOT")
def test_a_304_about_another_representation_updates_nothing(origin: Origin) -> None:
    """A strong ETag that is not the stored one: the origin is asked again, for all of it."""
    page = origin.page(
        answer(STALE, 'ETag: "a"', "X-Was: old"),
        answer(FRESH, 'ETag: "b"', status=304),
        answer(FRESH, 'ETag: "b"', "X-Was: new"),
    )
    page.get()
    again = page.get()
    assert (again.status, again.get("X-Was"), page.asked) == (200, "new", 3)
    assert "if-none-match" not in page.last.fields


@pytest.mark.requirement("RFC 9111 §4.3.3", "MUST")
def test_a_full_answer_to_a_validation_replaces_what_was_stored(origin: Origin) -> None:
    """A 200 is used and stored in the place of the old one."""
    page = origin.page(answer(STALE, 'ETag: "a"'), answer(FRESH, 'ETag: "b"'))
    page.get()
    second, third = page.get(), page.get()
    assert second.body == third.body == f"{page.path}#2".encode()
    assert third.get("ETag") == '"b"'


@pytest.mark.requirement("RFC 9111 §4.3.3", "MAY")
@pytest.mark.parametrize("status", [404, 500, 503])
def test_an_error_in_answer_to_a_validation_reaches_the_client(origin: Origin, status: int) -> None:
    """Nothing allows the stale response: the error comes through, body and all."""
    page = origin.page(answer(STALE, 'ETag: "a"'), answer(status=status, body=b"no"))
    page.get()
    assert (page.get().status, page.get().body) == (status, b"no")


@pytest.mark.requirement("RFC 9111 §5.2.2.4", "MUST NOT")
def test_no_cache_is_stored_and_validated_each_time(origin: Origin) -> None:
    """no-cache with a lifetime: never used unasked, and a 304 is enough."""
    page = origin.page(
        answer("Cache-Control: no-cache, max-age=3600", 'ETag: "a"'),
        answer("Cache-Control: no-cache, max-age=3600", 'ETag: "a"', status=304),
    )
    bodies = {page.get().body for _ in range(4)}
    assert len(bodies) == 1
    assert page.asked == 4


MATCHES = {
    "the strong tag": ('ETag: "a"', 'If-None-Match: "a"'),
    "the weak form of it": ('ETag: "a"', 'If-None-Match: W/"a"'),
    "a strong form of a weak one": ('ETag: W/"a"', 'If-None-Match: "a"'),
    "in a list": ('ETag: "a"', 'If-None-Match: "x", W/"y" , "a"'),
    "a tag with a comma": ('ETag: "a,b"', 'If-None-Match: "x","a,b"'),
    "any": ('ETag: "a"', "If-None-Match: *"),
    "the same date": (f"Last-Modified: {LONG_AGO}", f"If-Modified-Since: {LONG_AGO}"),
    "a later date": (f"Last-Modified: {LONG_AGO}", "If-Modified-Since: Fri, 02 Dec 1994 16:00:00 GMT"),
    "an RFC 850 date": (f"Last-Modified: {LONG_AGO}", "If-Modified-Since: Thursday, 01-Dec-94 16:00:00 GMT"),
}


@pytest.mark.requirement("RFC 9111 §4.3.2; RFC 9110 §13.1.2, §13.1.3", "SHOULD")
@pytest.mark.parametrize(("validator", "condition"), MATCHES.values(), ids=MATCHES.keys())
def test_a_fresh_response_answers_a_condition_that_holds_with_304(
    origin: Origin, validator: str, condition: str
) -> None:
    """The stored validator decides, nobody is asked, and the 304 carries what RFC 9110 §15.4.5 wants."""
    page = origin.page(answer(FRESH, validator, "Vary: X-A", "Content-Location: /here", f"Date: {from_now(-5)}"))
    page.get()
    reply = page.get(condition)
    assert (reply.status, reply.body, page.asked) == (304, b"", 1)
    assert (reply.get("Cache-Control"), reply.get("Vary"), reply.get("Content-Location")) == (
        "max-age=3600",
        "X-A",
        "/here",
    )
    assert reply.get("ETag") == (validator.removeprefix("ETag: ") if validator.startswith("ETag") else None)
    assert int(reply.get("Age") or -1) >= 5


DIFFERS = {
    "another tag": (['ETag: "a"'], ['If-None-Match: "b"']),
    "no tag stored": ([], ['If-None-Match: "b"']),
    "an earlier date": ([f"Last-Modified: {LONG_AGO}"], ["If-Modified-Since: Wed, 30 Nov 1994 16:00:00 GMT"]),
    "no date at all": ([f"Last-Modified: {LONG_AGO}"], ["If-Modified-Since: yesterday"]),
    "a tag that differs, with a date that holds": (
        ['ETag: "a"', f"Last-Modified: {LONG_AGO}"],
        ['If-None-Match: "b"', f"If-Modified-Since: {LONG_AGO}"],
    ),
}


@pytest.mark.requirement("RFC 9111 §4.3.2; RFC 9110 §13.2.2", "MUST")
@pytest.mark.parametrize(("stored", "conditions"), DIFFERS.values(), ids=DIFFERS.keys())
def test_a_fresh_response_answers_a_condition_that_fails_in_full(
    origin: Origin, stored: list[str], conditions: list[str]
) -> None:
    """If-None-Match goes before If-Modified-Since, and dates that are none are ignored."""
    page = origin.page(answer(FRESH, *stored))
    page.get()
    reply = page.get(*conditions)
    assert (reply.status, reply.body, page.asked) == (200, f"{page.path}#1".encode(), 1)


@pytest.mark.requirement("RFC 9110 §13.2.2", "MUST")
def test_a_tag_that_matches_wins_over_a_date_that_does_not(origin: Origin) -> None:
    """If-Modified-Since is ignored where If-None-Match is."""
    page = origin.page(answer(FRESH, 'ETag: "a"', f"Last-Modified: {LONG_AGO}"))
    page.get()
    assert page.get('If-None-Match: "a"', "If-Modified-Since: Wed, 30 Nov 1994 16:00:00 GMT").status == 304


@pytest.mark.requirement("RFC 9111 §4.3.2", "SHOULD")
def test_without_last_modified_the_date_decides(origin: Origin) -> None:
    """If-Modified-Since is compared with Date where there is no Last-Modified."""
    page = origin.page(answer(FRESH, f"Date: {from_now(-60)}"))
    page.get()
    assert page.get(f"If-Modified-Since: {from_now(0)}").status == 304
    assert page.get(f"If-Modified-Since: {from_now(-120)}").status == 200
    assert page.asked == 1


@pytest.mark.requirement("RFC 9111 §4.3.2", "MUST NOT")
def test_conditions_on_something_not_stored_are_the_origin_s(origin: Origin) -> None:
    """They are passed on, and its 304 is passed back."""
    page = origin.page(answer('ETag: "x"', status=304))
    reply = page.get('If-None-Match: "x"', f"If-Modified-Since: {LONG_AGO}")
    assert (reply.status, reply.get("ETag")) == (304, '"x"')
    assert (page.last.fields["if-none-match"], page.last.fields["if-modified-since"]) == ('"x"', LONG_AGO)


@pytest.mark.requirement("RFC 9111 §4.3.2", "MUST NOT")
@pytest.mark.parametrize("condition", ['If-Match: "b"', f"If-Unmodified-Since: {LONG_AGO}"])
def test_conditions_that_only_an_origin_judges_reach_it(origin: Origin, condition: str) -> None:
    """If-Match and If-Unmodified-Since are not evaluated against what is stored."""
    page = origin.page(answer(FRESH, 'ETag: "a"'), answer(status=412, body=b"no"))
    page.get()
    assert page.get(condition).status == 412
    name, _, value = condition.partition(": ")
    assert page.last.fields[name.lower()] == value


@pytest.mark.requirement("RFC 9111 §4.3.2", "SHOULD")
def test_a_condition_is_judged_again_after_our_own_validation(origin: Origin) -> None:
    """Stale here, unchanged there, known to the client: our validators go out, a 304 comes back to the client."""
    page = origin.page(answer(STALE, 'ETag: "a"'), answer(FRESH, 'ETag: "a"', status=304))
    page.get()
    reply = page.get('If-None-Match: "x", "a"')
    assert (reply.status, page.last.fields["if-none-match"]) == (304, '"a"')
    assert page.get('If-None-Match: "x"').status == 200
    assert page.asked == 2


@pytest.mark.requirement("RFC 9110 §13.1.2", "MUST")
def test_a_condition_that_holds_for_the_answer_of_a_miss_stores_it_whole(origin: Origin) -> None:
    """The client may get its 304 from the 200 that was fetched; the next client gets all of it."""
    page = origin.page(answer(FRESH, 'ETag: "a"', "Content-Type: text/x-odd"))
    assert page.get('If-None-Match: "a"').status in (200, 304)
    again = page.get()
    assert (again.status, again.body, again.get("Content-Type")) == (200, f"{page.path}#1".encode(), "text/x-odd")


@pytest.mark.requirement("RFC 9111 §3.5, §5.2.2.7", "MUST NOT")
def test_a_304_that_makes_a_response_private_ends_its_reuse(origin: Origin) -> None:
    """After the update the new directives rule."""
    page = origin.page(
        answer(STALE, 'ETag: "a"'),
        answer("Cache-Control: private", 'ETag: "a"', status=304),
        answer("Cache-Control: private"),
    )
    page.get()
    assert page.get().status == 200
    page.get()
    assert "if-none-match" not in page.last.fields
