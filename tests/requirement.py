"""What a test needs from the machine: skipped with the reason where it is missing, failed where it was promised.

CI sets `REQUIRE=compose,postgresql,…`: there a skip of a named thing would be a green run that proved nothing.
"""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def unavailable(thing: str, reason: str) -> NoReturn:
    """End the running test or fixture: skipped with the reason, or failed if REQUIRE names `thing`."""
    required = {name.strip() for name in os.environ.get("REQUIRE", "").split(",") if name.strip()}
    if thing in required:
        pytest.fail(f"{thing} is required here (REQUIRE) but cannot be had: {reason}", pytrace=False)
    pytest.skip(f"{thing}: {reason}")
