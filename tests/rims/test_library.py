"""The library's guide is true: every example in docs/library.md is run, in order, and answers what it says."""

from __future__ import annotations

import doctest
from pathlib import Path

from tests.redis_server import RedisServer

GUIDE = Path(__file__).resolve().parent.parent.parent / "docs" / "library.md"


def test_every_example_answers_what_the_guide_says(redis: RedisServer) -> None:
    """On a Redis of its own instead of the reader's."""
    text = GUIDE.read_text(encoding="utf-8").replace("redis://localhost:6379/0", redis.url)
    examples = doctest.DocTestParser().get_doctest(text, {"__name__": "shop"}, GUIDE.name, str(GUIDE), 0)
    assert len(examples.examples) > 30
    said: list[str] = []
    runner = doctest.DocTestRunner(optionflags=doctest.REPORT_ONLY_FIRST_FAILURE)
    runner.run(examples, out=said.append, clear_globs=False)
    assert not runner.failures, "".join(said)
