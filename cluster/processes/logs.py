"""Reading the logs of a run: the end of each, then, if asked, whatever comes after."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

from cluster.errors import WrongInputError
from cluster.launcher import LogLine
from cluster.until import pause_s

FOLLOW_EVERY_S = 0.2
TAIL_BYTES = 1 << 20


def read_logs(folder: Path, server: str | None, *, tail: int) -> tuple[list[LogLine], dict[Path, int]]:
    """The last `tail` lines of each log, and how far each was read. Raises WrongInputError that lists the logs."""
    paths = {path.stem: path for path in sorted(folder.glob("*.log"))}
    if server is not None and server not in paths:
        raise WrongInputError(f"no log is called {server!r}; there are {', '.join(paths) or 'none yet'}")
    lines: list[LogLine] = []
    offsets: dict[Path, int] = {}
    for name, path in paths.items():
        if server in (None, name):
            size = path.stat().st_size
            with path.open("rb") as file:
                file.seek(max(0, size - TAIL_BYTES))
                text = file.read(size - file.tell())
            whole, newline, _ = text.rpartition(b"\n")
            lines += [LogLine(name, _text(line)) for line in whole.splitlines()[-tail:]] if newline and tail else []
            offsets[path] = size - len(text) + len(whole) + len(newline)
    return lines, offsets


def follow_logs(
    offsets: dict[Path, int], go_on: Callable[[], bool], pause: Callable[[float], None] = pause_s
) -> Iterator[LogLine]:
    """What is appended to logs after the given offsets, whole lines only, as long as `go_on` says so."""
    while True:
        last_round = not go_on()
        for path, offset in offsets.items():
            with path.open("rb") as file:
                file.seek(offset)
                whole, newline, _ = file.read().rpartition(b"\n")
            offsets[path] += len(whole) + len(newline)
            if newline:
                yield from (LogLine(path.stem, _text(line)) for line in whole.splitlines())
        if last_round:
            return
        pause(FOLLOW_EVERY_S)


def _text(line: bytes) -> str:
    return line.decode(errors="replace")
