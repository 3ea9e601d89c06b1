"""All measurements, into one folder: what `make bench` runs.

Usage: ``python tests/benchmarks/run.py --out out/bench``.  Takes the reference clips beside the checkout,
or the clips named; needs a quiet machine to mean something.
"""

from __future__ import annotations

import argparse
import os
import platform
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
DATA = HERE.parents[2] / "shared" / "data"


def main() -> None:
    """Run every benchmark and gather their tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("clips", nargs="*", type=Path, help="films to measure speed on")
    arguments = parser.parse_args()
    clips = arguments.clips or [DATA / "video" / "sports2d_demo.mp4", DATA / "real3d" / "cam01.mp4"]
    missing = [clip for clip in clips if not clip.exists()]
    if missing:
        sys.exit(f"There is no clip {missing[0]}; name your own: tests/benchmarks/run.py --out DIR CLIP …")
    arguments.out.mkdir(parents=True, exist_ok=True)
    steps: dict[str, list[str | Path]] = {"Speed and memory": [HERE / "pipeline.py", *clips]}
    if not arguments.clips:
        reference = DATA / "real3d"
        steps["Accuracy"] = [HERE / "accuracy.py", reference / "cam01.mp4", reference / "score.py"]
    steps["House lifter"] = [HERE / "lifter.py"]
    sections = [f"# Measured on {platform.platform()}, {os.cpu_count()} processors\n"]
    for title, command in steps.items():
        print(f"{title} …", file=sys.stderr)
        done = subprocess.run(
            [sys.executable, *map(str, command)], stdout=subprocess.PIPE, text=True, check=True
        )
        sections.append(f"## {title}\n\n{done.stdout}")
    (arguments.out / "report.md").write_text("\n".join(sections))
    print("\n".join(sections))


if __name__ == "__main__":
    main()
