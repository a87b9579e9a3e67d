"""Codec: Python values as bytes and back, each type kept apart from every other, and nothing executed on the way.

    (1, {2, 3}, Decimal("4.50"))  ──encode──▶  b"m…"  ──decode──▶  (1, {2, 3}, Decimal("4.50"))

msgspec's msgpack by itself turns tuples and sets into lists, and decimals into text. So every type that msgpack does
not have travels as an extension that names it; a tuple of a set of dates comes back as just that.

What always holds:

- `decode(encode(value)) == value`, of the same type at every depth, or `encode` raises `Unstorable`: no value is ever
  stored as something that it is not. Types are matched exactly; a subclass is another type.
- `decode` constructs values of the types below and of registered forms, and raises `Unreadable` for every other input,
  so that what somebody else wrote into Redis is at worst a miss.
- The first byte of the result names the codec, so that one codec never misreads what another wrote.
"""

import datetime
import uuid
from collections.abc import Callable, Hashable, Sequence
from decimal import Decimal
from typing import Any, Protocol
from zoneinfo import ZoneInfo

import msgspec
from msgspec import Struct
from msgspec.msgpack import Ext

from tocsin.errors import TocsinError

_MARK = b"m"
_INT_MIN, _INT_MAX = -(2**63), 2**64 - 1  # msgpack's range
_FORM = 100  # the extension under which registered forms travel


class Unstorable(TocsinError, TypeError):  # noqa: N818  # read as "raise Unstorable"
    """A codec can't hold this value; the message names the type, and the codec that could."""


class Unreadable(TocsinError, ValueError):  # noqa: N818  # read as "raise Unreadable"
    """Bytes are not what this codec writes: damaged, forged, or written by another codec."""


class ValueCodec(Protocol):
    """The port: any pair of functions between values and bytes."""

    def encode(self, value: object) -> bytes:
        """Return `value` as bytes; raise `Unstorable`."""

    def decode(self, packed: bytes) -> Any:
        """Return the value that was encoded; raise `Unreadable`, and nothing else."""


class Form(Struct, frozen=True):
    """How one more type travels: `pack` turns a value into storable ones, `unpack` builds it again.

    `kind` is matched exactly. `unpack` gets data that anybody may have written, and raises `ValueError` or `TypeError`
    for what `pack` would never give.
    """

    name: str
    kind: type
    pack: Callable[[Any], object]
    unpack: Callable[[Any], object]


class MsgspecCodec:
    """The default codec.

    It holds None, bool, int of any size, float, str, bytes, bytearray, list, tuple, set, frozenset, dict with any
    storable hashable keys, Decimal, datetime, date, time, timedelta, UUID, and the given `forms`.
    """

    def __init__(self, forms: Sequence[Form] = ()) -> None:
        self._forms = {form.kind: form for form in forms}
        self._forms_by_name = {form.name: form for form in forms}
        assert len(self._forms) == len(self._forms_by_name) == len(forms), "two forms of one name or type"
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(ext_hook=self._unpack).decode

    def encode(self, value: object) -> bytes:
        """Return `value` as bytes; raise `Unstorable` naming the type that can't be held."""
        try:
            return _MARK + self._encode(self._plain(value))
        except RecursionError as error:
            raise Unstorable("the value contains itself, or nests deeper than Python recurses") from error
        except UnicodeEncodeError as error:
            raise Unstorable(f"a text holds what UTF-8 has not: {error}") from error

    def decode(self, packed: bytes) -> Any:
        """Return the value that was encoded; raise `Unreadable`."""
        if packed[:1] != _MARK:
            raise Unreadable(f"the value was not written by the msgspec codec: it begins with {packed[:1]!r}")
        try:
            return self._decode(memoryview(packed)[1:])
        except _DAMAGE as error:
            raise Unreadable(f"the value is damaged: {error}") from error

    def _plain(self, value: object) -> object:
        """Return `value` as msgpack's own types, with an extension for every other."""
        kind = type(value)
        if kind in _NATIVE:
            return value
        if kind is int:
            return value if _INT_MIN <= value <= _INT_MAX else Ext(*_large(value))  # type: ignore[operator,arg-type]
        if kind is list:
            return [self._plain(each) for each in value]  # type: ignore[attr-defined]
        if kind is dict:
            return self._plain_dict(value)  # type: ignore[arg-type]
        code = _CODES.get(kind)
        if code is not None:
            return Ext(code, self._encode(self._plain(_PACK[code](value))))
        form = self._forms.get(kind)
        if form is None:
            raise Unstorable(
                f"the msgspec codec can't hold a {kind.__module__}.{kind.__qualname__}: store plain values instead,"
                " register a Form for the type, or choose SignedPickleCodec, which holds whatever pickle does"
            )
        return Ext(_FORM, self._encode([form.name, self._plain(form.pack(value))]))

    def _plain_dict(self, value: dict[object, object]) -> object:
        if all(type(key) is str for key in value):
            return {key: self._plain(each) for key, each in value.items()}
        pairs = [[self._plain(key), self._plain(each)] for key, each in value.items()]
        return Ext(_DICT, self._encode(pairs))

    def _unpack(self, code: int, data: memoryview) -> object:
        if code == _LARGE:
            return int.from_bytes(data, "big", signed=True)
        content = self._decode(data)
        if code == _FORM:
            name, inner = content
            return self._forms_by_name[name].unpack(inner)
        return _UNPACK[code](content)


def _large(value: int) -> tuple[int, bytes]:
    return _LARGE, value.to_bytes(value.bit_length() // 8 + 1, "big", signed=True)


def _dict(pairs: list[tuple[Hashable, object]]) -> dict[Hashable, object]:
    return dict(pairs)


def _pack_datetime(value: datetime.datetime | datetime.time) -> list[object]:
    return [value.replace(tzinfo=None, fold=0).isoformat(), value.fold, _pack_zone(value.tzinfo)]


def _pack_zone(zone: datetime.tzinfo | None) -> object:
    """Return None for a naive time, seconds for a fixed offset, the key of a time zone of the IANA database."""
    if zone is None:
        return None
    if type(zone) is datetime.timezone:
        return zone.utcoffset(None).total_seconds()
    if type(zone) is ZoneInfo and zone.key is not None:
        return zone.key
    raise Unstorable(f"the msgspec codec can't hold times with a tzinfo of {type(zone)!r}: use timezone or ZoneInfo")


def _zone(packed: object) -> datetime.tzinfo | None:
    if packed is None:
        return None
    if isinstance(packed, str):
        return ZoneInfo(packed)
    return datetime.timezone(datetime.timedelta(seconds=packed))  # type: ignore[arg-type]  # TypeError is caught


def _unpack_datetime(packed: list[Any]) -> datetime.datetime:
    text, fold, zone = packed
    return datetime.datetime.fromisoformat(text).replace(tzinfo=_zone(zone), fold=fold)


def _unpack_time(packed: list[Any]) -> datetime.time:
    text, fold, zone = packed
    return datetime.time.fromisoformat(text).replace(tzinfo=_zone(zone), fold=fold)


_NATIVE = frozenset({type(None), bool, float, str, bytes})
_LARGE, _DICT = 1, 2
_TUPLE, _SET, _FROZENSET, _BYTEARRAY, _DECIMAL, _DATETIME, _DATE, _TIME, _TIMEDELTA, _UUID = range(3, 13)
_CODES: dict[type, int] = {
    tuple: _TUPLE,
    set: _SET,
    frozenset: _FROZENSET,
    bytearray: _BYTEARRAY,
    Decimal: _DECIMAL,
    datetime.datetime: _DATETIME,
    datetime.date: _DATE,
    datetime.time: _TIME,
    datetime.timedelta: _TIMEDELTA,
    uuid.UUID: _UUID,
}
_PACK: dict[int, Callable[[Any], object]] = {
    _TUPLE: list,
    _SET: list,
    _FROZENSET: list,
    _BYTEARRAY: bytes,
    _DECIMAL: str,
    _DATETIME: _pack_datetime,
    _DATE: datetime.date.isoformat,
    _TIME: _pack_datetime,
    _TIMEDELTA: lambda value: [value.days, value.seconds, value.microseconds],
    _UUID: lambda value: value.bytes,
}
_UNPACK: dict[int, Callable[[Any], object]] = {
    _DICT: _dict,
    _TUPLE: tuple,
    _SET: set,
    _FROZENSET: frozenset,
    _BYTEARRAY: bytearray,
    _DECIMAL: Decimal,
    _DATETIME: _unpack_datetime,
    _DATE: datetime.date.fromisoformat,
    _TIME: _unpack_time,
    _TIMEDELTA: lambda packed: datetime.timedelta(*packed),
    _UUID: lambda packed: uuid.UUID(bytes=packed),
}
_DAMAGE = (msgspec.DecodeError, ValueError, TypeError, ArithmeticError, LookupError, RecursionError, OSError)
"""All that building the types above from foreign data may raise: a wrong shape, a number out of range, a member that
can't be hashed, an unknown form or time zone, a zone's name that is no file's."""
