"""How answers of a foreign application become versions, and when an item may be written."""

from __future__ import annotations

from random import Random

import pytest

from cluster.application.adapter import parse_adapter
from cluster.application.foreign_shop import FRONT, ForeignShop
from cluster.history.operation import Outcome
from cluster.workload.answer import UnreadableError, Value
from cluster.workload.client import Client
from cluster.workload.reply import Reply
from cluster.workload.request import EDGE, Request
from tests.application.test_adapter import WHOLE

FIRST, SECOND = "00000000000000a1", "00000000000000a2"
SOMEBODY = Client(1, "s1")
NUMBERED = WHOLE.replace('path = "/notes/{item}"', 'path = "/notes/{item}"\nversion = "/data/0/revision"')


def shop(text: str = WHOLE) -> ForeignShop:
    """A shop on the guestbook."""
    return ForeignShop(parse_adapter(text, source="app.toml"))


def write(of: ForeignShop, operation_id: str) -> Request | None:
    """Write the first item."""
    return of.change(1, "edge", operation_id, SOMEBODY, Random(1))


def test_a_request_is_the_adapters_with_item_and_value_in_place() -> None:
    """The value says which write it is of."""
    asked = write(shop(), FIRST)
    assert asked is not None
    assert (asked.method, str(asked.url)) == ("PUT", "http://127.0.0.1:9001/notes/alps")
    assert asked.body == b'{"text": "tocsin-00000000000000a1"}'
    assert (asked.key, asked.via) == ("item:alps", FRONT)


def test_without_versions_a_read_is_as_new_as_the_write_whose_value_it_shows() -> None:
    """Numbers are those of our own writes; what was there before them is version 0."""
    here = shop()
    first = write(here, FIRST)
    assert first is not None
    assert first.value_of(b"whatever it answers").version == 1
    here.ended(first, Reply(Outcome.OK, Value(1)))
    read = here.read(1, EDGE, SOMEBODY)
    assert read.value_of(b"<p>tocsin-00000000000000a1</p>") == Value(1, 0, FIRST)
    assert read.value_of(b"<p>hello</p>").version == 0
    assert read.value_of(b"<p>tocsin-ffffffffffffffff, of another run</p>").version == 0
    assert here.acknowledged == {"item:alps": 1}


def test_without_versions_an_item_has_one_writer_at_a_time() -> None:
    """Otherwise nobody could tell in which order two writes were carried out."""
    here = shop()
    first = write(here, FIRST)
    assert first is not None
    assert write(here, SECOND) is None
    here.ended(first, Reply(Outcome.OK, Value(1)))
    assert write(here, SECOND) is not None


def test_without_versions_an_item_is_not_written_after_a_write_of_unknown_end() -> None:
    """It may be carried out after the next one, and make that look lost."""
    here = shop()
    first = write(here, FIRST)
    assert first is not None
    here.ended(first, Reply(Outcome.INFO))
    assert write(here, SECOND) is None


def test_with_versions_the_applications_number_counts_and_writers_may_overlap() -> None:
    """A JSON pointer finds it."""
    here = shop(NUMBERED)
    first, second = write(here, FIRST), write(here, SECOND)
    assert first is not None
    assert second is not None
    assert second.value_of(b'{"data": [{"revision": 8}]}').version == 8
    assert here.read(1, EDGE, SOMEBODY).value_of(
        b'{"data": [{"revision": 7, "t": "tocsin-00000000000000a1"}]}'
    ) == Value(
        7,
        here.read(1, EDGE, SOMEBODY).value_of(b'{"data": [{"revision": 9}, "tocsin-00000000000000a1"]}').digest,
        FIRST,
    )


@pytest.mark.parametrize("body", [b"no JSON", b'{"data": []}', b'{"data": [{"revision": "7"}]}', b'{"data": 3}'])
def test_an_answer_without_its_version_is_unreadable(body: bytes) -> None:
    """It showed nobody anything that could be judged."""
    with pytest.raises(UnreadableError):
        shop(NUMBERED).read(1, EDGE, SOMEBODY).value_of(body)


def test_an_answer_with_the_values_of_two_writes_is_unreadable() -> None:
    """Nobody could say which of them it shows."""
    with pytest.raises(UnreadableError, match="several"):
        shop().read(1, EDGE, SOMEBODY).value_of(b"tocsin-00000000000000a1 tocsin-00000000000000a2")
