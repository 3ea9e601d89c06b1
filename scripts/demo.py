"""The demo: a clip through a pose server into Blender, as an animator would do it.

Usage: ``python scripts/demo.py [CLIP] --out out/demo``.  Starts a server on a free loopback port,
imports the clip with the add-on inside the ``bpy`` wheel, and fetches what the server made beside it.
"""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
#: The demo clip of Sports2D (BSD-3-Clause, David Pagnon): two people, 230 frames.
CLIP_WHEEL = "sports2d==0.8.34"
CLIP_IN_WHEEL = "Sports2D/Demo/demo.mp4"
SERVER_START_S = 60


def demo_clip() -> Path:
    """Return the default clip, fetched from PyPI once."""
    clip = ROOT / ".cache" / "demo" / "demo.mp4"
    if clip.exists():
        return clip
    with tempfile.TemporaryDirectory() as folder:
        fetch = [
            sys.executable,
            "-m",
            "pip",
            "--disable-pip-version-check",
            "download",
            "--quiet",
            "--no-deps",
        ]
        if subprocess.run([*fetch, "--dest", folder, CLIP_WHEEL]).returncode:
            sys.exit(
                "The demo clip could not be fetched from PyPI; use one of your own: make demo VIDEO=path"
            )
        wheel = next(Path(folder).glob("*.whl"))
        clip.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(wheel) as archive:
            partial = clip.with_suffix(".partial")
            partial.write_bytes(archive.read(CLIP_IN_WHEEL))
            partial.rename(clip)
    return clip


@contextmanager
def running_server(log: Path) -> Iterator[str]:
    """Give the address of a server that runs as long as the block."""
    command = [sys.executable, "-m", "pose_server", "serve", "--port", "0"]
    with log.open("w") as errors:
        server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
    try:
        assert server.stdout is not None
        line = server.stdout.readline()
        if not line:
            sys.exit(f"The pose server did not start:\n{log.read_text()}")
        yield line.split()[-1]
    finally:
        server.terminate()
        try:
            server.wait(20)
        except subprocess.TimeoutExpired:
            server.kill()


def main() -> None:
    """Run the demo."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("clip", nargs="?", type=Path, help="a film of your own")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    clip = (arguments.clip or demo_clip()).absolute()
    if not clip.is_file():
        sys.exit(f"There is no film '{clip}'; call it as: make demo VIDEO=path/to/film.mp4")
    out = arguments.out.absolute()
    out.parent.mkdir(parents=True, exist_ok=True)
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="demo.", dir=out.parent) as folder:
        staged = Path(folder)
        with running_server(staged / "server.log") as address:
            print(f"pose server on {address}")
            blender = [sys.executable, ROOT / "scripts" / "demo_blender.py", clip]
            done = subprocess.run([*map(str, blender), "--server", address, "--out", str(staged / "scene")])
            if done.returncode:
                sys.exit(done.returncode)
            job = (staged / "scene" / "job.txt").read_text().strip()
            fetch = [sys.executable, "-m", "pose_server", "jobs", "fetch", job, "--server", address]
            subprocess.run([*fetch, "--out", str(staged / "result")], check=True)
        if out.exists():
            shutil.rmtree(out)
        shutil.move(staged / "result", out)
        for name in ("scene.blend", "scene.png"):
            shutil.move(staged / "scene" / name, out / name)
    print(f"\nAll done in {time.monotonic() - begin:.0f} s. Look into {arguments.out}:")
    for path in sorted(out.rglob("*")):
        if path.is_file():
            print(f"  {path.relative_to(out)}  {path.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
