"""`python -m cluster`: the examiner's command line, from any working directory."""

from __future__ import annotations

from cluster.cli import cluster

if __name__ == "__main__":
    cluster(prog_name="python -m cluster")
