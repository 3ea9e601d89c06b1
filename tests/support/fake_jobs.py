"""Stands in for the pipeline: does what the option `detector` says, such as ``steps:20``."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pose_server.pipeline.options import ImportOptions
from pose_server.pipeline.progress import FoundPerson, Progress
from pose_shared.errors import MediaError

PERSON = FoundPerson(index=1, first_frame=0, last_frame=99, coverage=0.5, relative_height=0.7)
MEGABYTE = b"pose" * 2**18


@dataclass(frozen=True)
class FakeReport:
    people: list[FoundPerson]


def run(
    clip: Path,
    options: ImportOptions,
    out_dir: Path,
    *,
    device: str,
    progress: Progress,
    display_name: str | None = None,
    stage_cache: Any = None,
) -> FakeReport:
    # As the real one does: a temporary folder beside, moved when complete.
    partial = out_dir.with_name(".partial")
    (partial / "person_01").mkdir(parents=True)
    (partial / "big.bin").write_bytes(MEGABYTE * 3 + b"tail")
    if "LARGE_BYTES" in os.environ:
        with (partial / "large.bin").open("wb") as large:
            large.truncate(int(os.environ["LARGE_BYTES"]))
    behaviour, _, argument = options.detector.partition(":")
    attempt = int(out_dir.parent.name.removeprefix("run_"))
    BEHAVIOURS[behaviour](argument, progress, attempt)
    progress.people([PERSON])
    facts = {
        "clip": {"rate": "25/1"},
        "device": device,
        "name": display_name,
        "bytes": clip.stat().st_size if clip.is_file() else -1,
        "pictures": sorted(path.name for path in clip.parent.iterdir()),
        "attempt": attempt,
    }
    (partial / "report.json").write_text(json.dumps(facts))
    if "MOTION_NPZ" in os.environ:
        (partial / "person_01" / "motion.npz").write_bytes(Path(os.environ["MOTION_NPZ"]).read_bytes())
    people = [PERSON]
    if "RESULT_DIR" in os.environ:  # what a real import left, whatever the film
        shutil.copytree(os.environ["RESULT_DIR"], partial, dirs_exist_ok=True)
        known = json.loads((partial / "report.json").read_text())["people"]
        people = [FoundPerson.from_dict(person) for person in known]
    partial.rename(out_dir)
    return FakeReport(people)


def quick(argument: str, progress: Progress, attempt: int) -> None:
    progress.report("detect", 1, 1)


def steps(argument: str, progress: Progress, attempt: int) -> None:
    """So many steps of 50 ms."""
    for done in range(int(argument)):
        progress.report("detect", done, int(argument))
        time.sleep(0.05)
    progress.note("Half of it was guessed.")


def stubborn(argument: str, progress: Progress, attempt: int) -> None:
    progress.report("detect", 0, 1)
    time.sleep(600)


def leave(argument: str, progress: Progress, attempt: int) -> None:
    """Die in the first attempts."""
    progress.report("detect", 0, 1)
    if attempt <= int(argument):
        os._exit(7)


def refuse(argument: str, progress: Progress, attempt: int) -> None:
    raise MediaError("The film shows nobody; choose another.", reason="NOBODY_FOUND", frames=12)


def break_down(argument: str, progress: Progress, attempt: int) -> None:
    raise ValueError("secret: /home/somebody/film.mp4")


def flood(argument: str, progress: Progress, attempt: int) -> None:
    for done in range(200_000):
        progress.report("detect", done, 200_000)
    for number in range(500):
        progress.note(f"note {number}")


def allocate(argument: str, progress: Progress, attempt: int) -> None:
    bytearray(1 << 60)


def family(argument: str, progress: Progress, attempt: int) -> None:
    """Have a child process, and ignore everything."""
    subprocess.Popen([sys.executable, "-c", f"import time; time.sleep(600)  # {argument}"])
    progress.report("detect", 0, 1)
    time.sleep(600)


def freeze(argument: str, progress: Progress, attempt: int) -> None:
    """Stop the whole process, as a debugger would."""
    progress.report("detect", 0, 1)
    os.kill(os.getpid(), signal.SIGSTOP)


def hog(argument: str, progress: Progress, attempt: int) -> None:
    """Hang for ever with Python's lock in hand."""
    progress.report("detect", 0, 1)
    re.match("(a+)+$", "a" * 60 + "b")


BEHAVIOURS = {
    "allocate": allocate,
    "auto": quick,
    "break": break_down,
    "family": family,
    "flood": flood,
    "freeze": freeze,
    "hog": hog,
    "leave": leave,
    "refuse": refuse,
    "steps": steps,
    "stubborn": stubborn,
}
