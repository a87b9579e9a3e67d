"""Words: how values become text in a report, and the templates that pour it; whatever came from outside is escaped."""

from __future__ import annotations

from pathlib import Path

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template
from markupsafe import Markup, escape

ASSETS = Path(__file__).parent / "assets"
SIGNS = {"valid": "✓", "invalid": "✗", "unknown": "?", "skipped": "–"}


def template(name: str) -> Template:
    """A template of ours, with the filters below, the signs of the verdicts and the style sheet."""
    environment = Environment(
        loader=FileSystemLoader(ASSETS),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(number=number, ms=milliseconds, anchor=anchor, island=island, breakable=breakable)
    style = Markup((ASSETS / "report.css").read_text(encoding="utf-8"))  # noqa: S704 - our own file
    environment.globals.update(signs=SIGNS, style=style)
    return environment.get_template(name)


def number(value: float | None, digits: int = 3) -> str:
    """A number as a person reads it: so many digits that count, thousands apart; a dash for none."""
    if value is None:
        return "–"
    if isinstance(value, int) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.{digits}g}"


def milliseconds(value: float | None) -> str:
    """A duration that is given in milliseconds; from a second on in seconds."""
    if value is None:
        return "–"
    return f"{value / 1000:.3g} s" if value >= 1000 else f"{value:.3g} ms"


def anchor(folder: str) -> str:
    """The name of a cell's place in the page."""
    return "cell-" + "".join(each if each.isalnum() or each in "-_." else "-" for each in folder or "run")


def breakable(name: str) -> Markup:
    """A name that may be broken after a slash."""
    return Markup("/<wbr>").join(escape(part) for part in name.split("/"))


def island(value: object) -> Markup:
    """A value as JSON that can stand in a script: nothing in it can end the script."""
    text = msgspec.json.encode(value).decode()
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))  # noqa: S704
