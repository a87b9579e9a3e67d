"""The flusher: the Celery worker that publishes what the outbox still holds and drains the write-behind journal."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass

from cluster.processes.node import service_environment
from cluster.processes.plan import FLUSHER, Plan
from cluster.processes.spawn import Command, Spawned
from cluster.until import Missing

ARGV = (sys.executable, "-m", "celery", "-A", "catalog.flusher", "worker")
READY = re.compile(r"\bready\b")


@dataclass(frozen=True, slots=True)
class FlusherServer:
    """The one flusher of a run."""

    plan: Plan
    name: str = FLUSHER

    def command(self) -> Command:
        """Start Celery with the same settings as a node."""
        return Command(ARGV, self.plan.run.folder(self.name), service_environment(self.plan, self.name))

    def answers(self, spawned: Spawned) -> Missing:
        """It has said in its log that it is ready; it listens nowhere."""
        return None if READY.search(spawned.said()) else f"no word of being ready in {spawned.log}"

    def ready(self) -> Missing:
        """Nothing asks anything of it."""
        return None
