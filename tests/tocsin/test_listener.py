"""The listener of `pubsub` on a real Redis: what it hears, when it is deaf, and that it says so."""

from __future__ import annotations

import threading

from tocsin import Cache, Names, Strategy

from tests.redis_server import RedisServer
from tests.tocsin.conftest import Connect
from tests.tocsin.town import Witness, found, unexpected
from tests.until import until

WITHIN_S = 8.0
LONG_S = 3600.0


def hears(cache: Cache) -> bool:
    return cache.hearing().hears


def started(connected: Connect, **settings: float) -> Cache:
    cache = connected(strategy=Strategy.PUBSUB, l1_ttl_s=LONG_S, l2_ttl_s=LONG_S, **settings)
    cache.start()
    until(lambda: hears(cache), within_s=WITHIN_S, waiting_for="the listener to hear its canary")
    return cache


def test_a_listener_that_was_not_started_says_what_to_do(connected: Connect) -> None:
    """`/readyz` shows this to whoever forgot the call after the fork."""
    hearing = connected(strategy=Strategy.PUBSUB).hearing()
    assert not hearing.hears
    assert "call start() after the fork" in hearing.detail


def test_a_worker_drops_what_another_wrote(connected: Connect, witness: Witness) -> None:
    """Keys, tags and namespaces of a finish are gone from the other worker's L1, and that is observed."""
    here, there = started(connected), started(connected)
    there.read("k", found(b"old", 1, "toys"))
    names = Names(tags=("toys",))
    here.invalidate(names)
    until(lambda: there.levels().entries == 0, within_s=WITHIN_S, waiting_for="the other L1 to drop the entry")
    assert (names, "backplane") in witness.invalidations


def test_a_listener_reconnects_and_was_deaf_meanwhile(redis: RedisServer, connected: Connect, witness: Witness) -> None:
    """Killed and back: it hears again by itself, and what was told in between is lost, as nothing is flushed."""
    cache, writer = started(connected), connected(strategy=Strategy.PUBSUB)
    cache.read("missed", found(b"old"))
    assert writer.ping()
    with redis.client() as client:
        # From here on new connections are refused, and those that are open go on.
        client.config_set("requirepass", "nobody")
        try:
            client.client_kill_filter(_type="pubsub")
            until(lambda: not hears(cache), within_s=WITHIN_S, waiting_for="the listener to say that it is lost")
            assert not writer.invalidate(Names(keys=("missed",))).pending
        finally:
            client.config_set("requirepass", "")
    until(lambda: hears(cache), within_s=WITHIN_S, waiting_for="the listener to hear again")
    assert "lost" in witness.events
    assert witness.events.count("subscribed") == 2
    assert cache.read("missed", unexpected).value == b"old"
    writer.invalidate(Names(keys=("missed",)))
    until(lambda: cache.levels().entries == 0, within_s=WITHIN_S, waiting_for="the listener to drop what it hears")


def test_a_listener_whose_canary_stays_away_is_deaf_and_connects_anew(
    redis: RedisServer, connected: Connect, witness: Witness
) -> None:
    """Half-open: Redis is silent and no error is raised. The canary tells, and after the heal a new one comes back."""
    cache = started(connected, canary_within_s=0.5)
    redis.pause()
    until(lambda: not hears(cache), within_s=WITHIN_S, waiting_for="the missing canary to be noticed")
    until(
        lambda: {"lost", "canary-lost"} & set(witness.events),
        within_s=WITHIN_S,
        waiting_for="the listener to give its connection up",
    )
    redis.resume()
    until(lambda: hears(cache), within_s=WITHIN_S, waiting_for="the listener to hear again")


def test_a_listener_survives_a_redis_that_restarts(redis: RedisServer, connected: Connect) -> None:
    """Gone and back, empty: it subscribes again, and hears."""
    cache = started(connected)
    redis.stop()
    until(lambda: not hears(cache), within_s=WITHIN_S, waiting_for="the listener to say that it is lost")
    redis.start()
    until(lambda: hears(cache), within_s=WITHIN_S, waiting_for="the listener to hear again")


def test_what_is_not_a_message_is_reported_and_skipped(
    redis: RedisServer, connected: Connect, witness: Witness
) -> None:
    """Foreign bytes on our channel neither end the listener nor pass in silence (hazard 36)."""
    cache = started(connected)
    cache.read("k", found(b"old"))
    with redis.client() as client:
        for foreign in (b"", b"garbage", b"\x92\xa1n\x81\xa4keys\x91\xa0"):
            client.publish(f"tocsin:{{{cache.settings.namespace}}}:invalidations", foreign)
    cache.invalidate(Names(keys=("other",)))
    until(
        lambda: (Names(keys=("other",)), "backplane") in witness.invalidations,
        within_s=WITHIN_S,
        waiting_for="the message behind the foreign ones",
    )
    assert witness.events.count("undecodable") == 3
    assert hears(cache)


def test_a_mistake_of_an_observer_does_not_end_the_listener(connected: Connect, witness: Witness) -> None:
    """A thread that ended would be deaf for good; it starts over, and the observer is told."""
    cache = started(connected)
    broken = threading.Event()

    def invalidated(names: Names, source: str) -> None:
        if source == "backplane" and not broken.is_set():
            broken.set()
            raise ZeroDivisionError

    witness.invalidated = invalidated  # type: ignore[method-assign]
    cache.invalidate(Names(keys=("k",)))
    assert broken.wait(WITHIN_S)
    until(lambda: "failed" in witness.events, within_s=WITHIN_S, waiting_for="the failure to be reported")
    until(lambda: hears(cache), within_s=WITHIN_S, waiting_for="the listener to hear again")


def test_stopping_ends_the_thread(connected: Connect) -> None:
    """No thread of the library is left, and hearing is not claimed any more."""
    cache = started(connected)
    cache.stop()
    assert not hears(cache)
    until(
        lambda: not [each for each in threading.enumerate() if each.name.startswith("tocsin-listener")],
        within_s=WITHIN_S,
        waiting_for="the listener's thread to end",
    )


def test_a_stopped_listener_can_be_started_again(connected: Connect) -> None:
    """Start after stop hears anew."""
    cache = started(connected)
    cache.stop()
    cache.start()
    until(lambda: hears(cache), within_s=WITHIN_S, waiting_for="the listener to hear after a second start")
