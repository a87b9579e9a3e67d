"""Seed: the same thousand products everywhere, however often and by however many the shop is stocked."""

from __future__ import annotations

import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from catalog.dashboard import CATEGORIES
from catalog.models import AuditRow, OutboxRow, ProductRow
from catalog.product import NewProduct
from catalog.seed import initialise, products
from catalog.settings import database_url as parsed

from tests.catalog.shop import Shop, environment
from tests.database_servers import DatabaseServer

CATALOGUE = "4ec57904e9f3eeba0db192c69093f6850c7f31d3d1b6a4005fe705bcf0572c59"


def test_the_catalogue_is_pinned() -> None:
    """A thousand products, the same bytes on every machine and every Python: their hash says so."""
    seeded = list(products())
    assert [each.id for each in seeded] == list(range(1, 1001))
    assert sha256(msgspec.json.encode(seeded)).hexdigest() == CATALOGUE


def test_the_catalogue_reads_like_a_shops() -> None:
    """Every name is unique, every product could have come from a client, and all categories are of one size."""
    seeded = list(products())
    assert len({each.name for each in seeded}) == 1000
    for each in seeded:
        msgspec.convert(
            {
                "name": each.name,
                "price": each.price_cents / 100,
                "category": each.category,
                "description": each.description,
            },
            NewProduct,
        )
        assert 100 <= each.price_cents <= 100_000
        assert len(each.description) > 40
    assert [each.category for each in seeded[:10]] == list(CATEGORIES)
    assert {sum(each.category == category for each in seeded) for category in CATEGORIES} == {100}


def test_stocking_twice_changes_nothing(stocked_url: str) -> None:
    """A shop that has products is left as it is."""
    assert initialise(parsed({"DATABASE_URL": stocked_url})) == 0


def test_every_version_has_its_audit_row_from_the_first(any_shop: Shop) -> None:
    """The seeded products are at version 1, each with an audit row, and nothing waits in the outbox."""
    assert {row.version for row in any_shop.rows(ProductRow)} == {1}
    audit = any_shop.rows(AuditRow)
    assert len(audit) == 1000
    assert {(row.version, row.kind, row.node) for row in audit} == {(1, "create", "init-db")}
    assert any_shop.rows(OutboxRow) == []


def test_a_new_product_comes_after_the_seeded_ones(any_shop: Shop) -> None:
    """The database numbers on from where the seed stopped, whatever kind it is."""
    made = any_shop.send("POST", "/api/products", {"name": "x", "price": 1, "category": "toys"})
    assert made.get_json()["id"] == 1001


@pytest.mark.parametrize("kind", ["sqlite", "postgresql", "mariadb"])
def test_two_who_stock_the_shop_at_once_stock_it_once(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Three `init-db` at the same moment all succeed; one of them adds the products."""
    url = f"sqlite:///{tmp_path / 'shop.db'}"
    if kind != "sqlite":
        server: DatabaseServer = request.getfixturevalue(kind)
        url = server.fresh_database()
    command = [sys.executable, "-m", "catalog", "init-db"]
    started = [
        subprocess.Popen(
            command, env=environment(DATABASE_URL=url), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        for _ in range(3)
    ]
    said = [process.communicate(timeout=60)[0] for process in started]
    assert [process.returncode for process in started] == [0, 0, 0], said
    assert sorted("1000 products added" in each for each in said) == [False, False, True], said


@pytest.mark.parametrize(
    ("arguments", "url", "code", "said"),
    [
        (["init-db"], "sqlite:////nowhere/at/all/shop.db", 1, "can't be set up: unable to open database file"),
        (["init-db"], "mysql+magic://db", 1, "DATABASE_URL is"),
        (["sing"], "sqlite:////nowhere/shop.db", 2, "usage: python -m catalog init-db"),
    ],
)
def test_the_command_line_says_what_is_wrong(arguments: list[str], url: str, code: int, said: str) -> None:
    """One sentence and an exit code, never a traceback."""
    done = subprocess.run(
        [sys.executable, "-m", "catalog", *arguments],
        env=environment(DATABASE_URL=url),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.returncode, said in done.stderr) == (code, True), done.stderr
    assert "Traceback" not in done.stderr
