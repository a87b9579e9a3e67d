"""What is seen while the demo plays, on stderr: a line that lives on a terminal, plain lines elsewhere."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.text import Text

from cluster.workload.tally import Tally

PLAIN_EVERY_S = 5.0
BAR = 20


class Ticker:
    """Use it as a context around the play; `tell` and `watch` are what a Play wants."""

    def __init__(self, console: Console, *, duration_s: float) -> None:
        """`duration_s`: how long the traffic is to last."""
        self._console = console
        self._duration_s = duration_s
        self._live = Live(console=console, refresh_per_second=5, transient=True) if console.is_terminal else None
        self._next_plain_s = PLAIN_EVERY_S

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

    def tell(self, seconds: float, line: str) -> None:
        """Something happened: a line that stays, with the second at which it did."""
        self._console.print(f"  [dim]{seconds:5.1f} s[/]  {escape(line)}", soft_wrap=True)

    def watch(self, seconds: float, tally: Tally) -> None:
        """So far."""
        if self._live is not None:
            self._live.update(Text.from_markup(self._line(seconds, tally), overflow="ellipsis"))
        elif seconds >= self._next_plain_s:
            self._next_plain_s += PLAIN_EVERY_S
            self._console.print(self._line(seconds, tally), soft_wrap=True)

    def _line(self, seconds: float, tally: Tally) -> str:
        done = round(min(1.0, seconds / self._duration_s) * BAR)
        bar = f"[cyan]{'━' * done}[/][dim]{'─' * (BAR - done)}[/]"
        errors = tally.errors.total()
        return (
            f"  [dim]{seconds:5.1f} s[/]  {bar}  {tally.asked:,} requests, {tally.writes:,} writes, "
            f"[{'red' if errors else 'green'}]{errors:,} errors[/], {tally.in_flight:,} waiting"
        )
