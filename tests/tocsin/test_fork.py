"""Forks: a cache made, used and even started before a fork is a fresh one in the child, and unharmed in the parent."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest
from tocsin import Cache, Layer, Names, Strategy

from tests.tocsin.conftest import Connect
from tests.tocsin.town import found, unexpected
from tests.until import until

WITHIN_S = 8.0


def in_child(act: Callable[[], None]) -> None:
    """Run `act` in a forked child; what fails there fails here, with its words."""
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        outcome = b"ok"
        try:
            act()
        except BaseException as error:  # noqa: BLE001  # everything is reported to the parent, and the child ends here
            outcome = repr(error).encode() or b"error"
        os.write(write, outcome)
        os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        outcome = pipe.read()
    os.waitpid(pid, 0)
    assert outcome == b"ok", outcome.decode()


@pytest.fixture
def cache(connected: Connect) -> Cache:
    """A cache that was used and started, as an application would that forgot that it will fork."""
    cache = connected(strategy=Strategy.PUBSUB, l1_ttl_s=3600.0)
    cache.start()
    until(lambda: cache.hearing().hears, within_s=WITHIN_S, waiting_for="the parent to hear")
    cache.read("k", found(b"v"))
    return cache


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_begins_with_an_empty_l1_and_connections_of_its_own(cache: Cache) -> None:
    """What it inherited nobody invalidates for it; it reads from L2, by a socket that is not its parent's."""

    def child() -> None:
        assert cache.levels().entries == 0
        assert cache.read("k", unexpected).layer is Layer.L2

    in_child(child)
    assert cache.read("k", unexpected).layer is Layer.L1
    assert cache.ping()


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_is_deaf_until_it_starts_its_own_listener(cache: Cache) -> None:
    """The parent's thread is not here. The child says so, and hears after a start of its own; so does the parent."""

    def child() -> None:
        assert not cache.hearing().hears
        cache.start()
        until(lambda: cache.hearing().hears, within_s=WITHIN_S, waiting_for="the child to hear")
        cache.read("k", unexpected)
        cache.invalidate(Names(tags=("any",)))
        cache.stop()

    in_child(child)
    assert cache.hearing().hears


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
def test_a_child_s_write_is_heard_by_its_parent(cache: Cache) -> None:
    """Two processes of one program are two nodes like any others."""

    def child() -> None:
        assert not cache.invalidate(Names(keys=("k",))).pending

    in_child(child)
    until(lambda: cache.levels().entries == 0, within_s=WITHIN_S, waiting_for="the parent to drop the entry")
