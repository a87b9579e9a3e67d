"""Locks in Redis: a key that is set if it is absent, with an end, and deleted by its owner alone.

    tocsin:{ns}:lock:<name>    the owner's name, with the lock's time to live

What always holds: what `tocsin.locked` says of them: they spare loads, and prove nothing.
"""

from tocsin.redis.connection import RedisConnection, Script
from tocsin.redis.wire import milliseconds

_UNLOCK = Script("unlock")


class RedisLocks:
    """The locks of one namespace; see `tocsin.locked.Locks`."""

    def __init__(self, connection: RedisConnection) -> None:
        self._connection = connection

    def take(self, name: str, owner: str, ttl_s: float) -> bool:
        """Take it, in one step."""
        key = f"{self._connection.prefix}lock:{name}"
        return self._connection.command("SET", key, owner, "NX", "PX", milliseconds(ttl_s)) is not None

    def release(self, name: str, owner: str) -> bool:
        """Release it if it is the owner's, in one step: between a look and a deletion it could become another's."""
        return bool(self._connection.run(_UNLOCK, name, owner))
