"""Run the acceptance suite in a studio's own Maya instead of the double.

::

    .venv/bin/python tests/maya/run_in_maya.py /usr/autodesk/maya2025/bin/mayapy [PYTEST OPTIONS]

The server and the tests run in this environment; mayapy gets the built add-on as a module, new preferences,
and a script that needs nothing else. Blender's and the file's part of the suite run beside it, so that what
comes out is held against theirs.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def main() -> int:
    """Return pytest's exit status; 2 where there is no such mayapy."""
    if len(sys.argv) < 2 or sys.argv[1] in ("-h", "--help"):
        print(__doc__)
        return 0 if len(sys.argv) > 1 else 2
    mayapy = shutil.which(sys.argv[1])
    if mayapy is None:
        print(f"There is no program '{sys.argv[1]}'; give the path of Maya's mayapy.", file=sys.stderr)
        return 2
    command = [sys.executable, "-m", "pytest", str(ROOT / "tests/acceptance"), "-k", "not maya or mayapy"]
    return subprocess.run(
        [*command, *sys.argv[2:]], cwd=ROOT, env={**os.environ, "POSE_MAYAPY": mayapy}
    ).returncode


if __name__ == "__main__":
    sys.exit(main())
