"""Maya ASCII: joints, curves and camera as the Maya add-on makes them, without Maya."""

from __future__ import annotations

from array import array
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

from pose_shared.joint_motion import Joint, JointMotion
from pose_shared.joint_scene import SceneOptions, joint_scene, legal_name
from pose_shared.maya_ascii import maya_ascii
from pose_shared.motion import CameraView
from pose_shared.scene_nodes import JointScene
from pose_shared.timing import SceneTiming

from pose_server import __version__
from pose_server.export.animation import Animation
from pose_server.export.camera_view import camera_view
from pose_server.export.destination import replacing
from pose_server.export.joints import JointCurves, joint_curves, person_curves
from pose_server.pipeline.boundary import Motion
from pose_server.pipeline.file_options import FileOptions
from pose_server.pipeline.plate import Plate

__all__ = ["write_character_ma", "write_person_ma"]

#: Of a camera that nobody has: a character's file has none.
_NO_VIEW = CameraView((), (1.0, 1.0, 0.5, 0.5), 1, 1)


def write_person_ma(path: Path, motion: Motion, options: FileOptions, name: str, plate: Plate | None) -> None:
    """Write a person with contacts and confidence, and the clip's camera with the clip behind if it is known.

    Y is up where the options leave the choice.  Frames are counted from the clip's first.  Raises as
    every writer.
    """
    view = camera_view(motion)
    joints = _joint_motion(
        person_curves(motion, up=options.up or "y"),
        options.up or "y",
        name=plate.clip.name if plate else name,
        rate=motion.rate,
        start_s=float(motion.times_s[0]),
        camera=CameraView((), view.intrinsics_px, view.width, view.height),
        contacts=motion.contact_names,
    )
    first_frame = int(motion.frames[0])
    source_rate = plate.rate if plate else motion.rate
    timing = SceneTiming(
        motion.rate, source_rate, first_frame, round(first_frame / source_rate * motion.rate)
    )
    wanted = SceneOptions(confidence=True, film=plate.clip if plate else None)
    scene = joint_scene(joints.clip_name, [joints], timing, wanted)
    (person,) = scene.people
    called = legal_name(f"{plate.clip.name}_{name}" if plate else name)
    _write(path, replace(scene, people=(replace(person, namespace=called),)), motion.rate)


def write_character_ma(path: Path, animation: Animation, options: FileOptions) -> None:
    """Write any moving skeleton, its joints with the axes that they have; raises as every writer.

    Names that Maya does not take lose what it does not take of them.
    """
    up = options.up or "y"
    joints = _joint_motion(
        joint_curves(animation, up=up),
        up,
        name=animation.name,
        rate=animation.rate,
        start_s=animation.start_s,
    )
    timing = SceneTiming(animation.rate, animation.rate, animation.first_frame, animation.first_frame)
    scene = joint_scene(joints.clip_name, [joints], timing, SceneOptions(camera=False))
    _write(path, scene, animation.rate)


def _joint_motion(
    curves: JointCurves,
    up: str,
    *,
    name: str,
    rate: Fraction,
    start_s: float,
    camera: CameraView = _NO_VIEW,
    contacts: tuple[str, ...] = (),
) -> JointMotion:
    channels = {key: array("f", values.tobytes()) for key, values in curves.channels.items()}
    return JointMotion(
        clip_name=name,
        person=1,
        up=up,
        rate=rate,
        frame_count=len(next(iter(channels.values()))),
        start_time_s=start_s,
        first_source_frame=0,
        source_rate=rate,
        joints=tuple(Joint(**vars(joint)) for joint in curves.joints),
        camera=camera,
        camera_rotation_order=curves.camera_order,
        contact_names=contacts,
        weak_spans=(),
        channels=channels,
    )


def _write(path: Path, scene: JointScene, rate: Fraction) -> None:
    with replacing(path) as part, part.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(maya_ascii(scene, rate, f"pose-server {__version__}"))
