"""HEAD, and parts of what is stored: RFC 9111 §4.3.5, §3.3; RFC 9110 §14."""

from __future__ import annotations

import pytest

from tests.rfc.origin import Origin, Page, answer

FRESH = "Cache-Control: max-age=3600"
LONG_AGO = "Thu, 01 Dec 1994 16:00:00 GMT"
LATER = "Fri, 02 Dec 1994 16:00:00 GMT"
TEN = b"0123456789"


def stored(origin: Origin, *lines: str) -> Page:
    """A page of ten bytes that is in the store."""
    page = origin.page(answer(FRESH, *lines, body=TEN), answer(FRESH, *lines, body=b"elsewhere!"))
    page.get()
    return page


@pytest.mark.requirement("RFC 9111 §4; RFC 9110 §9.3.2", "MAY")
def test_a_stored_get_answers_head(origin: Origin) -> None:
    """The same fields, no body, no request to the origin."""
    page = stored(origin, 'ETag: "a"')
    reply = page.ask("HEAD")
    assert (reply.status, reply.body, reply.get("Content-Length"), reply.get("ETag")) == (200, b"", "10", '"a"')
    assert (page.asked, reply.get("Age") is not None) == (1, True)


@pytest.mark.requirement("RFC 9110 §9.3.2", "MUST NOT")
def test_the_answer_to_head_does_not_answer_get(origin: Origin) -> None:
    """It has no body to give."""
    page = origin.page(answer(FRESH, body=TEN))
    page.ask("HEAD")
    assert page.get().body == TEN
    assert [request.method for request in page.requests] == ["HEAD", "GET"]


@pytest.mark.requirement("RFC 9111 §4.3.5", "SHOULD")
@pytest.mark.parametrize(
    "lines", [['ETag: "a"'], [f"Last-Modified: {LONG_AGO}"], ['ETag: "a"', f"Last-Modified: {LONG_AGO}"]]
)
def test_a_head_that_agrees_renews_the_stored_response(origin: Origin, lines: list[str]) -> None:
    """Its fields are taken over, its lifetime counts from now."""
    page = origin.page(
        answer("Cache-Control: max-age=10", "Age: 60", "X-A: 1", *lines, body=TEN),
        answer(FRESH, "X-A: 2", *lines, body=TEN),
    )
    page.get()
    page.ask("HEAD")
    reply = page.get()
    assert (reply.body, reply.get("X-A"), page.asked) == (TEN, "2", 2)


@pytest.mark.requirement("RFC 9111 §4.3.5", "SHOULD")
@pytest.mark.parametrize(
    "lines",
    [
        ['ETag: "b"', f"Last-Modified: {LONG_AGO}"],
        ['ETag: "a"', f"Last-Modified: {LATER}"],
        ['ETag: "a"', f"Last-Modified: {LONG_AGO}", "Content-Length: 11"],
    ],
    ids=["ETag", "Last-Modified", "Content-Length"],
)
def test_a_head_that_disagrees_ends_the_stored_response(origin: Origin, lines: list[str]) -> None:
    """Another validator or length: what is stored is out of date. (A client's no-cache is what sends the HEAD on.)"""
    length = 11 if "Content-Length: 11" in lines else 10
    page = origin.page(
        answer(FRESH, 'ETag: "a"', f"Last-Modified: {LONG_AGO}", body=TEN),
        answer(
            FRESH, *[line for line in lines if not line.startswith("Content-Length")], body=TEN, content_length=length
        ),
        answer(FRESH, body=TEN),
    )
    page.get()
    page.ask("HEAD", "Cache-Control: no-cache")
    assert page.asked == 2
    page.get()
    assert page.asked == 3


RANGES = {
    "bytes=0-3": (b"0123", "bytes 0-3/10"),
    "bytes=5-": (b"56789", "bytes 5-9/10"),
    "bytes=-2": (b"89", "bytes 8-9/10"),
    "bytes=8-99": (b"89", "bytes 8-9/10"),
}


@pytest.mark.requirement("RFC 9110 §14.2; RFC 9111 §3.3", "MAY")
@pytest.mark.parametrize("wanted", RANGES)
def test_a_stored_response_gives_parts_of_itself(origin: Origin, wanted: str) -> None:
    """206 with the range, marked as a part, and with its Age."""
    page = stored(origin)
    reply = page.get(f"Range: {wanted}")
    assert (reply.status, reply.body, reply.get("Content-Range")) == (206, *RANGES[wanted])
    assert (page.asked, reply.get("Age") is not None) == (1, True)


@pytest.mark.requirement("RFC 9110 §15.5.17", "SHOULD")
def test_a_range_beyond_the_end_is_416(origin: Origin) -> None:
    """And says how long the representation is."""
    reply = stored(origin).get("Range: bytes=50-60")
    assert (reply.status, reply.get("Content-Range")) == (416, "bytes */10")


@pytest.mark.requirement("RFC 9110 §14.2", "MAY")
@pytest.mark.parametrize("wanted", ["lines=1-2", "bytes=", "bytes=a-b", "bytes=5-3"])
def test_a_range_that_can_t_be_read_is_no_reason_for_wrong_bytes(origin: Origin, wanted: str) -> None:
    """An unknown unit or a broken range: all of it, or 416, never a part."""
    reply = stored(origin).get(f"Range: {wanted}")
    assert reply.status in (200, 416)
    assert reply.status == 416 or reply.body == TEN


IF_RANGE = {
    "the strong tag": (['ETag: "a"'], '"a"', 206),
    "another tag": (['ETag: "a"'], '"b"', 200),
    "the date": ([f"Last-Modified: {LONG_AGO}"], LONG_AGO, 206),
    "a later date": ([f"Last-Modified: {LONG_AGO}"], LATER, 200),
}


@pytest.mark.requirement("RFC 9110 §13.1.5", "MUST")
@pytest.mark.parametrize(("lines", "condition", "status"), IF_RANGE.values(), ids=IF_RANGE.keys())
def test_if_range_is_judged_by_the_stored_validator(
    origin: Origin, lines: list[str], condition: str, status: int
) -> None:
    """The part if it is still of the same whole, else the whole."""
    page = stored(origin, *lines)
    reply = page.get("Range: bytes=0-3", f"If-Range: {condition}")
    assert (reply.status, reply.body, page.asked) == (status, TEN[:4] if status == 206 else TEN, 1)


@pytest.mark.requirement("RFC 9110 §13.1.5", "MUST")
def test_a_weak_if_range_gets_no_part_from_the_store(origin: Origin) -> None:
    """Weak tags promise nothing about bytes: the origin decides."""
    page = origin.page(answer(FRESH, 'ETag: W/"a"', body=TEN))
    page.get()
    assert page.get("Range: bytes=0-3", 'If-Range: W/"a"').status == 200


@pytest.mark.requirement("RFC 9111 §3.3, §3.4", "MUST NOT")
def test_a_part_fetched_from_the_origin_is_not_taken_for_the_whole(origin: Origin) -> None:
    """The client's Range reaches the origin, its 206 reaches the client, and the next GET asks for all of it."""
    page = origin.page(answer(FRESH, "Content-Range: bytes 0-3/10", status=206, body=b"0123"), answer(FRESH, body=TEN))
    reply = page.get("Range: bytes=0-3")
    assert (reply.status, reply.body, page.last.fields["range"]) == (206, b"0123", "bytes=0-3")
    assert (page.get().body, page.asked) == (TEN, 2)
    assert page.get("Range: bytes=0-3").body == b"0123"
    assert page.asked == 2


@pytest.mark.requirement("RFC 9111 §4.3.1", "MUST")
def test_a_stale_response_is_validated_whole_before_a_part_is_sent(origin: Origin) -> None:
    """The validation is not for a range; the client's part is cut afterwards."""
    page = origin.page(
        answer("Cache-Control: max-age=0", 'ETag: "a"', body=TEN), answer(FRESH, 'ETag: "a"', status=304)
    )
    page.get()
    reply = page.get("Range: bytes=0-3")
    assert (reply.status, reply.body) == (206, b"0123")
    assert "range" not in page.last.fields
