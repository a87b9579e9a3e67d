"""The faults that a link can suffer, by name. A new one is a file beside these and a row here."""

from __future__ import annotations

from cluster.link.faults.blackhole import Blackhole
from cluster.link.faults.close import Close
from cluster.link.faults.fault import Carrier, Fault
from cluster.link.faults.refuse import Refuse
from cluster.link.faults.reset import Reset
from cluster.link.faults.whole import Whole

PASS = Whole()
FAULTS: dict[str, Fault] = {fault.name: fault for fault in (PASS, Blackhole(), Refuse(), Reset(), Close())}
CUTS = tuple(name for name in FAULTS if name != PASS.name)

__all__ = ["CUTS", "FAULTS", "PASS", "Carrier", "Fault"]
