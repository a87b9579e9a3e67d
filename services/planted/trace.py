"""Trace: what one process did about invalidations, one JSON line each, so that a stale read's cause can be named.

    {"t": 81234567, "event": "published", "names": ["k:product:7"], "sequence": 41, "epoch": "…"}
    {"t": 81250000, "event": "kept", "names": ["k:product:7"], "version": 12, "layer": "database"}

The columns are those of `docs/contract.md` §9. `t` are nanoseconds of the machine's monotonic clock, which is the
driver's. What always holds: a line is one `write` to a file opened for appending, so lines of several threads never
mix and a process that is killed leaves whole lines; a disk that is full costs the trace, never the service.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from msgspec import Struct, json
from tocsin.position import Position, epoch_text


class Line(Struct, frozen=True, omit_defaults=True):
    """One line."""

    t: int
    event: str
    names: tuple[str, ...] = ()
    version: int = -1
    layer: str = ""
    epoch: str = ""
    sequence: int = -1
    detail: str = ""


class Trace:
    """The trace of one process, `name`; its file is `<name with dashes>.<pid>.jsonl`, opened when first written."""

    def __init__(self, folder: Path, name: str, *, now_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self._folder = folder
        self._name = name
        self._now_ns = now_ns
        self._file: int | None = None
        self._process = 0
        self._opening = threading.Lock()

    def write(
        self,
        event: str,
        names: Iterable[str] = (),
        *,
        version: int = -1,
        layer: str = "",
        position: Position | None = None,
        detail: str = "",
    ) -> None:
        """Write one line. Never raises for what the disk does."""
        line = Line(
            t=self._now_ns(),
            event=event,
            names=tuple(names),
            version=version,
            layer=layer,
            epoch="" if position is None or not position.epoch else epoch_text(position.epoch),
            sequence=-1 if position is None else position.sequence,
            detail=detail,
        )
        try:
            os.write(self._opened(), json.encode(line) + b"\n")
        except OSError:
            self._file = None

    def _opened(self) -> int:
        process = os.getpid()
        file = self._file
        if file is not None and self._process == process:
            return file
        with self._opening:
            # Of several threads that come here at once, the first opens. A child of a fork opens a file of its own.
            return self._open(process) if self._file is None or self._process != process else self._file

    def _open(self, process: int) -> int:
        self._folder.mkdir(parents=True, exist_ok=True)
        path = self._folder / f"{self._name.replace('/', '-')}.{process}.jsonl"
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        # Two clocks at one moment: by their difference a skewed wall clock shows.
        clocks = {"t": self._now_ns(), "event": "began", "process": self._name, "wall_ns": time.time_ns()}
        os.write(file, json.encode(clocks) + b"\n")
        self._process, self._file = process, file
        return file
