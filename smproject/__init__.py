"""The wiring: settings, URLs and the ASGI entry. Nobody imports this package."""

import sys
from pathlib import Path

# The folder `queue` may not be a package: it would shadow Python's own `queue` module.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "queue"))
