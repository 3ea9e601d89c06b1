"""The files that a motion can be written to."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from pose_shared.errors import InputError

from pose_server.export.animation import Animation, animation_of
from pose_server.export.bvh import write_bvh
from pose_server.export.classics import write_maya_2d, write_maya_3d, write_videopose3d
from pose_server.export.documents import write_json
from pose_server.export.fbx import check_fbx, write_fbx
from pose_server.export.gltf import write_glb
from pose_server.export.maya import write_character_ma, write_person_ma
from pose_server.export.npz import write_npz
from pose_server.export.tables import check_c3d, write_c3d, write_csv, write_trc
from pose_server.export.usd import check_usd, write_usd
from pose_server.pipeline.boundary import Motion
from pose_server.pipeline.file_options import FileOptions
from pose_server.pipeline.plate import Plate

__all__ = [
    "ANIMATION_FORMATS",
    "MOTION_FORMATS",
    "AnimationFormat",
    "FileFormat",
    "MotionFormat",
    "check_formats",
    "write_animation",
    "write_motion",
    "written_files",
]


@dataclass(frozen=True, kw_only=True)
class FileFormat:
    """One of the files."""

    file_name: str
    choices: tuple[str, ...] = ()
    """Fields of `FileOptions` that it heeds."""
    check: Callable[[], None] = lambda: None
    """Raises `MissingExtraError` where it lacks a package."""


@dataclass(frozen=True, kw_only=True)
class AnimationFormat(FileFormat):
    """A file of any moving skeleton."""

    write: Callable[[Path, Animation, FileOptions], None]


@dataclass(frozen=True, kw_only=True)
class MotionFormat(FileFormat):
    """A file of a person's motion, which knows more: evidence, confidence, what the camera saw."""

    write: Callable[[Path, Motion, FileOptions, str, Plate | None], None]
    """Told the person's name, and the clip if it is known."""


_PLACED = ("unit", "up")


def _animation(
    file_name: str,
    write: Callable[[Path, Animation, FileOptions], None],
    choices: tuple[str, ...] = (),
    check: Callable[[], None] = lambda: None,
) -> AnimationFormat:
    return AnimationFormat(file_name=file_name, write=write, choices=choices, check=check)


def _motion(
    file_name: str, write: Callable[[Path, Motion, FileOptions], None], choices: tuple[str, ...] = ()
) -> MotionFormat:
    return MotionFormat(
        file_name=file_name,
        write=lambda path, motion, options, *_: write(path, motion, options),
        choices=choices,
    )


#: By the name that `--formats` takes.
ANIMATION_FORMATS: Mapping[str, AnimationFormat] = {
    "bvh": _animation("motion.bvh", write_bvh, (*_PLACED, "rotation_order")),
    "glb": _animation("motion.glb", write_glb),
    "fbx": _animation("motion.fbx", write_fbx, (), check_fbx),
    "usd": _animation("motion.usd", write_usd, _PLACED, check_usd),
    "usda": _animation("motion.usda", write_usd, _PLACED, check_usd),
    "usdc": _animation("motion.usdc", write_usd, _PLACED, check_usd),
    "json": _animation("motion.json", write_json, _PLACED),
    "csv": _animation("motion.csv", write_csv, _PLACED),
    "trc": _animation("motion.trc", write_trc, _PLACED),
    "c3d": _animation("motion.c3d", write_c3d, _PLACED, check_c3d),
    "ma": _animation("motion.ma", write_character_ma, ("up",)),
}
MOTION_FORMATS: Mapping[str, MotionFormat] = {
    "npz": _motion("motion.npz", lambda path, motion, _: write_npz(path, motion)),
    "3d_data": _motion("3d_data.json", write_maya_3d, ("unit",)),
    "2d_data": _motion("2d_data.json", write_maya_2d),
    "npy": _motion("motion.npy", write_videopose3d),
    "ma": MotionFormat(file_name="motion.ma", write=write_person_ma, choices=("up",)),
}
#: A format of both is written as the motion's, which knows more.
_FORMATS: Mapping[str, FileFormat] = {**ANIMATION_FORMATS, **MOTION_FORMATS}


def check_formats(formats: Collection[str], options: FileOptions | None = None) -> None:
    """Say before any work what cannot be written.

    Parameters
    ----------
    formats
        Names, of which others than those of this module are none of its business.
    options
        What was asked of the files.

    Raises
    ------
    MissingExtraError
        A format needs a package that is not installed; names the extra.
    InputError
        Something was asked for that none of the formats leaves open (``OPTION_UNUSED``).
    """
    for name in formats:
        if name in _FORMATS:
            _FORMATS[name].check()
    heeded = {choice for name in formats if name in _FORMATS for choice in _FORMATS[name].choices}
    for choice, value in vars(options or FileOptions()).items():
        if value is not None and choice not in heeded:
            having = [name for name, kind in _FORMATS.items() if choice in kind.choices]
            raise InputError(
                f"--{choice.replace('_', '-')} means nothing to {', '.join(formats)}; leave it out, or add "
                f"one of {', '.join(having)}.",
                reason="OPTION_UNUSED",
                value=value,
            )


def written_files(formats: Collection[str]) -> list[str]:
    """Return the names of the files that `write_motion` writes."""
    return [kind.file_name for name, kind in _FORMATS.items() if name in formats]


def write_motion(
    folder: Path,
    motion: Motion,
    formats: Collection[str],
    *,
    name: str,
    options: FileOptions | None = None,
    plate: Plate | None = None,
) -> None:
    """Write a person's motion to each of those formats that are files of a person.

    Parameters
    ----------
    folder
        That is there.
    name
        Of the person in files that hold several things.
    plate
        The clip, for files that show it.

    Raises
    ------
    PoseError
        Whatever keeps a file from being written, as one sentence.
    """
    options = options or FileOptions()
    for key, kind in MOTION_FORMATS.items():
        if key in formats:
            kind.write(folder / kind.file_name, motion, options, name, plate)
    others = [key for key in formats if key in ANIMATION_FORMATS and key not in MOTION_FORMATS]
    if others:
        write_animation(folder, animation_of(motion, name), others, options=options)


def write_animation(
    folder: Path, animation: Animation, formats: Collection[str], *, options: FileOptions | None = None
) -> None:
    """Write a moving skeleton to each of those formats that need nothing else; raises as `write_motion`."""
    animation = animation.dressed()
    for key, kind in ANIMATION_FORMATS.items():
        if key in formats:
            kind.write(folder / kind.file_name, animation, options or FileOptions())
