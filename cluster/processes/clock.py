"""A node's own wall clock: what makes it some seconds off from its next start on (see `skewed/sitecustomize.py`).

The offset stands in a file of the node's folder, so that whoever restarts the node, in whatever process, gives it the
same clock. Monotonic clocks are left alone: no administrator and no NTP sets those.
"""

from __future__ import annotations

from pathlib import Path

FILE = "clock-offset"
SKEWED = Path(__file__).resolve().parent / "skewed"


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
    offset_s = _offset_s(folder)
    return {"PYTHONPATH": str(SKEWED), "SKEW_S": f"{offset_s:g}"} if offset_s else {}


def _offset_s(folder: Path) -> float:
    try:
        return float((folder / FILE).read_text(encoding="ascii"))
    except FileNotFoundError:
        return 0.0
