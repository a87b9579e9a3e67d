"""`python -m cluster.link FOLDER`: the process that holds every link of one cluster. Started by the launcher."""

from __future__ import annotations

import sys
from pathlib import Path

from cluster.link.server import main

sys.exit(main(Path(sys.argv[1])))
