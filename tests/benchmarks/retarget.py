"""Put captured walks on every rig of the reference data, and measure the keys, as a Markdown table.

Run it from the repository's root, the reference data beside it:

    .venv/bin/python tests/benchmarks/retarget.py --data ../shared/data --write docs/retargeting.md

Numbers are found by forward kinematics of the keys (`pose_server.retarget.measures`).
"""

from __future__ import annotations

import argparse
import sys
import tarfile
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from pose_server.pipeline.boundary import Motion
from pose_server.pipeline.retarget_options import RetargetOptions
from pose_server.retarget.measures import Measures, measured
from pose_server.retarget.opening import map_rig, open_motion
from pose_server.retarget.retargeter import retargeted
from pose_server.rigs.files import read_rig
from pose_shared.errors import PoseError
from pose_shared.rig import Rig

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from mpfb_rig import mpfb_rig

__all__: list[str] = []

_BEGIN, _END = "<!-- rigs: begin -->", "<!-- rigs: end -->"
_WALKS = ("35_01", "02_01", "16_01")
_HEAD = (
    "| rig | bones | found by | scale | limbs before, deg | limbs after, deg (mean) | slide before, mm/frame "
    "| "
    "slide after (worst) | under ground, mm | jump, deg | ms |"
)


def motions(data: Path, folder: Path) -> dict[str, Motion]:
    """Return captured walks and a jump, from CMU's recordings."""
    with tarfile.open(data / "mocap" / "cmu.tar.xz") as archive:
        wanted = {f"cmu/amc/{take}.amc" for take in _WALKS} | {f"cmu/amc/{take[:2]}.asf" for take in _WALKS}
        archive.extractall(folder, [m for m in archive if m.name in wanted], filter="data")
    return {take: open_motion(folder / "cmu" / "amc" / f"{take}.amc").motion for take in _WALKS}


def rigs(data: Path) -> dict[str, Rig]:
    """Return every rig of the reference data."""
    found = {
        path.name: read_rig(path)
        for path in sorted((data / "rigs").rglob("*"))
        if path.suffix in (".glb", ".gltf")
    }
    return found | {path.stem: mpfb_rig(path) for path in sorted((data / "rigs").rglob("rig.*.json"))}


def row(name: str, rig: Rig, motion: Motion) -> str:
    """Return one line of the table."""
    try:
        mapped = map_rig(rig)
        loose = retargeted(motion, mapped.rig, mapped.bones, RetargetOptions(relock=()))
        begin = time.perf_counter()
        held = retargeted(motion, mapped.rig, mapped.bones, RetargetOptions())
        took_ms = 1e3 * (time.perf_counter() - begin)
    except PoseError as error:
        return f"| {name} | {len(rig.bones)} | {error.message} |" + " |" * 8
    before, after = (measured(motion, result, mapped.bones) for result in (loose, held))
    how = f"{mapped.preset or mapped.found_by} {100 * mapped.confidence:.0f} %"
    return (
        f"| {name} | {len(rig.bones)} | {how} | {scale(mapped.rig, mapped.bones, motion):.2f} "
        f"| {worst(before):.3f} | {worst(after):.1f} ({mean_deg(motion, loose, held, mapped.bones):.1f}) "
        f"| {before.slide_mm or 0:.2f} | {after.slide_mm or 0:.2f} ({after.worst_slide_mm or 0:.1f}) "
        f"| {before.under_ground_mm:.1f} → {after.under_ground_mm:.1f} | {after.jump_deg:.2f} "
        f"| {took_ms:.0f} |"
    )


def worst(found: Measures) -> float:
    """Return the largest angle of any limb in any frame."""
    return max(found.direction_deg.values(), default=0.0)


def mean_deg(motion: Motion, loose: object, held: object, bones: object) -> float:
    """Return by how much holding the feet turns legs, in the mean over frames, thighs and shins."""
    from pose_server.retarget.forward import bone_worlds

    names = [bones[f"{side}_{part}"] for side in ("left", "right") for part in ("hip", "knee")]
    one, other = (bone_worlds(result, names)[0] for result in (loose, held))
    apart = np.linalg.norm(one - other, axis=(2, 3)) / np.sqrt(8)
    return float(np.degrees(2 * np.arcsin(np.clip(apart, 0, 1))).mean())


def scale(rig: Rig, bones: object, motion: Motion) -> float:
    """Return how long the rig's legs are for a metre of the source's."""
    from pose_server.retarget.character import character_of

    names = list(motion.joint_names)
    legs = [names.index(f"{side}_{part}") for side in ("left", "right") for part in ("knee", "ankle")]
    return character_of(rig, bones).leg_m / float(
        np.linalg.norm(motion.rest_offsets_m[legs], axis=1).sum() / 2
    )


def main(arguments: Sequence[str]) -> None:
    """Measure, and print or write the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="the reference data")
    parser.add_argument("--write", type=Path, help="put the tables between the marks in this file")
    options = parser.parse_args(arguments)
    lines: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        taken = motions(options.data, Path(folder))
    everyone = rigs(options.data)
    for take, motion in taken.items():
        lines += [f"**CMU {take}**, {len(motion)} frames at {float(motion.rate):g} Hz.", "", _HEAD]
        lines += ["|" + " --- |" * (_HEAD.count("|") - 1)]
        lines += [*(row(name, rig, motion) for name, rig in everyone.items()), ""]
    print("\n".join(lines))
    if options.write:
        text = options.write.read_text(encoding="utf-8")
        before, _, rest = text.partition(_BEGIN)
        _, _, after = rest.partition(_END)
        table = "\n".join(lines)
        options.write.write_text(f"{before}{_BEGIN}\n{table}{_END}{after}", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
