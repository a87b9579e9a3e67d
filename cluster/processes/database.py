"""Preparing the database: `python -m catalog init-db` creates and seeds the tables, once per `up`, and ends."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from cluster.processes.plan import DATABASE, Plan
from cluster.processes.spawn import Command

ARGV = (sys.executable, "-m", "catalog", "init-db")


@dataclass(frozen=True, slots=True)
class Preparation:
    """The command that prepares the database, not through a link. It is idempotent."""

    plan: Plan
    name: str = DATABASE

    def command(self) -> Command:
        """Run it in the run folder, where SQLite's file will lie."""
        return Command(ARGV, self.plan.run.path, {"DATABASE_URL": self.plan.database.url})
