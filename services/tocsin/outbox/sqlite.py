"""SQLite: a file that all processes of one machine share; a look waits for nobody, a mark for one writer."""

import sqlite3
from urllib.parse import unquote, urlsplit

from tocsin.errors import SettingsError
from tocsin.outbox.table import Connection, Dialect

BUSY_WITHIN_S = 5.0
"""How long a mark waits for another process's write; a look waits for nobody in WAL mode."""


def dialect(url: str) -> Dialect:
    """Return how to speak to `sqlite:////absolute/path`. Raises `SettingsError`."""
    path = unquote(urlsplit(url).path.removeprefix("/"))
    if not path.startswith("/"):
        raise SettingsError(
            "outbox_url names no absolute path: sqlite:////folder/file.db is needed, which all processes share"
        )

    def connect() -> Connection:
        # A file that is not there yet is an error, and not an empty database.
        return sqlite3.connect(
            f"file:{path}?mode=rw", uri=True, timeout=BUSY_WITHIN_S, isolation_level=None, check_same_thread=False
        )

    return Dialect(connect, (sqlite3.Error,), quote='"', mark="?")
