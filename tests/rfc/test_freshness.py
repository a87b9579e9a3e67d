"""How long a response is fresh: RFC 9111 §4.2, and every way to write its fields badly (§4.2.1, §5.2, §5.3)."""

from __future__ import annotations

import pytest

from tests.rfc.dates import HOUR_S, from_now
from tests.rfc.origin import Origin, answer


def is_reused(origin: Origin, *lines: str, status: int = 200) -> bool:
    """Is an answer with these header lines used again without asking the origin? `{now}` is the time of this call."""
    page = origin.page(answer(*[line.replace("{now}", from_now(0)) for line in lines], status=status))
    first, second = page.get(), page.get()
    assert first.status == second.status == status
    assert (first.body == second.body) is (page.asked == 1) or status in (204, 304)
    return page.asked == 1


FRESH = {
    "max-age": ["Cache-Control: max-age=3600"],
    "s-maxage": ["Cache-Control: s-maxage=3600"],
    "s-maxage overrides max-age": ["Cache-Control: max-age=1, s-maxage=3600", "Age: 60"],
    "s-maxage overrides max-age, before it": ["Cache-Control: s-maxage=3600, max-age=0"],
    "max-age overrides Expires": ["Cache-Control: max-age=3600", "Expires: Thu, 01 Dec 1994 16:00:00 GMT"],
    "s-maxage overrides Expires": ["Cache-Control: s-maxage=3600", "Expires: 0"],
    "case of the name": ["Cache-Control: MaX-aGe=3600"],
    "quoted": ['Cache-Control: max-age="3600"'],
    "leading zeros": ["Cache-Control: max-age=003600"],
    "unknown directives around it": ['Cache-Control: foo, bar=1, max-age=3600, baz="a, b"'],
    "blanks around commas": ["Cache-Control:  ,,  max-age=3600  , "],
    "on a second line": ["Cache-Control: foo=1", "Cache-Control: max-age=3600"],
    "more than 31 bits": ["Cache-Control: max-age=2147483648"],
    "more than 64 bits": ["Cache-Control: max-age=99999999999999999999"],
    "max-age inside another directive's quotes does not count": ['Cache-Control: foo="max-age=0", max-age=3600'],
    "no-store inside quotes does not count": ['Cache-Control: foo="no-store, private", max-age=3600'],
    "a directive whose name ends in no-store": ["Cache-Control: x-no-store, max-age=3600"],
    "a directive that begins with private": ["Cache-Control: privately, max-age=3600"],
    "immutable, with an argument": ["Cache-Control: max-age=3600, immutable=1, immutable"],
}


@pytest.mark.requirement("RFC 9111 §4.2.1, §5.2, §1.2.2", "MUST")
@pytest.mark.parametrize("lines", FRESH.values(), ids=FRESH.keys())
def test_a_response_with_an_explicit_lifetime_is_fresh(origin: Origin, lines: list[str]) -> None:
    """The first of s-maxage, max-age and Expires counts, however it is spelled; other directives change nothing."""
    assert is_reused(origin, *lines)


STALE = {
    "max-age=0": ["Cache-Control: max-age=0"],
    "s-maxage=0 overrides max-age": ["Cache-Control: max-age=3600, s-maxage=0"],
    "negative": ["Cache-Control: max-age=-3600"],
    "a fraction": ["Cache-Control: max-age=3600.0"],
    "an exponent": ["Cache-Control: max-age=1e9"],
    "hexadecimal": ["Cache-Control: max-age=0x100"],
    "a sign": ["Cache-Control: max-age=+3600"],
    "a unit": ["Cache-Control: max-age=3600s"],
    "without a value": ["Cache-Control: max-age"],
    "an empty value": ["Cache-Control: max-age="],
    "an empty quoted value": ['Cache-Control: max-age=""'],
    "a blank before the equals sign": ["Cache-Control: max-age =3600"],
    "a blank after the equals sign": ["Cache-Control: max-age= 3600"],
    "a quote that is not closed": ['Cache-Control: max-age="3600'],
    "single quotes": ["Cache-Control: max-age='3600'"],
    "two values that differ, the long one first": ["Cache-Control: max-age=3600, max-age=0"],
    "two lines that differ": ["Cache-Control: max-age=3600", "Cache-Control: max-age=0"],
    "invalid, with an Expires that would do": ["Cache-Control: max-age=x", f"Expires: {from_now(HOUR_S)}"],
    "max-age=0 overrides Expires": ["Cache-Control: max-age=0", f"Expires: {from_now(HOUR_S)}"],
    "s-maxage=0 overrides Expires": ["Cache-Control: s-maxage=0", f"Expires: {from_now(HOUR_S)}"],
}


@pytest.mark.requirement("RFC 9111 §4.2.1", "SHOULD")
@pytest.mark.parametrize("lines", STALE.values(), ids=STALE.keys())
def test_a_response_whose_lifetime_is_zero_or_unreadable_is_stale(origin: Origin, lines: list[str]) -> None:
    """Invalid or contradictory freshness information counts as stale."""
    assert not is_reused(origin, *lines)


FORBIDDEN = {
    "no-cache": ["Cache-Control: max-age=3600, no-cache"],
    "no-cache in capitals": ["Cache-Control: NO-CACHE, max-age=3600"],
    "no-cache on a second line": ["Cache-Control: max-age=3600", "Cache-Control: no-cache"],
    "no-cache with an empty list": ['Cache-Control: max-age=3600, no-cache=""'],
    "no-cache behind a quote that is not closed": ['Cache-Control: foo="max-age=60, max-age=3600, no-cache'],
    "no-store": ["Cache-Control: no-store, max-age=3600"],
    "no-store last": ["Cache-Control: max-age=3600, No-Store"],
    "no-store with an argument": ["Cache-Control: max-age=3600, no-store=1"],
    "no-store and Expires": ["Cache-Control: no-store", f"Expires: {from_now(HOUR_S)}"],
    "private": ["Cache-Control: private, max-age=3600"],
    "private beats s-maxage": ["Cache-Control: s-maxage=3600, PRIVATE"],
    "private beats public": ["Cache-Control: public, private, max-age=3600"],
}


@pytest.mark.requirement("RFC 9111 §3, §5.2.2.4, §5.2.2.5, §5.2.2.7", "MUST NOT")
@pytest.mark.parametrize("lines", FORBIDDEN.values(), ids=FORBIDDEN.keys())
def test_what_forbids_reuse_wins_over_any_lifetime(origin: Origin, lines: list[str]) -> None:
    """Of directives that conflict the most restrictive is honoured."""
    assert not is_reused(origin, *lines)


EXPIRES_FRESH = {
    "in an hour": [f"Expires: {from_now(HOUR_S)}"],
    "counted from Date, not from our clock": [
        "Date: Thu, 01 Dec 2095 15:00:00 GMT",
        "Expires: Thu, 01 Dec 2095 16:00:00 GMT",
    ],
    "lower case": [f"Expires: {from_now(HOUR_S).lower().replace('gmt', 'GMT')}"],
    "all lower case": [f"Expires: {from_now(HOUR_S).lower()}"],
    "RFC 850": ["Date: Wednesday, 01-Dec-66 15:00:00 GMT", "Expires: Wednesday, 01-Dec-66 16:00:00 GMT"],
    "asctime": ["Date: Thu Dec  1 15:00:00 2095", "Expires: Thu Dec  1 16:00:00 2095"],
    "next to a directive without a lifetime": ["Cache-Control: public", f"Expires: {from_now(HOUR_S)}"],
}


@pytest.mark.requirement("RFC 9111 §4.2.1, §5.3; RFC 9110 §5.6.7", "MUST")
@pytest.mark.parametrize("lines", EXPIRES_FRESH.values(), ids=EXPIRES_FRESH.keys())
def test_expires_less_date_is_the_lifetime_where_no_directive_gives_one(origin: Origin, lines: list[str]) -> None:
    """Expires − Date is the lifetime, in all three date formats, letters of any case."""
    assert is_reused(origin, *lines)


EXPIRES_STALE = {
    "0": ["Expires: 0"],
    "-1": ["Expires: -1"],
    "a word": ["Expires: never"],
    "empty": ["Expires: "],
    "the past": ["Expires: Thu, 01 Dec 1994 16:00:00 GMT"],
    "the same as Date": [f"Date: {from_now(0)}", f"Expires: {from_now(0)}"],
    "before a Date in the future": [f"Date: {from_now(2 * HOUR_S)}", f"Expires: {from_now(HOUR_S)}"],
    "another zone": [f"Expires: {from_now(HOUR_S).replace('GMT', 'EST')}"],
    "UTC": [f"Expires: {from_now(HOUR_S).replace('GMT', 'UTC')}"],
    "an offset": [f"Expires: {from_now(HOUR_S).replace('GMT', '+0000')}"],
    "no zone": ["Expires: Thu, 01 Dec 2095 16:00:00"],
    "ISO 8601": ["Expires: 2095-12-01T16:00:00Z"],
    "seconds": ["Expires: 3600"],
    "a day that does not exist": ["Expires: Thu, 31 Feb 2095 16:00:00 GMT"],
    "one digit for the day": ["Expires: Thu, 1 Dec 2095 16:00:00 GMT"],
    "two digits for the year": ["Expires: Thu, 01 Dec 95 16:00:00 GMT"],
    "hyphens": ["Expires: Thu, 01-Dec-2095 16:00:00 GMT"],
    "no weekday": ["Expires: 01 Dec 2095 16:00:00 GMT"],
    "dots in the time": ["Expires: Thu, 01 Dec 2095 16.00.00 GMT"],
    "two dates": [f"Expires: {from_now(HOUR_S)}, {from_now(HOUR_S)}"],
}


@pytest.mark.requirement("RFC 9111 §5.3, §4.2", "MUST")
@pytest.mark.parametrize("lines", EXPIRES_STALE.values(), ids=EXPIRES_STALE.keys())
def test_an_expires_that_is_no_date_or_no_future_date_has_passed(origin: Origin, lines: list[str]) -> None:
    """Invalid dates, especially "0", are in the past; a zone other than GMT makes a date invalid."""
    assert not is_reused(origin, *lines)


OLD = {
    "Age as great as the lifetime": ["Cache-Control: max-age=3600", "Age: 3600"],
    "Age beyond it": ["Cache-Control: max-age=3600", "Age: 7200"],
    "Age that overflows": ["Cache-Control: max-age=3600", "Age: 99999999999999999999"],
    "Age of several members: the first": ["Cache-Control: max-age=3600", "Age: 7200, 0"],
    "Age on two lines: the first": ["Cache-Control: max-age=3600", "Age: 7200", "Age: 0"],
    "Date so long ago": ["Cache-Control: max-age=3600", f"Date: {from_now(-2 * HOUR_S)}"],
    "Age against Expires": [f"Expires: {from_now(HOUR_S)}", "Age: 7200"],
}


@pytest.mark.requirement("RFC 9111 §4.2.3, §5.1", "MUST")
@pytest.mark.parametrize("lines", OLD.values(), ids=OLD.keys())
def test_the_age_that_a_response_arrives_with_counts(origin: Origin, lines: list[str]) -> None:
    """The age is the greater of Age and the time since Date: other caches have used up the lifetime."""
    assert not is_reused(origin, *lines)


YOUNG = {
    "Age below the lifetime": ["Cache-Control: max-age=7200", "Age: 3600"],
    "negative Age is ignored": ["Cache-Control: max-age=3600", "Age: -7200"],
    "Age with a fraction is ignored": ["Cache-Control: max-age=3600", "Age: 7200.0"],
    "Age that is a word is ignored": ["Cache-Control: max-age=3600", "Age: old"],
    "Age of several members: the first": ["Cache-Control: max-age=3600", "Age: 0, 7200"],
    "Date in the future": ["Cache-Control: max-age=3600", f"Date: {from_now(HOUR_S)}"],
    "Date that is none": ["Cache-Control: max-age=3600", "Date: yesterday"],
}


@pytest.mark.requirement("RFC 9111 §4.2.3, §5.1", "SHOULD")
@pytest.mark.parametrize("lines", YOUNG.values(), ids=YOUNG.keys())
def test_an_age_that_is_invalid_or_small_leaves_a_response_fresh(origin: Origin, lines: list[str]) -> None:
    """An invalid Age is ignored, of a list the first member counts, and a Date in the future means age 0."""
    assert is_reused(origin, *lines)


HEURISTIC = (200, 203, 204, 300, 301, 308, 404, 405, 410, 414, 501)
NOT_HEURISTIC = (201, 202, 302, 303, 307, 400, 403, 406, 409, 413, 418, 429, 500, 502, 503, 504, 299, 499, 599)


@pytest.mark.requirement("RFC 9111 §4.2.2; RFC 9110 §15.1", "MAY")
@pytest.mark.parametrize("status", HEURISTIC)
def test_a_heuristic_lifetime_is_a_tenth_of_the_time_since_last_modified(origin: Origin, status: int) -> None:
    """Without an explicit lifetime, a status that is cacheable by heuristics is fresh for a tenth of its rest."""
    assert is_reused(origin, f"Last-Modified: {from_now(-100 * HOUR_S)}", status=status)


@pytest.mark.requirement("RFC 9111 §4.2.2", "MUST NOT")
@pytest.mark.parametrize("status", NOT_HEURISTIC)
def test_other_status_codes_have_no_heuristic_lifetime(origin: Origin, status: int) -> None:
    """Heuristics are for status codes that are defined as heuristically cacheable."""
    assert not is_reused(origin, f"Last-Modified: {from_now(-100 * HOUR_S)}", status=status)


@pytest.mark.requirement("RFC 9111 §4.2.2, §5.2.2.9", "MAY")
def test_public_makes_a_response_heuristically_cacheable(origin: Origin) -> None:
    """`public` without a lifetime allows a heuristic one for any status."""
    assert is_reused(origin, f"Last-Modified: {from_now(-100 * HOUR_S)}", "Cache-Control: public", status=403)


NO_HEURISTIC = {
    "no Last-Modified": [],
    "Last-Modified just now": ["Last-Modified: {now}"],
    "Last-Modified in the future": [f"Last-Modified: {from_now(HOUR_S)}"],
    "Last-Modified that is no date": ["Last-Modified: long ago"],
    "an explicit lifetime of none": [f"Last-Modified: {from_now(-100 * HOUR_S)}", "Expires: 0"],
    "an explicit max-age=0": [f"Last-Modified: {from_now(-100 * HOUR_S)}", "Cache-Control: max-age=0"],
    "no-cache": [f"Last-Modified: {from_now(-100 * HOUR_S)}", "Cache-Control: no-cache"],
}


@pytest.mark.requirement("RFC 9111 §4.2.2", "MUST NOT")
@pytest.mark.parametrize("lines", NO_HEURISTIC.values(), ids=NO_HEURISTIC.keys())
def test_no_heuristic_contradicts_what_is_stated(origin: Origin, lines: list[str]) -> None:
    """An explicit expiration time rules out heuristics, and without a usable Last-Modified there is none."""
    assert not is_reused(origin, *lines)


EXPLICIT_STATUS = (
    200,
    201,
    203,
    204,
    300,
    301,
    302,
    303,
    307,
    308,
    400,
    403,
    404,
    410,
    429,
    451,
    500,
    503,
    299,
    499,
    599,
)


@pytest.mark.requirement("RFC 9111 §3", "MAY")
@pytest.mark.parametrize("status", EXPLICIT_STATUS)
def test_any_final_status_may_be_stored_where_the_origin_says_how_long(origin: Origin, status: int) -> None:
    """With an explicit lifetime every final status is reusable, also one that nobody has heard of."""
    assert is_reused(origin, "Cache-Control: max-age=3600", status=status)


@pytest.mark.requirement("RFC 9111 §3", "MUST NOT")
def test_a_partial_response_is_never_the_answer_to_a_whole_request(origin: Origin) -> None:
    """A 206 that nobody asked for is passed on and not stored."""
    assert not is_reused(origin, "Cache-Control: max-age=3600", "Content-Range: bytes 0-3/10", status=206)
