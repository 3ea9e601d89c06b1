"""Positions as tables: CSV for spreadsheets, TRC and C3D for biomechanics."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pose_shared.errors import LimitError, MissingExtraError

from pose_server.export.animation import Y_UP, Animation
from pose_server.export.destination import replacing
from pose_server.pipeline.file_options import PER_METRE, FileOptions

__all__ = ["check_c3d", "write_c3d", "write_csv", "write_trc"]

_TRC_HEAD = (
    "DataRate\tCameraRate\tNumFrames\tNumMarkers\tUnits\tOrigDataRate\tOrigDataStartFrame\tOrigNumFrames"
)
#: C3D counts frames in 16 bits.
_MOST_FRAMES = 65_535
_BYTES_OF_FLOAT = 4
_BLOCK = 512


def write_csv(path: Path, animation: Animation, options: FileOptions) -> None:
    """Write a line of titles and a row per frame: frame, time_s, and x, y, z of every joint.

    Metres and z up where the options leave the choice, as in `motion.npz`; frames are counted from the
    clip's first at the animation's rate.  Raises as every writer.
    """
    names = [f"{joint}_{axis}" for joint in animation.joint_names for axis in "xyz"]
    places = _positions(animation, options.unit or "m", options.up or "z")
    frames = animation.first_frame + np.arange(len(animation))
    rows = np.column_stack([frames, animation.times_s, places.reshape(len(animation), -1)])
    with replacing(path) as part, part.open("w", encoding="utf-8", newline="\n") as file:
        file.write(",".join(["frame", "time_s", *names]) + "\n")
        np.savetxt(file, rows, fmt=["%d", "%.6f", *["%.6f"] * len(names)], delimiter=",")


def write_trc(path: Path, animation: Animation, options: FileOptions) -> None:
    """Write a marker file as OpenSim and Pose2Sim read it: a marker per joint, and rows counted from 1.

    Metres and y up where the options leave the choice.  Raises as every writer.
    """
    unit = options.unit or "m"
    places = _positions(animation, unit, options.up or "y")
    rate, frames, joints = f"{float(animation.rate):.12g}", len(animation), len(animation.joint_names)
    titles = [title for i in range(joints) for title in (f"X{i + 1}", f"Y{i + 1}", f"Z{i + 1}")]
    head = [
        f"PathFileType\t4\t(X/Y/Z)\t{path.name}",
        _TRC_HEAD,
        "\t".join(map(str, (rate, rate, frames, joints, unit, rate, 1, frames))),
        "Frame#\tTime\t" + "\t\t\t".join(animation.joint_names) + "\t\t",
        "\t\t" + "\t".join(titles),
        "",
        "",
    ]
    rows = np.column_stack([1 + np.arange(frames), animation.times_s, places.reshape(frames, -1)])
    with replacing(path) as part, part.open("w", encoding="utf-8", newline="\n") as file:
        file.write("\n".join(head))
        np.savetxt(file, rows, fmt=["%d", "%.8f", *["%.6f"] * len(titles)], delimiter="\t")


def check_c3d() -> None:
    """Raise `MissingExtraError` where ezc3d is not installed."""
    try:
        import ezc3d  # noqa: F401
    except ImportError as error:
        raise MissingExtraError(
            f'Writing C3D needs ezc3d ({error}); run: pip install "pose-server[c3d]"',
            reason="MISSING_EXTRA",
            extra="c3d",
        ) from error


def write_c3d(path: Path, animation: Animation, options: FileOptions) -> None:
    """Write a point per joint; millimetres and z up, as in laboratories, where the options leave the choice.

    Raises
    ------
    MissingExtraError
        ezc3d is not installed.
    LimitError
        It has more frames than the format can count (``C3D_TOO_LONG``), or the disk is full.
    InputError
        The file cannot be written there.
    """
    check_c3d()
    import ezc3d

    if len(animation) > _MOST_FRAMES:
        raise LimitError(
            f"C3D holds at most {_MOST_FRAMES} frames and this motion has {len(animation)}; write TRC, or "
            "export it at a lower --fps.",
            reason="C3D_TOO_LONG",
            frames=len(animation),
        )
    unit, up = options.unit or "mm", options.up or "z"
    places = _positions(animation, unit, up)
    file = ezc3d.c3d()
    points = file["parameters"]["POINT"]
    points["RATE"]["value"] = [float(animation.rate)]
    points["LABELS"]["value"] = list(animation.joint_names)
    points["UNITS"]["value"] = [unit]
    # Which of the data's axes go across and up a screen.
    file.add_parameter("POINT", "X_SCREEN", ["+X"])
    file.add_parameter("POINT", "Y_SCREEN", [f"+{up.upper()}"])
    file["header"]["points"]["first_frame"] = 0
    homogeneous = np.ones((4, len(animation.joint_names), len(animation)))
    homogeneous[:3] = places.transpose(2, 1, 0)
    file["data"]["points"] = homogeneous
    with replacing(path) as part:
        part.touch()  # ezc3d says nothing of a file that it cannot open,
        file.write(str(part))
        size = _data_begin(part) + _BYTES_OF_FLOAT * homogeneous.size
        if part.stat().st_size < size:  # nor of a disk that is full
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _data_begin(path: Path) -> int:
    """Return at which byte the data of a C3D begin: its header counts blocks of 512, from 1."""
    with path.open("rb") as file:
        head = file.read(_BLOCK)
    return (int.from_bytes(head[16:18], "little") - 1) * _BLOCK if len(head) == _BLOCK else _BLOCK


def _positions(animation: Animation, unit: str, up: str) -> NDArray[np.float64]:
    """Return (T, J, 3) in that unit and world."""
    places = animation.positions_m().astype(np.float64) * PER_METRE[unit]
    return places @ Y_UP.T if up == "y" else places
