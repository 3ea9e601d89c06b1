"""Every format, joint by joint, and recognised without a flag."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_keypoints import (
    alphapose_results,
    coco_results,
    made_points,
    mmpose_film,
    mmpose_instances,
    poseflow_results,
    write_alphapose_form,
    write_detectron,
    write_kpts,
    write_openpose,
    write_tf_pose,
    write_videopose3d,
)
from made_motion import make_motion
from pose_server.export.npz import write_npz
from pose_server.keypoints.clip import KeypointClip, UnreadClip
from pose_server.keypoints.registry import KEYPOINT_FORMATS, read_each, read_keypoints
from pose_shared.errors import InputError, NotFoundError, PoseError
from pose_shared.skeleton import COCO_17, COCO_18, FULLBODY_136, H36M_17, HALPE_26, WHOLEBODY_133

POINTS = made_points(frames=4, people=2)


def only(path: Path, **options: Any) -> KeypointClip:
    (clip,) = read_keypoints(path, **options)
    return clip


def written(path: Path, content: Any) -> Path:
    path.write_text(json.dumps(content))
    return path


def check(clip: KeypointClip, points: np.ndarray, *, shift_px: float, people: int = 2) -> None:
    """All points are those, in the order of frames and of people."""
    table = points[:, :people].reshape(-1, *points.shape[2:])
    np.testing.assert_allclose(clip.keypoints_px, table[..., :2] + shift_px, atol=1e-4)
    np.testing.assert_allclose(clip.confidence, table[..., 2], atol=1e-6)
    assert clip.frames.tolist() == np.repeat(np.arange(len(points)), people).tolist()
    assert (clip.first_number, clip.frame_count) == (0, len(points))


@pytest.mark.reference
def test_openpose_body_25_as_openpose_wrote_it(reference_data: Path) -> None:
    """Frame 9 of MotioNet's fourth clip, read by eye from `3/31_000000000009_keypoints.json`."""
    clips = read_keypoints(reference_data / "detections" / "openpose_body25_seven_clips.zip")
    assert [clip.name for clip in clips] == ["0_14", "1_20", "2_30", "3_31", "4_32", "5_34", "6_43"]
    assert [clip.frame_count for clip in clips] == [441, 81, 411, 350, 331, 351, 1026]
    assert [clip.first_number for clip in clips] == [30, 0, 0, 0, 90, 1150, 0]
    assert len({clip.sha256 for clip in clips}) == 7
    clip = clips[3]
    assert (clip.format, clip.size, clip.rate, clip.identified) == ("openpose", None, None, False)
    with zipfile.ZipFile(reference_data / "detections" / "openpose_body25_seven_clips.zip") as archive:
        frame = json.loads(archive.read("3/31_000000000009_keypoints.json"))
    flat = frame["people"][0]["pose_keypoints_2d"]
    (row,) = np.flatnonzero(clip.frames == 9)
    places = {"nose": 0, "neck": 1, "right_wrist": 4, "left_elbow": 6, "pelvis": 8, "right_hip": 9}
    places |= {"right_ankle": 11, "left_knee": 13, "left_ear": 18, "left_big_toe": 19, "right_heel": 24}
    for name, place in places.items():
        column = clip.keypoint_names.index(name)
        assert clip.keypoints_px[row, column].tolist() == pytest.approx(flat[3 * place : 3 * place + 2])
        assert clip.confidence[row, column] == pytest.approx(flat[3 * place + 2])


@pytest.mark.reference
@pytest.mark.parametrize("name", ["openpose_body25b_cam01.zip", "openpose_body25b_cam01_raw.zip"])
def test_openpose_body_25b_is_told_from_body_25(reference_data: Path, name: str) -> None:
    """The man of the first frame, read by eye from `cam01.0000.json`; zeros are missing points."""
    path = reference_data / "detections" / name
    clip = only(path)
    with zipfile.ZipFile(path) as archive:
        people = json.loads(archive.read("cam01_json/cam01.0000.json"))["people"]
    flat = people[0]["pose_keypoints_2d"]
    table = np.array(flat).reshape(25, 3)
    for column, place in (("nose", 0), ("left_eye", 1), ("left_ankle", 15), ("head_top", 18)):
        at = clip.keypoint_names.index(column)
        expected = table[place, :2] if table[place, 2] else [np.nan, np.nan]
        np.testing.assert_allclose(clip.keypoints_px[0, at], expected)
    missing = clip.confidence == 0
    assert missing.any() and np.isnan(clip.keypoints_px[missing]).all()
    assert np.isfinite(clip.keypoints_px[~missing]).all()
    assert only(path, format_name="openpose:body_25").keypoint_names[1] == "neck"


@pytest.mark.parametrize("key", ["pose_keypoints_2d", "pose_keypoints"])
def test_openpose_coco_18_with_old_and_new_keys(tmp_path: Path, key: str) -> None:
    points = as_coco_18(POINTS)
    points[1, 0, 4] = 0
    clip = only(write_openpose(tmp_path / "shot", points, key=key))
    assert clip.keypoint_names == COCO_18.joints
    assert np.isnan(clip.keypoints_px[2, 4]).all() and clip.confidence[2, 4] == 0
    points[1, 0, 4] = np.nan, np.nan, 0
    check(clip, points, shift_px=0.0)
    assert (clip.name, clip.format, clip.identified) == ("clip", "openpose", False)


def test_openpose_frames_without_people_and_between_files(tmp_path: Path) -> None:
    folder = write_openpose(tmp_path / "shot", as_coco_18(POINTS), first=100)
    empty = folder / "clip_000000000101_keypoints.json"
    empty.write_text('{"version": 1.3, "people": []}')
    (folder / "clip_000000000102_keypoints.json").unlink()
    (folder / "clip_000000000099_keypoints.json").write_text('{"people": [{}, {"pose_keypoints_2d": []}]}')
    clip = only(folder)
    assert (clip.first_number, clip.frame_count) == (99, 5)
    assert clip.frames.tolist() == [1, 1, 4, 4]


def test_openpose_people_with_numbers_keep_them(tmp_path: Path) -> None:
    folder = write_openpose(tmp_path, as_coco_18(POINTS))
    for file in folder.iterdir():
        content = json.loads(file.read_text())
        for number, person in enumerate(content["people"]):
            person["person_id"] = [5 - number]
        file.write_text(json.dumps(content))
    clip = only(folder)
    assert clip.identified and clip.identities.tolist() == [5, 4] * 4


def test_tf_pose_has_whole_pixels_and_no_confidence(tmp_path: Path) -> None:
    points = as_coco_18(POINTS)
    points[2, 1, 3] = 0
    clip = only(write_tf_pose(tmp_path, points))
    assert (clip.format, clip.keypoint_names) == ("tf-pose", COCO_18.joints)
    row = 2 * 2 + 1
    assert np.isnan(clip.keypoints_px[row, 3]).all() and clip.confidence[row, 3] == 0
    points[2, 1, 3, :2] = np.nan
    expected = np.floor(points[..., :2].reshape(-1, 18, 2) + 0.5) + 0.5
    np.testing.assert_allclose(clip.keypoints_px, expected)
    assert set(np.unique(clip.confidence)) == {0.0, 1.0}


@pytest.mark.parametrize("joints", [17, 26, 136])
def test_alphapose_results(tmp_path: Path, joints: int) -> None:
    points = made_points(people=2, joints=joints)
    clip = only(written(tmp_path / "alphapose-results.json", alphapose_results(points)))
    layout = {17: COCO_17, 26: HALPE_26, 136: FULLBODY_136}[joints]
    assert (clip.keypoint_names, clip.format, clip.identified) == (layout.joints, "alphapose", False)
    check(clip, points, shift_px=0.5)
    low, high = points[0, 1, :, :2].min(axis=0), points[0, 1, :, :2].max(axis=0)
    np.testing.assert_allclose(clip.boxes_px[1], np.concatenate([low, high]) + 0.5, atol=1e-3)


@pytest.mark.parametrize("wrap", [lambda n: n + 1, lambda n: [n + 1.0], lambda n: [[n + 1], [9]]])
def test_alphapose_identities_in_each_of_their_forms(tmp_path: Path, wrap: Any) -> None:
    clip = only(written(tmp_path / "r.json", alphapose_results(POINTS, idx=wrap)))
    assert clip.identified and clip.identities.tolist() == [1, 2] * 4


def test_alphapose_twice_the_same_person_in_a_frame(tmp_path: Path) -> None:
    results = alphapose_results(POINTS, idx=lambda n: 3)
    clip = only(written(tmp_path / "r.json", results))
    assert clip.frames.tolist() == [0, 1, 2, 3] and set(clip.identities.tolist()) == {3}
    better = POINTS[..., 2].mean(axis=2).argmax(axis=1)
    np.testing.assert_allclose(clip.keypoints_px, POINTS[np.arange(4), better][..., :2] + 0.5)


def test_old_alphapose_confidence_of_up_to_six(tmp_path: Path) -> None:
    points = POINTS.copy()
    points[..., 2] *= 6
    clip = only(written(tmp_path / "r.json", alphapose_results(points)))
    assert clip.confidence.max() == 1
    np.testing.assert_allclose(
        clip.confidence, np.clip(points[..., 2].reshape(8, 17) / np.percentile(points[..., 2], 95), 0, 1)
    )


@pytest.mark.parametrize("form", ["cmu", "open"])
@pytest.mark.parametrize("part", ["alphapose-results.json", "sep-json", ""])
def test_alphapose_forms_with_one_file_and_with_one_a_picture(tmp_path: Path, form: str, part: str) -> None:
    folder = write_alphapose_form(tmp_path / "out", POINTS, form)
    clip = only(folder / part)
    assert (clip.format, clip.keypoint_names) == ("alphapose", COCO_18.joints)
    check(clip, as_coco_18(POINTS), shift_px=0.5)


def test_poseflow_tracks(tmp_path: Path) -> None:
    clip = only(written(tmp_path / "poseflow-results.json", poseflow_results(POINTS)))
    assert (clip.format, clip.keypoint_names) == ("poseflow", COCO_17.joints)
    assert clip.identities.tolist() == [1, 2] * 4
    check(clip, POINTS, shift_px=0.5)


def test_poseflow_pictures_without_people_are_frames(tmp_path: Path) -> None:
    results = {
        "00000.jpg": [],
        **{f"{i + 1:05d}.jpg": p for i, p in enumerate(poseflow_results(POINTS).values())},
    }
    clip = only(written(tmp_path / "p.json", results))
    assert (clip.frame_count, clip.frames.min()) == (5, 1)


def test_coco_results(tmp_path: Path) -> None:
    clip = only(written(tmp_path / "keypoints.json", coco_results(POINTS)))
    assert (clip.format, clip.identified) == ("coco", False)
    check(clip, POINTS, shift_px=0.5)


def test_coco_flags_of_visibility_become_confidence(tmp_path: Path) -> None:
    points = POINTS.copy()
    points[..., 2], points[:, :, 3, 2], points[:, :, 4] = 2, 1, 0
    clip = only(written(tmp_path / "keypoints.json", coco_results(points)))
    assert clip.confidence[0, [0, 3, 4]].tolist() == [1, 0.5, 0]


def test_mmpose_film(tmp_path: Path) -> None:
    clip = only(written(tmp_path / "film.json", mmpose_film(POINTS)))
    assert (clip.format, clip.keypoint_names) == ("mmpose", COCO_17.joints)
    check(clip, POINTS, shift_px=0.5)


def test_mmpose_demo_with_names(tmp_path: Path) -> None:
    demo = {"meta_info": {"keypoint_id2name": {"0": "nose"}}, "instance_info": mmpose_film(POINTS, first=1)}
    clip = only(written(tmp_path / "results_film.json", demo))
    assert (clip.first_number, clip.frame_count, clip.keypoint_names) == (0, 4, COCO_17.joints)
    demo["meta_info"] = {"keypoint_id2name": {"0": "root"}}
    assert only(written(tmp_path / "results_film.json", demo)).keypoint_names[0] == "pelvis"


def test_mmpose_pictures_of_whole_bodies(tmp_path: Path) -> None:
    points = made_points(people=1, joints=133)
    for frame, people in enumerate(points):
        written(tmp_path / f"shot_{frame:03d}.json", mmpose_instances(people))
    clip = only(tmp_path)
    assert clip.keypoint_names == WHOLEBODY_133.joints
    assert clip.keypoint_names.index("left_index") == 91 + 5  # COCO-WholeBody's left forefinger's knuckle
    assert clip.keypoint_names.index("right_pinky") == 112 + 17
    check(clip, points, shift_px=0.5, people=1)


def test_detectron_arrays(tmp_path: Path) -> None:
    clip = only(write_detectron(tmp_path / "film.mp4.npz", POINTS, empty=(2,)))
    assert (clip.name, clip.format, clip.size, clip.frame_count) == ("film", "detectron", (640, 480), 4)
    assert clip.frames.tolist() == [0, 0, 1, 1, 3, 3]
    table = POINTS[[0, 1, 3]].reshape(6, 17, 3)
    np.testing.assert_allclose(clip.keypoints_px, table[..., :2], atol=1e-4)
    np.testing.assert_allclose(clip.confidence, table[..., 2], atol=1e-6)
    np.testing.assert_allclose(clip.scores, 0.98, atol=1e-6)


def test_videopose3d_sets_of_several_films(tmp_path: Path) -> None:
    other = made_points(frames=6)
    clips = read_keypoints(
        write_videopose3d(tmp_path / "data_2d_custom_x.npz", {"b.mp4": POINTS, "a.mp4": other})
    )
    assert [(clip.name, clip.frame_count, clip.size) for clip in clips] == [
        ("a", 6, (640, 480)),
        ("b", 4, (640, 480)),
    ]
    np.testing.assert_allclose(clips[1].keypoints_px, POINTS[:, 0, :, :2], atol=1e-4)
    assert (clips[0].confidence == 1).all() and clips[0].identified


def test_kpts_of_video_to_pose3d(tmp_path: Path) -> None:
    clip = only(write_kpts(tmp_path / "kpts.npz", POINTS))
    assert (clip.format, clip.size, clip.identified) == ("kpts", None, True)
    np.testing.assert_allclose(clip.keypoints_px, POINTS[:, 0, :, :2] + 0.5)


def test_a_joint_set_that_is_named_is_taken(tmp_path: Path) -> None:
    path = write_kpts(tmp_path / "kpts.npz", POINTS)
    assert only(path, format_name="kpts:h36m_17").keypoint_names == H36M_17.joints
    assert_reason(path, "KEYPOINTS_INVALID", format_name="kpts:halpe_26")


def test_our_own_motion(tmp_path: Path) -> None:
    motion = make_motion()
    points = made_points(frames=len(motion))[:, 0]
    points[1, 3] = np.nan, np.nan, 0
    motion = replace(
        motion,
        keypoint_names=COCO_17.joints,
        keypoints_px=points[..., :2],
        keypoint_confidence=points[..., 2],
    )
    write_npz(tmp_path / "take.npz", motion)
    clip = only(tmp_path / "take.npz")
    assert (clip.format, clip.rate, clip.size) == ("motion", motion.rate, motion.camera.image_size)
    assert clip.first_number == motion.frames[0]
    check(replace(clip, first_number=0), points[:, None], shift_px=0.0, people=1)
    assert clip.keypoint_names == COCO_17.joints and clip.identified


def test_a_folder_of_clips_of_several_programs(tmp_path: Path) -> None:
    write_openpose(tmp_path / "a", as_coco_18(POINTS), stem="one")
    write_openpose(tmp_path / "a", as_coco_18(POINTS), stem="two")
    write_detectron(tmp_path / "b.mp4.npz", POINTS)
    written(tmp_path / "c.json", coco_results(POINTS))
    (tmp_path / "notes.txt").write_text("nothing")
    clips = read_keypoints(tmp_path)
    assert [(clip.name, clip.format) for clip in clips] == [
        ("a_one", "openpose"), ("a_two", "openpose"), ("b", "detectron"), ("c", "coco"),
    ]  # fmt: skip


def test_results_that_every_film_calls_the_same_have_the_names_of_their_folders(tmp_path: Path) -> None:
    for shot in ("jump", "walk"):
        (tmp_path / "day" / shot / "sub").mkdir(parents=True)
        written(tmp_path / "day" / shot / "alphapose-results.json", alphapose_results(POINTS))
        written(tmp_path / "day" / shot / "sub" / "found.json", coco_results(POINTS))
        write_kpts(tmp_path / "day" / shot / "kpts.npz", POINTS)
    assert [(clip.name, clip.format) for clip in read_keypoints(tmp_path / "day")] == [
        ("jump", "kpts"), ("jump_2", "alphapose"), ("jump_sub_found", "coco"),
        ("walk", "kpts"), ("walk_2", "alphapose"), ("walk_sub_found", "coco"),
    ]  # fmt: skip
    assert only(tmp_path / "day" / "walk" / "kpts.npz").name == "walk"
    assert read_keypoints(tmp_path / "day" / "walk")[1].name == "walk"
    with zipfile.ZipFile(tmp_path / "fall.zip", "w") as archive:
        archive.writestr("alphapose-results.json", json.dumps(alphapose_results(POINTS)))
    assert only(tmp_path / "fall.zip").name == "fall"


def test_a_clip_that_cannot_be_read_stops_no_other(tmp_path: Path) -> None:
    for name in ("broken", "good"):
        write_openpose(tmp_path / name, as_coco_18(POINTS))
    sorted((tmp_path / "broken").iterdir())[2].write_text('{"people": [')
    (tmp_path / "cam1.json").write_text("[")
    written(tmp_path / "cam2.json", coco_results(POINTS))
    write_kpts(tmp_path / "cut.npz", POINTS)
    (tmp_path / "cut.npz").write_bytes((tmp_path / "cut.npz").read_bytes()[:-30])
    write_videopose3d(tmp_path / "data_2d_custom_x.npz", {"a.mp4": POINTS, "b.mp4": POINTS[:, :, :5]})
    written(tmp_path / "nobody.json", [{"image_id": 0, "keypoints": [0] * 51}])
    found = read_each(tmp_path)
    assert [clip.name for clip in found if isinstance(clip, KeypointClip)] == ["a", "cam2", "good_clip"]
    errors = {clip.name: clip.error for clip in found if isinstance(clip, UnreadClip)}
    assert {name: error.reason for name, error in errors.items()} == {
        "b": "KEYPOINTS_INVALID",
        "broken_clip": "KEYPOINTS_DAMAGED",
        "cam1": "KEYPOINTS_DAMAGED",
        "cut": "KEYPOINTS_DAMAGED",
        "nobody": "KEYPOINTS_EMPTY",
    }
    assert "000000000002_keypoints.json" in errors["broken_clip"].message
    with pytest.raises(InputError):
        read_keypoints(tmp_path)


def test_a_zip_is_read_as_its_folder(tmp_path: Path) -> None:
    folder = write_openpose(tmp_path / "shot", as_coco_18(POINTS))
    with zipfile.ZipFile(tmp_path / "shot.zip", "w") as archive:
        for file in folder.iterdir():
            archive.write(file, file.name)
    one, other = only(folder), only(tmp_path / "shot.zip")
    np.testing.assert_array_equal(one.keypoints_px, other.keypoints_px)
    assert one.sha256 == other.sha256


def test_equal_content_has_the_same_hash_and_no_other(tmp_path: Path) -> None:
    one = only(write_openpose(tmp_path / "a", as_coco_18(POINTS)))
    points = as_coco_18(POINTS)
    points[0, 0, 0, 0] += 1e-3
    assert one.sha256 != only(write_openpose(tmp_path / "b", points)).sha256


def test_every_format_is_named_once() -> None:
    assert list(KEYPOINT_FORMATS) == [
        "openpose", "tf-pose", "alphapose", "poseflow", "mmpose", "coco", "detectron", "videopose3d",
        "kpts", "motion",
    ]  # fmt: skip


@pytest.mark.parametrize("name", ["openpose3", "openpose:body_24", "alphapose:", ""])
def test_formats_that_do_not_exist(tmp_path: Path, name: str) -> None:
    write_openpose(tmp_path, as_coco_18(POINTS))
    if name == "alphapose:":
        assert_reason(tmp_path, "KEYPOINTS_UNKNOWN", format_name=name)
    else:
        assert_reason(tmp_path, "KEYPOINT_FORMAT_UNKNOWN", format_name=name)


def assert_reason(path: Path, reason: str, **options: Any) -> PoseError:
    with pytest.raises(PoseError) as error:
        read_keypoints(path, **options)
    assert error.value.reason == reason
    assert "\n" not in error.value.message and error.value.message.endswith(".")
    return error.value


def test_nothing_there(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        read_keypoints(tmp_path / "missing")
    assert_reason(tmp_path, "KEYPOINTS_UNKNOWN")
    assert_reason(written(tmp_path / "x.json", {"a": 1}), "KEYPOINTS_UNKNOWN")


def test_nobody_in_any_frame(tmp_path: Path) -> None:
    written(tmp_path / "c_0_keypoints.json", {"people": []})
    error = assert_reason(tmp_path, "KEYPOINTS_EMPTY")
    assert isinstance(error, InputError) and "Nobody" in error.message


def as_coco_18(points: np.ndarray) -> np.ndarray:
    """(T, P, 18, 3) of (T, P, 17, 3), with the neck between the shoulders."""
    neck = points[:, :, [5, 6]].mean(axis=2, keepdims=True)
    joined = np.concatenate([points, neck], axis=2)
    names = [*COCO_17.joints, "neck"]
    return joined[:, :, [names.index(name) for name in COCO_18.joints]]
