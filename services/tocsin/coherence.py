"""Coherence: one strategy, as the parts it is made of.

The read path and the write path are the same for every strategy; what differs is which parts they are given. A new
strategy is a new composition in `tocsin.assembly`, not a branch in the core.

    strategy   addressing  L1   evidence  L2                backplane
    no-cache   plain       –    –         bypassed          silent
    l2-only    plain       –    expiry    deletes           silent
    ttl        plain       yes  expiry    deletes           silent
    pubsub     plain       yes  expiry    deletes, tells    listener
    versioned  versioned   yes  answered  raises versions   silent
    sequenced  named       yes  proved    numbers           the node's table
    strict     named       yes  proved    numbers, waits    the node's table
"""

from typing import Protocol

from msgspec import Struct

from tocsin.address import Addressing
from tocsin.backplane import Backplane
from tocsin.evidence import Evidence, Table
from tocsin.local import Local
from tocsin.shared import SharedLevel


class NodeProof(Table, Backplane, Protocol):
    """A node's generation table, and what keeps it: what a sequenced strategy has for a backplane."""


class Coherence(Struct, frozen=True):
    """The parts of a strategy. `local` is None where there is no L1; `joins` says whether loads may be shared.

    `numbers`: writes get numbers, so that answers have watermarks.
    """

    addressing: Addressing
    local: Local | None
    evidence: Evidence
    shared: SharedLevel
    backplane: Backplane
    joins: bool
    numbers: bool = False
