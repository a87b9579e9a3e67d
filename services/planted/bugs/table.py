"""The planted bugs by name. Which run shows each, and as what, is the examiner's to know (`cluster/selfcheck`)."""

from __future__ import annotations

from collections.abc import Callable

from planted.adaptation import Adaptation
from planted.bugs.ageing import NegativeKept, TtlUnit, WallClock
from planted.bugs.following import LeaseFromReply, NoFlush
from planted.bugs.hearing import ListenerBeforeFork, ListenerDies, OwnEcho, WrongChannel
from planted.bugs.naming import TagMissed, UserMissing
from planted.bugs.telling import InvalidateBeforeCommit, LateFill, LostWriteBehind, NoPublish, PublishBeforeCommit

BUGS: dict[str, Callable[[], Adaptation]] = {
    "publish-before-commit": PublishBeforeCommit,
    "no-publish": NoPublish,
    "invalidate-before-commit": InvalidateBeforeCommit,
    "wrong-channel": WrongChannel,
    "late-fill": LateFill,
    "listener-dies": ListenerDies,
    "listener-before-fork": ListenerBeforeFork,
    "no-flush": NoFlush,
    "lease-from-reply": LeaseFromReply,
    "own-echo": OwnEcho,
    "ttl-unit": TtlUnit,
    "negative-kept": NegativeKept,
    "tag-missed": TagMissed,
    "user-missing": UserMissing,
    "lost-write-behind": LostWriteBehind,
    "wall-clock": WallClock,
}
