"""Protection: what loads and refreshes need of their surroundings, beside what the settings say.

What always holds: chance and threads are arguments here, so that a test can choose them and a simulator decide.
"""

import random
from collections.abc import Callable

from msgspec import Struct

from tocsin.background import Background, Work

Carry = Callable[[Work], Work]
"""Binds a work to the context of its caller, so that it can run on another thread; a framework's rim has one."""


def _as_it_is(work: Work) -> Work:
    return work


class Protection(Struct, frozen=True):
    """The surroundings of loads.

    `background` runs refreshes; None leaves each to the reader that finds it due. `carry` prepares one for another
    thread. `chance` draws evenly from 0 up to below 1. `trouble` are errors of a loader, beside OSError, that say that
    its source is in trouble (`tocsin.loading`): SQLAlchemy's `OperationalError`, for instance.
    """

    background: Background | None = None
    carry: Carry = _as_it_is
    chance: Callable[[], float] = random.random
    trouble: tuple[type[Exception], ...] = ()


UNPROTECTED = Protection()
"""The surroundings of a cache that is given none."""
