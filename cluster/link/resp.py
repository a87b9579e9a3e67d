r"""RESP: where the frames of Redis's replies end, whatever way the stream was cut, and which of them are messages.

    chunk: …$3\r\nab|c\r\n*3\r\n$7\r\nmessage\r\n…              Framing.feed ─▶ offsets at which whole frames end
    frame: *3 message <channel> <payload>                  told ─▶ Told(channel, payload)

A fault on single messages must never cut a reply in two, nor take for a message what is a value in a reply. So a
framing is kept from a connection's first byte on, and only a connection that has subscribed (RESP2), or a push type
(RESP3), carries messages. What always holds: `feed` keeps no more than one header line and a few numbers; a stream that
is no RESP makes it `lost`, for good, and then nobody touches that stream any more.

Source: Redis's specification of its protocol, RESP2 and RESP3.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TypeAlias

Value: TypeAlias = "bytes | int | list[Value] | None"

LINE_BYTES_MAX = 1 << 16
HEAD_BYTES_MAX = 12
SUBSCRIPTIONS = (b"subscribe", b"psubscribe", b"ssubscribe", b"unsubscribe", b"punsubscribe", b"sunsubscribe")
MESSAGES = {b"message": 3, b"smessage": 3, b"pmessage": 4, b"invalidate": 2}
_SIMPLE, _BULK, _LIST, _MAP, _ATTRIBUTE, _PUSH = b"+-:_,#(", b"$=!", b"*~>", b"%", b"|", b">"


@dataclass(frozen=True, slots=True)
class Told:
    """A message to a subscriber. `payload` of an invalidation of RESP3's tracking: its keys, one a line."""

    channel: bytes
    payload: bytes


@dataclass(slots=True)
class _Open:
    """An aggregate that is not whole yet: elements still to come. An attribute is no element of what it stands in."""

    left: int
    counts: bool = True


@dataclass(slots=True)
class Framing:
    """The state of one stream between two chunks."""

    lost: bool = False
    subscribed: bool = False
    _line: bytes = b""
    _skip: int = 0
    _open: list[_Open] = field(default_factory=list)
    _head: bytes | None = None  # the first element of an outermost array, as far as it was read; b"\r\n" for another

    def twin(self) -> Framing:
        """A framing in the same state, which goes its own way."""
        opened = [_Open(each.left, each.counts) for each in self._open]
        return Framing(self.lost, self.subscribed, self._line, self._skip, opened, self._head)

    @property
    def resting(self) -> bool:
        """Whether the stream stands between two frames."""
        return not (self._line or self._skip or self._open or self.lost)

    def feed(self, data: bytes) -> list[int]:
        """Take the next chunk; the offsets in it just behind each frame that ends in it."""
        ends = []
        at = 0
        while at < len(data) and not self.lost:
            if self._skip:
                step = min(self._skip, len(data) - at)
                if self._reads_head:
                    self._head = (self._head or b"") + data[at : at + step]
                self._skip -= step
                at += step
                whole = not self._skip and self._ended()
            else:
                end = data.find(b"\n", at) + 1
                if not end:
                    self._line += data[at:]
                    self.lost = len(self._line) > LINE_BYTES_MAX
                    break
                line, self._line = self._line + data[at:end], b""
                at = end
                whole = self._header(line)
            if whole:
                ends.append(at)
        return ends

    @property
    def _reads_head(self) -> bool:
        return len(self._open) == 1 and self._head is not None and not self._head.endswith(b"\r\n")

    def _header(self, line: bytes) -> bool:
        """Take a line that opens (or is) a value; whether it ended an outermost one."""
        kind, number = line[:1], line[1:-2]
        if not line.endswith(b"\r\n"):
            self.lost = True
        elif kind in _SIMPLE:
            self._note_subscriptions(kind, number)
            return self._ended()
        elif (count := _count(number)) is None:
            self.lost = True
        elif kind in _BULK:
            if count < 0:
                return self._ended()
            if self._head is None and len(self._open) == 1 and count <= HEAD_BYTES_MAX:
                self._head = b""
            self._skip = count + 2
        elif kind in _LIST or kind in _MAP or kind in _ATTRIBUTE:
            if count > 0:
                if not self._open:
                    self._head = None if kind == b"*" else b"\r\n"
                self._open.append(_Open(count if kind in _LIST else 2 * count, counts=kind not in _ATTRIBUTE))
            elif kind not in _ATTRIBUTE:
                return self._ended()
        else:
            self.lost = True
        return False

    def _ended(self) -> bool:
        """A value has ended, and perhaps what it stood in; whether nothing is open any more."""
        while self._open:
            innermost = self._open[-1]
            innermost.left -= 1
            if len(self._open) == 1 and self._head is None:
                self._head = b"\r\n"  # the first element was none that says what this is
            if innermost.left:
                return False
            self._open.pop()
            if not innermost.counts:
                return False  # an attribute: the value that it describes is still to come
        return True

    def _note_subscriptions(self, kind: bytes, number: bytes) -> None:
        """`*3 subscribe <channel> :n`: the number of subscriptions that there are now."""
        if kind == b":" and len(self._open) == 1 and self._head is not None and self._head[:-2] in SUBSCRIPTIONS:
            self.subscribed = number != b"0"


def told(frame: bytes, *, subscribed: bool) -> Told | None:
    """The message that a whole frame is; None for any other, which is nobody's to touch."""
    if frame[:1] != _PUSH and not (subscribed and frame[:1] == b"*"):
        return None
    value, _ = _decode(frame, 0)
    if not isinstance(value, list) or not value or not isinstance(value[0], bytes):
        return None
    if MESSAGES.get(value[0]) != len(value):
        return None
    channel = value[0] if value[0] == b"invalidate" else value[-2]
    return Told(channel if isinstance(channel, bytes) else b"", _text(value[-1]))


def _text(value: Value) -> bytes:
    if isinstance(value, list):
        return b"\n".join(map(_text, value))
    return value if isinstance(value, bytes) else b"" if value is None else str(value).encode()


def _decode(frame: bytes, at: int) -> tuple[Value, int]:
    """The value that begins at an offset of a whole frame, and where it ends."""
    end = frame.index(b"\r\n", at)
    kind, rest = frame[at : at + 1], frame[at + 1 : end]
    at = end + 2
    if kind in _SIMPLE:
        return int(rest) if kind == b":" else rest, at
    count = int(rest)
    if kind in _BULK:
        return (None, at) if count < 0 else (frame[at : at + count], at + count + 2)
    if count < 0:
        return None, at
    values = []
    for _ in range(count if kind in _LIST else 2 * count):
        value, at = _decode(frame, at)
        values.append(value)
    return _decode(frame, at) if kind in _ATTRIBUTE else (values, at)


def _count(number: bytes) -> int | None:
    """The number in a header; None when there is none, or a streamed length, which Redis never sends."""
    try:
        return int(number)
    except ValueError:
        return None
