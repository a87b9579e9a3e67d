"""CDN: the agent that purges somebody else's edge. It follows the log as the others do; see `tocsin.cdn`."""

import random
import secrets
import sys
from collections.abc import Callable
from pathlib import Path

from tocsin.agent.process import until_terminated
from tocsin.agent.rhythm import holder_name, rhythm_of
from tocsin.cdn.client import PurgeClient
from tocsin.cdn.purger import Purger
from tocsin.cdn.sink import CdnSink, CdnState
from tocsin.clock import SystemClock
from tocsin.follower import Follower
from tocsin.redis.connection import RedisConnection
from tocsin.redis.sequenced.assembly import sequencer_on
from tocsin.settings import CacheSettings

ENDS_WITHIN_S = 12.0
"""A call that is under way is awaited, so that what it purged is remembered."""


def say(sentence: str) -> None:
    """Tell people, on stderr."""
    print(f"tocsin agent: {sentence}", file=sys.stderr, flush=True)


def keep_cdn(settings: CacheSettings, client: PurgeClient, state: Path, *, tell: Callable[[str], None] = say) -> None:
    """Purge what is invalidated until SIGTERM or SIGINT. `state`: the file that remembers how far."""
    ending = until_terminated()
    clock = SystemClock()
    connection = RedisConnection(settings, clock)
    kept = CdnState(state)
    # Jitter between retries: chance, not a secret.
    purger = Purger(client, done=kept.write, tell=tell, chance=random.random)
    follower = Follower(
        feed=sequencer_on(connection, settings),
        sink=CdnSink(purger, kept),
        node=holder_name(settings.node_name),
        now=clock.now,
        beats=secrets.randbits(48),
        rhythm=rhythm_of(settings),
        tell=tell,
    )
    purger.start()
    try:
        follower.follow(ending, clock.pause)
    finally:
        purger.stop(ENDS_WITHIN_S)
        connection.close()
