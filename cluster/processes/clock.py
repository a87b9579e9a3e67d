"""A node's own wall clock: libfaketime, preloaded into the processes of a node whose clock is to be off.

The offset stands in a file of the node's folder, so that whoever restarts the node, in whatever process, gives it the
same clock. Monotonic clocks are left alone: no administrator and no NTP sets those.
"""

from __future__ import annotations

from pathlib import Path

REMEDY = "apt-get install libfaketime"
FILE = "clock-offset"
PLACES = (
    "usr/lib/*/faketime/libfaketime.so.1",
    "usr/lib/faketime/libfaketime.so.1",
    "usr/lib64/faketime/libfaketime.so.1",
)


def library() -> Path | None:
    """Where this machine has libfaketime; None where it has none."""
    return next((path for place in PLACES for path in sorted(Path("/").glob(place))), None)


def set_offset_s(folder: Path, offset_s: float) -> bool:
    """Let the node with this folder be so many seconds off from its next start on; False if that is so already."""
    if offset_s == _offset_s(folder):
        return False
    if offset_s:
        (folder / FILE).write_text(f"{offset_s:g}\n", encoding="ascii")
    else:
        (folder / FILE).unlink()
    return True


def environment(folder: Path) -> dict[str, str]:
    """What a node's processes are to find in their environment for that; nothing where the clock is the machine's."""
    found, offset_s = library(), _offset_s(folder)
    if found is None or not offset_s:
        return {}
    return {
        "LD_PRELOAD": str(found),
        "FAKETIME": f"{offset_s:+g}s",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "DONT_FAKE_MONOTONIC": "1",
    }


def _offset_s(folder: Path) -> float:
    try:
        return float((folder / FILE).read_text(encoding="ascii"))
    except FileNotFoundError:
        return 0.0
