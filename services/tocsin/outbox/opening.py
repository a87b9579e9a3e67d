"""Opening: the outbox at a URL, with the driver of its database."""

from importlib import import_module
from urllib.parse import urlsplit

from tocsin.errors import SettingsError
from tocsin.outbox.table import DatabaseOutbox, Dialect
from tocsin.settings import OUTBOX_SCHEMES


def outbox_at(url: str) -> DatabaseOutbox:
    """Return the outbox in the database at `url`; opens nothing. Raises `SettingsError` if its driver is missing."""
    kind = OUTBOX_SCHEMES[urlsplit(url).scheme.partition("+")[0]]
    try:
        module = import_module(f"tocsin.outbox.{kind}")
    except ImportError as error:
        raise SettingsError(f"outbox_url names a {kind} database, and its driver is missing: {error}") from error
    dialect: Dialect = module.dialect(url)
    return DatabaseOutbox(dialect)
