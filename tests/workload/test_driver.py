"""The driver against a toy origin: open model, evidence before action, nobody served twice."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import replace
from pathlib import Path
from random import Random

import pytest

from cluster.errors import ClusterError
from cluster.history.columns import History
from cluster.history.operation import Kind, Layer, Operation, Outcome, Phase
from cluster.history.reader import read_history
from cluster.history.recorder import Recorder
from cluster.workload.arrival import Arrival, Wish
from cluster.workload.catalogue import Catalogue
from cluster.workload.driver import NS, Driver
from cluster.workload.profile import Profile
from tests.workload.origin import HANG, Asked, Origin, Reply, Script, origin, shop

PROFILE = Profile(products=(1, 2), timeout_s=10, sessions=2)
WORKER = "node-1/worker-1"
Use = Callable[[Driver, Origin], Awaitable[None]]


def reads(count: int, *, every_s: float = 0.001) -> list[Arrival]:
    return [Arrival(place * every_s, Wish.PRODUCT, 1, "") for place in range(count)]


def run(folder: Path, script: Script, use: Use, *, profile: Profile = PROFILE) -> History:
    """What is on file after `use` had its way with a driver before an origin that follows `script`."""

    async def main() -> None:
        async with origin(script) as running:
            with Recorder(folder / "history.jsonl") as recorder:
                async with Driver(
                    Catalogue(running.origins), profile, recorder, chance=Random(1), run_tag="0badcafe"
                ) as driver:
                    await use(driver, running)

    asyncio.run(main())
    return read_history(folder / "history.jsonl")


def driving(arrivals: Iterable[Arrival], *, drain: bool = True) -> Use:
    async def use(driver: Driver, _: Origin) -> None:
        await driver.drive(arrivals, for_s=60, stop=asyncio.Event())
        if drain:
            await driver.drain()

    return use


def test_an_answered_request_is_on_file_with_all_it_said(tmp_path: Path) -> None:
    """Read, write, read: versions, operation ids, layers."""
    wishes = ((Wish.PRODUCT, WORKER), (Wish.CHANGE, ""), (Wish.PRODUCT, ""))

    async def use(driver: Driver, _: Origin) -> None:
        for wish, worker in wishes:
            await driver.drive([Arrival(0, wish, 1, worker)], for_s=60, stop=asyncio.Event())
            await driver.drain()

    history = run(tmp_path, shop(), use)
    before, write, after = history.operations()
    assert (before.version, before.operation_id, before.via, before.session) == (1, "", WORKER, "")
    assert (write.kind, write.version, write.operation_id) == (Kind.WRITE, 2, "0badcafe00000001")
    assert (after.version, after.operation_id, after.via) == (2, "0badcafe00000001", "edge")
    assert (after.layer, after.worker, after.status) == (Layer.L2, WORKER, 200)
    assert before.digest != after.digest == write.digest


def test_the_next_request_never_waits_for_the_last_answer(tmp_path: Path) -> None:
    """An origin that answers nothing is sent everything that is due: that is the open model."""

    async def use(driver: Driver, asked: Origin) -> None:
        await driver.drive(reads(50), for_s=60, stop=asyncio.Event())
        assert driver.tally.in_flight == 50
        while len(asked.asked) < 50:
            await asyncio.sleep(0.01)

    history = run(tmp_path, lambda _: HANG, use)
    assert [each.outcome for each in history.operations()] == [Outcome.FAIL] * 50


def test_what_is_too_much_is_not_sent_and_counted(tmp_path: Path) -> None:
    """The bound on what waits keeps the driver's own memory and sockets in hand."""

    async def use(driver: Driver, _: Origin) -> None:
        await driver.drive(reads(20), for_s=60, stop=asyncio.Event())
        assert (driver.tally.asked, driver.tally.unsent) == (5, 15)

    run(tmp_path, lambda _: HANG, use, profile=replace(PROFILE, in_flight_max=5))


def test_lateness_is_counted_from_when_the_request_was_due(tmp_path: Path) -> None:
    """Arrivals that were due a second ago leave at once, and say so."""
    arrivals = [Arrival(-1.0, Wish.PRODUCT, 1, ""), Arrival(0.0, Wish.PRODUCT, 1, "")]
    history = run(tmp_path, shop(), driving(arrivals))
    assert max(history.late_ns) >= NS


def test_a_request_without_an_answer_is_given_up(tmp_path: Path) -> None:
    """After the profile's timeout, as a timeout."""
    history = run(tmp_path, lambda _: HANG, driving(reads(1)), profile=replace(PROFILE, timeout_s=0.2))
    assert [each.error for each in history.operations()] == ["timeout"]


def test_a_write_is_on_file_before_the_origin_hears_of_it(tmp_path: Path) -> None:
    """Were the driver to die now, the file would say that the write may land."""
    found = []

    def script(asked: Asked) -> Reply:
        found.append(asked.headers["idempotency-key"] in (tmp_path / "history.jsonl").read_text(encoding="utf-8"))
        return Reply(status=500)

    run(tmp_path, script, driving([Arrival(0, Wish.CHANGE, 1, "")]))
    assert found == [True]


def test_a_write_is_never_sent_twice(tmp_path: Path) -> None:
    """Not even on an idle connection that the origin closes as the write arrives, where clients like to try again."""
    came: Counter[str] = Counter()

    def script(asked: Asked) -> Reply | str:
        if asked.method == "GET":
            return Reply({}, close=True)  # keeps its promise of keep-alive badly
        came[asked.headers["idempotency-key"]] += 1
        return "reset"

    arrivals = [Arrival(place * 0.01, Wish.CHANGE if place % 2 else Wish.PRODUCT, 1, "") for place in range(40)]
    history = run(tmp_path, script, driving(arrivals))
    writes = [each for each in history.operations() if each.kind is Kind.WRITE]
    assert len(writes) == 20
    assert {each.outcome for each in writes} <= {Outcome.INFO}
    assert set(came.values()) <= {1}


def test_after_an_unknown_end_the_process_never_speaks_again(tmp_path: Path) -> None:
    """The reader would refuse such a history; here it is read."""

    def script(asked: Asked) -> Reply:
        return Reply(status=502) if asked.method == "PATCH" else Reply({})

    arrivals = [Arrival(place * 0.005, Wish.CHANGE, 1, "") for place in range(30)]
    history = run(tmp_path, script, driving(arrivals))
    assert len(set(history.process)) == 30


def test_people_sign_in_and_see_their_own_page(tmp_path: Path) -> None:
    """The cookie that a sign-in set comes with each later request; a guest stays a guest."""

    async def use(driver: Driver, _: Origin) -> None:
        await driver.greet()
        arrivals = [Arrival(place * 0.05, Wish.PERSONAL, 1, "") for place in range(4)]
        await driver.drive(arrivals, for_s=60, stop=asyncio.Event())
        await driver.drain()

    pages = list(run(tmp_path, shop(), use).operations())
    assert [(each.user, each.owner) for each in pages] == [("ada", "ada"), ("guest", "guest")] * 2
    assert [each.key for each in pages[:2]] == ["dashboard:ada:en", "dashboard:guest:en"]


def test_nobody_can_sign_in_is_said_at_once(tmp_path: Path) -> None:
    """The traffic would mean nothing; the message names address and reason."""

    async def use(driver: Driver, _: Origin) -> None:
        with pytest.raises(ClusterError, match=r"/api/session: nobody can sign in \(status 503\)"):
            await driver.greet()

    run(tmp_path, lambda _: Reply(status=503), use)


def test_everybody_is_read_for_every_product(tmp_path: Path) -> None:
    """The final reading: each via, each product, in the phase that was set; nobody twice."""
    places = [(via, product) for via in ("edge", WORKER) for product in range(1, 31)]
    seen: dict[tuple[str, int], int] = {}

    async def use(driver: Driver, _: Origin) -> None:
        driver.phase = Phase.FINAL
        seen.update(await driver.read_all(places))

    history = run(tmp_path, shop({"/api/products/7": 9}), use)
    assert seen == {place: 9 if place[1] == 7 else 1 for place in places}
    operations: list[Operation] = list(history.operations())
    assert len({(each.via, each.key) for each in operations}) == len(operations) == 60
    assert {each.phase for each in operations} == {Phase.FINAL}


def test_who_gives_no_answer_has_no_entry(tmp_path: Path) -> None:
    """A dead worker is not taken for an empty one."""

    async def use(driver: Driver, _: Origin) -> None:
        assert await driver.read_all([(WORKER, 1)]) == {}

    run(tmp_path, lambda _: Reply(status=502), use)


def test_driving_stops_when_it_is_told_to(tmp_path: Path) -> None:
    """Ctrl-C: no further request leaves; what was sent is awaited."""

    async def use(driver: Driver, _: Origin) -> None:
        stop = asyncio.Event()
        asyncio.get_running_loop().call_later(0.1, stop.set)
        await driver.drive(reads(100_000), for_s=60, stop=stop)
        await driver.drain()
        assert 0 < driver.tally.answered == driver.tally.asked < 100_000
        assert driver.acknowledged == set()

    run(tmp_path, shop(), use)


def test_what_still_waits_at_the_end_is_unknown(tmp_path: Path) -> None:
    """A driver that leaves gives its requests up: a write may have landed, and the file says so."""
    history = run(tmp_path, lambda _: HANG, driving([Arrival(0, Wish.CHANGE, 1, "")], drain=False))
    assert [each.outcome for each in history.operations()] == [Outcome.INFO]
