"""Runs a program in the double, as mayapy does in Maya: ``python mayapy.py -m MODULE|-c CODE``."""

from __future__ import annotations

import json
import os
import runpy
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from double.installation import installed


def main() -> None:
    words = sys.argv[1:]
    settings = json.loads(os.environ.get("MAYA_DOUBLE", "{}"))
    with installed(**settings) as maya:
        sys.modules["__maya_double__"] = maya  # type: ignore[assignment]
        kind, program, *sys.argv[1:] = words
        if kind == "-m":
            runpy.run_module(program, run_name="__main__", alter_sys=True)
        else:
            exec(program, {"__name__": "__main__", "maya_double": maya})


main()
