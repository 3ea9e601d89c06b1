"""A refinement takes the place of what an import has made, in every Blender, and of nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from blender_hosts import BlenderHost
from dancers import FILM_FRAMES, CameraMove, Dancer
from fake_pose_server import FakeServer
from pose_server.pipeline.camera import project
from test_import import FILM_PX, TOLERANCE_M, furthest_m, off_film_px

STEP = 6
TALLER = 1.25


@pytest.fixture
def server() -> Iterator[FakeServer]:
    """Two people, who are larger and dance another dance once they are refined."""
    people = [Dancer(1, 0, FILM_FRAMES, doubtful=(5, 20)), Dancer(2, 13, 41)]
    refined = [
        Dancer(3, 0, FILM_FRAMES, scale=TALLER, doubtful=(30, 40)),
        Dancer(4, 13, 41, scale=TALLER),
    ]
    with FakeServer(people, refined=refined).running() as fake:
        yield fake


def refine(blender: BlenderHost, server: FakeServer, film: Path, folder: Path, **given: Any) -> Any:
    options = {"filepath": str(film), "server": server.address, **given.pop("options", {})}
    settings = {"smoothing": 0.25, "height_m": 1.9, **given.pop("refine", {})}
    given = {"mode": "OBJECT", "step": STEP, **given}
    return blender.run("refine", folder, **{"import": options, "refine": settings}, **given)


def assert_dance(seen: Any, dancers: list[Dancer]) -> None:
    """The armatures stand where the dancers do, and the camera draws them on the film."""
    for person, dancer in zip(seen["people"], dancers, strict=True):
        motion = dancer.motion()
        assert person["frames"] == [float(frame + 1) for frame in motion.frames]
        for place in (*person["joints"], *person["seen"]):
            place[1].pop("prop", None)
        shown = slice(None, None, STEP)
        assert furthest_m(person, motion.joints_world_m[shown], motion.joint_names) < TOLERANCE_M
        on_film_px = dancer.joints_px(motion)[shown]
        assert off_film_px(person, on_film_px, motion.joint_names, FILM_PX) < 0.1


def test_keys_bones_and_camera_are_replaced_where_they_are(
    blender: BlenderHost, server: FakeServer, film: Path, tmp_path: Path
) -> None:
    report = refine(
        blender, server, film, tmp_path, mode="POSE", mark=True, again=True, options={"floor": "steps"}
    )
    before, after, again, undone = (report[name] for name in ("before", "after", "again", "undone"))
    assert_dance(before, [*server.dancers])
    for refined in (after, again):
        assert_dance(refined, [*server.refined])
        assert refined["keys"] == before["keys"]
        assert refined["everything"] == before["everything"]
        for mine in ("mode", "note", "parent", "constraints", "prop", "scale keys", "hidden"):
            assert refined[mine] == before[mine]
    assert before["mode"] == ["POSE", "POSE"]
    assert before["scale keys"] == 3
    motion = server.refined[0].motion()
    at_once = np.array([after["at once"][name] for name in motion.joint_names])
    assert at_once == pytest.approx(motion.joints_world_m[19], abs=TOLERANCE_M)

    first, second = server.refinements
    assert (first.job, second.job) == ("jobs/dance", "jobs/dance-1")
    for asked in (first, second):
        assert (asked.solve.smoothing, asked.solve.height_m) == (0.25, pytest.approx(1.9))
        assert (asked.solve.floor, asked.solve.contacts) == ("steps", "auto")
    assert after["jobs"] == ["jobs/dance-1"] * 3
    assert after["collection"] == "jobs/dance-1"
    assert after["settings"] == [[0.25, "steps"]] * 2

    assert before["spans"] == [[6, 21, "low_confidence", "left hand"]]
    assert before["markers"] == [["dance 1: low confidence", 6]]
    assert after["spans"] == [[31, 41, "low_confidence", "left hand"]]
    assert after["markers"] == [["dance 1: low confidence", 31]]

    assert_dance(undone, [*server.dancers])
    assert undone == before
    assert (report["shown"], report["unmarked"]) == (6, 0)


def test_while_its_bones_are_edited(
    blender: BlenderHost, server: FakeServer, film: Path, tmp_path: Path
) -> None:
    report = refine(blender, server, film, tmp_path, mode="EDIT")
    assert report["after"]["mode"] == report["before"]["mode"] == ["EDIT", "EDIT_ARMATURE"]
    assert report["after"]["jobs"] == ["jobs/dance-1"] * 3
    assert report["after"]["keys"] == report["before"]["keys"]


def test_a_camera_that_moves_keeps_its_keys_few(
    blender: BlenderHost, server: FakeServer, film: Path, tmp_path: Path
) -> None:
    move = server.camera_move = CameraMove(drift_m=0.02, pan_rad=0.01)
    report = refine(blender, server, film, tmp_path, again=True, import_again=True)
    assert report["cameras"] == [[FILM_FRAMES] * 7] * 2
    for name in ("before", "after", "again"):
        path = report[name]["camera path"]
        assert path["keys"] == [FILM_FRAMES] * 7
        assert len(set(path["paths"])) == 7
    for person, dancer in zip(report["again"]["people"], server.refined, strict=True):
        motion = dancer.motion()
        camera, world_to_camera = dancer.camera()
        matrices = move.matrices(world_to_camera, motion.frames)
        in_camera = np.einsum("tij,tkj->tki", matrices[:, :3, :3], motion.joints_world_m)
        on_film_px = project(in_camera + matrices[:, None, :3, 3], camera.matrix)
        assert off_film_px(person, on_film_px[::STEP], motion.joint_names, FILM_PX) < 0.1


def test_actions_of_the_users_stay(
    blender: BlenderHost, server: FakeServer, film: Path, tmp_path: Path
) -> None:
    """What the import has keyed is refined where it is, and made anew where it is gone."""
    report = refine(blender, server, film, tmp_path, what_plays=True)
    assert "'dance person 1' plays the action 'mine'; what was refined is 'dance person 1'." in report["said"]
    assert report["said"].count("plays") == 1
    assert report["plays"] == ["mine", "dance person 2"]
    assert report["mine"] == [1, 1, 1]
    assert report["theirs"] == [[FILM_FRAMES], [41 - 13]]
    motion = server.refined[1].motion()
    assert furthest_m(report["second"], motion.joints_world_m[::STEP], motion.joint_names) < TOLERANCE_M


def test_a_job_that_the_server_has_lost(
    blender: BlenderHost, server: FakeServer, film: Path, tmp_path: Path
) -> None:
    server.refined = ()
    report = refine(blender, server, film, tmp_path, lost=True)
    assert f"The pose server at {server.address} does not know this import" in report["said"]
    assert "import 'dance' again" in report["said"]
    assert report["after"] == report["before"]
