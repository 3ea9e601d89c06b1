"""Builds the scene of a clip out of joint motions: what Maya's host and the ``ma`` export write."""

from __future__ import annotations

import re
import unicodedata
from array import array
from dataclasses import dataclass, field, replace
from typing import Dict, List, Mapping, Optional, Sequence, Tuple

from pose_shared.clips import Clip
from pose_shared.import_record import PERSON
from pose_shared.joint_motion import Joint, JointMotion
from pose_shared.motion import CameraView
from pose_shared.scene_nodes import Attribute, Curve, Film, JointScene, Node, Part
from pose_shared.timing import SceneTiming

__all__ = ["ROTATE_ORDERS", "SceneOptions", "joint_node", "joint_scene", "legal_name"]

#: In the order of Maya's enumeration ``rotateOrder``.
ROTATE_ORDERS = ("xyz", "yzx", "zxy", "xzy", "yxz", "zyx")
#: By the last word of a joint's name: its label, of Maya's enumeration ``type``.
_LABELS = {
    "pelvis": 1,
    "hip": 2,
    "knee": 3,
    "ankle": 4,
    "toe": 5,
    "spine": 6,
    "chest": 6,
    "neck": 7,
    "head": 8,
    "clavicle": 9,
    "shoulder": 10,
    "elbow": 11,
    "wrist": 12,
    "hand": 20,
}
_MIDDLE, _LEFT, _RIGHT = 0, 1, 2
#: HumanIK's own names.
_HUMAN_IK = {
    "pelvis": "Hips",
    "spine": "Spine",
    "chest": "Spine1",
    "neck": "Neck",
    "head": "Head",
    "clavicle": "Shoulder",
    "shoulder": "Arm",
    "elbow": "ForeArm",
    "wrist": "Hand",
    "hip": "UpLeg",
    "knee": "Leg",
    "ankle": "Foot",
    "toe": "ToeBase",
}
_TOP = "person"
_RADIUS_SHARE, _LEAST_RADIUS_CM = 0.08, 0.6
_INCH_MM = 25.4
_FULL_FRAME_MM = 36.0
_NEAR_CM, _FAR_CM = 1.0, 100_000.0
#: Of Maya's enumeration ``filmFit``: overscan, nothing of the film is cut off.
_FIT_ALL = 3
#: Of an image plane's ``type`` and ``fit``: to its own size.
_PICTURES, _MOVIE = 0, 2
_FIT_SIZE = 4
_FILM_DEPTH_CM = 5_000.0


@dataclass(frozen=True)
class SceneOptions:
    """How a clip goes into a scene.

    Attributes
    ----------
    confidence
        Whether joints get their confidence as a keyed attribute.
    camera
        Whether there is the camera of the clip.
    film
        The clip that it shows, if any.
    record
        Texts that the top of every person and camera keeps, by attribute; hosts find them again by it.
    """

    confidence: bool = False
    camera: bool = True
    film: Optional[Clip] = None
    record: Mapping[str, str] = field(default_factory=dict)


def legal_name(text: str) -> str:
    """Return what Maya takes for a name: Latin letters, digits and low lines, not a digit first."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    name = re.sub(r"\W+", "_", plain, flags=re.ASCII).strip("_")
    return f"_{name}" if name[:1].isdigit() else name or "clip"


def joint_scene(
    clip_name: str, motions: Sequence[JointMotion], timing: SceneTiming, options: SceneOptions
) -> JointScene:
    """Return the scene of a clip.

    Parameters
    ----------
    clip_name
        What to call it.
    motions
        At least one, all of one clip and in one world.
    timing
        Where the clip lies in the scene.
    options
        What else there shall be.
    """
    name = legal_name(clip_name)
    times_s = [_scene_times_s(motion, timing) for motion in motions]
    people = tuple(
        _person(f"{name}_person_{motion.person}", motion, times, options)
        for motion, times in zip(motions, times_s)
    )
    first_frame = timing.scene_frame
    last_frame = max(int(times[-1] * timing.scene_rate + 0.01) for times in times_s)
    camera = _camera(f"{name}_camera", motions, times_s, options.record) if options.camera else None
    film = (
        _film(options.film, camera, motions[0].camera, timing, last_frame)
        if camera and options.film
        else None
    )
    return JointScene(motions[0].up, people, camera, film, first_frame, last_frame)


def _scene_times_s(motion: JointMotion, timing: SceneTiming) -> array[float]:
    frames = timing.row_frames(motion.start_time_s, motion.rate, motion.frame_count)
    frame_s = float(1 / timing.scene_rate)
    return array("d", [frame * frame_s for frame in frames])


def _person(namespace: str, motion: JointMotion, times_s: array[float], options: SceneOptions) -> Part:
    channels = motion.channels
    names = _node_names(motion.joints)
    nodes: List[Node] = []
    curves: List[Curve] = []
    for joint, name in zip(motion.joints, names):
        parent = names[joint.parent] if joint.parent >= 0 else _TOP
        added = [Attribute("confidence", "number", 1.0, added=True)] if options.confidence else []
        nodes.append(joint_node(replace(joint, name=name), parent, added))
        for axis in "xyz":
            values = channels[f"{joint.name}/rotate/{axis}"]
            curves.append(Curve(name, f"rotate{axis.upper()}", "angle", times_s, values))
        if f"{joint.name}/translate/x" in channels:
            for axis in "xyz":
                values = channels[f"{joint.name}/translate/{axis}"]
                curves.append(Curve(name, f"translate{axis.upper()}", "distance", times_s, values))
        if options.confidence:
            values = channels[f"{joint.name}/confidence"]
            curves.append(Curve(name, "confidence", "number", times_s, values))
    contacts = []
    for contact in motion.contact_names:
        attribute = f"contact_{contact}"
        contacts.append(Attribute(attribute, "number", 0.0, added=True))
        curves.append(Curve(_TOP, attribute, "number", times_s, channels[f"contact/{contact}"]))
    top = Node(_TOP, "transform", "", (*_kept(options.record, motion.person), *contacts))
    labels = {name: _human_ik(joint.name) for joint, name in zip(motion.joints, names)}
    human_ik = {name: label for name, label in labels.items() if label}
    return Part(namespace, (top, *nodes), tuple(curves), motion.person, human_ik)


def _node_names(joints: Sequence[Joint]) -> List[str]:
    """Return a legal name for each joint, no two the same."""
    names: List[str] = []
    for joint in joints:
        wanted = name = legal_name(joint.name)
        count = 1
        while name in names or name == _TOP:
            count += 1
            name = f"{wanted}_{count}"
        names.append(name)
    return names


def joint_node(joint: Joint, parent: str, added: Sequence[Attribute] = ()) -> Node:
    """Return a joint at rest below another node, labelled if its name is one of the house skeleton's."""
    word = joint.name.rpartition("_")[2]
    side = {"left": _LEFT, "right": _RIGHT}.get(joint.name.partition("_")[0], _MIDDLE)
    label = [Attribute("type", "whole", _LABELS[word])] if word in _LABELS else []
    return Node(
        joint.name,
        "joint",
        parent,
        (
            *(
                Attribute(f"translate{axis}", "distance", value)
                for axis, value in zip("XYZ", joint.translate_cm)
            ),
            Attribute("rotateOrder", "whole", ROTATE_ORDERS.index(joint.rotation_order)),
            *(
                Attribute(f"jointOrient{axis}", "angle", value)
                for axis, value in zip("XYZ", joint.orient_rad)
            ),
            Attribute("segmentScaleCompensate", "flag", False),
            Attribute("radius", "number", max(_LEAST_RADIUS_CM, joint.length_cm * _RADIUS_SHARE)),
            Attribute("side", "whole", side),
            *label,
            *added,
        ),
    )


def _human_ik(joint: str) -> str:
    side, _, word = joint.rpartition("_")
    return side.capitalize() + _HUMAN_IK[word] if word in _HUMAN_IK else ""


def _kept(record: Mapping[str, str], person: int) -> Tuple[Attribute, ...]:
    texts = tuple(Attribute(name, "text", text, added=True) for name, text in record.items())
    # Without a record nobody looks for it: a file has no job to come back to.
    return (*texts, Attribute(PERSON, "text", str(person), added=True)) if texts else ()


def _camera(
    namespace: str,
    motions: Sequence[JointMotion],
    times_s: Sequence[array[float]],
    record: Mapping[str, str],
) -> Part:
    """Return the camera, moving as the motions say, each while it lasts."""
    lens, order = motions[0].camera, motions[0].camera_rotation_order
    rows: Dict[float, Tuple[float, int, int]] = {}
    for number, times in enumerate(times_s):
        for row, time in enumerate(times):
            rows.setdefault(round(time, 4), (time, number, row))
    ordered = [rows[key] for key in sorted(rows)]
    times = array("d", [time for time, _, _ in ordered])
    values = {}
    for what, kind in (("translate", "distance"), ("rotate", "angle")):
        for axis in "xyz":
            channels = [motion.channels[f"camera/{what}/{axis}"] for motion in motions]
            values[f"{what}{axis.upper()}", kind] = array("f", [channels[n][r] for _, n, r in ordered])
    moves = any(max(row) > min(row) for row in values.values())
    still = [Attribute(name, kind, row[0]) for (name, kind), row in values.items()]
    curves = (
        [Curve("camera", name, kind, times, row) for (name, kind), row in values.items()] if moves else []
    )
    top = Node(
        "camera",
        "transform",
        "",
        (*_kept(record, 0), Attribute("rotateOrder", "whole", ROTATE_ORDERS.index(order)), *still),
    )
    return Part(namespace, (top, _lens("cameraShape", "camera", lens)), tuple(curves))


def _lens(name: str, parent: str, view: CameraView) -> Node:
    """Return a shape that sees what the clip's camera saw.

    Notes
    -----
    The longer side of the picture is as long as that of full-frame film.  Apertures are in inches; offsets
    are by how much the middle of the picture lies right of and above the optical axis.
    """
    fx, fy, cx, cy = view.intrinsics_px
    focal_mm = fx * _FULL_FRAME_MM / max(view.width, view.height)
    wide = view.width / fx * focal_mm / _INCH_MM
    tall = view.height / fy * focal_mm / _INCH_MM
    return Node(
        name,
        "camera",
        parent,
        (
            Attribute("focalLength", "number", focal_mm),
            Attribute("horizontalFilmAperture", "number", wide),
            Attribute("verticalFilmAperture", "number", tall),
            Attribute("horizontalFilmOffset", "number", (0.5 - cx / view.width) * wide),
            Attribute("verticalFilmOffset", "number", (cy / view.height - 0.5) * tall),
            Attribute("filmFit", "whole", _FIT_ALL),
            Attribute("nearClipPlane", "distance", _NEAR_CM),
            Attribute("farClipPlane", "distance", _FAR_CM),
        ),
    )


def _film(clip: Clip, camera: Part, view: CameraView, timing: SceneTiming, last_frame: int) -> Film:
    """Return the clip on a plane that fills the picture of the camera, far behind everybody.

    Notes
    -----
    An image plane stands before the optical axis: where the lens looks past the picture's middle, the
    plane is moved by as much.
    """
    frames = range(timing.scene_frame, last_frame + 1)
    # Maya counts the frames of a movie from 0.
    first_number = clip.first_number or 0
    numbers = array("d", [first_number + max(0, timing.source_frame_at(frame)) for frame in frames])
    times_s = array("d", [float(frame / timing.scene_rate) for frame in frames])
    lens = {attribute.name: float(attribute.value) for attribute in camera.nodes[1].attributes}
    attributes: Tuple[Attribute, ...] = (
        Attribute("type", "whole", _PICTURES if clip.is_sequence else _MOVIE),
        Attribute("useFrameExtension", "flag", True),
        Attribute("displayOnlyIfCurrent", "flag", True),
        Attribute("depth", "distance", _FILM_DEPTH_CM),
        Attribute("fit", "whole", _FIT_SIZE),
        Attribute("coverageX", "whole", view.width),
        Attribute("coverageY", "whole", view.height),
        Attribute("sizeX", "number", lens["horizontalFilmAperture"]),
        Attribute("sizeY", "number", lens["verticalFilmAperture"]),
        Attribute("offsetX", "number", lens["horizontalFilmOffset"]),
        Attribute("offsetY", "number", lens["verticalFilmOffset"]),
    )
    steps = Curve("film", "frameExtension", "whole", times_s, numbers, stepped=True)
    if not clip.is_sequence:
        # As Maya has them for a film that was loaded by hand: its first frame is 0.
        attributes += (
            Attribute("frameIn", "whole", 0),
            Attribute("frameOut", "whole", int(max(numbers, default=0))),
        )
    # Maya has forward slashes on every system.
    return Film(clip.first_file.as_posix(), attributes, steps)
