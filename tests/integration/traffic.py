"""Readers and writers that keep going in the background while a test breaks something."""

from __future__ import annotations

import threading
import uuid
from dataclasses import dataclass, field
from types import TracebackType

import requests

READ_TIMEOUT_S = 5.0


@dataclass
class Traffic:
    """Two readers and one writer through the edge, until the block ends.

    `reads` and `failed_reads` count answers; `acknowledged` holds the newest acknowledged version per product;
    `refused` counts writes that were not acknowledged (they may or may not have happened).
    """

    edge: str
    products: range
    reads: int = 0
    failed_reads: list[str] = field(default_factory=list)
    acknowledged: dict[int, int] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def __enter__(self) -> Traffic:
        for target in (self._read, self._read, self._write):
            thread = threading.Thread(target=target, daemon=True)
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(timeout=READ_TIMEOUT_S * 3)
            assert not thread.is_alive(), "traffic did not end"

    def _read(self) -> None:
        session = requests.Session()
        while not self._ended.wait(0.01):
            for product in self.products:
                try:
                    answer = session.get(f"{self.edge}/api/products/{product}", timeout=READ_TIMEOUT_S)
                except requests.RequestException as error:
                    self.failed_reads.append(repr(error))
                    continue
                if answer.status_code == 200:
                    self.reads += 1
                else:
                    self.failed_reads.append(f"{answer.status_code}: {answer.text[:200]}")

    def _write(self) -> None:
        session = requests.Session()
        price = 1
        while not self._ended.wait(0.02):
            for product in self.products:
                price += 1
                try:
                    answer = session.patch(
                        f"{self.edge}/api/products/{product}",
                        json={"price": price % 1000},
                        headers={"Idempotency-Key": uuid.uuid4().hex},
                        timeout=15,
                    )
                except requests.RequestException as error:
                    self.refused.append(repr(error))
                    continue
                if answer.status_code == 200:
                    version = int(answer.json()["version"])
                    self.acknowledged[product] = max(version, self.acknowledged.get(product, 0))
                else:
                    self.refused.append(f"{answer.status_code}: {answer.text[:200]}")
