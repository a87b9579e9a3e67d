"""What an answer tells caches that hear of invalidations: by which names it falls."""

from __future__ import annotations

from catalog.web.kept import let_keep
from flask import Response
from tocsin import Answer, Layer
from tocsin.position import Position


def told(answer: Answer, *names: str) -> Response:
    """A response that shows `names`."""
    response = Response()
    let_keep(response, answer, names)
    return response


def test_an_answer_falls_with_its_key_its_tags_and_the_prefix_of_either() -> None:
    """`invalidate(pattern="product:*")` is told as the prefix `product`; an edge must know that it concerns this."""
    answer = Answer(b"{}", 3, Layer.L2, (), tags=("category:toys",), base=Position(7, 42))
    headers = told(answer, "product:1").headers
    assert headers["Cache-Groups"] == '"product:1", "category:toys", "product", "category"'
    assert headers["Cache-Tag"] == "product:1,category:toys,product,category"
    assert headers["Tocsin-Base"] == "0000000000000007,42"


def test_an_answer_that_nothing_proves_says_nothing() -> None:
    """Then no edge keeps it."""
    assert "Tocsin-Base" not in told(Answer(b"{}", 3, Layer.DATABASE, ()), "product:1").headers
