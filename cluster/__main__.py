"""`python -m cluster` in the clone, or `python /path/to/clone/cluster` from anywhere: the examiner's command line."""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    if not __package__:  # started by its path: Python then looks for imports in this folder, not in the one around it
        sys.path[0] = str(Path(__file__).resolve().parent.parent)
    from cluster.cli import cluster

    cluster(prog_name="python -m cluster")
