"""MariaDB and MySQL, by PyMySQL: a connection whose every wait ends after two seconds."""

from typing import cast
from urllib.parse import parse_qsl, unquote, urlsplit

import pymysql

from tocsin.errors import SettingsError
from tocsin.outbox.table import Connection, Dialect

CONNECT_WITHIN_S = 2
ANSWER_WITHIN_S = 2
OPTIONS = ("charset", "unix_socket", "ssl_ca", "ssl_cert", "ssl_key")
# A transaction of its own for each statement, as autocommit has it, and no wait for another's lock beyond our patience.
_BOUNDS = "SET SESSION innodb_lock_wait_timeout = 2"


def dialect(url: str) -> Dialect:
    """Return how to speak to `mariadb://user:password@host:3306/name`. Raises `SettingsError`."""
    parts = urlsplit(url)
    options = dict(parse_qsl(parts.query))
    if unknown := sorted(set(options) - set(OPTIONS)):
        raise SettingsError(f"outbox_url has the option {unknown[0]!r}: there are {', '.join(OPTIONS)}")

    def connect() -> Connection:
        connection = pymysql.connect(
            host=parts.hostname or "localhost",
            port=parts.port or 3306,
            user=unquote(parts.username or ""),
            password=unquote(parts.password or ""),
            database=unquote(parts.path.removeprefix("/")),
            autocommit=True,
            init_command=_BOUNDS,
            connect_timeout=CONNECT_WITHIN_S,
            read_timeout=ANSWER_WITHIN_S,
            write_timeout=ANSWER_WITHIN_S,
            **{"charset": "utf8mb4", **options},
        )
        return cast(Connection, connection)

    return Dialect(connect, (pymysql.Error, OSError), quote="`", mark="%s")
