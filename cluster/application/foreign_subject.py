"""ForeignSubject: a foreign application while it is examined; see `cluster.engine.subject.Subject`.

Nobody looks behind it: what was there before the run, whether it is well and whether all agree in the end is asked of
it as any client would ask. It has no audit table, so a write of unknown end stays unknown unless somebody saw it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence

import requests

from cluster.application.adapter import Adapter
from cluster.application.foreign_shop import ForeignShop
from cluster.errors import ClusterError
from cluster.history.operation import ABSENT, Phase
from cluster.history.recorder import Recorder
from cluster.workload.answer import UnreadableError
from cluster.workload.client import Client
from cluster.workload.driver import Driver
from cluster.workload.request import EDGE

SETTLE_EVERY_S = 0.25
ASK_S = 5.0


class ForeignSubject:
    """An application that runs."""

    def __init__(self, adapter: Adapter) -> None:
        """Nothing is asked yet."""
        self._adapter = adapter
        self._vias = [EDGE, *adapter.workers]
        self.shop = ForeignShop(adapter)
        self.workers: Sequence[str] = tuple(adapter.workers)

    def baseline(self, products: Sequence[int]) -> Mapping[str, int]:
        """What the front answers for each item now. Raises ClusterError where it does not answer, or in other words."""
        return {self.shop.key(product): self._ask(product, EDGE) for product in products}

    def lacks(self) -> str | None:
        """Who does not answer for the first item."""
        for via in self._vias:
            try:
                self._ask(1, via)
            except ClusterError as problem:
                return str(problem)
        return None

    def rest(self, driver: Driver, tell: Callable[[str], None]) -> ForeignRest:
        """Until all answer alike."""
        places = [(via, product) for via in self._vias for product in range(1, len(self._adapter.items) + 1)]
        return ForeignRest(driver, self.shop, places, tell)

    def close(self) -> None:
        """Nothing is open."""

    def _ask(self, product: int, via: str) -> int:
        asked = self.shop.read(product, via, Client(0, ""))
        try:
            answer = requests.request(
                asked.method, str(asked.url), headers=asked.headers, data=asked.body, timeout=ASK_S
            )
        except requests.RequestException as problem:
            raise ClusterError(f"{asked.url} does not answer ({type(problem).__name__}); is it up?") from None
        if answer.status_code == 404:
            return ABSENT
        if answer.status_code != 200:
            raise ClusterError(f"{asked.url} answers {answer.status_code}; 200 or 404 is needed")
        try:
            return asked.value_of(answer.content).version
        except UnreadableError as problem:
            raise ClusterError(f"{asked.url} answers what [read] can't read: {problem}") from None


class ForeignRest:
    """The end of a run on a foreign application; see `cluster.engine.subject.Rest`."""

    def __init__(
        self, driver: Driver, shop: ForeignShop, places: list[tuple[str, int]], tell: Callable[[str], None]
    ) -> None:
        self._driver = driver
        self._shop = shop
        self._places = places
        self._tell = tell

    async def settle(self, within_s: float) -> str | None:
        """Read until everybody shows one version of each item, and none older than what was acknowledged."""
        self._driver.phase = Phase.SETTLE
        deadline = time.monotonic() + within_s
        told = False
        while True:
            behind = self._behind(await self._driver.read_all(self._places))
            if not behind:
                return None
            what = f"{len(behind)} of {len(self._places)} answers are not the latest ({', '.join(sorted(set(behind)))})"
            if time.monotonic() > deadline:
                return what
            if not told:
                self._tell(f"waiting for all to agree: {what}")
            told = True
            await asyncio.sleep(SETTLE_EVERY_S)

    async def read_finally(self, recorder: Recorder) -> None:  # noqa: ARG002 - there is no audit to put on file
        """Read everything once more."""
        self._driver.phase = Phase.FINAL
        await self._driver.read_all(self._places)

    def _behind(self, seen: dict[tuple[str, int], int]) -> list[str]:
        newest: dict[int, int] = {}
        for (_, product), version in seen.items():
            newest[product] = max(version, newest.get(product, self._shop.acknowledged.get(self._shop.key(product), 0)))
        return [via for via, product in self._places if seen.get((via, product)) != newest.get(product)]
