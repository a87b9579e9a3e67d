"""Dashboard: the one personal page, so the one that must never reach another person.

What always holds: the cache key holds every input of the page: the user and the locale (hazard 32). It also depends on
the category that it shows, and carries its tag: a write in that category invalidates it without knowing whose it is.
"""

from __future__ import annotations

from hashlib import blake2b

from msgspec import Struct, json
from sqlalchemy import select
from tocsin import Answer, Cache, Loaded, Policy, Position

from catalog.database import Database
from catalog.models import ProductRow
from catalog.product import VersionedDocument, of_row, tag_of, versioned

GUEST = "guest"
LOCALES = ("en", "de", "fr")
GREETINGS = {
    "en": ("Welcome to the shop", "Good to see you, {user}"),
    "de": ("Willkommen im Laden", "Schön, dass du da bist, {user}"),
    "fr": ("Bienvenue dans la boutique", "Ravis de vous revoir, {user}"),
}
PICKS = 4
# The categories that the house began with, in the order of stock.toml. Asking the database for its categories instead
# would make the page depend on all of them, and so on tags that it does not carry.
CATEGORIES = (
    "kitchen",
    "tableware",
    "garden",
    "toys",
    "lighting",
    "office",
    "outdoor",
    "bath",
    "textiles",
    "pantry",
)
DASHBOARD = Policy()


class Dashboard(Struct, frozen=True):
    """The page: `picks` are a few products of `category`, the one that this user sees first."""

    user: str
    locale: str
    greeting: str
    category: str
    picks: list[VersionedDocument]


def key_of_dashboard(user: str, locale: str) -> str:
    """The cache key: everything that the page depends on."""
    return f"dashboard:{user}:{locale}"


def read_dashboard(
    cache: Cache, database: Database, user: str, locale: str, at_least: Position | None = None
) -> Answer:
    """The JSON of a `Dashboard`. Raises `DatabaseUnavailable` where no level has it and the database can't be read."""
    key = key_of_dashboard(user, locale)
    return cache.read(key, lambda: load_dashboard(database, user, locale), DASHBOARD, at_least=at_least)


def load_dashboard(database: Database, user: str, locale: str) -> Loaded:
    """Read the page from the database; the same user gets the same category everywhere, whichever node is asked."""
    for_guest, for_user = GREETINGS[locale]
    category = CATEGORIES[_number(user) % len(CATEGORIES)]
    with database.reading() as session:
        rows = session.scalars(
            select(ProductRow)
            .where(ProductRow.deleted.is_(False), ProductRow.category == category)
            .order_by(ProductRow.id)
            .limit(PICKS)
        ).all()
        picks = [versioned(of_row(row)) for row in rows]
    page = Dashboard(
        user=user,
        locale=locale,
        greeting=for_guest if user == GUEST else for_user.format(user=user),
        category=category,
        picks=picks,
    )
    return Loaded(json.encode(page), tags=(tag_of(category),))


def _number(user: str) -> int:
    """A number that is the same for a name in every process, which `hash` is not."""
    return int.from_bytes(blake2b(user.encode(), digest_size=4).digest(), "big")
