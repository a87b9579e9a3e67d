"""Sequencer: the protocol's state in Redis, one script a step.

    tocsin:{catalog}:epoch, seq, log, tags, nodes, writing     the state, without time to live
    tocsin:{catalog}:writers:<name>                            who writes a name now
    tocsin:{catalog}:entry:<key>, fill:<key>                   entries and tokens, with a time to live

What always holds: every key that a script touches is declared, and all share a hash tag, so that the same scripts run
on Redis Cluster. Each script's file says what it does and why.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import msgspec
from redis.exceptions import ResponseError

from tocsin.clock import SystemClock
from tocsin.entry import Miss
from tocsin.message import Kind, Message, is_key, key_in, key_name, message_of, namespace_in
from tocsin.position import EPOCH_DIGITS, Position, epoch_of, epoch_text
from tocsin.redis.sequenced.entries import ABSENT, ServerTime, dirty_of, entry_of, lying
from tocsin.redis.sequenced.run import BoundRun
from tocsin.redis.sequenced.script import Script
from tocsin.redis.sequenced.subscription import Listen, RedisSubscription
from tocsin.redis.wire import encode_entry, milliseconds
from tocsin.sequencer import (
    Announcement,
    Busy,
    Ended,
    Given,
    Glimpsed,
    Holder,
    Kept,
    Log,
    Permitted,
    Put,
    Subscription,
    Terms,
    Token,
    Writing,
)

_ANNOUNCE, _FINISH = Script("invalidate", "announce"), Script("invalidate", "finish")
_LOOKUP, _FILL, _RELEASE = Script("lookup"), Script("fill"), Script("release")
_PEEK = Script("peek")
_POSITION, _RETIRE = Script("position"), Script("retire")
_BEAT, _ACKNOWLEDGE, _LOG = Script("beat"), Script("acknowledge"), Script("log")
_OVERDUE, _SWEEP = Script("overdue"), Script("sweep")

LOG_READ = 1000
"""Messages of the log that are read at once: some tens of kilobytes, about a millisecond of the server's time."""
SWEPT_AT_ONCE = 100
PEEKED_AT_ONCE = 1000
"""Keys of one peek: Lua passes on no more than some thousands of arguments."""
Requests = Callable[..., list[Any]]
"""Sends commands in one round trip and returns their replies; raises `Unavailable`, or returns a `ResponseError`."""

_pack = msgspec.msgpack.Encoder().encode


class RedisSequencer:
    """The sequencer of one namespace, and the feed of its agents."""

    def __init__(
        self,
        run: BoundRun,
        terms: Terms,
        listen: Listen,
        requests: Requests,
        now: Callable[[], float] = SystemClock.now,
    ) -> None:
        self._run = run
        self._requests = requests
        self._now = now
        self._server_time = ServerTime(0, -math.inf)
        self._entries = f"{run.prefix}entry:"
        self._epoch, self._sequence = f"{run.prefix}epoch", f"{run.prefix}seq"
        self._listen = listen
        self._terms = terms
        self._grace_ms = milliseconds(terms.writer_s) if terms.strict else 0

    def announce(self, writer: str, names: Sequence[str], *, strict: bool = False) -> Announcement:
        """See `tocsin.sequencer.Sequencer`."""
        kind = Kind.STRICT if strict else Kind.INVALIDATION
        terms = self._terms
        _, epoch, sequence, young, holders = self._run.step(
            _ANNOUNCE,
            _keys_written(names),
            *(writer, milliseconds(terms.writer_s), terms.log_length, kind.value, _pack(names)),
        )
        return Announcement(_position(epoch, sequence), _holders(holders), bool(young))

    def finish(
        self, writer: str, names: Sequence[str], *, announced: Position | None = None, puts: Sequence[Put] = ()
    ) -> Ended:
        """See `tocsin.sequencer.Sequencer`."""
        since = announced or Position()
        kept = [(put.key, put.names, milliseconds(put.ttl_s), _whole_ms(put.stale_s)) for put in puts]
        concerned = {name for put in puts for name in (key_name(put.key), "*", *put.names)}
        _, epoch, sequence, stored = self._run.step(
            _FINISH,
            (*_keys_written(names), *(f"entry:{put.key}" for put in puts), *(f"writers:{name}" for name in concerned)),
            *(writer, self._grace_ms, self._terms.log_length, _pack(names), epoch_text(since.epoch), since.sequence),
            *(_pack(kept), *map(_body, puts)),
        )
        return Ended(_position(epoch, sequence), tuple(key.decode() for key in stored))

    def glimpse(self, keys: Sequence[str]) -> Glimpsed:
        """See `tocsin.sequencer.Sequencer`. All in one MGET, and every second the server's time with it."""
        nothing = Glimpsed(Position(), (None,) * len(keys))
        if len(keys) > PEEKED_AT_ONCE:
            return nothing  # a server should not be held up for so long
        prefix = self._entries
        words = ("MGET", self._epoch, self._sequence, *[f"{prefix}{key}" for key in keys])
        begun_s = self._now()
        if begun_s < self._server_time.known_until_s:
            (replies,) = self._requests(words)
        else:
            time, replies = self._requests(("TIME",), words)
            if isinstance(time, ResponseError):
                return nothing
            self._server_time = ServerTime(int(time[0]) * 1000 + int(time[1]) // 1000, begun_s)
        if isinstance(replies, ResponseError):
            return nothing  # whoever looks up is told why
        state, sequence, *raws = replies
        epoch = (state or b"")[:EPOCH_DIGITS]
        if not epoch or sequence is None:
            return nothing
        position = Position(epoch_of(epoch), int(sequence))
        now_ms = self._server_time.latest_ms(self._now())
        return Glimpsed(position, tuple([lying(raw, now_ms, epoch, position.epoch) for raw in raws]))

    def peek(self, keys: Sequence[str]) -> list[Given | Miss]:
        """See `tocsin.sequencer.Sequencer`."""
        found: list[Given | Miss] = []
        for begin in range(0, len(keys), PEEKED_AT_ONCE):
            found += self._peek(keys[begin : begin + PEEKED_AT_ONCE])
        return found

    def _peek(self, keys: Sequence[str]) -> list[Given | Miss]:
        names = (*(f"entry:{key}" for key in keys), *(f"dirty:{key}" for key in keys))
        _, epoch, sequence, flat, dirty = self._run.step(_PEEK, names, self._grace_ms, len(keys))
        position = _position(epoch, sequence)
        if not flat:
            return [Miss("bypass", "writing")] * len(keys)
        found: list[Given | Miss] = []
        for index, (left, raw) in enumerate(zip(flat[::2], flat[1::2], strict=True), 1):
            if index in dirty:
                given = dirty_of(raw, left, position)
                found.append(given if isinstance(given, Given) else ABSENT)
            else:
                entry = entry_of(raw, left) if raw else None
                found.append(ABSENT if entry is None else Given(entry, position))
        return found

    def lookup(self, key: str, owner: str, early_s: float = 0.0) -> Given | Writing | Permitted | Busy:
        """See `tocsin.sequencer.Sequencer`."""
        what, epoch, sequence, left_ms, raw = self._run.step(
            _LOOKUP,
            (f"entry:{key}", f"fill:{key}", f"writers:{key_name(key)}", "writers:*", f"dirty:{key}"),
            *(key, owner, milliseconds(self._terms.token_s), self._grace_ms, _whole_ms(early_s)),
        )
        position = _position(epoch, sequence)
        if what == b"dirty":
            return dirty_of(raw, left_ms, position)
        entry = entry_of(raw, left_ms) if raw else None
        match what:
            case b"given" if entry is not None:
                return Given(entry, position)
            case b"permitted":
                return Permitted(Token(owner, position), entry)
            case b"busy":
                return Busy(position, entry)
            case _:
                # Being written, or bytes that are not ours: in both cases nothing is kept until somebody writes.
                return Writing(position)

    def fill(self, put: Put, token: Token) -> Kept:
        """See `tocsin.sequencer.Sequencer`."""
        base = token.base
        epoch = epoch_text(base.epoch)
        concerned = (key_name(put.key), "*", *put.names)
        _, now_epoch, sequence, kept = self._run.step(
            _FILL,
            (f"entry:{put.key}", f"fill:{put.key}", *(f"writers:{name}" for name in concerned)),
            *(put.key, _token(token), epoch, base.sequence),
            *(milliseconds(put.ttl_s), _whole_ms(put.stale_s), self._grace_ms, _pack(put.names), _body(put)),
        )
        return Kept(bool(kept), _position(now_epoch, sequence))

    def release(self, key: str, token: Token) -> bool:
        """See `tocsin.sequencer.Sequencer`."""
        return bool(self._run.step(_RELEASE, (f"fill:{key}",), key, _token(token))[1])

    def position(self) -> Position:
        """See `tocsin.sequencer.Sequencer`."""
        _, epoch, sequence, _ = self._run.step(_POSITION, ("nodes",))
        return _position(epoch, sequence)

    def holders(self) -> Mapping[str, Holder]:
        """See `tocsin.sequencer.Sequencer`."""
        _, _, _, holders = self._run.step(_POSITION, ("nodes",))
        return _holders(holders)

    def retire(self, node: str, beats: int) -> bool:
        """See `tocsin.sequencer.Sequencer`."""
        return bool(self._run.step(_RETIRE, ("nodes",), node, beats)[1])

    def subscribe(self) -> Subscription:
        """See `tocsin.sequencer.Feed`."""
        return RedisSubscription(self._listen, self._run.channel)

    def beat(self, node: str, beats: int, applied: Position, *, canary: str = "") -> Position:
        """See `tocsin.sequencer.Feed`."""
        _, epoch, sequence = self._run.step(
            _BEAT, ("nodes",), node, beats, epoch_text(applied.epoch), applied.sequence, canary
        )
        return _position(epoch, sequence)

    def acknowledge(self, node: str, beats: int, applied: Position) -> None:
        """See `tocsin.sequencer.Feed`."""
        self._run.step(_ACKNOWLEDGE, ("nodes",), node, beats, epoch_text(applied.epoch), applied.sequence)

    def log(self, after: int) -> Log:
        """See `tocsin.sequencer.Feed`."""
        _, epoch, sequence, texts = self._run.step(_LOG, (), after, LOG_READ)
        return Log(_position(epoch, sequence), _messages(texts))

    def begin_epoch(self, after: int) -> Position:
        """See `tocsin.sequencer.Feed`."""
        return self._run.begin(after)

    def sweep(self) -> int:
        """See `tocsin.sequencer.Feed`."""
        names = [name.decode() for name in self._run.step(_OVERDUE, ("writing",), SWEPT_AT_ONCE)[1]]
        if not names:
            return 0
        keys = ("writing", *(f"writers:{name}" for name in names))
        return int(self._run.step(_SWEEP, keys, _pack(names))[1])


def _keys_written(names: Sequence[str]) -> tuple[str, ...]:
    """Return what announce and finish touch beside the state: the names' writers, and entries and tokens of keys."""
    keys = [key_in(name) for name in names if is_key(name)]
    return (
        *("nodes", "writing"),
        *(f"writers:{name}" for name in names),
        *(f"entry:{key}" for key in keys),
        *(f"fill:{key}" for key in keys),
        *(f"version:namespace:{namespace}" for namespace in filter(None, map(namespace_in, names))),
    )


def _token(token: Token) -> str:
    return f"{token.owner} {epoch_text(token.base.epoch)} {token.base.sequence}"


def _body(put: Put) -> bytes:
    return encode_entry(put.loaded, put.ttl_s)


def _whole_ms(seconds: float) -> int:
    return round(seconds * 1000)


def _position(epoch: bytes, sequence: bytes) -> Position:
    return Position(epoch_of(epoch), int(sequence))


def _holders(flat: Sequence[bytes]) -> dict[str, Holder]:
    holders = {}
    for node, value in zip(flat[::2], flat[1::2], strict=True):
        beats, epoch, sequence = value.split(b" ")
        holders[node.decode()] = Holder(int(beats), _position(epoch, sequence))
    return holders


def _messages(texts: Sequence[bytes]) -> tuple[Message, ...]:
    return tuple(map(message_of, texts))
