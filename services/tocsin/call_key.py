"""Call key: the key of one call of a function, from its arguments.

    price(7, currency="EUR")  ─▶  shop.prices.price(7, 'EUR')

What always holds: calls that bind to the same arguments have one key, however they are written; calls that differ have
two, also by type: 1, 1.0 and True are three arguments. An argument whose text would not tell it from others (most
objects: their text is an address) is an error and never a guess.
"""

import datetime
import enum
import hashlib
import inspect
import uuid
from collections.abc import Callable
from decimal import Decimal
from typing import Any

_LENGTH_MAX = 300
_PLAIN = frozenset({type(None), bool, int, float, str, bytes})
_TELLING = frozenset(
    {Decimal, datetime.datetime, datetime.date, datetime.time, datetime.timedelta, datetime.timezone, uuid.UUID}
)


class CallKey:
    """Makes the keys of the calls of one function; `name` is that function's full name unless given."""

    def __init__(self, function: Callable[..., Any], name: str = "") -> None:
        self.name = name or f"{function.__module__}.{function.__qualname__}"
        self._signature = inspect.signature(function)
        parameters = list(self._signature.parameters.values())
        ordinary = all(parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD for parameter in parameters)
        self._defaults = {parameter.name: parameter.default for parameter in parameters} if ordinary else None

    def __call__(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> str:
        """Return the key of a call; raise `TypeError` if it is no call of the function, or an argument has no key."""
        given = self._given(args, kwargs)
        if given is not None and _PLAIN.issuperset(map(type, given)):
            text = f"{self.name}{given!r}"  # what the long way gives for these, in a tenth of its time
        else:
            bound = self._signature.bind(*args, **kwargs)
            bound.apply_defaults()
            parts = [_described(value, name) for name, value in bound.arguments.items()]
            text = f"{self.name}{_tuple(parts)}"
        if len(text) > _LENGTH_MAX:
            return f"{self.name[:64]}#{hashlib.sha256(text.encode()).hexdigest()}"
        return text

    def _given(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, ...] | None:
        """Return the arguments of a plain call in the order of their parameters; None where `bind` has to see to it."""
        defaults = self._defaults
        if defaults is None:
            return None
        if not kwargs and len(args) == len(defaults):
            return args
        values = {**defaults, **kwargs}
        names = list(defaults)
        # One too many, or a name that there is not, or one that is given twice, or none at all: for `bind` to say so.
        if len(values) > len(defaults) or len(args) > len(names) or not kwargs.keys().isdisjoint(names[: len(args)]):
            return None
        given = (*args, *[values[name] for name in names[len(args) :]])
        return None if any(value is inspect.Parameter.empty for value in given) else given


def _described(value: Any, name: str) -> str:
    """Return a text that tells `value` from every other; `name` is the argument it is in, for errors."""
    kind = type(value)
    if kind in _PLAIN or kind in _TELLING:
        return repr(value)
    if kind is tuple:
        return _tuple([_described(each, name) for each in value])
    if kind is list:
        return f"[{', '.join(_described(each, name) for each in value)}]"
    if kind is dict:
        pairs = sorted(f"{_described(key, name)}: {_described(each, name)}" for key, each in value.items())
        return f"{{{', '.join(pairs)}}}"
    if kind in (set, frozenset):
        return f"{kind.__name__}({{{', '.join(sorted(_described(each, name) for each in value))}}})"
    if isinstance(value, enum.Enum):
        return f"{kind.__module__}.{kind.__qualname__}.{value.name}"
    if isinstance(value, type):
        return f"type {value.__module__}.{value.__qualname__}"
    own = getattr(value, "__cache_key__", None)
    if own is not None:
        return f"{kind.__module__}.{kind.__qualname__}({_described(own(), name)})"
    raise TypeError(
        f"argument {name!r} is a {kind.__module__}.{kind.__qualname__}, whose text does not tell it from others:"
        " pass its id instead, or give the class a method __cache_key__() that returns what does"
    )


def _tuple(parts: list[str]) -> str:
    return f"({parts[0]},)" if len(parts) == 1 else f"({', '.join(parts)})"
