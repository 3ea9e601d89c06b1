"""Which formats of 2D keypoints there are, and which of them a path holds."""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Any

from pose_shared.errors import InputError

from pose_server.keypoints import alphapose, arrays, coco, mmpose, openpose
from pose_server.keypoints.clip import KeypointClip
from pose_server.keypoints.faults import bad_content, damaged, too_large, unknown
from pose_server.keypoints.files import FileTree, open_tree, read_json, trailing_number
from pose_server.keypoints.people import BODY_LAYOUTS, PIXEL_INDEX, FoundClip, Person, clip_of

__all__ = ["KEYPOINT_FORMATS", "KeypointFormat", "read_keypoints"]

_ARRAYS_BYTES = 256 << 20
_OPENPOSE = ("body_25", "body_25b", "coco_18")
_COCO_18 = ("coco_18",)
#: AlphaPose writes its ``sep-json`` beside a file with all pictures.
_ALPHAPOSE_FILE, _ALPHAPOSE_FOLDER = "alphapose-results.json", "sep-json"


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
        make no sense, contain code, or show nobody.  The sentence names the file.
    LimitError
        They are larger than keypoints are.
    """
    formats, layout = _asked(format_name)
    clips: list[KeypointClip] = []
    with open_tree(path) as tree:
        for name in tree.names:
            if name.lower().endswith(".npz"):
                clips += _array_clips(tree, name, formats, layout)
        for names in _groups(tree.names):
            clips += _json_clips(tree, names, formats, layout)
    if not clips:
        raise unknown(path.name, ", ".join(KEYPOINT_FORMATS), format_name)
    return _named_apart(sorted(clips, key=lambda clip: clip.name))


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
) -> Iterator[KeypointClip]:
    from pose_server.weights.pickled import read_arrays

    local = tree.local(name)
    if local is None:
        raise bad_content(name, "an .npz in a zip is not read; unpack it")
    digest = hashlib.sha256()
    tree.read(name, digest)
    try:
        with zipfile.ZipFile(local) as archive:
            unfolded = sum(entry.file_size for entry in archive.infolist())
            members = {entry.filename.removesuffix(".npy") for entry in archive.infolist()}
    except (OSError, ValueError, NotImplementedError, zipfile.BadZipFile) as error:
        raise damaged(name, str(error)) from None
    if unfolded > _ARRAYS_BYTES:
        raise too_large(name, f"{unfolded >> 20} MiB of arrays")
    found = _recognised(formats, dict.fromkeys(members), ("clips",))
    if found is None:
        return
    format_name, reader = found
    assert reader.clips is not None
    try:
        content = None if reader.recognises is arrays.is_motion else read_arrays(local)
        for clip in reader.clips(local, content):
            clip = replace(clip, layouts=(layout,)) if layout else clip
            yield clip_of(clip, format_name=format_name, sha256=digest.hexdigest())
    except _NONSENSE as error:
        raise bad_content(name, _why(error)) from None


def _groups(names: Sequence[str]) -> list[list[str]]:
    """Return the JSON files that may be frames of one clip: of one folder and one name before the number."""
    groups: dict[tuple[str, str, bool], list[str]] = {}
    complete = {str(PurePosixPath(name).parent) for name in names if name.endswith(_ALPHAPOSE_FILE)}
    for name in names:
        place = PurePosixPath(name)
        if place.suffix.lower() != ".json":
            continue
        if place.parent.name == _ALPHAPOSE_FOLDER and str(place.parent.parent) in complete:
            continue
        stem, number = trailing_number(name)
        groups.setdefault((str(place.parent), stem, number is None), []).append(name)
    return list(groups.values())


def _json_clips(
    tree: FileTree, names: Sequence[str], formats: dict[str, tuple[KeypointFormat, ...]], layout: str | None
) -> Iterator[KeypointClip]:
    """Give the clip whose frames these files are, or the clips of files that have one each."""
    digest = hashlib.sha256()
    people: dict[int, list[Person]] = {}
    by_frame: tuple[str, KeypointFormat] | None = None
    undecided: list[tuple[str, int]] = []
    for name in names:
        own = hashlib.sha256()
        content = tree.read(name, own)
        digest.update(own.digest())
        document = read_json(name, content)
        _, number = trailing_number(name)
        try:
            found = _recognised(formats, document, ("frames",))
            if found is not None:
                yield _whole(name, document, found, layout, own.hexdigest())
                continue
            # Nobody in a frame looks the same whoever wrote it.
            if _is_empty(document) and number is not None:
                undecided.append((name, number))
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
        except _NONSENSE as error:
            raise bad_content(name, _why(error)) from None
    if by_frame is None:
        if undecided and "openpose" in formats:
            by_frame = ("openpose", formats["openpose"][0])
        else:
            return
    for _, number in undecided:
        people.setdefault(number, [])
    format_name, reader = by_frame
    title = _title(tree, names[0])
    try:
        clip = FoundClip(title, people, (layout,) if layout else reader.layouts, reader.shift_px)
        yield clip_of(clip, format_name=format_name, sha256=digest.hexdigest())
    except _NONSENSE as error:
        raise bad_content(title, _why(error)) from None


def _whole(
    name: str, document: Any, found: tuple[str, KeypointFormat], layout: str | None, sha256: str
) -> KeypointClip:
    format_name, reader = found
    assert reader.frames is not None
    own = mmpose.mmpose_layouts(document) if format_name == "mmpose" else ()
    clip = FoundClip(
        PurePosixPath(name).stem,
        reader.frames(document),
        (layout,) if layout else own or reader.layouts,
        reader.shift_px,
    )
    return clip_of(clip, format_name=format_name, sha256=sha256)


def _is_empty(document: Any) -> bool:
    """Whether a file has a frame with nobody in it."""
    if document == []:
        return True
    return isinstance(document, dict) and document.get("people", document.get("bodies")) == []


def _title(tree: FileTree, name: str) -> str:
    """Return what to call the clip whose frames are files like this one."""
    stem, _ = trailing_number(name)
    folder = PurePosixPath(name).parent
    while folder.name == _ALPHAPOSE_FOLDER:
        folder = folder.parent
    parts = [part for part in (str(folder).replace("/", "_").strip("._"), stem) if part]
    return "_".join(parts) or tree.path.stem


def _named_apart(clips: list[KeypointClip]) -> list[KeypointClip]:
    """Give clips of the same name numbers."""
    seen: dict[str, int] = {}
    apart = []
    for clip in clips:
        count = seen[clip.name] = seen.get(clip.name, 0) + 1
        apart.append(clip if count == 1 else replace(clip, name=f"{clip.name}_{count}"))
    return apart


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
