"""Assembly: a sequencer on a connection, as the settings say."""

from tocsin.redis.connection import RedisConnection
from tocsin.redis.sequenced.run import BoundRun
from tocsin.redis.sequenced.sequencer import RedisSequencer
from tocsin.sequencer import Terms
from tocsin.settings import CacheSettings, Strategy


def sequencer_on(connection: RedisConnection, settings: CacheSettings) -> RedisSequencer:
    """Return the sequencer of the settings' namespace. Opens nothing."""
    terms = Terms(writer_s=settings.writer_s, strict=settings.strategy is Strategy.STRICT)
    return RedisSequencer(BoundRun(connection.request, connection.prefix), terms, connection.line, connection.requests)
