"""What a clip becomes in a scene of joints."""

from __future__ import annotations

from array import array
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from dancers import FILM_FRAMES, CameraMove, Dancer, joint_chunks
from pose_shared.clips import Clip
from pose_shared.joint_motion import JointMotion, read_joint_motion
from pose_shared.joint_scene import ROTATE_ORDERS, SceneOptions, joint_scene, legal_name
from pose_shared.scene_nodes import KINDS, JointScene, Node
from pose_shared.timing import SceneTiming

RATE = Fraction(30000, 1001)


def motion_of(dancer: Dancer, person: int = 1, move: CameraMove | None = None) -> JointMotion:
    return read_joint_motion(joint_chunks(dancer.motion(), person, RATE, "y", move), "y")


def scene_of(
    motions: list[JointMotion], options: SceneOptions | None = None, scene_rate: Fraction = RATE
) -> JointScene:
    return joint_scene("dance", motions, SceneTiming(scene_rate, RATE, 0, 1), options or SceneOptions())


def attributes(node: Node) -> dict[str, object]:
    return {attribute.name: attribute.value for attribute in node.attributes}


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("walk 3", "walk_3"),
        ("3 walks", "_3_walks"),
        ("Größe.mov", "Groe_mov"),
        ("日本", "clip"),
        ("a:b", "a_b"),
    ],
)
def test_names_are_legal(text: str, name: str) -> None:
    assert legal_name(text) == name


def test_every_person_has_a_tree_and_a_curve_for_each_angle() -> None:
    scene = scene_of([motion_of(Dancer(1, 0, FILM_FRAMES)), motion_of(Dancer(2, 13, 41), 2)])
    assert [part.namespace for part in scene.people] == ["dance_person_1", "dance_person_2"]
    for part in scene.people:
        known = {""}
        for node in part.nodes:
            assert node.parent in known
            known.add(node.name)
        joints = [node.name for node in part.nodes if node.type == "joint"]
        turned = {curve.node for curve in part.curves if curve.attribute == "rotateZ"}
        assert turned == set(joints)
        assert len({id(curve.times_s) for curve in part.curves}) == 1
        assert {curve.kind for curve in part.curves} <= set(KINDS)
        assert part.human_ik["left_elbow"] == "LeftForeArm"
        assert set(part.human_ik) <= set(joints)
    assert (scene.first_frame, scene.last_frame) == (1, FILM_FRAMES)


def test_keys_lie_on_the_scenes_own_frames_where_it_runs_as_the_clip_does() -> None:
    (part,) = scene_of([motion_of(Dancer(1, 0, FILM_FRAMES))]).people
    frames = np.array(part.curves[0].times_s) * float(RATE)
    assert np.abs(frames - np.arange(1, FILM_FRAMES + 1)).max() < 1e-9


def test_keys_of_a_scene_that_runs_otherwise_lie_at_the_same_moments() -> None:
    (part,) = scene_of([motion_of(Dancer(1, 0, FILM_FRAMES))], scene_rate=Fraction(24)).people
    moments = np.array(part.curves[0].times_s) - 1 / 24
    assert np.abs(moments - np.arange(FILM_FRAMES) / float(RATE)).max() < 1e-9


def test_joints_are_labelled() -> None:
    (part,) = scene_of([motion_of(Dancer(1, 0, FILM_FRAMES))]).people
    by_name = {node.name: attributes(node) for node in part.nodes}
    assert (by_name["left_knee"]["side"], by_name["left_knee"]["type"]) == (1, 3)
    assert (by_name["right_wrist"]["side"], by_name["right_wrist"]["type"]) == (2, 12)
    assert (by_name["head"]["side"], by_name["head"]["type"]) == (0, 8)
    assert all(a["segmentScaleCompensate"] is False for a in by_name.values() if "radius" in a)
    assert ROTATE_ORDERS[int(str(by_name["pelvis"]["rotateOrder"]))] == "zyx"


def test_a_still_camera_has_no_keys_and_one_that_moves_has_those_of_everybody() -> None:
    still = scene_of([motion_of(Dancer(1, 0, FILM_FRAMES))]).camera
    assert still
    assert not still.curves
    move = CameraMove(0.01, 0.002)
    early, late = Dancer(1, 0, 20), Dancer(2, 10, FILM_FRAMES)
    moving = scene_of([motion_of(early, 1, move), motion_of(late, 2, move)]).camera
    assert moving
    frames = np.array(moving.curves[0].times_s) * float(RATE)
    assert np.abs(frames - np.arange(1, FILM_FRAMES + 1)).max() < 1e-6
    assert len({len(curve.values) for curve in moving.curves}) == 1


def test_the_lens_is_that_of_the_film() -> None:
    motion = motion_of(Dancer(1, 0, FILM_FRAMES))
    camera = scene_of([motion]).camera
    assert camera
    lens = attributes(camera.nodes[1])
    fx, fy, cx, cy = motion.camera.intrinsics_px
    width, height = motion.camera.width, motion.camera.height
    focal, wide, tall = (
        float(str(lens[name])) for name in ("focalLength", "horizontalFilmAperture", "verticalFilmAperture")
    )
    assert focal / (wide * 25.4) == pytest.approx(fx / width)
    assert focal / (tall * 25.4) == pytest.approx(fy / height)
    # The right border of the picture, seen from the optical axis.
    right = (wide / 2 + float(str(lens["horizontalFilmOffset"]))) * 25.4 / focal
    top = (tall / 2 + float(str(lens["verticalFilmOffset"]))) * 25.4 / focal
    assert right == pytest.approx((width - cx) / fx)
    assert top == pytest.approx(cy / fy)


@pytest.mark.parametrize(("number", "first"), [(None, 0), (1001, 1001)])
def test_every_frame_of_the_scene_shows_its_frame_of_the_film(number: int | None, first: int) -> None:
    clip = Clip(Path("shot.mp4"), Path("shot.mp4"), number)
    film = scene_of([motion_of(Dancer(1, 0, FILM_FRAMES))], SceneOptions(film=clip)).film
    assert film
    assert film.numbers.stepped
    assert film.numbers.values == array("d", range(first, first + FILM_FRAMES))
    half = scene_of([motion_of(Dancer(1, 0, FILM_FRAMES))], SceneOptions(film=clip), scene_rate=RATE / 2).film
    assert half
    assert list(half.numbers.values) == list(range(first, first + FILM_FRAMES, 2))
