"""Reading results back: who is in them, and what was seen before the solve."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from made_result import PEOPLE, made_evidence, write_result
from pose_server.export.render import render
from pose_server.export.subject import subject_of
from pose_server.pipeline.camera import project
from pose_server.pipeline.progress import SilentProgress
from pose_server.pipeline.render_options import RenderOptions
from pose_server.pipeline.results import parse_seen, read_people, seen_subject, title_of
from pose_shared.errors import InputError, NotFoundError


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results") / "made"
    write_result(folder)
    return folder


def test_everybody_one_of_them_and_single_files(result: Path) -> None:
    assert tuple(read_people(result)) == PEOPLE
    assert tuple(read_people(result, (3,))) == (3,)
    assert tuple(read_people(result / "person_03")) == (3,)
    (alone,) = read_people(result / "person_03" / "motion.npz").items()
    assert alone[0] == 3
    np.testing.assert_array_equal(alone[1].root_world_m, read_people(result)[3].root_world_m)


def test_a_file_of_any_name_is_the_first_person(result: Path, tmp_path: Path) -> None:
    (tmp_path / "walk.npz").write_bytes((result / "person_03" / "motion.npz").read_bytes())
    assert tuple(read_people(tmp_path / "walk.npz")) == (1,)


def test_titles_tell_results_and_people_apart(result: Path, tmp_path: Path) -> None:
    assert title_of(result) == "made"
    assert title_of(result / "person_03") == title_of(result / "person_03" / "motion.npz") == "made/person_03"
    assert title_of(tmp_path / "walk.npz") == "walk.npz"


def test_who_is_not_there(result: Path, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="has no person 2; choose from 1, 3"):
        read_people(result, (1, 2))
    with pytest.raises(NotFoundError, match="is no result"):
        read_people(tmp_path)
    with pytest.raises(NotFoundError, match="is no result"):
        read_people(tmp_path / "nothing")
    (tmp_path / "text.npz").write_text("This is no motion.")
    with pytest.raises(InputError, match=r"text\.npz"):
        read_people(tmp_path / "text.npz")


def test_what_was_lifted_stands_where_it_was_seen(result: Path) -> None:
    """Scaling a person as a whole moves nothing in the picture."""
    subject = seen_subject(result, read_people(result), "lifted")
    evidence = made_evidence()
    assert [shown.figure.number for shown in subject.people] == list(PEOPLE)
    for shown, pose in zip(subject.people, evidence.poses, strict=True):
        joints = pose.joints_root_m + pose.root_camera_m[:, None]
        want = project(joints[:, pose.joint_names.index("left_knee")], evidence.camera.matrix)
        have = project(shown.figure.points_camera_m, evidence.camera.matrix)
        assert np.linalg.norm(have - want[:, None], axis=2).min(axis=1).max() < 0.1
        world = shown.figure.points_world_m
        assert 1.4 < np.nanmedian(np.nanmax(world[..., 2], axis=1)) < 2.1, "upright, of human height"


def test_columns_of_what_was_seen_make_a_film(result: Path, tmp_path: Path) -> None:
    motions = read_people(result)
    count = render(
        tmp_path / "a.mp4",
        subject_of("solved", motions),
        RenderOptions(views=("camera", "room"), limit=5),
        rate=motions[1].rate,
        source=None,
        progress=SilentProgress(),
        before=[seen_subject(result, motions, "lifted")],
    )
    assert count == 5


def test_names_of_what_was_seen() -> None:
    assert parse_seen(None) == ()
    assert parse_seen("detected, lifted") == ("detected", "lifted")
    with pytest.raises(InputError, match="choose from detected, lifted"):
        parse_seen("detected,raw")


def test_a_result_without_evidence(result: Path) -> None:
    with pytest.raises(NotFoundError, match="evidence"):
        seen_subject(result / "person_01", read_people(result), "lifted")
