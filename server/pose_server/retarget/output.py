"""The folder that a retargeted motion is written to, and its report."""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pose_shared.errors import InputError

from pose_server import __version__
from pose_server.export.formats import ANIMATION_FORMATS, check_formats, write_animation
from pose_server.pipeline.boundary import Motion
from pose_server.pipeline.file_options import FileOptions
from pose_server.pipeline.output import output_folder
from pose_server.pipeline.retarget_options import RetargetOptions
from pose_server.retarget.animation import rig_animation
from pose_server.retarget.key_files import write_keys_json, write_keys_npz
from pose_server.retarget.measures import measured
from pose_server.retarget.opening import MappedRig
from pose_server.retarget.retargeter import retargeted
from pose_server.rigs.animated_gltf import write_animated_gltf

__all__ = ["DEFAULT_FORMATS", "FORMATS", "write_retargeted"]

_KEYS = {"keys": ("keys.npz", write_keys_npz), "keys_json": ("keys.json", write_keys_json)}
#: What a retargeted motion may be written as, and is where nobody chooses.
FORMATS = (*_KEYS, *ANIMATION_FORMATS)
DEFAULT_FORMATS = ("keys", "bvh", "glb")
_GLTF = (".glb", ".gltf")


def write_retargeted(
    folder: Path,
    motion: Motion,
    mapped: MappedRig,
    source: Path,
    *,
    name: str,
    options: RetargetOptions | None = None,
    formats: Collection[str] = DEFAULT_FORMATS,
    files: FileOptions | None = None,
    notes: Sequence[str] = (),
) -> dict[str, Any]:
    """Put a motion on a rig and write it, complete or not at all.

    Parameters
    ----------
    folder
        For the files.
    motion
        Of one person.
    mapped
        Whom to move.
    source
        The file of the rig; to a glTF the animation is added, with all that is in it.
    name
        Of the animation.
    formats
        Some of `FORMATS`.
    files
        Unit, axis and order of angles, for formats that leave them open.
    notes
        What the report should say besides.

    Returns
    -------
    dict
        The content of ``report.json``.

    Raises
    ------
    PoseError
        Whatever keeps it from being done, as one sentence.
    """
    options = options or RetargetOptions()
    for wanted in formats:
        if wanted not in FORMATS:
            raise InputError(
                f"There is no format '{wanted[:80]}'; choose from {', '.join(FORMATS)}.",
                reason="FORMAT_UNKNOWN",
                value=wanted[:80],
            )
    check_formats(formats, files)
    rig, bones = mapped.rig, mapped.bones
    result = retargeted(motion, rig, bones, options)
    placed = replace(options, in_place=False)
    before = measured(motion, retargeted(motion, rig, bones, replace(placed, relock=())), bones)
    after = measured(motion, retargeted(motion, rig, bones, placed) if options.in_place else result, bones)
    own = "glb" in formats and source.suffix.lower() in _GLTF
    written: list[str] = []
    with output_folder(folder) as staged:
        for wanted, (file_name, write) in _KEYS.items():
            if wanted in formats:
                write(staged / file_name, result)
                written.append(file_name)
        others = [
            wanted for wanted in formats if wanted in ANIMATION_FORMATS and not (own and wanted == "glb")
        ]
        if others:
            write_animation(staged, rig_animation(result, name), others, options=files)
            written += [ANIMATION_FORMATS[wanted].file_name for wanted in others]
        if own:
            written.append(f"{source.stem}.glb")
            write_animated_gltf(
                staged / written[-1],
                source,
                name=name,
                times_s=result.times_s,
                bones=result.bones,
                rotations_wxyz=result.rotations_wxyz,
                locations=result.locations,
                moves=result.moves,
            )
        report = {
            "pose_server": __version__,
            "name": name,
            "frames": len(result),
            "fps": [result.rate.numerator, result.rate.denominator],
            "rig": mapped.to_dict(),
            "options": options.to_dict(),
            "before_relocking": before.to_dict(),
            "after_relocking": after.to_dict(),
            "notes": list(notes),
            "files": written,
        }
        (staged / "report.json").write_text(
            json.dumps(report, indent=2, ensure_ascii=False) + "\n", encoding="utf-8"
        )
    return report
