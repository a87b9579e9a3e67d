"""Pid: a process that is told apart from a later one which got its number.

A pid alone names whoever holds the number now. With the tick at which the process was born (field 22 of
/proc/<pid>/stat, counted from boot) and the boot itself it names one process for ever:

    ledger: 4711, born 90210 ────────── that process died; number 4711 now belongs to somebody's editor
    signal: /proc/4711 says born 99999 ─▶ not ours: dead, and never signalled

Linux only: /proc is the source, because ticks don't move when a clock is set, as times computed from them do.
"""

from __future__ import annotations

import functools
import os
import signal
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from cluster.status import State

PROC = Path("/proc")


class Pid(msgspec.Struct, frozen=True, kw_only=True):
    """One process, past or present: its number, its birth in clock ticks since boot, and that boot's id."""

    number: int
    born_ticks: int
    boot: str


@dataclass(frozen=True, slots=True)
class Seen:
    """What /proc says of a process at this moment. `letter`: its state as the kernel writes it (R S D T t Z X I)."""

    pid: Pid
    letter: str
    parent: int
    session: int

    @property
    def state(self) -> State:
        """Running, paused (stopped by a signal) or dead (a zombie has nothing left but its exit status)."""
        if self.letter in "ZX":
            return State.DEAD
        return State.PAUSED if self.letter in "Tt" else State.RUNNING


@functools.cache
def boot_id() -> str:
    """The id of the kernel's current boot; a pid of another boot is dead."""
    return (PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def look(number: int) -> Seen | None:
    """What runs (or lies as a zombie) under a number now; None for nothing."""
    try:
        stat = (PROC / str(number) / "stat").read_text(encoding="utf-8", errors="replace")
    except (FileNotFoundError, ProcessLookupError):
        return None
    fields = stat.rpartition(")")[2].split()  # the name before it may hold blanks and parentheses
    pid = Pid(number=number, born_ticks=int(fields[19]), boot=boot_id())
    return Seen(pid=pid, letter=fields[0], parent=int(fields[1]), session=int(fields[3]))


def state_of(pid: Pid | None) -> State:
    """Running, paused or dead. A number that another process has taken over is dead; so is None."""
    seen = look(pid.number) if pid is not None else None
    return seen.state if seen is not None and seen.pid == pid else State.DEAD


def send(pid: Pid, number: signal.Signals) -> bool:
    """Signal exactly this process; False when it is gone or not ours to signal.

    The pidfd is opened before the birth is checked. The other way round, between check and signal
        we: born 90210, that's it ............................... kill(4711)
        kernel:                     4711 dies, 4711 is an editor
    would hit the editor; a pidfd keeps meaning the process that it was opened for.
    """
    try:
        handle = os.pidfd_open(pid.number)
    except ProcessLookupError:
        return False
    try:
        seen = look(pid.number)
        if seen is None or seen.pid != pid or seen.state is State.DEAD:
            return False
        signal.pidfd_send_signal(handle, number)
    except (ProcessLookupError, PermissionError):
        return False
    finally:
        os.close(handle)
    return True


def everyone() -> Iterator[Seen]:
    """Every process of this machine that is not dead, ourselves left out."""
    for entry in PROC.iterdir():
        if entry.name.isdecimal() and int(entry.name) != os.getpid():
            seen = look(int(entry.name))
            if seen is not None and seen.state is not State.DEAD:
                yield seen


def environment_of(pid: Pid) -> frozenset[bytes]:
    """The `NAME=value` pairs a process was started with; empty when it is gone, not ours, or has overwritten them.

    nginx overwrites them with its process title; whoever looks for nginx needs a second sign (`folder_of`).
    """
    try:
        return frozenset((PROC / str(pid.number) / "environ").read_bytes().split(b"\0"))
    except OSError:  # gone, or another user's: neither is ours to find
        return frozenset()


def folder_of(pid: Pid) -> Path | None:
    """The working directory of a process; None when it is gone or not ours."""
    try:
        return (PROC / str(pid.number) / "cwd").readlink()
    except OSError:  # gone, or another user's
        return None
