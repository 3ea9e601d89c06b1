"""Maya ASCII of characters and rates, read by a parser that shares nothing with its writer."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import ma_reader
import numpy as np
import pytest
from dancers import FILM_FRAMES, Dancer
from pose_server.export.animation import Y_UP, animation_of
from pose_server.export.formats import write_animation, write_motion
from pose_server.pipeline.file_options import FileOptions
from pose_server.pipeline.plate import Plate


@pytest.mark.parametrize("up", ["y", "z"])
def test_a_character_moves_in_its_own_axes(tmp_path: Path, up: str) -> None:
    """Joints with rest rotations, two of which move, under names that Maya does not take."""
    animation = animation_of(Dancer(3, 0, 20, source_rate=Fraction(24)).motion(), "hero")
    rng = np.random.default_rng(1)
    rest = rng.normal(size=animation.rest_rotations_wxyz.shape)
    rest /= np.linalg.norm(rest, axis=1, keepdims=True)
    swaying = animation.rest_translations_m[5] + 0.1 * np.sin(np.arange(20))[:, None]
    animation = replace(
        animation,
        joint_names=tuple(f"mixamorig:{name}.x" for name in animation.joint_names),
        rest_rotations_wxyz=rest,
        translations_m={**animation.translations_m, 5: swaying},
        camera=None,
        mesh=None,
    )
    write_animation(tmp_path, animation, ["ma"], options=FileOptions(up=up))
    file = ma_reader.read((tmp_path / "motion.ma").read_text())
    joints = file.of_kind("joint")
    assert len(joints) == len(animation.joint_names)
    assert joints[0].name == "hero_person_1:mixamorig_pelvis_x"
    wanted = animation.positions_m() * 100
    if up == "y":
        wanted = wanted @ Y_UP.T
    for row in (0, 7, 19):
        found = [file.position_cm(joint, row / 24) for joint in joints]
        assert np.abs(np.array(found) - wanted[row]).max() < 0.01
    assert not file.of_kind("camera")


def test_a_rate_without_a_name_keeps_its_moments(tmp_path: Path) -> None:
    motion = Dancer(3, 0, 20, source_rate=Fraction(37, 2)).motion()
    write_motion(tmp_path, motion, ["ma"], name="person_01")
    file = ma_reader.read((tmp_path / "motion.ma").read_text())
    assert file.time == "ntsc"
    pelvis = file.find("person_01:pelvis")
    for row in (0, 11):
        place = file.position_cm(pelvis, row / 18.5)
        assert place == pytest.approx(tuple(motion.joints_world_m[row, 0] @ Y_UP.T * 100), abs=0.01)


def test_the_clip_lies_behind_what_the_camera_sees(tmp_path: Path) -> None:
    film = tmp_path / 'a "new" take.mp4'
    film.touch()
    dancer = Dancer(3, 0, FILM_FRAMES)
    plate = Plate.of(film, dancer.source_rate)
    write_motion(tmp_path, dancer.motion(), ["ma"], name="person_01", plate=plate)
    file = ma_reader.read((tmp_path / "motion.ma").read_text())
    (plane,) = file.of_kind("imagePlane")
    assert plane.get("imageName") == str(film)
    assert plane.get("type") == 2
    # There is no job that a file could come back to, and so no number in it.
    assert all("posePerson" not in top.added for top in file.of_kind("transform"))
    (camera,) = file.of_kind("camera")
    assert plane.parent is not None
    assert plane.parent.parent is camera
    assert plane.get("sizeX") == pytest.approx(camera.get("horizontalFilmAperture"))
    for frame in (0, 1, 30):
        assert file.value(plane, "frameExtension", (frame + 0.4) / float(dancer.source_rate)) == frame


def test_pictures_keep_their_numbers(tmp_path: Path) -> None:
    for number in range(1001, 1004):
        (tmp_path / f"shot.{number}.png").touch()
    plate = Plate.of(tmp_path / "shot.%04d.png", Fraction(24))
    assert (plate.clip.first_number, plate.clip.first_file.name) == (1001, "shot.1001.png")
    named = Plate.of(tmp_path / "shot.%04d.png", Fraction(24), "shot.%04d.png")
    assert str(named.clip.first_file) == "shot.1001.png"
