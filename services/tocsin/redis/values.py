"""Shelf in Redis: values under one generation, each step one script.

    tocsin:{ns}:version:values:<shelf>             the generation; no time to live
    tocsin:{ns}:value:<shelf>:<generation>:<key>   a packed value, with the time to live that its setter chose
    tocsin:{ns}:hope:<shelf>:<generation>:<key>    the token of an absence that somebody saw, for ten minutes

What always holds: `clear` has its effect at once, whatever the number of values, as nobody reads an older generation.
What it orphaned is removed afterwards in small steps, for a bounded time; what is left then, the next `clear` removes.
"""

import os
import re
from collections.abc import Sequence
from hashlib import sha256
from uuid import uuid4
from weakref import WeakSet

from tocsin.clock import Clock
from tocsin.redis.connection import RedisConnection, Script
from tocsin.redis.wire import milliseconds
from tocsin.values import Absent, Present, Put, Seen

HOPE_TTL_S = 600.0
"""For how long after a get a set may refer to the absence that the get saw: longer than any page takes to make."""

SWEEP_WITHIN_S = 1.0
_SCAN_COUNT = 500
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")


def _script(name: str) -> Script:
    return Script("counters", "values/shelf", f"values/{name}")


_GET, _SET, _REMOVE, _COUNT, _CLEAR = map(_script, ("get", "set", "remove", "count", "clear"))


class RedisShelf:
    """One shelf; `name` separates it from others in the namespace, and may be any text."""

    def __init__(self, connection: RedisConnection, name: str, *, clock: Clock) -> None:
        self.name = name if _PLAIN_NAME.fullmatch(name) else sha256(name.encode()).hexdigest()
        self._connection = connection
        self._clock = clock
        _living.add(self)

    def get(self, key: str) -> Seen:
        """Return what lies under `key`, in one round trip."""
        packed, left_ms, token = self._connection.run(_GET, self.name, key, uuid4().bytes, milliseconds(HOPE_TTL_S))
        if packed is None:
            return Absent(token)
        return Present(packed, None if left_ms < 0 else left_ms / 1000)

    def put(self, puts: Sequence[Put], ttl_s: float | None) -> list[bool]:
        """Set what may be set, in one round trip."""
        words = [word for put in puts for word in (put.key, put.packed, *_condition(put))]
        return list(map(bool, self._connection.run(_SET, self.name, _life_ms(ttl_s), *words)))

    def remove(self, keys: Sequence[str]) -> list[bool]:
        """Remove values and absences, in one round trip."""
        return list(map(bool, self._connection.run(_REMOVE, self.name, *keys)))

    def count(self, key: str, delta: int, ttl_s: float | None) -> int:
        """Add to a number, in one round trip."""
        if not -(2**63) <= delta < 2**63:
            raise TypeError(f"{delta} can't be added to {key[2:]!r}: numbers there have 64 bits")
        reply = self._connection.run(_COUNT, self.name, key, delta, _life_ms(ttl_s))
        if reply[0] is None:
            raise TypeError(
                f"{delta} can't be added to {key[2:]!r}: it holds no whole number, or one at its end of 64 bits"
            )
        return int(reply[0])

    def clear(self) -> None:
        """Orphan everything, then remove as much of it as a second allows."""
        generation = self._connection.run(_CLEAR, self.name)
        self._sweep(generation)

    def renew(self) -> None:
        """Begin anew in the child of a fork: its connections are not its parent's."""
        self._connection.renew()

    def close(self) -> None:
        """Close this process's connections."""
        self._connection.close()

    def _sweep(self, generation: bytes) -> None:
        # A clear that runs meanwhile has raised the generation again; what it orphaned is its to remove, and what was
        # set since lies under its generation, which is above ours: only what is below ours is removed.
        deadline_s = self._clock.now() + SWEEP_WITHIN_S
        for kind in ("value", "hope"):
            begin = f"{self._connection.prefix}{kind}:{self.name}:"
            cursor: bytes | str = "0"
            while self._clock.now() < deadline_s:
                cursor, found = self._connection.command(
                    "SCAN", cursor, "MATCH", f"{begin}*", "COUNT", str(_SCAN_COUNT)
                )
                orphans = [key for key in found if _generation(key, begin) < int(generation)]
                if orphans:
                    self._connection.command("UNLINK", *orphans)
                if cursor == b"0":
                    break


def _generation(key: bytes, begin: str) -> int:
    return int(key[len(begin.encode()) :].split(b":", 1)[0])


def _life_ms(ttl_s: float | None) -> int:
    return 0 if ttl_s is None else milliseconds(ttl_s)


def _condition(put: Put) -> tuple[str, bytes]:
    if put.if_absent:
        return "absent", b""
    match put.after:
        case Absent(token):
            return ("hoped", token) if token else ("", b"")
        case Present(packed):
            return "same", packed
        case _:
            return "", b""


_living: WeakSet[RedisShelf] = WeakSet()


def _after_fork_in_child() -> None:
    for shelf in list(_living):
        shelf.renew()


os.register_at_fork(after_in_child=_after_fork_in_child)
