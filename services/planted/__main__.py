"""`python -m planted agent`: the agent of a node that is examined; in everything else `python -m tocsin agent`."""

from __future__ import annotations

import os
import sys

from tocsin.__main__ import main
from tocsin.sequencer import Feed
from tocsin.settings import CacheSettings
from tocsin.sink import Sink

from planted.examined import BadSeal, adaptation


def around(feed: Feed, sink: Sink, settings: CacheSettings) -> tuple[Feed, Sink]:
    """Return the agent's feed and sink with what is planted around them."""
    planted = adaptation(os.environ, os.environ.get("CATALOG_SECRET", ""), f"{settings.node_name}/agent")
    return planted.feed(feed, settings), planted.sink(sink, settings)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:], adapt=around))
    except BadSeal as error:
        sys.exit(f"planted agent: {error}")
