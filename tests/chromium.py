"""Chromium: Debian's own, driven by Playwright, for tests of what a person sees in a browser."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, Error, sync_playwright

from tests.requirement import unavailable

# Nothing but the page itself may go over the network; without a sandbox, because CI is root in a container.
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@contextmanager
def chromium() -> Iterator[Browser]:
    """One Chromium with an empty cache; skips (or fails, where it is required) where there is none."""
    binary = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if binary is None:
        unavailable("chromium", "no chromium on the PATH (Debian: apt-get install chromium)")
    with sync_playwright() as playwright:
        try:
            started = playwright.chromium.launch(executable_path=binary, args=list(ARGUMENTS))
        except Error as error:
            unavailable("chromium", f"{binary} does not start: {error}")
        with started:
            yield started
