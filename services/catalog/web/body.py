"""Body: what a request brings along, parsed once at the edge into frozen values.

What always holds: behind this module nobody sees a raw dictionary or an unchecked string. Every refusal names the
field, what was expected of it, and nothing else.
"""

from __future__ import annotations

import re
import uuid
from hashlib import blake2b
from typing import TypeVar

import msgspec
from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge

from catalog.errors import BadRequest
from catalog.operation import RetryKey
from catalog.products import PAGE_MAX, PER_PAGE_MAX, Page
from catalog.validator import Conditions
from catalog.web.problem import BYTES_MAX

T = TypeVar("T")
_RETRY_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_CATEGORY = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_AT = re.compile(r" - at `\$\.?([^`]*)`$")


def body_of(request: Request, kind: type[T]) -> T:
    """Decode the body as `kind`. Raises `BadRequest`: 415 unless it is JSON by name, 400 by syntax, 422 by content."""
    if request.mimetype != "application/json":
        raise BadRequest(415, f"the body is {request.mimetype or 'of no type'}: application/json is expected")
    content = _content(request)
    try:
        return msgspec.json.decode(content, type=kind)
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadRequest(400, f"the body is not JSON: {error}") from None


def conditions_of(request: Request) -> Conditions:
    """`If-Match` and `If-None-Match`."""
    return Conditions.parse(request.headers.get("If-Match"), request.headers.get("If-None-Match"))


def retry_key_of(request: Request) -> RetryKey | None:
    """The `Idempotency-Key` with the fingerprint of everything that makes the request what it is, or None without one.

    Raises `BadRequest` (400) for a key that is empty, too long or holds more than visible ASCII.
    """
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not _RETRY_KEY.fullmatch(key):
        raise BadRequest(
            400, "Idempotency-Key: 1 to 255 visible ASCII characters are expected", field="Idempotency-Key"
        )
    fingerprint = blake2b(digest_size=32)
    conditions = (request.headers.get("If-Match", ""), request.headers.get("If-None-Match", ""))
    for part in (request.method.encode(), request.path.encode(), *(each.encode() for each in conditions)):
        fingerprint.update(b"%d:%b" % (len(part), part))  # with lengths, so that no two requests run together alike
    fingerprint.update(_content(request))
    return RetryKey(key, fingerprint.hexdigest())


def operation_id_of(retry_key: RetryKey | None) -> str:
    """What the audit row calls this write: the client's own key where it gave one."""
    return retry_key.key if retry_key else uuid.uuid4().hex


def page_of(request: Request) -> Page:
    """The query of a list. Raises `BadRequest` (400) naming the parameter; others are ignored."""
    category = _one(request, "category", "")
    if category and (len(category) > 40 or not _CATEGORY.fullmatch(category)):
        raise BadRequest(400, "category: a slug such as kitchen is expected", field="category")
    return Page(
        category=category,
        page=_whole(request, "page", default=1, most=PAGE_MAX),
        per_page=_whole(request, "per_page", default=20, most=PER_PAGE_MAX),
    )


def _content(request: Request) -> bytes:
    """The bytes of the body, at most `BYTES_MAX`; werkzeug's `RequestEntityTooLarge` beyond.

    Where the length is not known beforehand, werkzeug stops at its limit and says nothing: half a body could pass for
    a whole one. So its limit is one byte more than ours, and whoever reaches it has sent too much.
    """
    content = request.get_data()
    if len(content) > BYTES_MAX:
        raise RequestEntityTooLarge
    return content


def _one(request: Request, name: str, default: str) -> str:
    given = request.args.getlist(name)
    if len(given) > 1:
        raise BadRequest(400, f"{name} is given {len(given)} times: once is expected", field=name)
    return given[0] if given else default


def _whole(request: Request, name: str, *, default: int, most: int) -> int:
    text = _one(request, name, str(default))
    if not re.fullmatch(r"[1-9][0-9]{0,6}", text) or int(text) > most:
        raise BadRequest(400, f"{name}: a whole number from 1 to {most} is expected", field=name)
    return int(text)


def _invalid(message: str) -> BadRequest:
    """Msgspec's message as ours: it ends with the path of the offender, or names it in backquotes."""
    at = _AT.search(message)
    named = re.search(r"field `(\w+)`", message)
    field = (at[1] if at else "") or (named[1] if named else "") or ("price" if "price" in message else "")
    detail = _AT.sub("", message)
    return BadRequest(422, f"{field}: {detail}" if field else detail, field=field or None)
