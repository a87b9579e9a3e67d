"""What the numbers of a strategy mean, in a sentence, and which one to look at next."""

from __future__ import annotations

from dataclasses import dataclass

from cluster.topology import STRATEGY_DEFAULT


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a strategy does about late copies and what that costs, and the strategy whose contrast teaches most."""

    sentence: str
    next_strategy: str


MEANINGS = {
    "no-cache": Meaning(
        "no-cache: the workers keep nothing, so none of them can be late; every read that reaches one costs the "
        "database a query.",
        "ttl",
    ),
    "l2-only": Meaning(
        "l2-only: the workers share one copy in Redis, so they agree with each other; every read costs a trip there.",
        STRATEGY_DEFAULT,
    ),
    "ttl": Meaning(
        "ttl: each worker serves its own copy until it expires and asks nobody, so after every write it is late by up "
        "to that time; it is the cheapest, and wrong on schedule.",
        STRATEGY_DEFAULT,
    ),
    "pubsub": Meaning(
        "pubsub: Redis tells every worker of a write and each drops its copy, which is fast; whoever does not listen "
        "at that moment is never told, and only the short TTL of its copy mends that.",
        STRATEGY_DEFAULT,
    ),
    "pubsub-flush": Meaning(
        "pubsub-flush: as pubsub, and a worker that was not listening for a moment drops all it has; what a read "
        "brings from before a write can still be kept after it.",
        STRATEGY_DEFAULT,
    ),
    "tracking": Meaning(
        "tracking: Redis itself tells every worker which of its entries changed, and a worker that loses the "
        "connection drops all it has; an old value that a slow read puts into Redis is told to nobody as old.",
        STRATEGY_DEFAULT,
    ),
    "versioned": Meaning(
        "versioned: a worker asks Redis for the version before it uses a copy, so an old copy is never found again; "
        "every read costs that trip.",
        STRATEGY_DEFAULT,
    ),
    "sequenced": Meaning(
        "sequenced: every invalidation has a number, and a worker uses its copies only while its node can prove that "
        "it heard all of them; cut off, it stops within a second and asks the database.",
        "ttl",
    ),
    "strict": Meaning(
        "strict: as sequenced, and a write commits only when every node has dropped its copy, so that no read is ever "
        "late; each write pays for that with a wait.",
        "ttl",
    ),
}

DEAF_EDGE = (
    "The edge keeps each answer for about a second and hears of no write under this strategy: it adds that to what the "
    "workers answer."
)
HEARING_EDGE = "The edge hears of every write as the nodes do, and is as fresh as they are."


def edge_of(strategy: str) -> str:
    """What the edge adds to what the workers answer."""
    return HEARING_EDGE if strategy in ("sequenced", "strict") else DEAF_EDGE


def meaning_of(strategy: str) -> Meaning:
    """The meaning of a strategy; of one that nothing is written about, its name and the default to compare it with."""
    return MEANINGS.get(
        strategy, Meaning(f"{strategy}: compare the columns with those of another strategy.", STRATEGY_DEFAULT)
    )
