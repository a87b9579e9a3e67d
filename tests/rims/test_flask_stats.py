"""`flask tocsin stats`: the hit rate of all workers of the machine, its grade and where to look."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from flask import Flask

WORKER = """
from tocsin import Answer, Layer, Step
from tocsin.prometheus import PrometheusObserver
observer = PrometheusObserver()
for _ in range(90):
    observer.read(Answer(b"v", 1, Layer.L1, (Step(Layer.L1, True),)), 0.00001)
for _ in range(10):
    observer.read(Answer(b"v", 1, Layer.DATABASE, (Step(Layer.L2, False, "uri-miss"), Step(Layer.L1, False))), 0.01)
"""


def test_stats_shows_the_hit_rate_of_all_workers(shop: Flask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two workers have counted, and have ended since: what they counted stays."""
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    for _ in range(2):
        subprocess.run([sys.executable, "-c", WORKER], env=dict(os.environ), check=True, timeout=60)
    printed = shop.test_cli_runner().invoke(args=["tocsin", "stats"]).output
    assert "hit rate    90.0% of 200 reads (L1 90.0%, L2 0.0%): look at the missed keys" in printed
    assert "100% of L2's misses are 'cold'" in printed


def test_stats_says_how_to_count(shop: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where nobody counts."""
    monkeypatch.delenv("PROMETHEUS_MULTIPROC_DIR", raising=False)
    printed = shop.test_cli_runner().invoke(args=["tocsin", "stats"]).output
    assert "hit rate    not counted: set PROMETHEUS_MULTIPROC_DIR" in printed
