"""What passes through: nothing of one hop goes further, and everything else does (RFC 9110 §7.6, RFC 9111 §4, §5.2)."""

from __future__ import annotations

import pytest

from tests.rfc.origin import Origin, answer

FRESH = "Cache-Control: max-age=3600"


@pytest.mark.requirement("RFC 9111 §3.1; RFC 9110 §7.6.1", "MUST")
def test_fields_for_one_hop_are_neither_sent_on_nor_reused(origin: Origin) -> None:
    """Connection, what it names, and the other fields of one hop end at the edge."""
    page = origin.page(
        answer(FRESH, "Connection: X-Hop, close", "X-Hop: 1", "Keep-Alive: timeout=5", "Proxy-Authenticate: Basic")
    )
    for reply in (page.get(), page.get()):
        assert reply.get("X-Hop") is None
        assert "X-Hop" not in (reply.get("Connection") or "")
        assert reply.get("Keep-Alive") is None
        assert reply.get("Proxy-Authenticate") is None


@pytest.mark.requirement("RFC 9111 §4", "MUST")
@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "FROB"])
def test_unsafe_methods_are_always_written_through(origin: Origin, method: str) -> None:
    """A stored response never answers a write, and the write's body arrives."""
    page = origin.page(answer(FRESH))
    page.get()
    page.ask(method, body=b"written")
    assert (page.last.method, page.last.body) == (method, b"written")
    page.ask(method, body=b"again")
    assert page.asked == 3


@pytest.mark.requirement("RFC 9111 §3.1; RFC 9110 §6.5", "MUST NOT")
def test_trailers_are_not_merged_into_the_header(origin: Origin) -> None:
    """A field that came behind the body is dropped, not stored as a header field."""
    body = b"5\r\nhello\r\n0\r\nX-Trailer: 1\r\nCache-Control: no-store\r\n\r\n"
    page = origin.page(answer(FRESH, "Transfer-Encoding: chunked", "Trailer: X-Trailer", body=body))
    assert page.get().body == b"hello"
    again = page.get()
    assert (again.body, again.get("X-Trailer"), page.asked) == (b"hello", None, 1)


@pytest.mark.requirement("RFC 9110 §15.2", "MUST NOT")
def test_an_interim_response_is_not_the_answer(origin: Origin) -> None:
    """103 before 200: the 200 is stored and sent."""
    page = origin.page(answer("Link: </a>", "", "HTTP/1.1 200 OK", FRESH, body=b"final", status=103))
    for _ in range(2):
        reply = page.get()
        assert (reply.status, reply.body, reply.get("Link"), page.asked) == (200, b"final", None, 1)


@pytest.mark.requirement("RFC 9110 §7.6.3", "MUST")
def test_the_origin_is_told_that_there_is_an_intermediary(origin: Origin) -> None:
    """Via names the protocol and the edge, after those before it."""
    page = origin.page(answer())
    page.get()
    assert page.last.fields["via"] == "1.1 edge"
    page.get("Via: 1.0 fred")
    assert page.last.fields["via"] == "1.0 fred, 1.1 edge"


@pytest.mark.requirement("RFC 9111 §5.2", "MUST")
def test_cache_directives_are_passed_through_both_ways(origin: Origin) -> None:
    """Directives are for everybody along the path, understood or not."""
    page = origin.page(answer("Cache-Control: max-age=0, x-new=1"))
    reply = page.get("Cache-Control: no-cache, x-mine=2")
    assert reply.get("Cache-Control") == "max-age=0, x-new=1"
    assert page.last.fields["cache-control"] == "no-cache, x-mine=2"


@pytest.mark.requirement("RFC 9110 §7.6.1", "MUST")
def test_fields_of_the_client_s_hop_do_not_reach_the_origin(origin: Origin) -> None:
    """TE, Keep-Alive and Proxy-Connection concern the client's connection."""
    page = origin.page(answer())
    page.get("TE: trailers", "Keep-Alive: 5", "Proxy-Connection: keep-alive")
    assert not {"te", "keep-alive", "proxy-connection"} & set(page.last.fields)
