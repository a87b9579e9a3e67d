"""Adapters: what is read, and what is refused with the key's name."""

from __future__ import annotations

from pathlib import Path

import pytest

from cluster.application.adapter import load_adapter, parse_adapter
from cluster.application.promises import contract_of_adapter
from cluster.errors import WrongInputError

WHOLE = """
name = "guestbook"
front = "http://127.0.0.1:9001"
items = ["alps", "bells"]
[read]
path = "/notes/{item}"
[write]
method = "PUT"
path = "/notes/{item}"
body = '{"text": "{value}"}'
[contract]
staleness_ms_max = 500
read_your_writes = true
"""


def test_an_adapter_says_how_to_ask_and_what_is_promised() -> None:
    """Every promise of the file is a promise of the contract, beside those that everybody makes."""
    contract = contract_of_adapter(parse_adapter(WHOLE, source="app.toml"))
    assert [promise.property for promise in contract.promises] == [
        "phantom",
        "staleness",
        "read your writes",
        "quiescent agreement",
    ]
    assert contract.promises[1].bound_ns == 500_000_000


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (('front = "http://127.0.0.1:9001"', 'front = "127.0.0.1:9001"'), "front"),
        (('front = "http://127.0.0.1:9001"', 'front = "http://127.0.0.1:90010"'), "front"),
        (('front = "http://127.0.0.1:9001"', 'front = "http://127.0.0.1:9001/"'), "front"),
        (('items = ["alps", "bells"]', 'items = ["alps", "alps"]'), "items"),
        (('path = "/notes/{item}"', 'path = "/notes"'), "read.path"),
        (('"text": "{value}"', '"text": "hello"'), "{value}"),
        (('method = "PUT"', 'method = "PUT"\nversion = "/revision"'), "version"),
        (("staleness_ms_max = 500", "stalenes_ms_max = 500"), "stalenes_ms_max"),
        (('name = "guestbook"', "name = guestbook"), "no TOML"),
        (("[contract]", '[[faults]]\nname = "x"\nstart = []\n[contract]'), "start"),
    ],
)
def test_what_can_not_be_asked_is_refused_by_its_key(change: tuple[str, str], said: str) -> None:
    """A misspelt bound that was ignored would pass everything."""
    with pytest.raises(WrongInputError, match="app.toml.*" + said.replace("{", r"\{")):
        parse_adapter(WHOLE.replace(*change, 1), source="app.toml")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """In one sentence."""
    with pytest.raises(WrongInputError, match="nowhere"):
        load_adapter(tmp_path / "nowhere.toml")
