"""Script: a step of the protocol as Lua, in a text that works on one run of the server only.

A server that restarted may hold old entries, old tokens and old numbers. Every text begins with the run id it was made
for, so such a server knows none of them and answers NOSCRIPT, even through a proxy that hid the restart (C9). What
always holds: a text is sent whole only right after the server's run id was compared, and then checks it once more.
"""

import functools
import hashlib
from importlib.resources import files

from msgspec import Struct

_LUA = files("tocsin.redis.sequenced") / "lua"

BEGIN = (_LUA / "begin.lua").read_text(encoding="utf-8")
"""The one script that is not bound to a run: it finds out which run this is."""


class Text(Struct, frozen=True):
    """A script for one run of the server."""

    lua: str
    sha: str


class Script:
    """One step: `state.lua`, then the named files, the last of which is the step itself."""

    def __init__(self, *names: str) -> None:
        self.name = names[-1]
        self._body = "\n".join((_LUA / f"{name}.lua").read_text(encoding="utf-8") for name in ("state", *names))
        self.text = functools.lru_cache(maxsize=2)(self._text)

    def _text(self, run_id: str) -> Text:
        """Return the text for a run; two are remembered, for a namespace may be served by one at a time only."""
        lua = f"local RUN_ID = '{run_id}'\n{self._body}"
        return Text(lua, hashlib.sha1(lua.encode(), usedforsecurity=False).hexdigest())
