"""Put captured motions on every rig of the reference data and on Rigify's, and measure the keys.

Run it from the repository's root, the reference data beside it:

    .venv/bin/python tests/benchmarks/retarget.py --data ../shared/data --write docs/retargeting.md

It writes Markdown tables between the marks of that file, and with --pictures a picture of each rig.  Numbers
are found by forward kinematics of the keys (`pose_server.retarget.measures`); those of the rig that Rigify
generates by where a real Blender puts its bones, once moved by FK and once by IK.
"""

from __future__ import annotations

import argparse
import os
import resource
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from pose_server.pipeline.boundary import FloatArray, Motion
from pose_server.pipeline.retarget_options import RetargetOptions
from pose_server.retarget.bone_map import BoneMap
from pose_server.retarget.character import character_of
from pose_server.retarget.forward import bone_worlds
from pose_server.retarget.measures import Measures, measured
from pose_server.retarget.opening import MappedRig, map_rig, open_motion
from pose_server.retarget.retargeter import retargeted
from pose_server.rigs.files import read_rig
from pose_shared.errors import PoseError
from pose_shared.rig import Rig

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from generated_rigify import Rigify
from mpfb_rig import mpfb_rig
from stride_picture import rig_figure, rigify_figure, source_figure, write_stride

__all__: list[str] = []

_BEGIN, _END = "<!-- rigs: begin -->", "<!-- rigs: end -->"
#: Two walks, a jump, a run, a dance and hops, with what CMU calls them.
_TAKES = {
    "35_01": "walk",
    "02_01": "walk",
    "16_01": "jump",
    "09_01": "run",
    "05_02": "dance: expressive arms, pirouette",
    "49_02": "jump up and down, hop on one foot",
}
#: The one that is drawn.
_DRAWN = "35_01"
_CREDIT = "motion from mocap.cs.cmu.edu, created with funding from NSF EIA-0196217"
_LONG, _MANY = 10_000, 700
_SIDES = ("left", "right")
_LEGS = (("hip", "knee"), ("hip",))
_HEAD = (
    "| rig | bones | found by | scale | limbs before, deg | limbs after, deg (mean) | hips, mm "
    "| slide before, mm/frame | slide after (worst) | under ground, mm | jump, deg | ms |"
)


def motions(data: Path, folder: Path) -> dict[str, Motion]:
    """Return captured motions, from CMU's recordings."""
    with tarfile.open(data / "mocap" / "cmu.tar.xz") as archive:
        wanted = {f"cmu/amc/{take}.amc" for take in _TAKES} | {f"cmu/amc/{take[:2]}.asf" for take in _TAKES}
        archive.extractall(folder, [m for m in archive if m.name in wanted], filter="data")
    return {take: open_motion(folder / "cmu" / "amc" / f"{take}.amc").motion for take in _TAKES}


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
        return f"| {name} | {len(rig.bones)} | {error.message} |" + " |" * 9
    before, after = (measured(motion, result, mapped.bones) for result in (loose, held))
    legs, hips = ([mapped.bones[f"{side}_{part}"] for side in _SIDES for part in parts] for parts in _LEGS)
    turned = mean_deg(bone_worlds(loose, legs)[0], bone_worlds(held, legs)[0])
    one, other = (bone_worlds(result, hips)[1] * mapped.rig.metres_per_unit for result in (loose, held))
    hips_mm = farthest_mm(one, other)
    return written(name, len(rig.bones), mapped, motion, before, after, turned, hips_mm, f"{took_ms:.0f}")


def rigify_rows(rigify: Rigify, motion: Motion) -> tuple[list[str], str]:
    """Return two lines of the table, of FK and of IK, and a sentence on how far they are apart."""
    mapped = rigify.mapped
    loose = retargeted(motion, mapped.rig, mapped.bones, RetargetOptions(relock=()))
    begin = time.perf_counter()
    held = retargeted(motion, mapped.rig, mapped.bones, RetargetOptions())
    took_ms = 1e3 * (time.perf_counter() - begin)
    before, after = rigify.seen(loose)[0], rigify.seen(held)[0]
    lines = []
    for kind in ("fk", "ik"):
        turned = mean_deg(rigify.leg_turns(before[kind]), rigify.leg_turns(after[kind]))
        hips_mm = farthest_mm(rigify.hips_m(before[kind]), rigify.hips_m(after[kind]))
        was, found = (rigify.measured(motion, one[kind]) for one in (before, after))
        lines.append(
            written(
                f"Rigify, generated ({kind.upper()})",
                len(mapped.rig.bones),
                mapped,
                motion,
                was,
                found,
                turned,
                hips_mm,
                f"{took_ms:.0f}",
            )
        )
    fk, ik = after["fk"], after["ik"]
    apart_mm = 1e3 * mapped.rig.metres_per_unit * np.linalg.norm(fk.heads - ik.heads, axis=2).max()
    angle = np.linalg.norm(fk.turns - ik.turns, axis=(2, 3)) / np.sqrt(8)
    return lines, (
        f"Switched between FK and IK in Blender {rigify.version}, no joint of Rigify's moves by more than "
        f"{apart_mm:.2f} mm in any frame, and no bone turns by more than "
        f"{np.degrees(2 * np.arcsin(np.clip(angle, 0, 1))).max():.3f} degrees."
    )


def written(
    name: str,
    bones: int,
    mapped: MappedRig,
    motion: Motion,
    before: Measures,
    after: Measures,
    turned_deg: float,
    hips_mm: float,
    took_ms: str,
) -> str:
    """Return one line of the table from what was measured."""
    how = f"{mapped.preset or mapped.found_by} {100 * mapped.confidence:.0f} %"
    return (
        f"| {name} | {bones} | {how} | {scale(mapped.rig, mapped.bones, motion):.2f} "
        f"| {worst(before):.3f} | {worst(after):.1f} ({turned_deg:.1f}) | {hips_mm:.0f} "
        f"| {before.slide_mm or 0:.2f} | {after.slide_mm or 0:.2f} ({after.worst_slide_mm or 0:.1f}) "
        f"| {before.under_ground_mm:.1f} → {after.under_ground_mm:.1f} | {max(after.jump_deg, 0):.2f} "
        f"| {took_ms} |"
    )


def worst(found: Measures) -> float:
    """Return the largest angle of any limb in any frame."""
    return max(found.direction_deg.values(), default=0.0)


def mean_deg(loose: FloatArray, held: FloatArray) -> float:
    """Return by how much holding the feet turns legs, given (T, N, 3, 3), in the mean over all."""
    apart = np.linalg.norm(loose - held, axis=(2, 3)) / np.sqrt(8)
    return float(np.degrees(2 * np.arcsin(np.clip(apart, 0, 1))).mean())


def farthest_mm(loose: FloatArray, held: FloatArray) -> float:
    """Return how far (T, N, 3) places in metres are moved at most."""
    return float(1e3 * np.linalg.norm(loose - held, axis=2).max())


def scale(rig: Rig, bones: BoneMap, motion: Motion) -> float:
    """Return how long the rig's legs are for a metre of the source's."""
    names = list(motion.joint_names)
    legs = [names.index(f"{side}_{part}") for side in ("left", "right") for part in ("knee", "ankle")]
    return character_of(rig, bones).leg_m / float(
        np.linalg.norm(motion.rest_offsets_m[legs], axis=1).sum() / 2
    )


def speed(motion: Motion, rig: Rig) -> str:
    """Return a sentence on a long motion on a large rig, in a process of its own that has one core."""
    turn = np.arange(_LONG) % (2 * len(motion))
    rows = np.where(turn < len(motion), turn, 2 * len(motion) - 1 - turn)  # there and back
    longer = {
        name: value[rows]
        for name, value in vars(motion).items()
        if isinstance(value, np.ndarray) and len(value) == len(motion) and name not in ("frames", "times_s")
    }
    motion = replace(motion, **longer, frames=np.arange(_LONG), times_s=np.arange(_LONG) / float(motion.rate))
    extra = [
        replace(rig.bones[-1], name=f"extra_{nth}", parent=rig.bones[nth % len(rig.bones)].name)
        for nth in range(_MANY - len(rig.bones))
    ]
    mapped = map_rig(replace(rig, bones=(*rig.bones, *extra)))
    took, peaks = [], []
    for _ in range(4):
        begin = time.process_time()
        retargeted(motion, mapped.rig, mapped.bones)
        took.append(time.process_time() - begin)
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    return (
        f"{_LONG} frames onto a rig of {len(mapped.rig.bones)} bones take {min(took):.1f} to {max(took):.1f} "
        "s of one core, four times one after another.  The process takes "
        f"{peaks[1]:.0f} MiB at most after the second time, and {peaks[-1]:.0f} MiB after the fourth."
    )


def main(arguments: Sequence[str]) -> None:
    """Measure, and print or write the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, default=Path("../shared/data"), help="the reference data")
    parser.add_argument("--write", type=Path, help="put the tables between the marks in this file")
    parser.add_argument("--pictures", type=Path, help="a folder for a picture of each rig")
    parser.add_argument("--speed", action="store_true", help="only measure speed and memory, in this process")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        taken = motions(options.data, Path(folder))
    everyone = rigs(options.data)
    if options.speed:
        print(speed(taken["49_02"], everyone["rig.default"]))
        return
    try:
        rigify = Rigify()
    except FileNotFoundError as missing:
        print(f"Rigify's rig is left out: {missing}", file=sys.stderr)
        rigify = None
    lines: list[str] = []
    for take, motion in taken.items():
        title = f"**CMU {take}**, {_TAKES[take]}, {len(motion)} frames at {float(motion.rate):g} Hz."
        lines += [title, "", _HEAD, "|" + " --- |" * (_HEAD.count("|") - 1)]
        lines += [row(name, rig, motion) for name, rig in everyone.items()]
        if rigify is not None:
            rows, apart = rigify_rows(rigify, motion)
            lines += [*rows, "", apart]
        lines.append("")
    one_core = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    command = [sys.executable, __file__, "--data", str(options.data), "--speed"]
    lines += [subprocess.run(command, env=one_core, capture_output=True, text=True, check=True).stdout]
    print("\n".join(lines))
    if options.pictures:
        draw(options.pictures, taken[_DRAWN], everyone, rigify)
    if options.write:
        text = options.write.read_text(encoding="utf-8")
        before, _, rest = text.partition(_BEGIN)
        _, _, after = rest.partition(_END)
        table = "\n".join(lines)
        options.write.write_text(f"{before}{_BEGIN}\n{table}{_END}{after}", encoding="utf-8")


def draw(folder: Path, motion: Motion, everyone: Mapping[str, Rig], rigify: Rigify | None) -> None:
    """Write a picture of each rig with the walk: moments of it, above them the source's."""
    folder.mkdir(parents=True, exist_ok=True)
    source = source_figure(motion, f"CMU {_DRAWN}")
    for name, rig in everyone.items():
        mapped = map_rig(rig)
        held = retargeted(motion, mapped.rig, mapped.bones)
        figure = rig_figure(motion, held, mapped.bones, name)
        write_stride(folder / f"{name.replace('.', '_')}.jpg", [source, figure], _CREDIT)
    if rigify is not None:
        held = retargeted(motion, rigify.mapped.rig, rigify.mapped.bones)
        seen, shown = rigify.seen(held)
        title = f"Rigify's deform bones, FK, in Blender {rigify.version}"
        write_stride(
            folder / "rigify.jpg", [source, rigify_figure(rigify, motion, seen["fk"], shown, title)], _CREDIT
        )


if __name__ == "__main__":
    main(sys.argv[1:])
