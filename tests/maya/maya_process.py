"""Programs in a process of their own, with the double in place of Maya."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from double import signatures

__all__ = ["MODULE", "mayapy"]

_HERE = Path(__file__).parent
MODULE = _HERE.parents[1] / "plugins/maya/pose_from_video"


def mayapy(*arguments: str, **settings: object) -> subprocess.CompletedProcess[str]:
    """Run the double's mayapy with these arguments; settings are those of the double."""
    try:
        stubs = signatures.stub_folder().parent
    except signatures.StubsAbsent as error:
        pytest.skip(str(error))
    path = os.pathsep.join([str(MODULE / "scripts"), *filter(None, sys.path), str(stubs)])
    return subprocess.run(
        [sys.executable, str(_HERE / "mayapy.py"), *arguments],
        env={**os.environ, "PYTHONPATH": path, "MAYA_DOUBLE": json.dumps(settings)},
        capture_output=True,
        text=True,
        timeout=120,
    )
