"""What a reused response looks like, and what may be stored at all: RFC 9111 §3, §3.1, §3.5, §4, §5.1."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.rfc.dates import from_now
from tests.rfc.origin import Origin, answer
from tests.until import until

FRESH = "Cache-Control: max-age=3600"


@pytest.mark.requirement("RFC 9111 §4, §5.1", "MUST")
def test_a_reused_response_tells_its_age(origin: Origin) -> None:
    """A response from the store carries an Age; one that the origin just made carries none."""
    page = origin.page(answer(FRESH))
    assert page.get().get("Age") is None
    age = page.get().get("Age")
    assert age is not None
    assert 0 <= int(age) <= 5


@pytest.mark.requirement("RFC 9111 §4, §4.2.3", "MUST")
def test_the_age_of_a_reused_response_replaces_the_one_it_came_with(origin: Origin) -> None:
    """Age grows from the value that arrived, in one line."""
    page = origin.page(answer(FRESH, "Age: 100"))
    assert page.get().all("Age") == ["100"]
    (age,) = page.get().all("Age")
    assert 100 <= int(age) <= 105
    assert page.asked == 1


@pytest.mark.requirement("RFC 9111 §4.2.3", "MUST")
def test_the_age_of_a_reused_response_counts_the_time_since_its_date(origin: Origin) -> None:
    """A Date a minute ago is an apparent age of a minute, also where no cache said so."""
    page = origin.page(answer(FRESH, f"Date: {from_now(-60)}"))
    page.get()
    assert 60 <= int(page.get().get("Age") or -1) <= 65


@pytest.mark.requirement("RFC 9111 §4.2.3", "MUST")
def test_the_time_the_origin_takes_counts_as_age(origin: Origin) -> None:
    """Age is counted from when the request was sent, not from when the response came."""
    held = threading.Event()
    page = origin.page(answer(FRESH, wait_for=held))
    timer = threading.Timer(1.1, held.set)
    timer.start()
    page.get()
    timer.join()
    assert int(page.get().get("Age") or -1) >= 1


@pytest.mark.requirement("RFC 9110 §6.6.1", "MUST")
def test_the_date_of_the_origin_is_kept(origin: Origin) -> None:
    """A reused response has the Date it came with, not the time it is sent again."""
    date = from_now(-1000)
    page = origin.page(answer(FRESH, f"Date: {date}"))
    assert page.get().all("Date") == [date]
    assert page.get().all("Date") == [date]
    assert page.asked == 1


@pytest.mark.requirement("RFC 9110 §6.6.1", "MUST")
def test_a_response_without_date_gets_the_time_it_was_received(origin: Origin) -> None:
    """The Date that is added is stored: it does not move with each reuse."""
    page = origin.page(answer(FRESH))
    first = page.get()
    assert first.get("Date") is not None
    until(lambda: from_now(0) != first.get("Date"), within_s=3, waiting_for="the next second")
    assert page.get().get("Date") == first.get("Date")


@pytest.mark.requirement("RFC 9111 §3.1", "MUST")
def test_all_fields_are_stored_also_unknown_ones(origin: Origin) -> None:
    """Every header line comes back from the store, repeated ones in order."""
    lines = [
        "X-Unheard-Of: 1",
        "X-Unheard-Of: 2",
        "Content-Language: de",
        'Link: </a>; rel="next"',
        "Content-Type: text/x-odd",
    ]
    page = origin.page(answer(FRESH, *lines))
    page.get()
    again = page.get()
    assert page.asked == 1
    assert again.all("X-Unheard-Of") == ["1", "2"]
    assert again.get("Content-Language") == "de"
    assert again.get("Link") == '</a>; rel="next"'
    assert again.get("Content-Type") == "text/x-odd"
    assert again.all("Cache-Control") == ["max-age=3600"]


@pytest.mark.requirement("RFC 9111 §5.2.2.4", "MAY")
def test_a_qualified_no_cache_withholds_only_the_fields_it_names(origin: Origin) -> None:
    """`no-cache="a, b"`: the response is reused without a and b."""
    page = origin.page(
        answer('Cache-Control: max-age=3600, no-cache="x-own, X-Other"', "X-Own: 1", "X-Other: 2", "X-All: 3")
    )
    first, again = page.get(), page.get()
    assert first.get("X-Own") == "1"
    assert (again.get("X-Own"), again.get("X-Other"), again.get("X-All")) == (None, None, "3")
    assert page.asked == 1


@pytest.mark.requirement("RFC 9111 §5.2.2.7", "MUST NOT")
def test_fields_that_are_private_are_not_reused(origin: Origin) -> None:
    """`private="x-own"`: the next client does not see that field."""
    page = origin.page(answer('Cache-Control: max-age=3600, private="x-own"', "X-Own: ada"), answer(FRESH))
    page.get()
    assert page.get().get("X-Own") is None


@pytest.mark.requirement("RFC 9111 §7.3 (stricter)", "house rule")
def test_a_response_that_sets_a_cookie_is_not_stored(origin: Origin) -> None:
    """One client's session is not given to the next; a qualified no-cache on the field makes it safe to store."""
    page = origin.page(answer(FRESH, "Set-Cookie: session=1"))
    page.get()
    page.get()
    assert page.asked == 2
    safe = origin.page(answer('Cache-Control: max-age=3600, no-cache="set-cookie"', "Set-Cookie: session=1"))
    assert safe.get().get("Set-Cookie") == "session=1"
    assert safe.get().get("Set-Cookie") is None
    assert safe.asked == 1


@pytest.mark.requirement("RFC 9111 §3.5", "MUST NOT")
def test_an_answer_to_authorization_is_not_reused_unless_it_says_so(origin: Origin) -> None:
    """Neither for somebody else nor for the same credentials."""
    page = origin.page(answer(FRESH))
    page.get("Authorization: Basic ada")
    page.get("Authorization: Basic ada")
    page.get()
    assert page.asked == 3


@pytest.mark.requirement("RFC 9111 §3.5", "MAY")
@pytest.mark.parametrize("control", ["max-age=3600, public", "s-maxage=3600", "max-age=3600, must-revalidate"])
def test_an_answer_to_authorization_is_reused_where_the_origin_allows_it(origin: Origin, control: str) -> None:
    """public, s-maxage and must-revalidate allow it."""
    page = origin.page(answer(f"Cache-Control: {control}"))
    page.get("Authorization: Basic ada")
    page.get()
    page.get("Authorization: Basic bob")
    assert page.asked == 1


@pytest.mark.requirement("RFC 9111 §3.5", "MUST NOT")
def test_what_was_stored_for_everybody_answers_authorized_requests_too(origin: Origin) -> None:
    """The rule is about the request that filled the store, not about those that are answered from it."""
    page = origin.page(answer(FRESH))
    page.get()
    page.get("Authorization: Basic ada")
    assert page.asked == 1


@pytest.mark.requirement("RFC 9111 §5.2.2.3", "SHOULD")
def test_must_understand_overrides_no_store_for_a_status_that_is_understood(origin: Origin) -> None:
    """`must-understand, no-store` on a 200 is stored."""
    page = origin.page(answer("Cache-Control: max-age=3600, must-understand, no-store"))
    page.get()
    page.get()
    assert page.asked == 1


@pytest.mark.requirement("RFC 9111 §3, §5.2.2.3", "MUST NOT")
@pytest.mark.parametrize("control", ["must-understand, max-age=3600", "must-understand, no-store, max-age=3600"])
def test_must_understand_keeps_unknown_status_codes_out(origin: Origin, control: str) -> None:
    """A status that the cache does not know is not stored then."""
    page = origin.page(answer(f"Cache-Control: {control}", status=299))
    page.get()
    page.get()
    assert page.asked == 2


@pytest.mark.requirement("RFC 9111 §4", "MUST")
def test_the_whole_query_is_part_of_the_key(origin: Origin) -> None:
    """Another query is another resource, its order included."""
    page = origin.page(answer(FRESH))
    bodies = [page.ask("GET", suffix=suffix).body for suffix in ("?a=1&b=2", "?b=2&a=1", "?a=1", "", "?a=1&b=2")]
    assert len(set(bodies[:4])) == 4
    assert bodies[4] == bodies[0]


@pytest.mark.requirement("RFC 9111 §4", "MUST")
def test_the_host_is_part_of_the_key_whatever_its_case(origin: Origin) -> None:
    """Two hosts never share a response; one host spelled in capitals does."""
    page = origin.page(answer(FRESH))
    page.ask("GET", host="one.example")
    page.ask("GET", host="two.example")
    page.ask("GET", host="one.example:81")
    assert page.asked == 3
    page.ask("GET", host="ONE.example")
    page.ask("GET", host="one.example:80")
    assert page.asked == 3
    assert [request.fields["host"] for request in page.requests] == ["one.example", "two.example", "one.example:81"]


@pytest.mark.requirement("RFC 9111 §2, §4", "MUST NOT")
@pytest.mark.parametrize("method", ["POST", "PUT", "OPTIONS", "DELETE", "PATCH", "QUERY"])
def test_only_an_answer_to_get_is_reused_for_get(origin: Origin, method: str) -> None:
    """A response to another method, cacheable as it may look, never answers a GET."""
    page = origin.page(answer(FRESH))
    page.ask(method, body=b"x")
    page.get()
    assert [request.method for request in page.requests] == [method, "GET"]


@pytest.mark.requirement("RFC 9111 §3.3", "MUST NOT")
@pytest.mark.parametrize("chunked", [False, True], ids=["Content-Length", "chunked"])
def test_a_response_that_broke_off_is_not_reused(origin: Origin, chunked: bool) -> None:
    """Half a body is no response."""
    if chunked:
        broken = answer(FRESH, "Transfer-Encoding: chunked", body=b"5\r\nhello\r\n5\r\nworld\r\n0\r\n\r\n", cut=True)
    else:
        broken = answer(FRESH, body=b"x" * 1000, cut=True)
    page = origin.page(broken, answer(FRESH, body=b"whole"))
    with ThreadPoolExecutor(1) as pool:
        failed = pool.submit(page.get)
        assert failed.exception(timeout=20) is not None or failed.result().body != b"x" * 1000
    assert page.get().body == b"whole"
    assert page.get().body == b"whole"


@pytest.mark.requirement("RFC 9111 §4", "MUST")
@pytest.mark.parametrize("kilobytes", [0, 1, 64, 2048])
def test_a_body_of_any_size_comes_back_as_it_was(origin: Origin, kilobytes: int) -> None:
    """From none to more than all buffers, at once after the first client had it."""
    body = bytes(range(256)) * 4 * kilobytes
    page = origin.page(answer(FRESH, "Content-Type: application/octet-stream", body=body))
    assert page.get().body == body
    assert page.get().body == body
    assert page.asked == 1
