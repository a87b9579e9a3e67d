"""Every fault by its name; adding one adds a row here and a file beside this one.

The value is `module:attribute`, imported when it is asked for, so that a command pays only for what it names.
"""

from __future__ import annotations

from importlib import import_module

from cluster.errors import WrongInputError
from cluster.fault.port import Fault

FAULTS: dict[str, str] = {}


def fault_named(name: str) -> Fault:
    """The fault of this name. Raises WrongInputError that lists the names."""
    if name not in FAULTS:
        raise WrongInputError(f"no fault is called {name!r}; there are {', '.join(FAULTS) or 'none yet'}")
    module, _, attribute = FAULTS[name].partition(":")
    fault: Fault = getattr(import_module(module), attribute)
    return fault
