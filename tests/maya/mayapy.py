"""Runs a program in the double, as mayapy does in Maya: ``python mayapy.py -m MODULE|-c CODE|FILE``."""

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
        if words[0] == "-m":
            _, program, *sys.argv[1:] = words
            runpy.run_module(program, run_name="__main__", alter_sys=True)
        elif words[0] == "-c":
            _, program, *sys.argv[1:] = words
            exec(program, {"__name__": "__main__", "maya_double": maya})
        else:
            sys.argv[:] = words
            runpy.run_path(words[0], run_name="__main__")


main()
