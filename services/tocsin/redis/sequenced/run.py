"""Run: the binding of a process to one run of the Redis server, and to the epoch that belongs to it.

    step ── EVALSHA ──▶ reply
               │ NOSCRIPT: another run, or forgotten scripts      │ lost: the state is not whole, or not this run's
               └──────────▶ begin: which run, which epoch ◀───────┘
                               └─▶ EVAL with a text for that run ──▶ reply

What always holds: a text is never sent again to a server that did not know it without asking for the run id first, and
nothing was done by a step that was answered NOSCRIPT or `lost`, so it may be sent again.
"""

import secrets
from collections.abc import Callable, Sequence
from typing import Any

from redis.exceptions import NoScriptError, ResponseError

from tocsin.errors import Happened, Unavailable
from tocsin.position import CHANCE_BITS, Position, epoch_of, epoch_text
from tocsin.redis.sequenced.script import BEGIN, Script

Request = Callable[..., Any]
"""Sends one command's words and returns the reply; raises `Unavailable`, or redis-py's `ResponseError`."""

ATTEMPTS = 3
LOST = b"lost"


def _chance() -> int:
    return secrets.randbits(CHANCE_BITS)


class BoundRun:
    """Steps on one namespace, bound to the server's run. Safe to use from several threads: they may bind twice."""

    def __init__(self, request: Request, prefix: str, *, chance: Callable[[], int] = _chance) -> None:
        self._request = request
        self.prefix = prefix
        self._chance = chance
        self._run_id = ""

    @property
    def channel(self) -> str:
        """The channel on which the scripts tell."""
        return f"{self.prefix}tocsin"

    def begin(self, after: int = 0) -> Position:
        """Find out the server's run and the epoch that belongs to it, later than `after`; begin one if need be."""
        arguments = (self.prefix, epoch_text(after), f"{self._chance():08x}")
        epoch, sequence, run_id = self._ask("EVAL", BEGIN, 4, *self._state_keys(), *arguments)
        self._run_id = run_id.decode()
        return Position(epoch_of(epoch), int(sequence))

    def step(self, script: Script, keys: Sequence[str], *arguments: str | int | bytes) -> Any:
        """Run one step over the state and `keys` (without the prefix), and return its reply."""
        declared = (*self._state_keys(), *(f"{self.prefix}{key}" for key in keys))
        for _ in range(ATTEMPTS):
            if not self._run_id:
                self.begin()
            reply = self._send(script, declared, arguments)
            if reply[0] != LOST:
                return reply
            self.begin()
        raise Unavailable(
            f"{script.name}: the state of {self.prefix} was lost {ATTEMPTS} times in a row; see whether something"
            " deletes or evicts its keys (maxmemory-policy must be a volatile-* one)",
            detail="redis-refused",
            happened=Happened.NO,
        )

    def _send(self, script: Script, declared: Sequence[str], arguments: Sequence[str | int | bytes]) -> Any:
        try:
            sha = script.text(self._run_id).sha
            return self._ask("EVALSHA", sha, len(declared), *declared, self.prefix, "0", *arguments)
        except NoScriptError:
            # Never load again blindly: a server that restarted would take the text for the run before, and with it
            # serve entries and tokens of before (C9).
            self.begin()
            lua = script.text(self._run_id).lua
            return self._ask("EVAL", lua, len(declared), *declared, self.prefix, "1", *arguments)

    def _ask(self, *words: str | int | bytes) -> Any:
        try:
            return self._request(*words)
        except NoScriptError:
            raise
        except ResponseError as error:
            raise Unavailable(
                f"Redis refused {words[0]!s} for {self.prefix}: {error}",
                detail="redis-refused",
                happened=Happened.UNKNOWN,
            ) from error

    def _state_keys(self) -> tuple[str, ...]:
        return tuple(f"{self.prefix}{name}" for name in ("epoch", "seq", "tags", "log"))
