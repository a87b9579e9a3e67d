"""Sequencer: the port to the one place where invalidations get their numbers, and fills their permission.

    writer:  announce ─▶ S ─▶ commit ─▶ finish ─▶ S           reader:  lookup ─▶ Hit │ Load(token) │ Writing │ Busy
    agent:   beat ─▶ position      log(after) ─▶ messages                                 └─▶ database ─▶ fill ─▶ S

Every method is one atomic step over the state of one namespace. What always holds, in every adapter:

- The state is all there and belongs to this server's run, or nothing is done in it: an adapter that finds it
  incomplete, or of another run, begins a new epoch by compare-and-set, once for all, and then does what was asked.
- Entries and tokens may vanish, numbers, marks and writers may not.
- The sequencer's clock is compared with nothing but the deadlines of writers that it wrote itself, and the age of an
  epoch; leases are the nodes' own, on the nodes' own clocks.

Every method may raise `Unavailable`. Sources: PROTOCOL; each † rule is a test in tests/contracts/test_sequenced*.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from tocsin.entry import Entry, Loaded, Miss
from tocsin.message import Message
from tocsin.position import Position


class Terms(Struct, frozen=True, kw_only=True):
    """What all nodes of a namespace agree on.

    A writer has `writer_s` seconds from announce to commit before readers stop waiting for it; a load holds its token
    for `token_s`. `strict`: for `writer_s` after a new epoch nothing is given or filled, because the writers that were
    under way may be forgotten (D2). The log keeps about `log_length` messages.
    """

    writer_s: float = 3.0
    token_s: float = 3.0
    strict: bool = False
    log_length: int = 10_000


class Token(Struct, frozen=True):
    """The permission for one fill: `owner` is unique per load, `base` the position of its lookup."""

    owner: str
    base: Position


class Given(Struct, frozen=True):
    """HIT: the entry, true as of `position`; `dirty` if it is a write-behind value that the database does not have."""

    entry: Entry
    position: Position
    dirty: bool = False


class Writing(Struct, frozen=True):
    """A writer is between its announcement and its end: read the database, and keep nothing."""

    position: Position


class Permitted(Struct, frozen=True):
    """LOAD: fill under `token`, or release it. `expired` is what was there before, if it was never invalidated."""

    token: Token
    expired: Entry | None = None


class Busy(Struct, frozen=True):
    """Another load holds the token, or a lock (then there is no position).

    `expired` may be shown meanwhile if the policy allows; it was never invalidated.
    """

    position: Position | None
    expired: Entry | None


class Kept(Struct, frozen=True):
    """What became of a fill, as of `position`."""

    stored: bool
    position: Position


class Holder(Struct, frozen=True):
    """A node or edge that may hold a lease: how often it has beaten, and up to where it says that it has applied."""

    beats: int
    applied: Position


class Announcement(Struct, frozen=True):
    """An announced write. `holders` are those that may serve what it makes untrue, until they have applied it.

    `young`: the epoch is so new that holders may be missing from the list.
    """

    position: Position
    holders: Mapping[str, Holder]
    young: bool


class Put(Struct, frozen=True):
    """A value for L2: kept for `ttl_s`, and for `stale_s` more as an expired one.

    `names` are those, beside its key's, whose invalidation makes it untrue: its tags, its namespace.
    """

    key: str
    loaded: Loaded
    names: tuple[str, ...]
    ttl_s: float
    stale_s: float = 0.0


class Lying(Struct, frozen=True):
    """An entry as it lies there, judged by nobody: known good at `base`, and `names` are those that end that."""

    entry: Entry
    base: Position
    names: tuple[str, ...]


class Glimpsed(Struct, frozen=True):
    """What lay under some keys, and the position of that moment.

    A miss says that there is no entry, None that it has to be looked up.
    """

    position: Position
    entries: tuple[Lying | Miss | None, ...]


class Ended(Struct, frozen=True):
    """A finished write, and the keys whose values were kept."""

    position: Position
    stored: tuple[str, ...]


class Log(Struct, frozen=True):
    """Messages after a position, oldest first, and the position of the log itself; some may be trimmed already."""

    position: Position
    messages: tuple[Message, ...]


class Subscription(Protocol):
    """What is told from the moment of subscribing on: in any order, perhaps twice, perhaps not at all."""

    def receive(self, within_s: float) -> str | bytes | None:
        """Return the next text, or None if there is none `within_s` seconds from now; raise `Unavailable` if cut."""

    def close(self) -> None:
        """End the subscription. Never raises."""


class Sequencer(Protocol):
    """The port, as writers and readers use it. Names are those of `tocsin.message`; keys are keys."""

    def announce(self, writer: str, names: Sequence[str], *, strict: bool = False) -> Announcement:
        """Number a write that is about to commit: remove entries and tokens, mark the rest, enter the writer, tell."""

    def finish(
        self, writer: str, names: Sequence[str], *, announced: Position | None = None, puts: Sequence[Put] = ()
    ) -> Ended:
        """Number its end likewise, and take the writer out; keep `puts` if nobody else wrote meanwhile (D1).

        It may be repeated, by anybody who knows the writer, and without its announcement: then nothing is kept.
        """

    def lookup(self, key: str, owner: str, early_s: float = 0.0) -> Given | Writing | Permitted | Busy:
        """Return the entry of `key`, or who may load it; `owner` becomes that of the token.

        An entry with at most `early_s` left counts as expired for this lookup.
        """

    def glimpse(self, keys: Sequence[str]) -> Glimpsed:
        """Return the entries of the keys that have not expired, whatever became of their names, and the position.

        It asks for no mark and not whether the server is the one it was, so it needs no script, and is the cheapest.
        Who judges by it must have a generation table that has applied the position, and by which the entry is true.
        """

    def peek(self, keys: Sequence[str]) -> list[Given | Miss]:
        """Return what lookups of the keys would give, all as of one moment, without giving a permission.

        A key that is being written has no entry, as its announcement removed it; what lies there is true.
        """

    def fill(self, put: Put, token: Token) -> Kept:
        """Keep a value that was loaded under `token`, unless the token is void or anything changed meanwhile."""

    def release(self, key: str, token: Token) -> bool:
        """Give `token` back unused if it is still this one; return whether it was.

        Compared whole, as a fill does. By key alone a late release would take another's token away:
            A: lookup: token a … loads for longer than a token lasts ... fails, release
            B:                             lookup: token b, loads ..................... fill: refused
            C:                                                                lookup: permitted, loads beside B
        """

    def position(self) -> Position:
        """Return the position as of now."""

    def holders(self) -> Mapping[str, Holder]:
        """Return who may hold a lease."""

    def retire(self, node: str, beats: int) -> bool:
        """Take out a holder whose lease is over, if it still has `beats`; return whether it is out."""


class Feed(Protocol):
    """The port, as a node's agent uses it."""

    def subscribe(self) -> Subscription:
        """Return a subscription that is in force: what is told from now on reaches it, or it is cut."""

    def beat(self, node: str, beats: int, applied: Position, *, canary: str = "") -> Position:
        """Enter the node among the holders and return the position, in one step; send a canary if one is given."""

    def acknowledge(self, node: str, beats: int, applied: Position) -> None:
        """Say that a strict writer need not wait for this node."""

    def log(self, after: int) -> Log:
        """Return what is left of the log after a sequence."""

    def begin_epoch(self, after: int) -> Position:
        """Begin an epoch later than `after`, unless there is one by now; return the position in it."""

    def retire(self, node: str, beats: int) -> bool:
        """Take out a holder whose lease is over, if it still has `beats`; return whether it is out."""

    def holders(self) -> Mapping[str, Holder]:
        """Return who may hold a lease."""

    def sweep(self) -> int:
        """Remove what writers that crashed left behind; return of how many names."""
