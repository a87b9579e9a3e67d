"""Request memory: what the current request has seen of shared values, so that its sets can depend on it.

What always holds: nothing is remembered beyond one context of a Flask application, which is a request, a command or a
task, nor of more than 256 keys: a worker that lives in one context does not grow. Outside of a context nothing is
remembered, and every set is taken for a new value.
"""

from collections.abc import Iterable

from flask import g, has_app_context
from flask.ctx import _AppCtxGlobals

from tocsin.values import Seen, Values

_NAME = "_tocsin_seen"
_KEYS_MAX = 256

_Known = dict[tuple[int, str], Seen]


def _context() -> _AppCtxGlobals:
    """Return what `g` stands for: through `g` itself each access costs a microsecond, and every get makes one."""
    context: _AppCtxGlobals = g._get_current_object()
    return context


def remember(values: Values, key: str, seen: Seen) -> None:
    """Remember what a get of `key` found."""
    if has_app_context():
        known: _Known = _context().setdefault(_NAME, {})
        if len(known) >= _KEYS_MAX:
            known.clear()
        known[id(values), key] = seen


def recall(values: Values, keys: Iterable[str]) -> dict[str, Seen]:
    """Return what was found of those of the `keys` that were looked at, and forget it: a set uses it once."""
    if not has_app_context():
        return {}
    known: _Known = _context().get(_NAME, {})
    found = {key: known.pop((id(values), key), None) for key in keys}
    return {key: seen for key, seen in found.items() if seen is not None}


def forget(values: Values) -> None:
    """Forget all that was found among `values`."""
    if has_app_context():
        known: _Known = _context().get(_NAME, {})
        for place in [place for place in known if place[0] == id(values)]:
            del known[place]
