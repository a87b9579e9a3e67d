"""A small shop for `test_servers`: one memoized and one cached answer, both from a file that stands for a database."""

from __future__ import annotations

import os
from pathlib import Path

from flask import Flask
from flask_caching import Cache
from tocsin.flask import Tocsin

app = Flask("small-shop")
app.config.update(
    CACHE_TYPE="tocsin.flask_caching.TocsinCache",
    CACHE_REDIS_URL=os.environ["SHOP_REDIS_URL"],
    CACHE_TOCSIN_NAMESPACE="caching",
    CACHE_TOCSIN_L1_TTL_S=3600,
    CACHE_TOCSIN_STRATEGY=os.environ["SHOP_STRATEGY"],
    CACHE_TOCSIN_TABLE_DIR=os.environ["SHOP_TABLES"],
    TOCSIN_REDIS_URL=os.environ["SHOP_REDIS_URL"],
    TOCSIN_L1_TTL_S=3600,
    TOCSIN_STRATEGY=os.environ["SHOP_STRATEGY"],
    TOCSIN_TABLE_DIR=os.environ["SHOP_TABLES"],
)
cache = Cache(app)
tocsin = Tocsin(app)
database = Path(os.environ["SHOP_DATABASE"])


@cache.memoize()
def price() -> str:
    """Read the price."""
    return database.read_text(encoding="utf-8")


@tocsin.memoize()
def stock() -> str:
    """Read the stock, which is the price here."""
    return database.read_text(encoding="utf-8")


@app.get("/")
def show() -> dict[str, object]:
    """Say what this worker believes, and whether it hears the others."""
    hears = app.extensions["cache"][cache].hears() and tocsin.cache.hearing().hears
    return {"worker": os.getpid(), "price": price(), "stock": stock(), "hears": hears}


@app.post("/<value>")
def change(value: str) -> dict[str, object]:
    """Change the price, and forget the old one."""
    database.write_text(value, encoding="utf-8")
    cache.delete_memoized(price)
    stock.invalidate()
    return {"worker": os.getpid()}
