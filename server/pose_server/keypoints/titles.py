"""What clips are called, by the files and folders that they lie in."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import PurePosixPath

from pose_server.keypoints.clip import KeypointClip, UnreadClip
from pose_server.keypoints.files import FileTree, trailing_number

__all__ = [
    "ALPHAPOSE_FOLDER",
    "PROGRAMS_NAMES",
    "file_title",
    "folder_title",
    "frames_title",
    "named_apart",
]

#: Into which AlphaPose writes a file a picture; it is no part of a clip's name.
ALPHAPOSE_FOLDER = "sep-json"
#: Files that programs call so whatever the film; their folder has the clip's name.
PROGRAMS_NAMES = (
    "alphapose-results",
    "alphapose-results-forvis-tracked",
    "kpts",
    "motion",
    "poseflow-results",
)


def folder_title(name: str) -> str:
    """Return the folders that a file lies in, as part of a clip's name."""
    folder = PurePosixPath(name).parent
    while folder.name == ALPHAPOSE_FOLDER:
        folder = folder.parent
    return str(folder).replace("/", "_").strip("._")


def frames_title(tree: FileTree, name: str) -> str:
    """Return what to call the clip whose frames are files like this one."""
    stem, _ = trailing_number(name)
    return "_".join(part for part in (folder_title(name), stem) if part) or tree.path.stem


def file_title(tree: FileTree, name: str) -> str:
    """Return what to call the clip that is this file."""
    place = PurePosixPath(name)
    if place.stem not in PROGRAMS_NAMES:
        return place.stem
    around = tree.path if tree.path.is_dir() else tree.path.absolute().parent
    zipped = tree.path.stem if tree.local(name) is None else around.name
    return place.parent.name or zipped or place.stem


def named_apart(
    found: Sequence[tuple[str, KeypointClip | UnreadClip]],
) -> list[KeypointClip | UnreadClip]:
    """Give clips of the same name that of their folder, too, and a number where that does not help."""
    clips = []
    names = Counter(clip.name for _, clip in found)
    for folder, clip in found:
        if names[clip.name] > 1 and folder and not clip.name.startswith(folder):
            name = folder if folder.endswith(clip.name) else f"{folder}_{clip.name}"
            clip = replace(clip, name=name)
        clips.append(clip)
    seen: Counter[str] = Counter()
    apart = []
    for clip in sorted(clips, key=lambda clip: clip.name):
        seen[clip.name] += 1
        count = seen[clip.name]
        apart.append(clip if count == 1 else replace(clip, name=f"{clip.name}_{count}"))
    return apart
