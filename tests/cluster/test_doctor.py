"""The doctor: every finding has a reason, and the launchers follow from the findings."""

from __future__ import annotations

import pytest

from cluster.doctor import COMPOSE, PROCESSES, Finding, can_launch, examine


def test_it_looks_for_everything_and_each_finding_says_why() -> None:
    """On this machine, which runs these tests, plain processes will do."""
    findings = {finding.what: finding for finding in examine()}
    assert all(finding.detail for finding in findings.values())
    assert {"python", "linux", "redis", "nginx with njs", "docker", "postgresql", "mariadb", "chromium"} <= set(
        findings
    )
    assert findings[PROCESSES].ok, findings[PROCESSES].detail


def test_what_is_missing_is_named_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    """A wrong setting takes the launcher away, and the launcher's line says what it lacks."""
    monkeypatch.setenv("TOCSIN_REDIS_SERVER", "/no/such/redis-server")
    monkeypatch.setenv("PATH", "/nowhere")
    findings = {finding.what: finding for finding in examine()}
    assert not findings["redis"].ok
    assert findings[PROCESSES] == Finding(PROCESSES, False, "lacks redis")
    assert "https://docs.docker.com" in findings["docker"].detail
    assert not can_launch(findings.values())


def test_one_launcher_is_enough() -> None:
    """A machine with Docker alone, or with Python alone."""
    assert can_launch([Finding(PROCESSES, False, "x"), Finding(COMPOSE, True, "x")])
    assert can_launch([Finding(PROCESSES, True, "x"), Finding(COMPOSE, False, "x")])
