"""What holds for every test: a child of the tests hears Ctrl-C, whoever started the tests.

A shell starts what it puts in the background with SIGINT ignored, and children inherit that. Then a test that ends a
program by SIGINT would wait for ever, and only there.
"""

from __future__ import annotations

import signal


def pytest_configure() -> None:
    """Hear SIGINT, in this process and in all that it starts."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
