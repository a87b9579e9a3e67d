"""What a write ends: RFC 9111 §4.4; and groups: RFC 9875."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.rfc.origin import Origin, Page, answer
from tests.until import until

FRESH = "Cache-Control: max-age=3600"
UNSAFE = ("POST", "PUT", "DELETE", "PATCH", "FROB")


def stored(origin: Origin, *lines: str, path: str | None = None) -> Page:
    """A page whose first answer is in the store."""
    page = origin.page(answer(FRESH, *lines), path=path)
    page.get()
    return page


def written(origin: Origin, *lines: str, status: int = 200, method: str = "POST", body: bytes = b"x") -> None:
    """A write to some other page, answered with these header lines."""
    origin.page(answer(*lines, status=status)).ask(method, body=body)


def is_gone(page: Page) -> bool:
    """Is the origin asked again?"""
    before = page.asked
    page.get()
    return page.asked > before


@pytest.mark.requirement("RFC 9111 §4.4", "MUST")
@pytest.mark.parametrize("method", UNSAFE)
@pytest.mark.parametrize("status", [200, 201, 204, 299, 303])
def test_a_write_that_succeeds_invalidates_its_target(origin: Origin, method: str, status: int) -> None:
    """Any method that is not known to be safe, any 2xx or 3xx."""
    page = origin.page(answer(FRESH), answer(status=status), answer(FRESH))
    page.get()
    page.ask(method, body=b"x")
    assert is_gone(page)


@pytest.mark.requirement("RFC 9111 §4.4", "MUST")
def test_a_write_invalidates_all_variants(origin: Origin) -> None:
    """Whatever their Vary chose them by."""
    page = origin.page(answer(FRESH, "Vary: X-A"))
    page.get("X-A: 1")
    page.get("X-A: 2")
    page.ask("PUT", body=b"x")
    page.get("X-A: 1")
    page.get("X-A: 2")
    assert [request.method for request in page.requests] == ["GET", "GET", "PUT", "GET", "GET"]


@pytest.mark.requirement("RFC 9111 §4.4", "MAY")
@pytest.mark.parametrize("status", [400, 404, 412, 500, 503])
def test_a_write_that_fails_invalidates_nothing(origin: Origin, status: int) -> None:
    """An error changed nothing, as far as one knows: nobody outside can empty the store with bad requests."""
    page = origin.page(answer(FRESH), answer(status=status))
    page.get()
    page.ask("POST", body=b"x")
    assert not is_gone(page)


@pytest.mark.requirement("RFC 9111 §4.4; RFC 9110 §9.2.1", "MUST")
@pytest.mark.parametrize("method", ["HEAD", "OPTIONS", "QUERY", "PROPFIND"])
def test_a_safe_method_invalidates_nothing(origin: Origin, method: str) -> None:
    """Safe methods change nothing."""
    page = stored(origin)
    page.ask(method)
    assert not is_gone(page)


@pytest.mark.requirement("RFC 9111 §4.4", "MAY")
@pytest.mark.parametrize("name", ["Location", "Content-Location"])
@pytest.mark.parametrize(
    "form", ["{path}", "{url}", "//127.0.0.1:{port}{path}", "{name}", "./x/../{name}", "{path}#fragment"]
)
def test_a_write_invalidates_what_its_answer_points_to(origin: Origin, name: str, form: str) -> None:
    """Location and Content-Location, as a path, a whole URL or a relative reference."""
    page = stored(origin)
    reference = form.format(path=page.path, url=page.url, port=page.edge_port, name=page.path[1:])
    written(origin, f"{name}: {reference}", status=201)
    assert is_gone(page)


@pytest.mark.requirement("RFC 9111 §4.4", "MUST NOT")
@pytest.mark.parametrize("name", ["Location", "Content-Location"])
@pytest.mark.parametrize(
    "form",
    ["http://elsewhere.example{path}", "https://127.0.0.1:{port}{path}", "http://127.0.0.1:1{path}", "urn:{path}"],
)
def test_another_origin_s_urls_are_not_invalidated(origin: Origin, name: str, form: str) -> None:
    """Another host, scheme or port: not this origin's to invalidate."""
    page = stored(origin)
    written(origin, f"{name}: {form.format(path=page.path, port=page.edge_port)}", status=201)
    assert not is_gone(page)


@pytest.mark.requirement("RFC 9111 §4.4", "MUST NOT")
def test_a_write_to_another_host_does_not_invalidate(origin: Origin) -> None:
    """The target URI includes the host."""
    page = stored(origin)
    page.ask("POST", body=b"x", host="elsewhere.example")
    assert not is_gone(page)


@pytest.mark.requirement("RFC 9111 §4.4", "MUST")
def test_an_answer_that_was_on_its_way_during_the_write_is_not_stored(origin: Origin) -> None:
    """The origin read the old value, then the write came and went, then the old value arrived: a late fill."""
    held = threading.Event()
    page = origin.page(answer(FRESH, wait_for=held), answer(), answer(FRESH))
    with ThreadPoolExecutor(1) as pool:
        old = pool.submit(page.get)
        until(lambda: page.asked == 1, within_s=5, waiting_for="the read to reach the origin")
        page.ask("PUT", body=b"x")
        held.set()
        assert old.result(timeout=20).body.endswith(b"#1")
    assert page.get().body.endswith(b"#3")


GROUPS_32 = ", ".join(f'"{"g" * 30}{number:02}"' for number in range(32))


@pytest.mark.requirement("RFC 9875 §2, §3", "MAY")
@pytest.mark.parametrize(
    ("groups", "invalidation"),
    [
        ('"one"', '"one"'),
        ('"one", "two"', '"two"'),
        ('"one";x=1', '"zero", "one";y'),
        ('"with \\"quotes\\""', '"with \\"quotes\\""'),
        (GROUPS_32, f'"{"g" * 30}31"'),
        (f'"{"g" * 30}31"', GROUPS_32),
    ],
)
def test_a_write_invalidates_the_groups_it_names(origin: Origin, groups: str, invalidation: str) -> None:
    """Every stored response that shares one of them, 32 groups of 32 characters included."""
    page = stored(origin, f"Cache-Groups: {groups}")
    other = stored(origin, 'Cache-Groups: "bystander"')
    written(origin, f"Cache-Group-Invalidation: {invalidation}")
    assert is_gone(page)
    assert not is_gone(other)


@pytest.mark.requirement("RFC 9875 §2.1, §3; RFC 9651 §4.2", "MUST")
@pytest.mark.parametrize(
    ("groups", "invalidation"),
    [
        ('"one"', '"ONE"'),
        ('"one"', "one"),
        ('"one"', '"one'),
        ('"one"', '"one",'),
        ('"one"', '"one", 1'),
        ("one", '"one"'),
    ],
)
def test_groups_are_compared_exactly_and_only_where_they_are_strings(
    origin: Origin, groups: str, invalidation: str
) -> None:
    """Case counts; tokens, and fields that do not parse, name nothing."""
    page = stored(origin, f"Cache-Groups: {groups}")
    written(origin, f"Cache-Group-Invalidation: {invalidation}")
    assert not is_gone(page)


@pytest.mark.requirement("RFC 9875 §3", "MUST")
def test_a_group_invalidation_in_answer_to_a_safe_method_is_ignored(origin: Origin) -> None:
    """GET, HEAD and OPTIONS invalidate no group."""
    page = stored(origin, 'Cache-Groups: "safe"')
    for method in ("GET", "HEAD", "OPTIONS"):
        written(origin, 'Cache-Group-Invalidation: "safe"', method=method, body=b"")
    assert not is_gone(page)


@pytest.mark.requirement("RFC 9875 §2.1", "MUST")
def test_groups_belong_to_one_origin(origin: Origin) -> None:
    """A write to another host does not reach this one's groups."""
    page = stored(origin, 'Cache-Groups: "shared"')
    origin.page(answer('Cache-Group-Invalidation: "shared"')).ask("POST", body=b"x", host="elsewhere.example")
    assert not is_gone(page)


@pytest.mark.requirement("RFC 9875 §2.2.1", "MAY")
def test_a_late_fill_of_an_invalidated_group_is_not_stored(origin: Origin) -> None:
    """Which groups an answer will have is not known when it is asked for; it is not stored if any fell meanwhile."""
    held = threading.Event()
    page = origin.page(answer(FRESH, 'Cache-Groups: "late"', wait_for=held), answer(FRESH))
    with ThreadPoolExecutor(1) as pool:
        old = pool.submit(page.get)
        until(lambda: page.asked == 1, within_s=5, waiting_for="the read to reach the origin")
        written(origin, 'Cache-Group-Invalidation: "late"')
        held.set()
        old.result(timeout=20)
    assert page.get().body.endswith(b"#2")
