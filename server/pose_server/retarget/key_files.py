"""Keys of a rig as plain files, for hosts and scripts; `docs/retargeting.md` describes them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np

from pose_server.export.arrays import write_arrays
from pose_server.export.destination import replacing
from pose_server.retarget.rig_motion import RigMotion

__all__ = ["write_keys_json", "write_keys_npz"]

_FORMAT, _VERSION = "pose-rig-keys", 1
_DIGITS = 7


def write_keys_npz(path: Path, motion: RigMotion) -> None:
    """Write keys as arrays, with the rig that they are for.

    Raises
    ------
    InputError
        The file cannot be written there.
    LimitError
        The disk is full.
    """
    switches = list(motion.switches.items())
    write_arrays(
        path,
        {
            "format_version": np.int64(100 * _VERSION),
            "fps": np.array([motion.rate.numerator, motion.rate.denominator], np.int64),
            "times_s": np.asarray(motion.times_s, np.float64),
            "bone_names": np.array(motion.bones, np.str_),
            "rotations_wxyz": motion.rotations_wxyz.astype(np.float32),
            "locations": motion.locations.astype(np.float32),
            "moves": np.array(motion.moves, np.bool_),
            "switch_bones": np.array([switch.bone for switch, _ in switches], np.str_),
            "switch_names": np.array([switch.name for switch, _ in switches], np.str_),
            "switch_values": np.array([value for _, value in switches], np.float64),
            "rig": np.array(motion.rig.to_json()),
        },
    )


def write_keys_json(path: Path, motion: RigMotion) -> None:
    """Write keys as JSON, without the rig; raises as `write_keys_npz`."""
    head = {
        "format": _FORMAT,
        "version": _VERSION,
        "rig": motion.rig.name,
        "fps": [motion.rate.numerator, motion.rate.denominator],
        "times_s": np.round(motion.times_s, _DIGITS).tolist(),
        "switches": [
            {"bone": switch.bone, "name": switch.name, "value": value}
            for switch, value in motion.switches.items()
        ],
    }
    with replacing(path) as part, part.open("w", encoding="utf-8") as file:
        file.write(json.dumps(head, ensure_ascii=False)[:-1] + ', "bones": {')
        # A bone at a time: 10,000 frames of a large rig are a gigabyte as Python's own lists.
        for column, bone in enumerate(motion.bones):
            keys = {"rotations_wxyz": np.round(motion.rotations_wxyz[:, column], _DIGITS).tolist()}
            if motion.moves[column]:
                keys["locations"] = np.round(motion.locations[:, column], _DIGITS).tolist()
            file.write(f"{',' if column else ''}\n{json.dumps(bone, ensure_ascii=False)}: {json.dumps(keys)}")
        file.write("}}\n")
