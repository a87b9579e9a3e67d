"""Sink of a CDN: invalidations become purges; what is purged is remembered in a file, for the next start.

What always holds: the file names a position only when everything up to it is purged. An agent that starts takes the log
up there; where the log does not reach back that far, or there is no file, or another epoch has begun, it flushes, and
that purges everything: nobody knows what was missed.

A CDN has no lease: `renew` and `suspend` say nothing to it, because there is nothing that it could do. See
`tocsin.cdn`.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from tocsin.cdn.purger import Purger
from tocsin.edge.group import tag_in
from tocsin.message import EVERYTHING
from tocsin.position import Position, epoch_of, epoch_text


class CdnState:
    """The file that remembers up to which position everything is purged."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> Position:
        """Return the position; (0, 0) where nothing readable is there."""
        try:
            epoch, sequence = self._path.read_text(encoding="ascii").split()
            return Position(epoch_of(epoch), int(sequence))
        except (OSError, ValueError):
            return Position()

    def write(self, position: Position) -> None:
        """Remember a position, whole or not at all. Raises `OSError`."""
        written = self._path.with_suffix(".new")
        written.write_text(f"{epoch_text(position.epoch)} {position.sequence}\n", encoding="ascii")
        written.replace(self._path)


class CdnSink:
    """One CDN; see `tocsin.sink.Sink`."""

    def __init__(self, purger: Purger, state: CdnState) -> None:
        self._purger = purger
        self._state = state
        self._epoch = 0

    def take_over(self) -> Position:
        """Return what was purged before."""
        position = self._state.read()
        self._epoch = position.epoch
        return position

    def suspend(self) -> None:
        """Nothing: a CDN serves on."""

    def renew(self, deadline_s: float) -> None:
        """Nothing: a CDN has no lease."""

    def apply(self, sequence: int, names: Iterable[str]) -> None:
        """Have what carries these names purged."""
        tags = {tag_in(name) for name in names}
        position = Position(self._epoch, sequence)
        if EVERYTHING in tags:
            self._purger.want_everything(position)
        else:
            self._purger.want(sorted(tags), position)

    def flush(self, position: Position) -> None:
        """Have everything purged."""
        self._epoch = position.epoch
        self._purger.want_everything(position)
