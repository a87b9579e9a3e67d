"""CommandHarm: a fault of the user's own: programs that break, prove and mend.

Who runs `check` on an application knows how to break it; the examiner only chooses the moment, wants evidence, and
mends in the end whatever happened. No shell reads the commands.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random

from cluster.application.adapter import Command
from cluster.errors import ClusterError
from cluster.fault.port import Evidence, Fact, Plan


@dataclass(frozen=True, slots=True)
class CommandHarm:
    """One such fault; see `cluster.engine.subject.Harm`."""

    command: Command

    def plan(self, spec: str, parameters: Mapping[str, Fact], chance: Random) -> Plan:  # noqa: ARG002
        """Name it; its commands know whom they hit."""
        return Plan(fault=self.command.name, spec=spec)

    def start(self, plan: Plan) -> None:
        """Run `start`. Raises ClusterError where it fails."""
        status, said = self._run(self.command.start)
        if status != 0:
            raise ClusterError(f"{plan.fault}: {' '.join(self.command.start)} ended with {status}: {said}")

    def evidence(self, plan: Plan) -> Evidence:  # noqa: ARG002
        """Run `evidence`; 0 says that the fault took effect."""
        if not self.command.evidence:
            return Evidence(took=False, text="no `evidence` command says whether it took effect")
        status, said = self._run(self.command.evidence)
        return Evidence(took=status == 0, text=f"{' '.join(self.command.evidence)} ended with {status}: {said}")

    def heal(self, plan: Plan) -> None:
        """Run `heal`, where there is one. Raises ClusterError where it fails."""
        if self.command.heal:
            status, said = self._run(self.command.heal)
            if status != 0:
                raise ClusterError(f"{plan.fault}: {' '.join(self.command.heal)} ended with {status}: {said}")

    def _run(self, command: list[str]) -> tuple[int, str]:
        """Its exit status, and the last line that it said."""
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, errors="replace", timeout=self.command.within_s, check=False
            )
        except OSError as problem:
            raise ClusterError(f"{command[0]} can't be run: {problem.strerror}") from None
        except subprocess.TimeoutExpired:
            raise ClusterError(f"{' '.join(command)} did not end within {self.command.within_s:g} s") from None
        lines = (done.stdout + done.stderr).strip().splitlines()
        return done.returncode, lines[-1] if lines else "(it said nothing)"
