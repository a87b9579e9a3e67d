"""Framing: the ends of frames are found however a stream is cut, and only what is told to a subscriber is a message."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster.link.resp import Framing, Told, told

Frames = list[bytes]


def bulk(data: bytes) -> bytes:
    return b"$%d\r\n%b\r\n" % (len(data), data)


def array(*parts: bytes, kind: bytes = b"*") -> bytes:
    return b"%b%d\r\n%b" % (kind, len(parts), b"".join(parts))


def message(channel: bytes, payload: bytes, kind: bytes = b"*") -> bytes:
    return array(bulk(b"message"), bulk(channel), bulk(payload), kind=kind)


def subscribed(channel: bytes, number: int = 1) -> bytes:
    return array(bulk(b"subscribe"), bulk(channel), b":%d\r\n" % number)


simple = st.sampled_from(
    [
        b"+OK\r\n",
        b"-ERR no\r\n",
        b":12\r\n",
        b"$-1\r\n",
        b"*-1\r\n",
        b"*0\r\n",
        b"_\r\n",
        b",3.5\r\n",
        b"#t\r\n",
        b"(99\r\n",
    ]
)
bulks = st.binary(max_size=40).map(bulk)
values = st.recursive(
    simple | bulks,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(lambda parts: array(*parts)),
        st.lists(inner, max_size=4).map(lambda parts: array(*parts, kind=b"~")),
        st.lists(inner, max_size=4).map(lambda parts: array(*parts, kind=b">")),
        st.lists(st.tuples(inner, inner), max_size=3).map(
            lambda pairs: b"%%%d\r\n%b" % (len(pairs), b"".join(key + value for key, value in pairs))
        ),
        st.tuples(bulks, inner, inner).map(lambda each: b"|1\r\n" + b"".join(each)),
    ),
    max_leaves=12,
)


def cut(stream: bytes, cuts: Sequence[int]) -> list[bytes]:
    """The stream in pieces, cut at these places."""
    places = sorted({min(each, len(stream)) for each in cuts})
    return [stream[begin:end] for begin, end in zip([0, *places], [*places, len(stream)], strict=True)]


@given(st.lists(values, max_size=6), st.lists(st.integers(0, 400), max_size=30))
def test_frames_end_where_they_end_however_the_stream_is_cut(frames: Frames, cuts: list[int]) -> None:
    """The ends that are found in pieces of a stream are those of the frames that it was made of."""
    framing, position, found = Framing(), 0, []
    for piece in cut(b"".join(frames), cuts):
        found += [position + end for end in framing.feed(piece)]
        position += len(piece)
    assert found == [sum(map(len, frames[: count + 1])) for count in range(len(frames))]
    assert framing.resting
    assert not framing.lost


@given(st.lists(values, min_size=1, max_size=4), st.integers(0, 200))
def test_a_twin_goes_on_from_the_same_state(frames: Frames, place: int) -> None:
    """A framing copied in the middle of a stream finds the same ends, and neither disturbs the other."""
    stream = b"".join(frames)
    first, rest = stream[:place], stream[place:]
    framing = Framing()
    framing.feed(first)
    twin = framing.twin()
    assert twin.feed(rest) == framing.feed(rest)


@pytest.mark.parametrize(
    ("frame", "meant"),
    [
        (message(b"news", b"k:product:7"), Told(b"news", b"k:product:7")),
        (message(b"news", b"x", kind=b">"), Told(b"news", b"x")),
        (array(bulk(b"pmessage"), bulk(b"n*"), bulk(b"news"), bulk(b"x")), Told(b"news", b"x")),
        (array(bulk(b"invalidate"), array(bulk(b"a"), bulk(b"b")), kind=b">"), Told(b"invalidate", b"a\nb")),
        (array(bulk(b"invalidate"), b"_\r\n", kind=b">"), Told(b"invalidate", b"")),
        (
            array(bulk(b"message"), bulk(b"__redis__:invalidate"), array(bulk(b"a"))),
            Told(b"__redis__:invalidate", b"a"),
        ),
    ],
)
def test_a_message_is_read_from_its_frame(frame: bytes, meant: Told) -> None:
    """RESP2 messages of a subscriber, RESP3 pushes, and both forms of tracking's invalidations."""
    assert told(frame, subscribed=True) == meant


@pytest.mark.parametrize(
    "frame", [b"+OK\r\n", bulk(b"message"), subscribed(b"news"), array(bulk(b"message"), bulk(b"two")), b"*0\r\n"]
)
def test_anything_else_is_no_message(frame: bytes) -> None:
    """Confirmations, values and lists that only look like one."""
    assert told(frame, subscribed=True) is None


def test_a_list_of_values_that_looks_like_a_message_is_none_without_a_subscription() -> None:
    """LRANGE may answer `message, a, b`: on a connection that has not subscribed that is data."""
    assert told(message(b"a", b"b"), subscribed=False) is None


def test_a_connection_is_subscribed_from_the_confirmation_to_the_last_end() -> None:
    """`subscribe` … :1 begins it, `unsubscribe` … :0 ends it; a push of RESP3 does not make its arrays messages."""
    framing = Framing()
    framing.feed(b"+OK\r\n" + subscribed(b"news"))
    assert framing.subscribed
    framing.feed(array(bulk(b"unsubscribe"), bulk(b"news"), b":0\r\n"))
    assert not framing.subscribed
    framing.feed(array(bulk(b"subscribe"), bulk(b"news"), b":1\r\n", kind=b">"))
    assert not framing.subscribed


@pytest.mark.parametrize("garbage", [b"HTTP/1.1 200 OK\r\n", b"$x\r\n", b"+a\nb\r\n", b"*" + b"1" * 70_000])
def test_what_is_no_resp_loses_the_framing_for_good(garbage: bytes) -> None:
    """From then on there are no ends, and memory does not grow."""
    framing = Framing()
    framing.feed(garbage)
    assert framing.lost
    assert framing.feed(b"+OK\r\n") == []
