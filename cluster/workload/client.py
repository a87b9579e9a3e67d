"""The people behind the requests: each has a session of cookies and does one thing at a time.

When everybody waits for an answer, somebody new comes: the next request never waits. When a write's end is unknown,
whoever sent it is retired for good, as their process may still be at work (Jepsen's rule), and somebody else sits down
at the same browser: with its cookies, under a new process and session.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.cookies import SimpleCookie

GUEST = "guest"
OWN = 3
"""How many products are one person's own; others may have them, too."""


@dataclass(slots=True, eq=False)
class Client:
    """One person, or a probe of a single worker (`session` ""). `user`: as whom they are signed in."""

    process: int
    session: str
    user: str = GUEST
    cookies: dict[str, str] = field(default_factory=dict)

    @property
    def cookie_header(self) -> str:
        """The value of `Cookie`; "" for none."""
        return "; ".join(f"{name}={value}" for name, value in self.cookies.items())

    def own(self, products: Sequence[int], wish: int) -> int:
        """One of the few products that are this person's own; `wish` chooses among them."""
        return products[(self.process * OWN + wish % OWN) % len(products)]

    def take_cookies(self, set_cookie: list[str]) -> None:
        """Keep what an answer's `Set-Cookie` lines say. One origin, so paths and domains don't matter."""
        for line in set_cookie:
            for name, morsel in SimpleCookie(line).items():
                if morsel.value and morsel["max-age"] != "0":
                    self.cookies[name] = morsel.value
                else:
                    self.cookies.pop(name, None)


class Clients:
    """Everybody who is there. Whoever has been idle longest acts next."""

    def __init__(self) -> None:
        """Nobody is there yet."""
        self._processes = 0
        self._sessions = 0
        self._idle: deque[Client] = deque()
        self._probes: deque[Client] = deque()

    def person(self) -> Client:
        """Somebody with a session who waits for nothing; if there is nobody, somebody new."""
        return self._idle.popleft() if self._idle else self.newcomer()

    def newcomer(self, user: str = GUEST) -> Client:
        """Somebody new."""
        self._sessions += 1
        return Client(self._process(), f"s{self._sessions}", user)

    def probe(self) -> Client:
        """A client without a session: it expects no order of what it sees."""
        return self._probes.popleft() if self._probes else Client(self._process(), "")

    def done(self, client: Client) -> None:
        """The client has its answer and may act again."""
        (self._idle if client.session else self._probes).append(client)

    def retire(self, client: Client) -> None:
        """The client's write may still be at work: another takes over its browser."""
        successor = self.newcomer(client.user)
        successor.cookies = client.cookies
        self.done(successor)

    def _process(self) -> int:
        self._processes += 1
        return self._processes
