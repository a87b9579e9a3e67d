"""ok, fail or info: the table of the module, row by row, and each broken exchange on a real socket."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from random import Random

import pytest

from cluster.history.operation import Kind, Operation, Outcome
from cluster.history.reader import read_history
from cluster.history.recorder import Recorder
from cluster.workload.arrival import Arrival, Wish
from cluster.workload.catalogue import Catalogue
from cluster.workload.driver import Driver
from cluster.workload.outcome import outcome_of_status
from cluster.workload.profile import Profile
from cluster.workload.request import Origins
from tests.workload.origin import CUT_SHORT, HANG, RESET, Reply, Script, origin

PROFILE = Profile(products=(1,), timeout_s=0.5, sessions=1)


@pytest.mark.parametrize(
    ("status", "said", "read", "write"),
    [
        (200, "", "ok", "ok"),
        (201, "", "ok", "ok"),
        (404, "", "ok", "fail"),
        (412, "", "fail", "fail"),
        (422, "", "fail", "fail"),
        (500, "unknown", "fail", "info"),
        (500, "", "fail", "info"),
        (502, "", "fail", "info"),
        (504, "unknown", "fail", "info"),
        (503, "not-applied", "fail", "fail"),
        (502, "not-applied", "fail", "fail"),
        (304, "", "fail", "fail"),
    ],
)
def test_a_status_decides(status: int, said: str, read: str, write: str) -> None:
    """`fail` only where it surely did not happen; a 5xx to a write proves nothing, unless it says so itself."""
    assert outcome_of_status(Kind.READ, status, said=said)[0].value == read
    assert outcome_of_status(Kind.WRITE, status, said=said)[0].value == write


def perform(folder: Path, wish: Wish, origins: Origins) -> Operation:
    """One request to the origin, as it stands in the history."""

    async def run() -> None:
        with Recorder(folder / f"{wish.name}.jsonl") as recorder:
            async with Driver(Catalogue(origins), PROFILE, recorder, chance=Random(1), run_tag="0badcafe") as driver:
                await driver.drive([Arrival(0, wish, 1, "")], for_s=1, stop=asyncio.Event())
                await driver.drain()

    asyncio.run(run())
    (operation,) = read_history(folder / f"{wish.name}.jsonl").operations()
    return operation


@pytest.mark.parametrize(
    ("script", "error"),
    [
        (lambda _: HANG, "timeout"),
        (lambda _: RESET, "reset"),
        (lambda _: CUT_SHORT, "cut-short"),
        (lambda _: Reply({"title": "Bad Gateway"}, status=502), "status-502"),
    ],
)
def test_what_broke_after_sending_is_unknown_for_a_write_and_nothing_for_a_read(
    tmp_path: Path, script: Script, error: str
) -> None:
    """The request had left: the write may have been applied; the read told nobody anything."""

    async def run(wish: Wish) -> Operation:
        async with origin(script) as running:
            return await asyncio.to_thread(perform, tmp_path, wish, running.origins)

    read, write = asyncio.run(run(Wish.PRODUCT)), asyncio.run(run(Wish.CHANGE))
    assert (read.outcome, read.error) == (Outcome.FAIL, error)
    assert (write.outcome, write.error) == (Outcome.INFO, error)


@pytest.mark.parametrize(
    ("body", "outcome"),
    [
        ({"status": 503, "outcome": "not-applied"}, Outcome.FAIL),
        ({"status": 503, "outcome": "unknown"}, Outcome.INFO),
        (b"<html>Service Unavailable</html>", Outcome.INFO),
    ],
)
def test_a_failed_write_is_believed_when_it_says_that_it_was_not_applied(
    tmp_path: Path, body: object, outcome: Outcome
) -> None:
    """The member of the problem document decides; the audit table will tell if it lied."""

    async def run() -> Operation:
        async with origin(lambda _: Reply(body, status=503)) as running:
            return await asyncio.to_thread(perform, tmp_path, Wish.CHANGE, running.origins)

    assert asyncio.run(run()).outcome is outcome


@pytest.mark.parametrize(("body", "version"), [({"status": 404, "version": 7}, 7), ({"status": 404}, 0), (b"", 0)])
def test_what_is_not_there_has_the_version_of_its_tombstone(tmp_path: Path, body: object, version: int) -> None:
    """A product that was deleted keeps its version; one that never was has version 0."""

    async def run() -> Operation:
        async with origin(lambda _: Reply(body, status=404)) as running:
            return await asyncio.to_thread(perform, tmp_path, Wish.PRODUCT, running.origins)

    found = asyncio.run(run())
    assert (found.outcome, found.version, found.status) == (Outcome.OK, version, 404)


def test_a_refused_connection_is_a_certain_failure(tmp_path: Path) -> None:
    """Nothing was sent, so nothing happened, for a write as well."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
    for wish in (Wish.PRODUCT, Wish.CHANGE):
        found = perform(tmp_path, wish, Origins(url, {}))
        assert (found.outcome, found.error) == (Outcome.FAIL, "refused")


def test_a_write_that_was_accepted_in_words_nobody_understands_has_happened(tmp_path: Path) -> None:
    """Its version is unknown; a read of such words showed nobody anything."""

    async def run(wish: Wish) -> Operation:
        async with origin(lambda _: Reply(b"<html>fine</html>")) as running:
            return await asyncio.to_thread(perform, tmp_path, wish, running.origins)

    write, read = asyncio.run(run(Wish.CHANGE)), asyncio.run(run(Wish.PRODUCT))
    assert (write.outcome, write.version, write.error) == (Outcome.OK, -1, "unreadable")
    assert (read.outcome, read.error) == (Outcome.FAIL, "unreadable")
