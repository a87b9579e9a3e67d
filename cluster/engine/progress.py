"""What is seen while runs go on, on stderr: a line that lives on a terminal, plain lines elsewhere.

4.2 s  fault   ━━━━━━━━────────────  1,680 requests, 84 writes, 0 errors, 3 stale reads   kill-node
"""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.text import Text

from cluster.engine.examination import Progress

PLAIN_EVERY_S = 5.0
BAR = 20


class Ticker:
    """Use it as a context around runs; `begin` each, then `tell` and `watch` are what an observer wants."""

    def __init__(self, console: Console) -> None:
        """Nothing is shown before a run begins."""
        self._console = console
        self._duration_s = 1.0
        self._title = ""
        self._live = Live(console=console, refresh_per_second=5, transient=True) if console.is_terminal else None
        self._next_plain_s = PLAIN_EVERY_S
        self._last = (0, 0.0)

    def __enter__(self) -> Self:
        """Begin to show."""
        if self._live is not None:
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Take the living line away."""
        if self._live is not None:
            self._live.stop()

    def begin(self, title: str, *, duration_s: float) -> None:
        """Another run begins. `duration_s`: how long its traffic is to last; `title` is shown in front of its line."""
        self._title, self._duration_s = title, duration_s
        self._next_plain_s, self._last = PLAIN_EVERY_S, (0, 0.0)

    def say(self, line: str) -> None:
        """A line that stays."""
        self._console.print(f"  {escape(line)}", soft_wrap=True)

    def tell(self, seconds: float, line: str) -> None:
        """Something happened: a line that stays, with the second at which it did."""
        self._console.print(f"  [dim]{seconds:5.1f} s[/]  {escape(line)}", soft_wrap=True)

    def watch(self, progress: Progress) -> None:
        """So far."""
        if self._live is not None:
            self._live.update(Text.from_markup(self._line(progress), overflow="ellipsis"))
        elif progress.seconds >= self._next_plain_s:
            self._next_plain_s += PLAIN_EVERY_S
            self._console.print(self._line(progress), soft_wrap=True)

    def _line(self, progress: Progress) -> str:
        tally = progress.tally
        done = round(min(1.0, progress.seconds / self._duration_s) * BAR)
        bar = f"[cyan]{'━' * done}[/][dim]{'─' * (BAR - done)}[/]"
        errors, force = tally.errors.total(), ", ".join(progress.in_force)
        title = f"{escape(self._title)}  " if self._title else ""
        return (
            f"  {title}[dim]{progress.seconds:5.1f} s[/]  {progress.phase:<6} {bar}  {self._rate(progress):,.0f}/s, "
            f"{tally.writes:,} writes, [{'red' if errors else 'green'}]{errors:,} errors[/], "
            f"[{'red' if tally.stale else 'green'}]{tally.stale:,} stale reads[/]"
            + (f"  [yellow]{escape(force)}[/]" if force else "")
        )

    def _rate(self, progress: Progress) -> float:
        """Requests a second since the line before."""
        asked, seconds = self._last
        self._last = (progress.tally.asked, progress.seconds)
        return max(0.0, progress.tally.asked - asked) / max(0.001, progress.seconds - seconds)
