"""Serving what is no longer fresh: RFC 9111 §4.2.4, §5.2.1, §5.2.2; RFC 5861."""

from __future__ import annotations

import threading

import pytest

from tests.rfc.origin import Origin, Page, answer
from tests.until import until

ERRORS = (500, 502, 503, 504)
STRICT = ("must-revalidate", "proxy-revalidate", "s-maxage=10", "no-cache")


def was_stale(page: Page, *lines: str) -> bool:
    """Does the second request get the first one's answer, visibly old?"""
    first, second = page.get(), page.get(*lines)
    if second.body != first.body:
        return False
    assert int(second.get("Age") or -1) >= 60
    return True


@pytest.mark.requirement("RFC 9111 §4.2.4", "MUST NOT")
def test_a_stale_response_is_validated_before_it_is_used(origin: Origin) -> None:
    """Nothing allows it to be used otherwise."""
    assert not was_stale(origin.page(answer("Cache-Control: max-age=10", "Age: 60")))


@pytest.mark.requirement("RFC 5861 §3", "SHOULD")
def test_stale_while_revalidate_answers_at_once_and_validates_meanwhile(origin: Origin) -> None:
    """Inside the window the stale response is sent, and the origin is asked without anybody waiting for it."""
    held = threading.Event()
    page = origin.page(
        answer("Cache-Control: max-age=10, stale-while-revalidate=600", "Age: 60", 'ETag: "a"'),
        answer("Cache-Control: max-age=3600", 'ETag: "b"', wait_for=held),
    )
    assert was_stale(page)
    until(lambda: page.asked == 2, within_s=5, waiting_for="the validation in the background")
    assert page.last.fields["if-none-match"] == '"a"'
    assert page.get().body.endswith(b"#1")
    assert page.asked == 2, "one validation at a time"
    held.set()
    until(lambda: page.get().body.endswith(b"#2"), within_s=5, waiting_for="the new response to be stored")
    assert page.asked == 2


@pytest.mark.requirement("RFC 5861 §3; RFC 9111 §4.3.4", "SHOULD")
def test_a_304_in_the_background_makes_the_response_fresh_again(origin: Origin) -> None:
    """The validation's fields are taken over."""
    page = origin.page(
        answer("Cache-Control: max-age=10, stale-while-revalidate=600", "Age: 60", 'ETag: "a"', "X-A: 1"),
        answer("Cache-Control: max-age=3600", 'ETag: "a"', "X-A: 2", status=304),
    )
    assert was_stale(page)
    until(lambda: page.get().get("X-A") == "2", within_s=5, waiting_for="the validation to be heard")
    assert page.get().body.endswith(b"#1")
    assert page.asked == 2


@pytest.mark.requirement("RFC 5861 §3", "SHOULD NOT")
@pytest.mark.parametrize("window", ["40", "0", "x", "-60", "1.5", ""])
def test_stale_while_revalidate_ends_with_its_window(origin: Origin, window: str) -> None:
    """Stale for 50 seconds: a window of less, or one that can't be read, allows nothing."""
    assert not was_stale(origin.page(answer(f"Cache-Control: max-age=10, stale-while-revalidate={window}", "Age: 60")))


@pytest.mark.requirement("RFC 9111 §4.2.4, §5.2.2.2, §5.2.2.8, §5.2.2.10", "MUST NOT")
@pytest.mark.parametrize("directive", STRICT)
def test_what_forbids_stale_responses_forbids_them_while_revalidating(origin: Origin, directive: str) -> None:
    """must-revalidate, proxy-revalidate, s-maxage and no-cache are stronger than stale-while-revalidate."""
    control = f"Cache-Control: max-age=10, stale-while-revalidate=600, {directive}"
    assert not was_stale(origin.page(answer(control, "Age: 60", 'ETag: "a"')))


@pytest.mark.requirement("RFC 5861 §4", "MAY")
@pytest.mark.parametrize("status", ERRORS)
@pytest.mark.parametrize("validator", [['ETag: "a"'], []], ids=["validator", "none"])
def test_stale_if_error_takes_the_place_of_an_error(origin: Origin, status: int, validator: list[str]) -> None:
    """500, 502, 503 and 504, inside the window, with a validator or without."""
    page = origin.page(
        answer("Cache-Control: max-age=10, stale-if-error=600", "Age: 60", *validator), answer(status=status)
    )
    assert was_stale(page)
    assert page.asked == 2


@pytest.mark.requirement("RFC 5861 §4", "MAY")
def test_stale_if_error_takes_the_place_of_a_broken_connection(origin: Origin) -> None:
    """No answer at all is an error too."""
    page = origin.page(
        answer("Cache-Control: max-age=10, stale-if-error=600", "Age: 60", 'ETag: "a"'), answer(silent=True)
    )
    assert was_stale(page)


@pytest.mark.requirement("RFC 5861 §4", "MAY")
def test_a_client_may_ask_for_stale_if_error(origin: Origin) -> None:
    """The request directive has the same effect, for that request."""
    page = origin.page(answer("Cache-Control: max-age=10", "Age: 60", 'ETag: "a"'), answer(status=503))
    assert was_stale(page, "Cache-Control: stale-if-error=600")
    assert page.get().status == 503


@pytest.mark.requirement("RFC 5861 §4", "SHOULD NOT")
@pytest.mark.parametrize("window", ["40", "0", "x", "-1"])
def test_stale_if_error_ends_with_its_window(origin: Origin, window: str) -> None:
    """Beyond the window the error comes through."""
    control = f"Cache-Control: max-age=10, stale-if-error={window}"
    page = origin.page(answer(control, "Age: 60", 'ETag: "a"'), answer(status=503, body=b"down"))
    page.get()
    assert (page.get().status, page.get().body) == (503, b"down")


@pytest.mark.requirement("RFC 5861 §4", "SHOULD NOT")
@pytest.mark.parametrize("status", [400, 404, 410, 501, 505])
def test_other_errors_are_no_errors_to_stale_if_error(origin: Origin, status: int) -> None:
    """A 404 is the origin's word about the resource; it is passed on."""
    page = origin.page(
        answer("Cache-Control: max-age=10, stale-if-error=600", "Age: 60", 'ETag: "a"'), answer(status=status)
    )
    page.get()
    assert page.get().status == status


@pytest.mark.requirement("RFC 9111 §4.2.4, §5.2.2.2", "MUST NOT")
@pytest.mark.parametrize("directive", STRICT)
def test_what_forbids_stale_responses_forbids_them_on_errors(origin: Origin, directive: str) -> None:
    """must-revalidate and its kin are stronger than stale-if-error."""
    control = f"Cache-Control: max-age=10, stale-if-error=600, {directive}"
    page = origin.page(answer(control, "Age: 60", 'ETag: "a"'), answer(status=503))
    page.get()
    assert page.get().status == 503


@pytest.mark.requirement("RFC 9111 §5.2.2.2", "SHOULD")
@pytest.mark.parametrize("validator", [['ETag: "a"'], []], ids=["validator", "none"])
def test_a_must_revalidate_that_can_t_be_validated_is_a_504(origin: Origin, validator: list[str]) -> None:
    """The origin does not answer: an error, and that one."""
    page = origin.page(answer("Cache-Control: max-age=10, must-revalidate", "Age: 60", *validator), answer(silent=True))
    page.get()
    assert page.get().status == 504


@pytest.mark.requirement("RFC 9111 §4.2.4", "MUST NOT")
def test_a_broken_connection_alone_allows_nothing_stale(origin: Origin) -> None:
    """Without stale-if-error the client hears that the origin is away (stricter than the RFC, which allows either)."""
    page = origin.page(answer("Cache-Control: max-age=10", "Age: 60", 'ETag: "a"'), answer(silent=True))
    page.get()
    assert page.get().status >= 500


NOT_WANTED = {
    "no-cache": "no-cache",
    "max-age=0": "max-age=0",
    "max-age below the age": "max-age=30",
    "max-age that can't be read": "max-age=x",
    "min-fresh beyond what is left": "min-fresh=3600",
    "min-fresh that can't be read": "min-fresh=x",
}


@pytest.mark.requirement("RFC 9111 §5.2.1.1, §5.2.1.3, §5.2.1.4", "SHOULD")
@pytest.mark.parametrize("control", NOT_WANTED.values(), ids=NOT_WANTED.keys())
def test_a_client_may_want_something_fresher(origin: Origin, control: str) -> None:
    """no-cache, max-age and min-fresh: the origin is asked, with our validators, and its 304 will do."""
    page = origin.page(
        answer("Cache-Control: max-age=3600", "Age: 60", 'ETag: "a"'),
        answer("Cache-Control: max-age=3600", 'ETag: "a"', status=304),
    )
    first, second = page.get(), page.get(f"Cache-Control: {control}")
    assert (second.body, page.asked) == (first.body, 2)
    assert page.last.fields["if-none-match"] == '"a"'


@pytest.mark.requirement("RFC 9111 §5.2.1", "SHOULD")
@pytest.mark.parametrize(
    "control", ["max-age=100", "min-fresh=100", "max-stale=1", "no-transform", "foo=1", "only-if-cached", "no-store"]
)
def test_a_client_that_is_content_with_what_is_stored_gets_it(origin: Origin, control: str) -> None:
    """Limits that the stored response keeps, and directives that say nothing about it."""
    page = origin.page(answer("Cache-Control: max-age=3600", "Age: 60"))
    page.get()
    page.get(f"Cache-Control: {control}")
    assert page.asked == 1


@pytest.mark.requirement("RFC 9111 §5.2.1.2", "MAY")
@pytest.mark.parametrize(
    ("control", "reused"),
    [("max-stale=100", True), ("max-stale", True), ("max-stale=40", False), ("max-stale=x", False)],
)
def test_a_client_may_accept_something_staler(origin: Origin, control: str, reused: bool) -> None:
    """max-stale with a limit, and without one."""
    assert was_stale(origin.page(answer("Cache-Control: max-age=10", "Age: 60")), f"Cache-Control: {control}") is reused


@pytest.mark.requirement("RFC 9111 §4.2.4", "MUST NOT")
@pytest.mark.parametrize("directive", STRICT)
def test_a_client_can_t_accept_what_the_origin_forbids(origin: Origin, directive: str) -> None:
    """max-stale against must-revalidate and its kin."""
    page = origin.page(answer(f"Cache-Control: max-age=10, {directive}", "Age: 60", 'ETag: "a"'))
    assert not was_stale(page, "Cache-Control: max-stale=1000")


@pytest.mark.requirement("RFC 9111 §5.2.1.5", "MUST NOT")
def test_the_answer_to_a_no_store_request_is_not_stored(origin: Origin) -> None:
    """no-store in the request is about its own answer."""
    page = origin.page(answer("Cache-Control: max-age=3600"))
    page.get("Cache-Control: no-store")
    page.get()
    assert page.asked == 2


@pytest.mark.requirement("RFC 9111 §5.2.1.7", "SHOULD")
def test_only_if_cached_never_asks_the_origin(origin: Origin) -> None:
    """Nothing stored, or only something stale: 504."""
    nothing = origin.page(answer("Cache-Control: max-age=3600"))
    assert (nothing.get("Cache-Control: only-if-cached").status, nothing.asked) == (504, 0)
    stale = origin.page(answer("Cache-Control: max-age=10", "Age: 60"))
    stale.get()
    assert (stale.get("Cache-Control: only-if-cached").status, stale.asked) == (504, 1)


@pytest.mark.requirement("RFC 8246 §2", "MUST")
@pytest.mark.parametrize("control", ["max-age=10, immutable", "max-age=10, immutable=1"])
def test_immutable_ends_with_the_lifetime(origin: Origin, control: str) -> None:
    """A stale immutable response is validated like any other."""
    assert not was_stale(origin.page(answer(f"Cache-Control: {control}", "Age: 60", 'ETag: "a"')))
