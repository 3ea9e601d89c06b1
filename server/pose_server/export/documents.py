"""JSON for programs of one's own: the skeleton, positions, and local rotations."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from pose_server.export.animation import Y_UP, Animation
from pose_server.export.destination import replacing
from pose_server.pipeline.file_options import PER_METRE, FileOptions

__all__ = ["JSON_VERSION", "write_json"]

#: A new field leaves it as it is; a changed meaning or a lost field makes it one more.
JSON_VERSION = 1


def write_json(path: Path, animation: Animation, options: FileOptions) -> None:
    """Write an animation as one JSON object, described in docs/exports.md.

    Metres and z up where the options leave the choice, as in `motion.npz`.  Raises as every writer.
    """
    unit, up = options.unit or "m", options.up or "z"
    moving = animation.in_axes(Y_UP) if up == "y" else animation
    scale = PER_METRE[unit]
    head = {
        "format": "pose-server motion",
        "version": JSON_VERSION,
        "name": moving.name,
        "frames_per_second": [moving.rate.numerator, moving.rate.denominator],
        "start_s": moving.start_s,
        "first_frame": moving.first_frame,
        "frame_count": len(moving),
        "unit": unit,
        "up": up,
        "joints": [
            {
                "name": name,
                "parent": int(parent),
                "rest_translation": (offset * scale).round(6).tolist(),
                "rest_rotation_wxyz": rotation.round(9).tolist(),
            }
            for name, parent, offset, rotation in zip(
                moving.joint_names,
                moving.parents,
                moving.rest_translations_m,
                moving.rest_rotations_wxyz,
                strict=True,
            )
        ],
    }
    positions = moving.positions_m()
    with replacing(path) as part, part.open("w", encoding="utf-8", newline="\n") as file:
        file.write(json.dumps(head, ensure_ascii=False)[:-1])
        file.write(',\n"frames": [\n')
        for row in range(len(moving)):
            frame = {
                "positions": np.round(positions[row].astype(np.float64) * scale, 6).tolist(),
                "rotations_wxyz": np.round(moving.local_rotations_wxyz[row], 6).tolist(),
            }
            file.write(json.dumps(frame, separators=(",", ":")) + (",\n" if row + 1 < len(moving) else "\n"))
        file.write("]}\n")
