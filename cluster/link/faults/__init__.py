"""The faults that a link can suffer, by name. A new one is a file beside these and a row here.

Each stands here with its settings at their defaults; `fault_of` returns it with others.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, TypeAlias

import msgspec

from cluster.errors import WrongInputError
from cluster.link.faults.blackhole import Blackhole
from cluster.link.faults.close import Close
from cluster.link.faults.fault import Carrier, Fault
from cluster.link.faults.messages import MessageFault
from cluster.link.faults.refuse import Refuse
from cluster.link.faults.reset import Reset
from cluster.link.faults.slow import Bandwidth, Latency
from cluster.link.faults.whole import Whole

Setting: TypeAlias = int | float | str | bool

PASS = Whole()
_CUTS: tuple[Fault, ...] = (Blackhole(), Refuse(), Reset(), Close())
_SLOW: tuple[Fault, ...] = (Latency(), Bandwidth())
_MESSAGES: tuple[Fault, ...] = tuple(
    MessageFault(name) for name in ("drop-messages", "duplicate-messages", "reorder-messages", "delay-messages")
)
FAULTS: dict[str, Fault] = {fault.name: fault for fault in (PASS, *_CUTS, *_SLOW, *_MESSAGES)}
CUTS = tuple(fault.name for fault in _CUTS)
_FIXED = {"name", "listens", "dials", "one_way"}


def fault_of(name: str, settings: Mapping[str, Setting] | None = None) -> Fault:
    """The fault of this name with these settings, the others at their defaults.

    Raises WrongInputError for a name or a setting that does not exist, or one of another type.
    """
    if name not in FAULTS:
        raise WrongInputError(f"no fault is called {name!r}; there are {', '.join(FAULTS)}")
    fault: Any = FAULTS[name]
    known = {each.name for each in dataclasses.fields(fault)} - _FIXED
    wrong = sorted(set(settings or {}) - known)
    if wrong:
        raise WrongInputError(f"{name} has no setting {', '.join(wrong)}; it has {', '.join(sorted(known)) or 'none'}")
    values = {each.name: getattr(fault, each.name) for each in dataclasses.fields(fault)} | dict(settings or {})
    try:
        made: Fault = msgspec.convert(values, type=type(fault))
    except msgspec.ValidationError as problem:
        raise WrongInputError(f"{name}: {problem}") from None
    return made


__all__ = ["CUTS", "FAULTS", "PASS", "Carrier", "Fault", "Setting", "fault_of"]
