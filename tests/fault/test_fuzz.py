"""The fuzzing of tests/benchmarks/fuzz.py: that it finds failures, and a part of it, or all."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

#: How attempts end that must not: what is said of each begins so.
BAD = """
import json, os, sys, time
import fuzz
from pose_shared.errors import InputError, InternalError

def wrong(): raise ValueError("wrong")
def inside(): raise InternalError("Inside.")
def chatty(): raise InputError("Two lines.\\nOf them.", reason="X")
def large(): bytearray(1400 << 20); time.sleep(5)
def slow(): time.sleep(60)
def dies(): os.kill(os.getpid(), 11)
def clear(): raise InputError("One sentence.", reason="MEDIA_ODD")
def fine(): pass

attempts = (wrong, inside, chatty, large, slow, dies, clear, fine)
print(json.dumps([(end.what, end.failed) for end in (fuzz.ended(attempt, 3.0) for attempt in attempts)]))
"""


def run(root: Path, *arguments: str, limit_s: float) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=root / "tests" / "benchmarks",
        capture_output=True,
        text=True,
        timeout=limit_s,
    )


@pytest.mark.skipif(sys.platform != "linux", reason="the watching reads /proc")
def test_every_kind_of_failure_is_found(root: Path) -> None:
    done = run(root, "-c", BAD, limit_s=60)
    assert done.returncode == 0, done.stderr
    ends = json.loads(done.stdout)
    assert [failed for _, failed in ends] == [True] * 6 + [False] * 2
    said = ("RAISED", "RAISED", "RAISED", "MEMORY", "TIME", "DIED", "MEDIA_ODD", "result")
    assert all(what.startswith(begin) for (what, _), begin in zip(ends, said, strict=True))
    assert "ValueError: wrong" in ends[0][0]


@pytest.mark.skipif(sys.platform != "linux", reason="the watching reads /proc")
def test_some_damaged_files_end_well(root: Path) -> None:
    done = run(root, "fuzz.py", "films", "keypoints", "--count", "60", "--seed", "7", limit_s=120)
    assert done.returncode == 0, done.stderr
    for line in done.stdout.splitlines()[2:]:
        _, _, files, results, errors, failures, *_ = map(str.strip, line.split("|"))
        assert (files, failures) == ("60", "0")
        assert int(results) > 0 and int(errors) > 0


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(sys.platform != "linux", reason="the watching reads /proc")
def test_all_damaged_files_end_well(root: Path) -> None:
    done = run(root, "fuzz.py", limit_s=800)
    assert done.returncode == 0, done.stderr
