"""Which formats of 2D keypoints there are, and which of them a path holds."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from pose_shared.errors import InputError, PoseError

from pose_server.keypoints import alphapose, arrays, coco, mmpose, openpose
from pose_server.keypoints.clip import KeypointClip, UnreadClip
from pose_server.keypoints.faults import bad_content, damaged, too_large, unknown
from pose_server.keypoints.files import FileTree, open_tree, read_json, trailing_number
from pose_server.keypoints.people import BODY_LAYOUTS, PIXEL_INDEX, FoundClip, Person, clip_of
from pose_server.keypoints.titles import (
    ALPHAPOSE_FOLDER,
    PROGRAMS_NAMES,
    file_title,
    folder_title,
    frames_title,
    named_apart,
)

__all__ = ["KEYPOINT_FORMATS", "KeypointFormat", "read_each", "read_keypoints"]

_ARRAYS_BYTES = 256 << 20
_OPENPOSE = ("body_25", "body_25b", "coco_18")
_COCO_18 = ("coco_18",)
#: AlphaPose writes its ``sep-json`` beside a file with all pictures.
_ALPHAPOSE_FILE = "alphapose-results.json"


@dataclass(frozen=True)
class KeypointFormat:
    """One program's way of writing 2D keypoints, by one of three kinds of files."""

    about: str
    recognises: Callable[[Any], bool]
    """Takes a JSON document, or the arrays of an ``.npz``."""
    layouts: tuple[str, ...] = BODY_LAYOUTS
    """Joint sets, the likeliest first."""
    shift_px: float = 0.0
    """See `FoundClip.shift_px`."""
    people: Callable[[Any], list[Person]] | None = None
    """Of JSON with a file a frame."""
    frames: Callable[[Any], dict[int, list[Person]]] | None = None
    """Of JSON with a file a clip."""
    clips: Callable[[Path, Any], Iterator[FoundClip]] | None = None
    """Of an ``.npz``."""


#: By the name that ``--keypoint-format`` takes; the first that recognises a file reads it.  Two entries of
#: one program are told apart by `people` and `frames`.
KEYPOINT_FORMATS: dict[str, tuple[KeypointFormat, ...]] = {
    "openpose": (
        KeypointFormat(
            "OpenPose --write_json", openpose.is_openpose, _OPENPOSE, people=openpose.openpose_people
        ),
    ),
    "tf-pose": (
        KeypointFormat(
            "tf-pose-estimation --output_json",
            openpose.is_tf_pose,
            _COCO_18,
            PIXEL_INDEX,
            people=openpose.tf_pose_people,
        ),
    ),
    "alphapose": (
        KeypointFormat(
            "AlphaPose alphapose-results.json",
            alphapose.is_alphapose,
            shift_px=PIXEL_INDEX,
            frames=alphapose.alphapose_frames,
        ),
        KeypointFormat(
            "AlphaPose sep-json",
            alphapose.is_alphapose_frame,
            _COCO_18,
            PIXEL_INDEX,
            people=alphapose.alphapose_people,
        ),
    ),
    "poseflow": (
        KeypointFormat(
            "PoseFlow poseflow-results.json",
            alphapose.is_poseflow,
            shift_px=PIXEL_INDEX,
            frames=alphapose.poseflow_frames,
        ),
    ),
    "mmpose": (
        KeypointFormat(
            "MMPose predictions of a film",
            mmpose.is_mmpose,
            shift_px=PIXEL_INDEX,
            frames=mmpose.mmpose_frames,
        ),
        KeypointFormat(
            "MMPose predictions of pictures",
            mmpose.is_mmpose_picture,
            shift_px=PIXEL_INDEX,
            people=mmpose.mmpose_people,
        ),
    ),
    "coco": (
        KeypointFormat("COCO keypoint results", coco.is_coco, shift_px=PIXEL_INDEX, frames=coco.coco_frames),
    ),
    "detectron": (
        KeypointFormat(
            "Detectron's and Detectron2's .npz of VideoPose3D's inference scripts",
            arrays.is_detectron,
            clips=arrays.detectron_clips,
        ),
    ),
    "videopose3d": (
        KeypointFormat(
            "VideoPose3D data_2d_custom_*.npz", arrays.is_videopose3d, clips=arrays.videopose3d_clips
        ),
    ),
    "kpts": (KeypointFormat("video-to-pose3D .npz", arrays.is_kpts, clips=arrays.kpts_clips),),
    "motion": (KeypointFormat("motion.npz of pose-server", arrays.is_motion, clips=arrays.motion_clips),),
}


def read_keypoints(path: Path, *, format_name: str | None = None) -> list[KeypointClip]:
    """Return all clips that a file, a folder or a zip holds, sorted by name.

    Parameters
    ----------
    path
        What another program wrote.
    format_name
        A name in `KEYPOINT_FORMATS`, with a joint set behind a colon if that cannot be told either, such as
        ``openpose:body_25b``; recognised when None.

    Raises
    ------
    NotFoundError
        There is nothing there.
    InputError
        ``KEYPOINT_FORMAT_UNKNOWN``: there is no such format; or the files are of no known kind, damaged,
        make no sense, contain code, show nobody, or are larger than keypoints are.  The sentence names the
        file.
    """
    clips = []
    for clip in read_each(path, format_name=format_name):
        if isinstance(clip, UnreadClip):
            raise clip.error
        clips.append(clip)
    return clips


def read_each(path: Path, *, format_name: str | None = None) -> list[KeypointClip | UnreadClip]:
    """Return as `read_keypoints` does, with clips that cannot be used in their places; there is at least one.

    Raises
    ------
    NotFoundError
        There is nothing there.
    InputError
        It holds no keypoints at all, or too many files, or ``KEYPOINT_FORMAT_UNKNOWN``.
    """
    formats, layout = _asked(format_name)
    found: list[tuple[str, KeypointClip | UnreadClip]] = []
    with open_tree(path) as tree:
        for name in tree.names:
            if name.lower().endswith(".npz"):
                found += [(folder_title(name), clip) for clip in _array_clips(tree, name, formats, layout)]
        for names in _groups(tree.names):
            found += [(folder_title(names[0]), clip) for clip in _json_clips(tree, names, formats, layout)]
    if not found:
        raise unknown(path.name, ", ".join(KEYPOINT_FORMATS), format_name)
    return named_apart(found)


def _asked(format_name: str | None) -> tuple[dict[str, tuple[KeypointFormat, ...]], str | None]:
    if format_name is None:
        return KEYPOINT_FORMATS, None
    name, _, layout = format_name.partition(":")
    if name not in KEYPOINT_FORMATS or layout not in ("", *BODY_LAYOUTS):
        raise InputError(
            f"There is no keypoint format '{format_name}'; choose from {', '.join(KEYPOINT_FORMATS)}, with a "
            f"joint set behind a colon if need be ({', '.join(BODY_LAYOUTS)}).",
            reason="KEYPOINT_FORMAT_UNKNOWN",
            value=format_name,
        )
    return {name: KEYPOINT_FORMATS[name]}, layout or None


def _recognised(
    formats: dict[str, tuple[KeypointFormat, ...]], content: Any, kinds: Sequence[str]
) -> tuple[str, KeypointFormat] | None:
    for name, variants in formats.items():
        for variant in variants:
            if any(getattr(variant, kind) for kind in kinds) and variant.recognises(content):
                return name, variant
    return None


def _array_clips(
    tree: FileTree, name: str, formats: dict[str, tuple[KeypointFormat, ...]], layout: str | None
) -> Iterator[KeypointClip | UnreadClip]:
    from pose_server.weights.pickled import read_arrays

    title = file_title(tree, name)
    try:
        local = tree.local(name)
        if local is None:
            raise bad_content(name, "an .npz in a zip is not read; unpack it")
        digest = hashlib.sha256()
        tree.read(name, digest)
        found = _recognised(formats, dict.fromkeys(_members(local, name)), ("clips",))
        if found is None:
            return
        format_name, reader = found
        assert reader.clips is not None
        content = None if reader.recognises is arrays.is_motion else read_arrays(local)
        for clip in reader.clips(local, content):
            clip = replace(
                clip,
                name=title if clip.name in PROGRAMS_NAMES else clip.name,
                layouts=(layout,) if layout else clip.layouts,
            )
            yield _usable(clip, format_name, digest.hexdigest())
    except PoseError as error:
        yield UnreadClip(title, error)
    except _NONSENSE as error:
        yield UnreadClip(title, bad_content(name, _why(error)))


def _members(local: Path, name: str) -> set[str]:
    """Return the names of the arrays in an ``.npz``, which is not unfolded for it."""
    try:
        with zipfile.ZipFile(local) as archive:
            entries = archive.infolist()
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile) as error:
        raise damaged(name, str(error)) from None
    unfolded = sum(entry.file_size for entry in entries)
    if unfolded > _ARRAYS_BYTES:
        raise too_large(name, f"{unfolded >> 20} MiB of arrays")
    return {entry.filename.removesuffix(".npy") for entry in entries}


def _usable(found: FoundClip, format_name: str, sha256: str) -> KeypointClip | UnreadClip:
    """Return the clip, or what keeps it from being one."""
    try:
        return clip_of(found, format_name=format_name, sha256=sha256)
    except PoseError as error:
        return UnreadClip(found.name, error)
    except _NONSENSE as error:
        return UnreadClip(found.name, bad_content(found.name, _why(error)))


def _groups(names: Sequence[str]) -> list[list[str]]:
    """Return the JSON files that may be frames of one clip: of one folder and one name before the number."""
    groups: dict[tuple[str, str, bool], list[str]] = {}
    complete = {str(PurePosixPath(name).parent) for name in names if name.endswith(_ALPHAPOSE_FILE)}
    for name in names:
        place = PurePosixPath(name)
        if place.suffix.lower() != ".json":
            continue
        if place.parent.name == ALPHAPOSE_FOLDER and str(place.parent.parent) in complete:
            continue
        stem, number = trailing_number(name)
        groups.setdefault((str(place.parent), stem, number is None), []).append(name)
    return list(groups.values())


def _json_clips(
    tree: FileTree, names: Sequence[str], formats: dict[str, tuple[KeypointFormat, ...]], layout: str | None
) -> Iterator[KeypointClip | UnreadClip]:
    """Give the clip whose frames these files are, or the clips of files that have one each."""
    digest = hashlib.sha256()
    people: dict[int, list[Person]] = {}
    by_frame: tuple[str, KeypointFormat] | None = None
    undecided: list[int] = []
    faults: list[tuple[str, PoseError]] = []
    for name in names:
        if by_frame and faults:
            break
        own = hashlib.sha256()
        _, number = trailing_number(name)
        try:
            document = read_json(name, tree.read(name, own))
            digest.update(own.digest())
            found = _recognised(formats, document, ("frames",))
            if found is not None:
                yield _whole(file_title(tree, name), document, found, layout, own.hexdigest())
                continue
            # Nobody in a frame looks the same whoever wrote it.
            if _is_empty(document) and number is not None:
                undecided.append(number)
                continue
            found = _recognised(formats, document, ("people",))
            if found is None:
                continue
            if by_frame is not None and by_frame != found:
                raise ValueError(f"it is {found[1].about}, and files before it {by_frame[1].about}")
            by_frame = found
            frame = number if number is not None else len(people)
            if frame in people:
                raise ValueError(f"two files are frame {frame}")
            assert found[1].people is not None
            people[frame] = found[1].people(document)
        except PoseError as error:
            faults.append((name, error))
        except _NONSENSE as error:
            faults.append((name, bad_content(name, _why(error))))
    if by_frame is None and undecided and "openpose" in formats:
        by_frame = ("openpose", formats["openpose"][0])
    title = frames_title(tree, names[0])
    if by_frame is None:
        yield from (UnreadClip(file_title(tree, name), error) for name, error in faults)
    elif faults:  # a clip without one of its frames is another clip
        yield UnreadClip(title, faults[0][1])
    else:
        people |= {number: [] for number in undecided if number not in people}
        format_name, reader = by_frame
        clip = FoundClip(title, people, (layout,) if layout else reader.layouts, reader.shift_px)
        yield _usable(clip, format_name, digest.hexdigest())


def _whole(
    title: str, document: Any, found: tuple[str, KeypointFormat], layout: str | None, sha256: str
) -> KeypointClip | UnreadClip:
    format_name, reader = found
    assert reader.frames is not None
    own = mmpose.mmpose_layouts(document) if format_name == "mmpose" else ()
    layouts = (layout,) if layout else own or reader.layouts
    clip = FoundClip(title, reader.frames(document), layouts, reader.shift_px)
    return _usable(clip, format_name, sha256)


def _is_empty(document: Any) -> bool:
    """Whether a file has a frame with nobody in it."""
    if document == []:
        return True
    return isinstance(document, dict) and document.get("people", document.get("bodies")) == []


#: What content that is not as its format has it leads to.
_NONSENSE = (
    ArithmeticError,
    AttributeError,
    IndexError,
    KeyError,
    RecursionError,
    TypeError,
    ValueError,
)


def _why(error: Exception) -> str:
    if type(error) is ValueError and error.args:
        return str(error).splitlines()[0][:160]
    return f"an entry is missing or of another kind ({type(error).__name__}: {error})"[:160]
