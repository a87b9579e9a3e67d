"""A running cluster as a client sees it: the command line, the addresses it prints, and HTTP.

Nothing here imports the services or the examiner: these tests hold for whoever answers the same contract.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import uuid
from dataclasses import dataclass, field
from http.cookiejar import DefaultCookiePolicy
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.until import until

ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 10.0


def nobody() -> requests.Session:
    """A client that keeps no cookie, so no watermark either: it is shown whatever a stranger would be."""
    client = requests.Session()
    client.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
    return client


@dataclass(frozen=True)
class Cluster:
    """One cluster, driven through `python -m cluster` exactly as a person would."""

    runs: Path | None = None  # another folder of runs than the clone's own (or TOCSIN_RUNS)
    client: requests.Session = field(default_factory=nobody)

    def command(self, *words: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run one verb; fail with all that it printed if it fails."""
        environment = dict(os.environ)
        if self.runs is not None:
            environment["TOCSIN_RUNS"] = str(self.runs)
        done = subprocess.run(
            [sys.executable, "-m", "cluster", *words],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        if check:
            assert done.returncode == 0, f"{' '.join(words)} exited {done.returncode}:\n{done.stdout}{done.stderr}"
        return done

    def status(self) -> dict[str, Any]:
        """`status --json`, parsed."""
        parsed: dict[str, Any] = json.loads(self.command("status", "--json").stdout)
        return parsed

    @property
    def edge(self) -> str:
        """The edge's address, as a client types it."""
        return str(self.status()["edge"]["url"])

    def workers(self) -> dict[str, str]:
        """Every worker's name and own address."""
        return {worker["name"]: worker["url"] for node in self.status()["nodes"] for worker in node["workers"]}

    def node(self, name: str) -> dict[str, Any]:
        """What `status` says of one node."""
        return next(node for node in self.status()["nodes"] if node["name"] == name)

    def needs_writes_in_the_database(self) -> None:
        """Skip the running test under write-behind, where a write waits in Redis and may die with it."""
        if self.status()["write_path"] == "write-behind":
            pytest.skip("under write-behind an acknowledged write is not in the database yet, and dies with Redis")

    def secret(self) -> str:
        """The cluster secret, which opens the control routes of the nodes."""
        return Path(self.status()["secret_file"]).read_text(encoding="utf-8").strip()

    def get(self, url: str, **options: Any) -> requests.Response:
        """GET with a bound on the wait."""
        return self.client.get(url, timeout=TIMEOUT_S, **options)

    def change_price(self, base: str, product: int, price: float) -> dict[str, Any]:
        """PATCH a price; the acknowledged product. A refused write fails the test."""
        answer = self.client.patch(
            f"{base}/api/products/{product}",
            json={"price": price},
            headers={"Idempotency-Key": uuid.uuid4().hex},
            timeout=TIMEOUT_S,
        )
        assert answer.status_code == 200, f"{answer.status_code}: {answer.text}"
        body: dict[str, Any] = answer.json()
        return body

    def version(self, base: str, product: int) -> int:
        """The version that this address returns for a product."""
        answer = self.get(f"{base}/api/products/{product}")
        assert answer.status_code == 200, f"{base}: {answer.status_code}: {answer.text}"
        return int(answer.json()["version"])

    def ready(self) -> bool:
        """Does every worker of every node say that it is ready, and the edge answer?"""
        status = self.status()
        if any(node["state"] != "running" for node in status["nodes"]) or status["redis"]["state"] != "running":
            return False
        try:
            addresses = [worker["url"] for node in status["nodes"] for worker in node["workers"]]
            answers = [requests.get(f"{url}/readyz", timeout=2) for url in addresses]
            answers.append(requests.get(f"{status['edge']['url']}/api/products/1", timeout=2))
        except requests.RequestException:
            return False
        hears = "detail=lease" not in answers[-1].headers.get("Cache-Status", "")
        return hears and all(answer.status_code == 200 for answer in answers)

    def mend(self) -> None:
        """Undo whatever a test broke: heal, restart what is dead, wait until all is ready."""
        self.command("heal")
        status = self.status()
        dead = [node["name"] for node in status["nodes"] if node["state"] != "running"]
        others = {"redis": status["redis"], "edge": status["edge"], "edge-agent": status.get("edge_agent")}
        dead += [name for name, server in others.items() if server and server["state"] != "running"]
        for name in dead:
            self.command("restart", name)
        until(self.ready, within_s=30, waiting_for="every worker ready after mending", every_s=0.1)
