"""Motions from other programs' 2D keypoints, as a user asks for them."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import av
import numpy as np
import pytest
from made_keypoints import made_points, write_openpose
from made_result import FRAMES, SIZE, made_evidence
from pose_server.cache.stages import StageCache
from pose_server.cli.main import app
from pose_server.export.npz import read_npz
from pose_server.keypoints.clip import KeypointClip
from pose_server.keypoints.registry import read_keypoints
from pose_server.pipeline.cleanup_options import CleanupOptions
from pose_server.pipeline.importer import import_clip
from pose_server.pipeline.options import ImportOptions, Moment
from pose_server.pipeline.progress import SilentProgress
from pose_server.pipeline.refiner import refine
from pose_server.pipeline.report import ImportReport
from pose_server.pipeline.solve_options import SolveOptions
from pose_shared.errors import InputError
from pose_shared.skeleton import COCO_17
from typer.testing import CliRunner

WIDTH, HEIGHT = SIZE


def results(people: int = 2, *, shift: float = 0.0, frames: range = range(FRAMES), **extra: Any) -> Any:
    """COCO results, which count pixels, of people who stand and wave."""
    tracks = made_evidence().tracks[:people]
    return [
        {
            "image_id": frame,
            "category_id": 1,
            "keypoints": np.c_[
                track.keypoints_px[frame - frames.start, :17] - 0.5 + shift, np.full(17, 0.9)
            ].ravel().tolist(),
            **{name: value(number) for name, value in extra.items()},
        }
        for frame in frames
        for number, track in enumerate(tracks)
    ]  # fmt: skip


def write(path: Path, content: Any) -> Path:
    path.write_text(json.dumps(content))
    return path


def write_film(path: Path, frames: int = FRAMES, size: tuple[int, int] = SIZE) -> Path:
    with av.open(str(path), "w") as film:
        stream = film.add_stream("libx264", rate=25, options={"preset": "ultrafast"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for _ in range(frames):
            picture = np.full((size[1], size[0], 3), 200, np.uint8)
            film.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        film.mux(stream.encode())
    return path


def call(tmp_path: Path, *arguments: object) -> tuple[int, str]:
    """Exit code and what was printed on stdout, which is a report or an error as JSON."""
    done = CliRunner().invoke(
        app, ["import", *map(str, arguments), "--json"], env={"POSE_DATA_DIR": str(tmp_path / "data")}
    )
    return done.exit_code, done.stdout


def given(path: Path) -> KeypointClip:
    return read_keypoints(path)[0].sized(SIZE)


def imported(out: Path, clip: Path | None, keypoints: KeypointClip, **options: Any) -> ImportReport:
    cache = StageCache(out.parent / "stages", 1 << 30)
    asked = ImportOptions(formats=("npz",), **options)
    return import_clip(
        clip,
        asked,
        out,
        device="cpu",
        progress=SilentProgress(),
        stage_cache=cache,
        keypoints=keypoints,
    )


def test_keypoints_alone_give_all_that_a_film_gives(tmp_path: Path) -> None:
    path = write(tmp_path / "shot.json", results())
    code, printed = call(
        tmp_path, "--keypoints", path, "--size", "1280x720", "--input-fps", "30", "-o", tmp_path / "out"
    )
    assert code == 0, printed
    report = json.loads(printed)
    assert report["clip"] | {"sha256": 0} == {
        "name": "shot", "sha256": 0, "width": 1280, "height": 720, "rate": "30/1", "first_frame": 0,
        "frame_count": FRAMES, "start_s": 0.0, "end_s": 1.3, "rotation_ccw_deg": 0, "pixel_aspect": "1/1",
        "codec": "coco",
    }  # fmt: skip
    assert (report["detector"], len(report["people"])) == ("coco", 2)
    assert any("'shot' (coco, 17 a person)" in note for note in report["notes"])
    found = []
    for person in report["people"]:
        motion = read_npz(tmp_path / "out" / person["folder"] / "motion.npz")
        assert motion.keypoint_names == COCO_17.joints and len(motion) == FRAMES
        assert person["reprojection_px"] < 15
        found.append(motion.keypoints_px)
    for track in made_evidence().tracks:
        assert min(np.abs(own - track.keypoints_px[:, :17]).max() for own in found) < 1e-3
    with av.open(str(tmp_path / "out" / "preview.mp4")) as film:
        first = next(film.decode(video=0)).to_ndarray(format="rgb24")
        assert film.streams.video[0].frames == FRAMES
    corner = first[:20, :20].reshape(-1, 3).astype(int)
    assert np.ptp(corner, axis=0).max() < 6 and corner.mean() < 80


def test_a_result_of_keypoints_can_be_refined(tmp_path: Path) -> None:
    imported(tmp_path / "out", None, given(write(tmp_path / "a.json", results())), input_fps=30)
    report = refine(
        tmp_path / "out", SolveOptions(smoothing=0.9), tmp_path / "again", progress=SilentProgress()
    )
    assert len(report.people) == 2 and (tmp_path / "again" / "person_01" / "motion.npz").exists()


def test_identities_of_the_file_win_over_what_one_would_think(tmp_path: Path) -> None:
    """They cross over in the middle: the file says so, and nobody who looks at places would."""
    content = results(track_id=lambda number: number + 1)
    for entry in content[FRAMES:]:
        entry["track_id"] = 3 - entry["track_id"]
    known = imported(tmp_path / "a", None, given(write(tmp_path / "a.json", content)), input_fps=30)
    for entry in content:
        del entry["track_id"]
    tracked = imported(tmp_path / "b", None, given(write(tmp_path / "b.json", content)), input_fps=30)
    assert "theirs" in known.notes[0] and "found out" in tracked.notes[0]
    jumps = []
    for out in ("a", "b"):
        points = read_npz(tmp_path / out / "person_01" / "motion.npz").keypoints_px[:, 0, 0]
        jumps.append(np.nanmax(np.abs(np.diff(points[np.isfinite(points)]))))
    assert jumps[0] > 200 > 50 > jumps[1]


def test_a_film_gives_its_rate_its_size_and_its_pictures(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mp4")
    clip = read_keypoints(write(tmp_path / "a.json", results(1)))[0]
    report = imported(tmp_path / "out", film, clip)
    assert (report.clip.name, report.clip.rate, report.clip.codec) == ("film.mp4", "25/1", "h264")
    assert report.detector == "coco"
    # The same again is found again; other keypoints of the same film are not.
    again = imported(tmp_path / "out", film, clip)
    moved = read_keypoints(write(tmp_path / "b.json", results(1, shift=3.0)))[0]
    other = imported(tmp_path / "out2", film, moved)
    cached = [next(t.cached for t in r.timings if t.stage == "detect") for r in (report, again, other)]
    assert cached == [False, True, False]


def test_frame_numbers_of_the_file_are_those_of_the_film(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mp4", frames=60)
    clip = read_keypoints(write(tmp_path / "a.json", results(1, frames=range(12, 12 + FRAMES))))[0]
    report = imported(tmp_path / "out", film, clip)
    assert (report.people[0].first_frame, report.people[0].last_frame) == (12, 51)
    part = imported(tmp_path / "part", film, clip, start=Moment(frame=20), end=Moment(frame=40))
    assert (part.people[0].first_frame, part.people[0].last_frame) == (20, 39)
    alone = imported(tmp_path / "alone", None, clip.sized(SIZE), input_fps=25)
    assert (alone.people[0].first_frame, alone.people[0].last_frame) == (0, 39)


def test_points_beyond_the_end_of_the_film_are_told_of(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mp4", frames=30)
    clip = read_keypoints(write(tmp_path / "a.json", results(1)))[0]
    report = imported(tmp_path / "out", film, clip)
    assert report.clip.frame_count == 30 and "frame 39" in report.notes[1]
    part = imported(tmp_path / "part", film, clip, end=Moment(frame=20))
    assert not any("go on" in note for note in part.notes)


def test_pictures_are_matched_by_their_numbers(tmp_path: Path) -> None:
    for number in range(7, 7 + FRAMES):
        with av.open(str(tmp_path / f"shot.{number:04d}.png"), "w", format="image2") as picture:
            stream = picture.add_stream("png")
            stream.width, stream.height, stream.pix_fmt = *SIZE, "rgb24"
            grey = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
            picture.mux(stream.encode(av.VideoFrame.from_ndarray(grey, format="rgb24")))
            picture.mux(stream.encode())
    clip = read_keypoints(write(tmp_path / "a.json", results(1, frames=range(7, 7 + FRAMES))))[0]
    report = imported(tmp_path / "out", tmp_path / "shot.%04d.png", clip, input_fps=30)
    assert (report.people[0].first_frame, report.people[0].last_frame) == (0, FRAMES - 1)


def test_keypoints_of_another_film(tmp_path: Path) -> None:
    film, small = write_film(tmp_path / "a.mp4", 10), write_film(tmp_path / "b.mp4", 10, (320, 240))
    late = read_keypoints(write(tmp_path / "a.json", results(1, frames=range(50, 50 + FRAMES))))[0]
    for clip, keypoints, reason in (
        (film, late, "KEYPOINTS_BESIDE_CLIP"),
        (small, replace(late, size=SIZE), "KEYPOINTS_SIZE_DIFFERS"),
        (small, late, "KEYPOINTS_OUTSIDE"),
        (film, replace(late, rate=30), "KEYPOINTS_RATE_DIFFERS"),
    ):
        with pytest.raises(InputError) as error:
            imported(tmp_path / "out", clip, keypoints)
        assert error.value.reason == reason and not (tmp_path / "out").exists()


def test_empty_stretches_are_missing_and_no_error(tmp_path: Path) -> None:
    content = [entry for entry in results(1) if not 10 <= entry["image_id"] < 18]
    points = given(write(tmp_path / "a.json", content))
    for gaps in ("none", "rts"):
        imported(tmp_path / gaps, None, points, input_fps=30, cleanup=CleanupOptions(gaps=gaps))
        motion = read_npz(tmp_path / gaps / "person_01" / "motion.npz")
        assert np.isfinite(motion.joints_world_m).all() and len(motion) == FRAMES
        bridged = motion.keypoint_confidence[10:18]
        if gaps == "none":
            assert np.isnan(motion.keypoints_px[10:18]).all() and (bridged == 0).all()
        else:
            assert np.isfinite(motion.keypoints_px[10:18]).any() and 0 < bridged.max() <= 0.2


def test_a_zip_of_clips_gives_each_a_folder_and_names_those_that_fail(tmp_path: Path) -> None:
    with ZipFile(tmp_path / "all.zip", "w") as archive:
        for name in ("one", "two"):
            archive.writestr(f"{name}.json", json.dumps(results(1)))
    options = ("--keypoints", tmp_path / "all.zip", "--size", "1280x720", "--input-fps", "30")
    code, printed = call(tmp_path, *options, "--formats", "npz", "-o", tmp_path / "out")
    assert code == 0, printed
    assert [report["clip"]["name"] for report in json.loads(printed)] == ["one", "two"]
    assert all((tmp_path / "out" / name / "report.json").exists() for name in ("one", "two"))
    with ZipFile(tmp_path / "all.zip", "a") as archive:
        archive.writestr("three.json", json.dumps(results(1, frames=range(8))))
    code, printed = call(tmp_path, *options, "--formats", "npz", "-o", tmp_path / "new", "--start", "20")
    error = json.loads(printed)["error"]
    assert code == 2 and error["reason"] == "RANGE_EMPTY" and "2 of 3 clips" in error["message"]
    assert {path.name for path in (tmp_path / "new").iterdir()} == {"one", "two"}
    with ZipFile(tmp_path / "all.zip", "a") as archive:
        archive.writestr("broken.json", "[{")
        far = [{**entry, "keypoints": [9 * v for v in entry["keypoints"]]} for entry in results(1)]
        archive.writestr("far.json", json.dumps(far))
    code, printed = call(tmp_path, *options, "--formats", "npz", "-o", tmp_path / "last")
    error = json.loads(printed)["error"]
    assert code == 2 and error["reason"] == "KEYPOINTS_DAMAGED"
    assert "3 of 5 clips were imported, but not 'broken', 'far': 'broken.json' is" in error["message"]
    assert {path.name for path in (tmp_path / "last").iterdir()} == {"one", "two", "three"}


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["--keypoints", "a.json", "--input-fps", "30"], "KEYPOINTS_SIZE_MISSING"),
        (["--keypoints", "a.json", "--size", "1280x720"], "RATE_MISSING"),
        (["--keypoints", "a.json", "--size", "1280", "--input-fps", "30"], "SIZE_INVALID"),
        (["--keypoints", "a.json", "--size", "0x9", "--input-fps", "30"], "SIZE_INVALID"),
        (["--keypoints", "a.json", "--size", "320x240", "--input-fps", "30"], "KEYPOINTS_OUTSIDE"),
        (["--keypoints", "empty.json", "--size", "9x9", "--input-fps", "30"], "KEYPOINTS_EMPTY"),
        (["--keypoints", "a.json", "--keypoint-format", "dance"], "KEYPOINT_FORMAT_UNKNOWN"),
        (["--keypoints", "a.json", "--keypoint-format", "openpose"], "KEYPOINTS_UNKNOWN"),
        (["--keypoints", "missing.json"], "FILE_NOT_FOUND"),
        (["--keypoints", "a.json", "--server", "localhost:1"], "KEYPOINTS_LOCAL"),
        (["--keypoints", "a.json", "--detector", "blazepose"], "KEYPOINTS_LOCAL"),
        (["film.mp4", "--keypoints", "a.json", "--size", "9x9"], "SIZE_NOT_NEEDED"),
        (["film.mp4", "--keypoints", "two", "--cache"], "KEYPOINTS_SEVERAL_CLIPS"),
        (["film.mp4", "--size", "9x9"], "KEYPOINTS_MISSING"),
        ([], "CLIP_MISSING"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_cannot_be_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], reason: str
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "a.json", results(1, frames=range(5)))
    write(tmp_path / "empty.json", results(0) or [{"image_id": 0, "keypoints": [0] * 51}])
    write_film(tmp_path / "film.mp4", 2, (64, 64))
    for stem in ("x", "y"):
        write_openpose(tmp_path / "two", made_points(joints=25), stem=stem)
    code, printed = call(tmp_path, *arguments, "-o", tmp_path / "out")
    error = json.loads(printed)["error"]
    assert (code, error["reason"]) == (2, reason)
    assert error["message"].endswith(".") and "\n" not in error["message"]
    assert not (tmp_path / "out").exists()


@pytest.mark.reference
def test_openpose_on_a_film_shows_the_man_and_the_bystander(reference_data: Path, tmp_path: Path) -> None:
    (clip,) = read_keypoints(reference_data / "detections" / "openpose_body25b_cam01_raw.zip")
    report = imported(tmp_path / "out", reference_data / "real3d" / "cam01.mp4", clip)
    assert (report.clip.frame_count, report.clip.rate, report.detector) == (100, "60/1", "openpose")
    assert [person.coverage for person in report.people] == pytest.approx([0.99, 1.0], abs=0.011)
    assert report.people[0].reprojection_px < 15


def test_people_are_picked_merged_and_split_and_have_pictures(tmp_path: Path) -> None:
    film = write_film(tmp_path / "film.mp4")
    path = write(tmp_path / "a.json", results())
    box = imported(tmp_path / "all", film, read_keypoints(path)[0]).people[1].best_box_px
    at = f"{(box[0] + box[2]) / 2:.0f},{(box[1] + box[3]) / 2:.0f}@10"
    code, printed = call(
        tmp_path, film, "--keypoints", path, "--formats", "npz", "-o", tmp_path / "out",
        "--split", "1@15", "--split", "2@0.8s", "--merge", "1+1@15", "--click", at, "--person", "4",
    )  # fmt: skip
    assert code == 0, printed
    report = json.loads(printed)
    seen = [(p["index"], p["first_frame"], p["last_frame"], p["spans"]) for p in report["people"]]
    # Person 3 is what became of person 1, with whom they were put together again.
    assert seen == [(2, 0, 19, [[0, 19]]), (4, 20, 39, [[20, 39]])]
    assert report["options"]["tracking"]["merges"] == ["1+1@15"]
    for person in report["people"]:
        assert f"{person['folder']}/thumbnail.jpg" in report["files"]
        picture = (tmp_path / "out" / person["folder"] / "thumbnail.jpg").read_bytes()
        assert picture[:2] == b"\xff\xd8" and len(picture) <= 20_000
        assert "thumbnail" not in person
    refine(tmp_path / "out", SolveOptions(smoothing=0.9), tmp_path / "again", progress=SilentProgress())
    again = tmp_path / "again" / "person_04" / "thumbnail.jpg"
    assert again.read_bytes() == (tmp_path / "out" / "person_04" / "thumbnail.jpg").read_bytes()


def test_a_click_beside_everybody_says_who_is_near(tmp_path: Path) -> None:
    path = write(tmp_path / "a.json", results())
    code, printed = call(
        tmp_path, "--keypoints", path, "--size", "1280x720", "--input-fps", "30", "-o", tmp_path / "out",
        "--click", "3,3",
    )  # fmt: skip
    error = json.loads(printed)["error"]
    assert code == 2 and error["reason"] == "CLICK_NOBODY" and "is nearest" in error["message"]
    assert not (tmp_path / "out").exists()
