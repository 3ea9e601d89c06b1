"""A double of Maya with the add-on in it, a server that answers at once, and films."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from dance_floor import film, server  # noqa: F401, fixtures
from maya_hosts import addon, maya, start_maya  # noqa: F401, fixtures
