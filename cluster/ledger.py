"""Ledger: what a run has made, written down before it can do anything, so that a later command can find and end it.

    up:   ledger ◀─ process node-1, 4711 born 90210   (the process waits at its gate until the line is written)
    up:   ✝ SIGKILL
    up':  reads the ledger, ends 4711 if it is still the process that was born at 90210, closes the ledger

One JSON object a line, only ever appended. The file is not synced to disk: what must survive is the death of the
command that writes it, and a machine that loses power loses the processes too. A torn last line is ignored: a process
whose line is torn never got through its gate (`processes/spawn.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import msgspec

from cluster.errors import ClusterError
from cluster.pid import Pid


class ProcessMade(msgspec.Struct, frozen=True, kw_only=True, tag_field="entry", tag="process"):
    """A process was started: a server's leader, by its name. A later entry of that name replaces it."""

    name: str
    pid: Pid


class ResourceMade(msgspec.Struct, frozen=True, kw_only=True, tag_field="entry", tag="resource"):
    """Something that is no process was made, for example a compose project."""

    kind: str
    name: str


class Ready(msgspec.Struct, frozen=True, kw_only=True, tag_field="entry", tag="ready"):
    """The cluster came up whole, `seconds` after it was asked for. Without this entry a run was killed half-way."""

    seconds: float


class Closed(msgspec.Struct, frozen=True, kw_only=True, tag_field="entry", tag="closed"):
    """Everything that stands above has been ended: there is nothing left to find."""


Entry = ProcessMade | ResourceMade | Ready | Closed


@dataclass(frozen=True, slots=True)
class Ledger:
    """The ledger of one run, a file. Written by one command at a time (`Runs.lock`), read by any."""

    path: Path

    def add(self, entry: Entry) -> None:
        """Append one entry; it is in the kernel's hands, so safe from our own death, when this returns."""
        with self.path.open("ab", buffering=0) as file:
            file.write(msgspec.json.encode(entry) + b"\n")

    def entries(self) -> tuple[Entry, ...]:
        """All entries in the order in which they were made. Raises ClusterError for a line that is none."""
        if not self.path.exists():
            return ()
        *lines, _torn = self.path.read_bytes().split(b"\n")
        decoder = msgspec.json.Decoder(Entry)
        try:
            return tuple(decoder.decode(line) for line in lines)
        except msgspec.DecodeError as problem:
            raise ClusterError(f"{self.path} is not a ledger ({problem}); end its processes by hand") from None

    def processes(self) -> tuple[ProcessMade, ...]:
        """Every process ever made, oldest first; those of a replaced server too, since they may still live."""
        return tuple(entry for entry in self.entries() if isinstance(entry, ProcessMade))

    def leaders(self) -> dict[str, Pid]:
        """The newest process of each server, by name."""
        return {entry.name: entry.pid for entry in self.processes()}

    @property
    def ready(self) -> Ready | None:
        """The entry that says the cluster came up whole, if it did."""
        return next((entry for entry in self.entries() if isinstance(entry, Ready)), None)

    @property
    def closed(self) -> bool:
        """Whether everything was ended, or nothing ever made."""
        entries = self.entries()
        return not entries or isinstance(entries[-1], Closed)
