"""What an answer says: parsed as little as a verdict needs, so that the driver stays out of its own way.

The value of a product carries the id of the write that made it, at the end of its description, so that a reader knows
which write it sees: `… (operation 5f3c0b1e9a7d4420)`. The digest is of the value without its version.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass

import msgspec

from cluster.history.operation import ABSENT, NO_VERSION, Layer

_OPERATION = re.compile(r"\(operation ([0-9a-f]{16})\)$")
# One member of Cache-Status (RFC 9211): a name, then parameters, whose quoted strings may hold anything.
_MEMBER = re.compile(r'([^,;\s"]+)((?:\s*;\s*[^,;="\s]+(?:=(?:"(?:[^"\\]|\\.)*"|[^,;\s"]*))?)*)\s*(?:,\s*|$)')
_HIT = re.compile(r";\s*hit\s*(?:;|$)")
_LAYERS = {"edge": Layer.EDGE, "tocsin-l1": Layer.L1, "tocsin-l2": Layer.L2, "peer-l1": Layer.L1, "peer-l2": Layer.L2}


class UnreadableError(ValueError):
    """An answer that is not what the contract says; the text says how."""


class _Product(msgspec.Struct):
    name: str
    price: float
    category: str
    description: str
    version: int


class _Listed(_Product):
    id: int


class _Listing(msgspec.Struct):
    items: list[_Listed]


class _Personal(msgspec.Struct):
    user: str


class _Entry(msgspec.Struct):
    version: int


class _Held(msgspec.Struct):
    l2: _Entry | None


class Refusal(msgspec.Struct, frozen=True):
    """What a problem document (RFC 9457) says of a failed request, as far as a verdict needs it.

    `outcome`: `not-applied` or `unknown`, of a write; `version`: a 404's, where the product was deleted.
    """

    outcome: str = ""
    version: int = ABSENT


@dataclass(frozen=True, slots=True)
class Value:
    """What a body holds: a product's version, digest and the id of its write (or none), or a page's owner."""

    version: int = NO_VERSION
    digest: int = 0
    operation_id: str = ""
    owner: str = ""


NO_VALUE = Value()
_decode_product = msgspec.json.Decoder(_Product).decode
_decode_personal = msgspec.json.Decoder(_Personal).decode
_decode_listing = msgspec.json.Decoder(_Listing).decode
_decode_held = msgspec.json.Decoder(_Held).decode
_decode_refusal = msgspec.json.Decoder(Refusal).decode


def product_value(body: bytes) -> Value:
    """The value of a product's JSON. Raises UnreadableError."""
    try:
        product = _decode_product(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnreadableError(f"no product: {error}") from error
    return _value(product)


def listed_value(wanted: int, body: bytes) -> Value:
    """The value of one product in a page of a list. Raises UnreadableError, also where it does not stand there."""
    try:
        items = _decode_listing(body).items
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnreadableError(f"no list: {error}") from error
    for product in items:
        if product.id == wanted:
            return _value(product)
    raise UnreadableError(f"product {wanted} is not on the page on which it stands")


def _value(product: _Product) -> Value:
    text = "\0".join((product.name, repr(product.price), product.category, product.description))
    found = _OPERATION.search(product.description)
    return Value(product.version, zlib.crc32(text.encode()), found[1] if found else "")


def personal_value(body: bytes) -> Value:
    """The value of a personal page's JSON. Raises UnreadableError."""
    try:
        return Value(owner=_decode_personal(body).user)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnreadableError(f"no personal page: {error}") from error


def shared_value(body: bytes) -> Value:
    """What Redis holds of a key, by a node's control route; nothing: no version. Raises UnreadableError."""
    try:
        held = _decode_held(body).l2
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UnreadableError(f"no entry: {error}") from error
    return NO_VALUE if held is None else Value(version=held.version)


def refusal(body: bytes) -> Refusal:
    """What a failed request's body says. Bodies that are no problem document say nothing."""
    try:
        return _decode_refusal(body)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return Refusal()


def described(text: str, operation_id: str) -> str:
    """A description that carries the id of the write that gives it."""
    return f"{text} (operation {operation_id})"


def layer_of(cache_status: str) -> Layer:
    """Which layer answered, by a `Cache-Status` whose members run from the database outwards (docs/contract.md §1).

    The outermost hit answered: what stands before it tells how the stored answer had come about. No hit: the database.
    """
    members = [(name, parameters) for name, parameters in _MEMBER.findall(cache_status) if name in _LAYERS]
    for name, parameters in reversed(members):
        if _HIT.search(parameters):
            return _LAYERS[name]
    return Layer.DATABASE if members else Layer.NONE
