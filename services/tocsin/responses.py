"""Responses: what Flask views return, as forms of the default codec.

| type | what is kept |
|---|---|
| `Response` | status, header fields in their order, body |
| HTTP exceptions of werkzeug | their class (by status code), description, response and other plain attributes |
| `Markup` | its text |

What always holds: a response that sets a cookie is refused: replayed from a cache, it would give one client's cookie
to another (hazard 32). A streamed one is refused too, unread, as its stream belongs to the client. Decoding builds
these types only, and never a class that the data names.
"""

from typing import Any

from flask import Response
from markupsafe import Markup
from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException, default_exceptions

from tocsin.codec import Form, Unstorable


class SetsCookie(Unstorable):
    """The response carries `Set-Cookie`, and is for one client only."""


def pack_response(response: Response) -> list[object]:
    """Return status, header fields and body; raise `Unstorable` for a stream, `SetsCookie` for a cookie."""
    if response.is_streamed or response.direct_passthrough:
        raise Unstorable("a streamed response can't be kept: its body is read only once, by the client")
    if "Set-Cookie" in response.headers:
        raise SetsCookie("a response with Set-Cookie can't be kept: the next client would get this client's cookie")
    return [response.status, [[name, value] for name, value in response.headers], response.get_data()]


def unpack_response(packed: Any, kind: type[Response] = Response) -> Response:
    """Return the response again; raises `ValueError` or `TypeError` for anything that is none."""
    status, headers, body = packed
    if not isinstance(status, str) or not isinstance(body, bytes):
        raise TypeError("a response has a status line and a body")
    return kind(body, status=status, headers=Headers([(str(name), str(value)) for name, value in headers]))


def response_forms(response_class: type[Response] = Response) -> list[Form]:
    """Return the forms, with that of an application's own response class where it has one."""
    forms = [
        Form("markup", Markup, str, lambda text: Markup(_text(text))),  # noqa: S704  # it was Markup when it was packed
        Form("response", Response, pack_response, unpack_response),
        _exception_form("http", HTTPException),
        *(_exception_form(f"http-{code}", kind) for code, kind in default_exceptions.items()),
    ]
    if response_class is not Response:
        forms.append(
            Form("own-response", response_class, pack_response, lambda packed: unpack_response(packed, response_class))
        )
    return forms


def _text(packed: object) -> str:
    if not isinstance(packed, str):
        raise TypeError("a text is needed")
    return packed


def _exception_form(name: str, kind: type[HTTPException]) -> Form:
    def unpack(attributes: Any) -> HTTPException:
        if not isinstance(attributes, dict):
            raise TypeError("an exception has attributes")
        error = kind.__new__(kind)
        error.__dict__.update(attributes)
        return error

    return Form(name, kind, lambda error: dict(vars(error)), unpack)
