"""Which stored response answers which request: RFC 9111 §4.1."""

from __future__ import annotations

import pytest

from tests.rfc.dates import from_now
from tests.rfc.origin import Origin, answer

FRESH = "Cache-Control: max-age=3600"


@pytest.mark.requirement("RFC 9111 §4.1", "MUST NOT")
@pytest.mark.parametrize(
    ("first", "second"),
    [
        (["X-A: 1"], ["X-A: 2"]),
        (["X-A: 1"], []),
        ([], ["X-A: 1"]),
        ([], ["X-A:"]),
        (["X-A: 1"], ["X-A: 1", "X-A: 2"]),
        (["X-A: 1, 2"], ["X-A: 2, 1"]),
        (["X-A: a"], ["X-A: A"]),
        (["X-A: 1 2"], ["X-A: 12"]),
        (['X-A: "a , b"'], ['X-A: "a,b"']),
    ],
)
def test_a_request_that_differs_in_a_nominated_field_is_not_answered(
    origin: Origin, first: list[str], second: list[str]
) -> None:
    """Another value, another order, one more line, present instead of absent: all of these differ."""
    page = origin.page(answer(FRESH, "Vary: X-A"))
    page.get(*first)
    page.get(*second)
    assert page.asked == 2


@pytest.mark.requirement("RFC 9111 §4.1", "MAY")
@pytest.mark.parametrize(
    ("first", "second"),
    [
        (["X-A: 1"], ["x-a: 1"]),
        ([], []),
        (["X-A: 1, 2"], ["X-A: 1,2"]),
        (["X-A: 1 ,2"], ["X-A: 1", "X-A: 2"]),
        (["X-A: 1"], ["X-A: 1", "X-B: other"]),
    ],
)
def test_a_request_that_differs_only_in_blanks_and_lines_is_answered(
    origin: Origin, first: list[str], second: list[str]
) -> None:
    """Blanks around commas and how lines are split change nothing; nor do fields that are not nominated."""
    page = origin.page(answer(FRESH, "Vary: X-A"))
    page.get(*first)
    page.get(*second)
    assert page.asked == 1


@pytest.mark.requirement("RFC 9111 §4.1", "MUST")
@pytest.mark.parametrize("vary", [["Vary: *"], ["Vary: X-A, *"], ["Vary: *, X-A"], ["Vary: X-A", "Vary: *"]])
def test_a_vary_with_an_asterisk_matches_nothing(origin: Origin, vary: list[str]) -> None:
    """`*` alone or in a list: no request matches."""
    page = origin.page(answer(FRESH, *vary))
    page.get()
    page.get()
    assert page.asked == 2


@pytest.mark.requirement("RFC 9111 §4.1", "MUST NOT")
@pytest.mark.parametrize("vary", [["Vary: X-A, X-B"], ["Vary: X-A", "Vary: X-B"], ["Vary: x-b,,x-a "]])
def test_every_field_of_a_vary_list_counts(origin: Origin, vary: list[str]) -> None:
    """A list on one line or on several, names of any case: each must match."""
    page = origin.page(answer(FRESH, *vary))
    page.get("X-A: 1", "X-B: 1")
    page.get("X-A: 1", "X-B: 1")
    assert page.asked == 1
    page.get("X-A: 1", "X-B: 2")
    page.get("X-A: 2", "X-B: 1")
    assert page.asked == 3


@pytest.mark.requirement("RFC 9111 §4.1", "MAY")
def test_variants_are_kept_side_by_side(origin: Origin) -> None:
    """A second variant does not displace the first."""
    page = origin.page(answer(FRESH, "Vary: Accept-Language"))
    german = page.get("Accept-Language: de").body
    french = page.get("Accept-Language: fr").body
    assert german != french
    assert page.get("Accept-Language: de").body == german
    assert page.get("Accept-Language: fr").body == french
    assert page.asked == 2


@pytest.mark.requirement("RFC 9111 §4, §4.1", "MUST")
def test_of_several_that_match_the_most_recent_is_used(origin: Origin) -> None:
    """Most recent by Date, not by when it was stored."""
    page = origin.page(
        answer(FRESH, "Vary: X-A", f"Date: {from_now(-10)}"),
        answer(FRESH, "Vary: X-B", f"Date: {from_now(-500)}"),
    )
    newer = page.get("X-A: 1", "X-B: 1").body
    page.get("X-A: 2", "X-B: 1")
    assert page.get("X-A: 1", "X-B: 1").body == newer
    assert page.asked == 2


@pytest.mark.requirement("RFC 9111 §4.1", "SHOULD")
def test_a_variant_with_vary_goes_before_one_that_lacks_it(origin: Origin) -> None:
    """A default response that forgot its Vary does not take the place of the one that was chosen for these fields."""
    page = origin.page(
        answer(FRESH, "Vary: X-A", f"Date: {from_now(-100)}"),
        answer(FRESH, f"Date: {from_now(-10)}"),
    )
    chosen = page.get("X-A: 1").body
    page.get("X-A: 2")
    assert page.get("X-A: 1").body == chosen
    assert page.asked == 2
