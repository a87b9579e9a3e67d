"""The codecs: every type comes back as itself, foreign bytes are an error of one kind, and nothing is executed."""

from __future__ import annotations

import contextlib
import datetime
import enum
import pickle
import uuid
from collections import OrderedDict
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tocsin import SettingsError
from tocsin.codec import Form, MsgspecCodec, Unreadable, Unstorable
from tocsin.signed_pickle import SignedPickleCodec

KEY, OLD_KEY = b"k" * 32, b"o" * 32
EXECUTED: list[str] = []

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.decimals(allow_nan=False)
    | st.datetimes(timezones=st.none() | st.just(datetime.UTC) | st.just(ZoneInfo("Europe/Berlin")))
    | st.dates()
    | st.times()
    | st.timedeltas()
    | st.uuids()
)
hashables = st.recursive(
    scalars, lambda inner: st.tuples(inner, inner) | st.frozensets(inner, max_size=3), max_leaves=4
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.tuples(inner, inner)
        | st.sets(hashables, max_size=3)
        | st.dictionaries(hashables, inner, max_size=3)
    ),
    max_leaves=8,
)


def shape(value: object) -> object:
    """The types of a value, at every depth, in an order of their own."""
    if isinstance(value, dict):
        return dict, sorted(repr((shape(key), shape(each))) for key, each in value.items())
    if isinstance(value, set | frozenset):
        return type(value), sorted(repr(shape(each)) for each in value)
    if isinstance(value, list | tuple):
        return type(value), [shape(each) for each in value]
    return type(value)


class Runs:
    """A value whose unpickling leaves a trace."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return EXECUTED.append, ("ran",)


class Colour(enum.Enum):
    """An enumeration: no type that the default codec holds."""

    RED = 1


@given(values)
def test_a_value_comes_back_equal_and_of_the_same_types(value: object) -> None:
    """At every depth: a tuple stays a tuple, 1 stays apart from 1.0 and True, and a set of tuples stays one."""
    codec = MsgspecCodec()
    returned = codec.decode(codec.encode(value))
    assert returned == value
    assert shape(returned) == shape(value)


@pytest.mark.parametrize(
    "value",
    [
        (),
        [()],
        {1: "a", "1": "b", (1, 2): {3}},
        bytearray(b"x"),
        2**200,
        -(2**63) - 1,
        datetime.datetime(2026, 10, 25, 2, 30, tzinfo=ZoneInfo("Europe/Berlin"), fold=1),
        datetime.time(1, 2, tzinfo=datetime.timezone(datetime.timedelta(hours=5, minutes=30))),
        uuid.UUID(int=7),
        Decimal("1.50"),
    ],
)
def test_the_corners_come_back_exactly(value: object) -> None:
    """The second of two equal wall-clock hours, trailing zeros, integers beyond 64 bits, keys that are no text."""
    codec = MsgspecCodec()
    assert repr(codec.decode(codec.encode(value))) == repr(value)


@pytest.mark.parametrize("value", [object(), OrderedDict(a=1), Colour.RED, [{"deep": {1: object}}], lambda: 1])
def test_what_can_t_be_held_is_refused_by_name_and_the_way_out_is_named(value: object) -> None:
    """Subclasses and foreign types are never stored as something else; the error names the signed codec."""
    with pytest.raises(Unstorable, match="SignedPickleCodec"):
        MsgspecCodec().encode(value)


def test_a_value_that_contains_itself_is_refused() -> None:
    """It would have no end."""
    loop: list[object] = []
    loop.append(loop)
    with pytest.raises(Unstorable, match="contains itself"):
        MsgspecCodec().encode(loop)


def test_a_text_that_utf_8_has_not_is_refused() -> None:
    """Half of a surrogate pair can't be written."""
    with pytest.raises(Unstorable, match="UTF-8"):
        MsgspecCodec().encode("\ud800")


@given(st.binary(max_size=40))
def test_foreign_bytes_are_unreadable_and_nothing_else(packed: bytes) -> None:
    """Whatever lies in Redis: a value of the known types, or one kind of error."""
    for foreign in (packed, b"m" + packed):
        with contextlib.suppress(Unreadable):
            MsgspecCodec().decode(foreign)


@given(values, st.data())
def test_damaged_bytes_are_unreadable_and_nothing_else(value: object, data: st.DataObject) -> None:
    """One byte changed in what we wrote ourselves."""
    packed = bytearray(MsgspecCodec().encode(value))
    packed[data.draw(st.integers(0, len(packed) - 1))] ^= data.draw(st.integers(1, 255))
    with contextlib.suppress(Unreadable):
        MsgspecCodec().decode(bytes(packed))


def test_a_form_holds_one_more_type() -> None:
    """An application registers how its own type travels; without it the value is unreadable, not half of itself."""
    codec = MsgspecCodec([Form("colour", Colour, lambda colour: colour.value, Colour)])
    packed = codec.encode({"colours": [Colour.RED]})
    assert codec.decode(packed) == {"colours": [Colour.RED]}
    with pytest.raises(Unreadable):
        MsgspecCodec().decode(packed)


def test_the_default_codec_never_unpickles() -> None:
    """A pickle in its place is foreign bytes."""
    EXECUTED.clear()
    for foreign in (pickle.dumps(Runs()), b"p" + pickle.dumps(Runs()), b"m" + pickle.dumps(Runs())):
        with pytest.raises(Unreadable):
            MsgspecCodec().decode(foreign)
    assert EXECUTED == []


def test_the_signed_codec_holds_what_pickle_holds() -> None:
    """An enumeration, a subclass of dict: they come back as themselves."""
    codec = SignedPickleCodec([KEY])
    value = {"colour": Colour.RED, "ordered": OrderedDict(a=1)}
    assert codec.decode(codec.encode(value)) == value


def test_the_signed_codec_unpickles_nothing_that_it_did_not_sign() -> None:
    """Unsigned, signed by a stranger, or changed by one byte anywhere: refused before anything runs."""
    EXECUTED.clear()
    signed = SignedPickleCodec([KEY]).encode(Runs())
    stranger = SignedPickleCodec([b"s" * 32]).encode(Runs())
    changed = [signed[:at] + bytes([signed[at] ^ 1]) + signed[at + 1 :] for at in range(len(signed))]
    for forged in (b"", b"p", pickle.dumps(Runs()), b"p" + pickle.dumps(Runs()), stranger, *changed):
        with pytest.raises(Unreadable, match="not unpickled"):
            SignedPickleCodec([KEY]).decode(forged)
    assert EXECUTED == []


def test_a_key_is_rotated_without_losing_what_the_old_one_signed() -> None:
    """The first key signs, all verify; when the old one is dropped, so is what it signed."""
    old = SignedPickleCodec([OLD_KEY]).encode("value")
    assert SignedPickleCodec([KEY, OLD_KEY]).decode(old) == "value"
    assert SignedPickleCodec([KEY]).decode(SignedPickleCodec([KEY, OLD_KEY]).encode("value")) == "value"
    with pytest.raises(Unreadable):
        SignedPickleCodec([KEY]).decode(old)


@pytest.mark.parametrize("keys", [[], [b"short"], b"k" * 32, "k" * 32, ["k" * 32], [KEY, b""]])
def test_a_signed_codec_without_a_proper_key_is_refused(keys: object) -> None:
    """No key, a short one, text: the error says how to make one."""
    with pytest.raises(SettingsError, match="token_bytes"):
        SignedPickleCodec(keys)  # type: ignore[arg-type]


def test_what_pickle_can_t_hold_is_refused() -> None:
    """A function without a name in a module has no pickle; whoever expects cachelib's own error gets that, too."""
    with pytest.raises(Unstorable, match="pickle") as refused:
        SignedPickleCodec([KEY]).encode(lambda: 1)
    assert isinstance(refused.value, pickle.PicklingError)


def test_a_signed_value_whose_class_is_gone_is_unreadable() -> None:
    """A release removed the class: a miss, not an error of the application."""
    codec = SignedPickleCodec([KEY])
    packed = codec.encode(Colour.RED)
    gone = packed.replace(b"Colour", b"Colxur")
    import hashlib
    import hmac

    payload = gone[33:]
    resigned = b"p" + hmac.digest(KEY, b"tocsin signed pickle 1\n" + payload, hashlib.sha256) + payload
    with pytest.raises(Unreadable, match="any more"):
        codec.decode(resigned)
