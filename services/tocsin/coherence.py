"""Coherence: one strategy, as the parts it is made of.

The read path and the write path are the same for every strategy; what differs is which parts they are given. A new
strategy is a new composition in `tocsin.assembly`, not a branch in the core.

    strategy   addressing  L1   evidence  L2                backplane
    no-cache   plain       –    –         bypassed          silent
    l2-only    plain       –    expiry    deletes           silent
    ttl        plain       yes  expiry    deletes           silent
    pubsub     plain       yes  expiry    deletes, tells    listener
    p.-flush   plain       yes  heard     deletes, tells    listener, flushes
    tracking   plain       yes  heard     deletes           listener, flushes
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

    `reserves`: a load holds a place in L1, and what it brings is kept only if nothing was heard of the key meanwhile.
    `numbers`: writes get numbers, so that answers have watermarks.
    """

    addressing: Addressing
    local: Local | None
    evidence: Evidence
    shared: SharedLevel
    backplane: Backplane
    joins: bool
    reserves: bool = False
    numbers: bool = False
