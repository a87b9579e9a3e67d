"""A guestbook as people write one: Flask, SQLite, and a cache in each process. None of Tocsin is in it.

gunicorn --workers 1 --bind 127.0.0.1:9001 app:application      and again on 9002
"""

import os
import sqlite3

from flask import Flask, jsonify, request
from flask_caching import Cache

application = Flask(__name__)
cache = Cache(application, config={"CACHE_TYPE": "SimpleCache", "CACHE_DEFAULT_TIMEOUT": 3})


def database() -> sqlite3.Connection:
    """A connection; the table is made where there is none."""
    connection = sqlite3.connect(os.environ["GUESTBOOK"], timeout=5)
    connection.execute("CREATE TABLE IF NOT EXISTS notes (page TEXT PRIMARY KEY, text TEXT, revision INTEGER)")
    return connection


@cache.memoize()
def note(page: str) -> dict[str, object]:
    """What is written on a page."""
    with database() as connection:
        row = connection.execute("SELECT text, revision FROM notes WHERE page = ?", (page,)).fetchone()
    text, revision = row or ("", 0)
    return {"text": text, "revision": revision}


@application.get("/notes/<page>")
def show(page: str) -> object:
    """Read a page."""
    return jsonify(note(page))


@application.put("/notes/<page>")
def write(page: str) -> object:
    """Write a page, and forget what this process knew of it. The other one is not told."""
    text = request.get_json()["text"]
    with database() as connection:
        revision = connection.execute(
            "INSERT INTO notes VALUES (?, ?, 1) ON CONFLICT (page)"
            " DO UPDATE SET text = excluded.text, revision = revision + 1 RETURNING revision",
            (page, text),
        ).fetchone()[0]
    cache.delete_memoized(note, page)
    return jsonify({"text": text, "revision": revision})
