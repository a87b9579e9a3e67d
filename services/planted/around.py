"""Around: any part of a cache, handed through. What is planted is a subclass with the one method that it is about.

The ports of the library are handed on as they are, whatever they grow to be: a method that is not overridden here is
the inner one's own.
"""

from __future__ import annotations

from typing import Any


class Around:
    """Stands for `inner`, a part of a cache."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> Any:
        """Whatever is not overridden is the inner part's."""
        return getattr(self.inner, name)
