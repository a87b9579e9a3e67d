"""Planted bugs, one after the other: each does what its name says, and its clean twin does not.

Two workers of one node and one of another share a real Redis; the database is a dictionary. No agent and no cluster:
what an agent would do is asked of its parts.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from catalog.examined import cache_of
from planted.bugs.following import LeaseFromReply, NoFlush
from planted.bugs.table import BUGS
from planted.seal import seal_of
from tocsin import Cache, CacheSettings, Loaded, Names, Policy, Strategy
from tocsin.clock import SystemClock
from tocsin.generation import DEADLINE, HEADER_WORDS, Generations, Keeper, private_memory
from tocsin.position import Position
from tocsin.settings import Agent

from tests.redis_server import RedisServer, redis_server
from tests.until import until

SECRET = "a-secret-of-the-tests"
KEY = "product:7"
NAMES = Names(keys=(KEY,), tags=("category:toys",), namespaces=("products",))
POLICY = Policy()


@pytest.fixture(scope="module")
def server() -> Iterator[RedisServer]:
    """A private Redis."""
    with redis_server() as started:
        yield started


@dataclass
class World:
    """Workers with a bug, or without one."""

    server: RedisServer
    bug: str | None
    strategy: Strategy
    ends: ExitStack
    database: dict[str, int] = field(default_factory=lambda: {KEY: 1})

    def __post_init__(self) -> None:
        """Empty Redis, and start the three workers."""
        with self.server.client() as client:
            client.flushall()
        self.one, self.sibling, self.other = map(self.worker, ("node-1/worker-1", "node-1/worker-2", "node-2/worker-1"))

    def worker(self, name: str) -> Cache:
        """A worker that listens."""
        environ = {"CATALOG_PLANTED": seal_of(SECRET, f"planted:{self.bug}")} if self.bug else {}
        settings = CacheSettings(
            redis_url=self.server.url, node=name, strategy=self.strategy, namespace="catalog",
            agent=Agent.THREAD, l1_ttl_s=30.0, l2_ttl_s=60.0,
        )  # fmt: skip
        cache = cache_of(settings, SECRET, environ=environ)
        cache.start()
        self.ends.callback(cache.stop)
        if self.strategy is not Strategy.L2_ONLY:
            until(lambda: cache.hearing().hears, within_s=10, waiting_for=f"{name} to hear")
        return cache

    def read(self, cache: Cache, load: Callable[[], Loaded] | None = None) -> int:
        """The version that a read of the key returns."""
        return cache.read(KEY, load or self.load, POLICY).version

    def load(self) -> Loaded:
        """From the database."""
        return Loaded(b"value", self.database[KEY])

    def write(self, cache: Cache, *, between: Callable[[], object] = lambda: None) -> int:
        """Write the next version; `between` happens after the announcement, before the commit."""
        with cache.writing(NAMES) as write:
            between()
            self.database[KEY] += 1
            write.committed(key=KEY, value=b"value", version=self.database[KEY])
        return self.database[KEY]

    def knows(self, cache: Cache, version: int, within_s: float) -> bool:
        """Whether a worker comes to return this version in time."""
        try:
            until(lambda: self.read(cache) == version, within_s=within_s, waiting_for="the newest version")
        except AssertionError:
            return False
        return True


@pytest.fixture
def world(server: RedisServer) -> Iterator[Callable[[str | None, Strategy], World]]:
    """Makes worlds, and stops their workers."""
    with ExitStack() as ends:
        yield lambda bug, strategy: World(server, bug, strategy, ends)


MakeWorld = Callable[[str | None, Strategy], World]
DEAF_S, TOLD_S = 0.5, 10.0


@pytest.mark.parametrize("bug", ["no-publish", "wrong-channel", "listener-before-fork"])
def test_the_other_node_never_learns_of_a_write(world: MakeWorld, bug: str) -> None:
    """It goes on with its copy; without the bug it drops it."""
    for planted, learns in ((bug, False), (None, True)):
        place = world(planted, Strategy.PUBSUB)
        assert place.read(place.other) == 1
        version = place.write(place.one)
        assert place.knows(place.other, version, within_s=TOLD_S if learns else DEAF_S) is learns


def test_the_sibling_on_the_writers_own_node_never_learns(world: MakeWorld) -> None:
    """own-echo: the other node does."""
    place = world("own-echo", Strategy.PUBSUB)
    assert place.read(place.sibling) == place.read(place.other) == 1
    version = place.write(place.one)
    assert place.knows(place.other, version, within_s=TOLD_S)
    assert place.read(place.sibling) == 1


def test_a_listener_that_died_learns_nothing_more_and_calls_itself_well(world: MakeWorld) -> None:
    """listener-dies: with the twentieth message the other node is deaf; without the bug it learns of thirty writes."""
    for planted in ("listener-dies", None):
        place = world(planted, Strategy.PUBSUB)
        learnt = 0
        for _ in range(30):
            place.read(place.other)
            version = place.write(place.one)
            if not place.knows(place.other, version, within_s=TOLD_S if learnt < 15 or planted is None else DEAF_S):
                break
            learnt += 1
        assert learnt == (30 if planted is None else 19)
        assert place.other.hearing().hears


@pytest.mark.parametrize(
    ("bug", "strategy"),
    [("publish-before-commit", Strategy.PUBSUB), ("invalidate-before-commit", Strategy.L2_ONLY)],
)
def test_what_is_read_between_telling_and_commit_stays(world: MakeWorld, bug: str, strategy: Strategy) -> None:
    """A reader that comes before the commit keeps the old row, though all were told; without the bug it loses it."""
    for planted, learns in ((bug, False), (None, True)):
        place = world(planted, strategy)

        def read_old(place: World = place, planted: str | None = planted) -> None:
            if planted == "publish-before-commit":  # the message is on its way, and takes the copy of before with it
                until(lambda: place.other.peek(KEY, POLICY).l1 is None, within_s=5, waiting_for="the early message")
            assert place.read(place.other) == 1

        assert place.read(place.other) == 1
        version = place.write(place.one, between=read_old)
        assert place.knows(place.other, version, within_s=TOLD_S if learns else DEAF_S) is learns


def test_a_late_fill_is_kept(world: MakeWorld) -> None:
    """late-fill: a load that began before a write ends after it, and everybody reads its old value from L2."""
    for planted, version_read in (("late-fill", 1), (None, 2)):
        place = world(planted, Strategy.SEQUENCED)

        def load_slowly(place: World = place) -> Loaded:
            loaded = place.load()
            place.write(place.one)
            return loaded

        place.read(place.other, load_slowly)
        assert place.read(place.sibling) == version_read


def test_personal_pages_lack_their_user(world: MakeWorld) -> None:
    """user-missing: Bela is given Ada's page."""
    place = world("user-missing", Strategy.SEQUENCED)
    ada, bela = (f"dashboard:{user}:en" for user in ("ada", "bela"))
    assert place.one.read(ada, lambda: Loaded(b"ada", 1), POLICY).value == b"ada"
    assert place.one.read(bela, lambda: Loaded(b"bela", 1), POLICY).value == b"ada"


def test_lists_are_not_told_of_a_write(world: MakeWorld) -> None:
    """tag-missed: the list of the namespace stays as it was."""
    for planted, version_read in (("tag-missed", 1), (None, 2)):
        place = world(planted, Strategy.SEQUENCED)
        policy = Policy(versioned_by="products")

        def listed(place: World = place, policy: Policy = policy) -> int:
            return place.one.read("products:toys:1:20", lambda: Loaded(b"list", place.database[KEY]), policy).version

        assert listed() == 1
        place.write(place.one)
        assert listed() == version_read


def test_an_absence_is_believed_in_spite_of_the_write_that_ends_it(world: MakeWorld) -> None:
    """negative-kept: the 404 of before stays in L1."""
    for planted, found in (("negative-kept", False), (None, True)):
        place = world(planted, Strategy.PUBSUB)
        assert place.read(place.one, lambda: Loaded(None)) == 0
        version = place.write(place.one)
        assert (place.read(place.one) == version) is found


def test_everything_lives_a_thousand_times_as_long(world: MakeWorld) -> None:
    """ttl-unit: 30 seconds are eight hours."""
    place = world("ttl-unit", Strategy.TTL)
    place.read(place.one)
    kept = place.one.peek(KEY, POLICY).l1
    assert kept is not None
    assert kept.ttl_s is not None
    assert kept.ttl_s > 20_000


def test_a_gap_in_what_was_told_clears_nothing() -> None:
    """no-flush: an entry of before the gap is proved still; a table without the bug refutes it."""
    settings = CacheSettings(redis_url="redis://nowhere", node="node-1")
    for adaptation, believes in ((NoFlush(), True), (None, False)):
        memory = private_memory()
        keeper = Keeper(memory)
        sink = adaptation.sink(keeper, settings) if adaptation else keeper
        keeper.flush(Position(1 << 32, 5))
        sink.flush(Position(1 << 32, 9))
        generations = Generations(memory)
        assert generations.position() == Position(1 << 32, 9)
        assert (memory.words[HEADER_WORDS] == 5) is believes


def test_a_lease_counts_from_the_reply() -> None:
    """lease-from-reply: a question of ten seconds ago gives a lease that has ended; with the bug, one from now on."""
    settings = CacheSettings(redis_url="redis://nowhere", node="node-1")
    now_s = SystemClock().now()
    for adaptation, lasts in ((LeaseFromReply(), True), (None, False)):
        memory = private_memory()
        keeper = Keeper(memory)
        sink = adaptation.sink(keeper, settings) if adaptation else keeper
        sink.renew(now_s - 10 + settings.lease_s)
        assert (memory.moments[DEADLINE] > now_s) is lasts


def test_every_bug_is_shown_here_or_by_a_run() -> None:
    """lost-write-behind needs the drain, and wall-clock a clock that is off: the runs of the self-check show those."""
    source = Path(__file__).read_text(encoding="utf-8")
    assert [bug for bug in BUGS if bug not in source] == []
