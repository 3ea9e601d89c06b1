from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest
from made_result import FRAMES, write_result
from pose_server.export.npz import read_npz
from pose_server.pipeline import evidence as evidence_module
from pose_server.pipeline import refiner as refiner_module
from pose_server.pipeline import solving
from pose_server.pipeline.boundary import Vertical
from pose_server.pipeline.progress import SilentProgress
from pose_server.pipeline.quality import contact_slide_mm
from pose_server.pipeline.refiner import options_of_result, refine
from pose_server.pipeline.report import read_report
from pose_server.pipeline.solve_options import ContactEdit, PartFilter, SolveOptions
from pose_server.solve.clip import fit_people
from pose_shared.errors import (
    ConflictError,
    InputError,
    JobCancelledError,
    MissingExtraError,
    NotFoundError,
    PoseError,
)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made") / "result"
    write_result(folder)
    return folder


@pytest.fixture
def result(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "result"))


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def trembling(folder: Path, person: int = 1) -> float:
    motion = read_npz(folder / f"person_{person:02d}" / "motion.npz")
    return float(np.abs(np.diff(motion.joints_world_m, 2, axis=0)).mean())


def test_the_same_options_give_the_same_motion(result: Path, tmp_path: Path) -> None:
    report = refine(result, options_of_result(result).solve, tmp_path / "out", progress=SilentProgress())
    before, after = content(result), content(tmp_path / "out")
    assert after.keys() == before.keys()
    assert {name for name in after if after[name] != before[name]} == {"report.json"}
    assert report == read_report(tmp_path / "out")
    assert report.refined_from == str(result)
    assert {timing.stage for timing in report.timings} == {"solve", "export"}
    old = read_report(result)
    assert (report.clip, report.people, report.notes) == (old.clip, old.people, old.notes)
    assert set(report.files) == before.keys() - {"report.json"}


def test_what_the_background_shows_to_be_up_holds_on(result: Path, tmp_path: Path) -> None:
    """People who stand say otherwise, less surely."""
    place, solve = result / evidence_module.EVIDENCE_FILE, options_of_result(result).solve
    seen = Vertical(np.array([np.sin(0.15), -np.cos(0.15), 0.0]), 0.01)
    read = evidence_module.read_evidence(place)
    evidence_module.write_evidence(place, replace(read, vertical=seen))
    refine(result, solve, tmp_path / "one", progress=SilentProgress())
    refine(tmp_path / "one", solve, tmp_path / "two", progress=SilentProgress())
    one, two = content(tmp_path / "one"), content(tmp_path / "two")
    assert {name for name in one if one[name] != two[name]} == {"report.json"}
    before, after = (
        read_npz(folder / "person_01" / "motion.npz").world_to_camera[:3, 2]
        for folder in (result, tmp_path / "two")
    )
    assert np.degrees(np.arccos(after @ seen.up)) < 1 < 5 < np.degrees(np.arccos(before @ seen.up))


def test_smoothing_changes_the_motion_and_only_in_the_new_folder(result: Path, tmp_path: Path) -> None:
    before = content(result)
    refine(result, SolveOptions(smoothing=0.0), tmp_path / "raw", progress=SilentProgress())
    refine(tmp_path / "raw", SolveOptions(smoothing=1.0), tmp_path / "calm", progress=SilentProgress())
    assert trembling(tmp_path / "calm") < trembling(result) < trembling(tmp_path / "raw")
    assert content(result) == before
    # Refining does not add up: what counts is what was seen.
    direct = tmp_path / "direct"
    refine(result, SolveOptions(smoothing=1.0), direct, progress=SilentProgress())
    one, two = content(direct), content(tmp_path / "calm")
    assert {name for name in one if one[name] != two[name]} == {"report.json"}
    assert options_of_result(direct).solve == SolveOptions(smoothing=1.0)


def test_in_place_the_result_is_exchanged_and_what_is_not_of_it_stays(result: Path) -> None:
    (result / "mine.blend").write_text("work")
    (result / "renders").mkdir()
    (result / "renders" / "one.png").write_text("one")
    report = json.loads((result / "report.json").read_text())
    report["files"].append("preview.mp4")
    (result / "report.json").write_text(json.dumps(report))
    (result / "preview.mp4").write_text("the old motion")
    before = content(result)
    refine(result, SolveOptions(smoothing=1.0), result, progress=SilentProgress())
    after = content(result)
    # A film of a motion that is no more would be a lie.
    assert after.keys() == before.keys() - {"preview.mp4"}
    assert after["person_01/motion.npz"] != before["person_01/motion.npz"]
    for name in ("mine.blend", "renders/one.png", "evidence.npz"):
        assert after[name] == before[name]
    assert os.listdir(result.parent) == [result.name]


@pytest.mark.parametrize("stage", ["solve", "export"])
def test_an_error_in_place_leaves_the_result_as_it_was(
    result: Path, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Stopped(SilentProgress):
        checks = 0

        def report(self, stage_now: str, done: int, total: int) -> None:
            if stage == "solve":
                raise JobCancelledError("Enough.")

        def check(self) -> None:
            self.checks += 1
            if stage == "export" and list(result.parent.glob(".result.*/person_03")):
                raise JobCancelledError("Enough.")

    before = content(result)
    progress = Stopped()
    if stage == "export":
        monkeypatch.setattr(refiner_module, "write_report", lambda *_: progress.check())
    with pytest.raises(JobCancelledError):
        refine(result, SolveOptions(smoothing=1.0), result, progress=progress)
    assert content(result) == before
    assert os.listdir(result.parent) == [result.name]


KILLED = """
import os, signal, sys
from pathlib import Path
from pose_server.pipeline import output, refiner
from pose_server.pipeline.progress import SilentProgress
from pose_server.pipeline.solve_options import SolveOptions
result, where = Path(sys.argv[1]), sys.argv[2]
real = getattr(output, where)
def dies(*arguments):
    if sys.argv[3] == "after":
        real(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)
setattr(output, where, dies)
refiner.refine(result, SolveOptions(smoothing=1.0), result, progress=SilentProgress())
"""


@pytest.mark.parametrize(
    ("where", "moment", "new"),
    [("_publish", "before", False), ("_exchange", "before", False), ("_exchange", "after", True)],
)
def test_a_kill_leaves_the_old_result_or_the_new_one(
    result: Path, where: str, moment: str, new: bool
) -> None:
    before = content(result)
    done = subprocess.run([sys.executable, "-c", KILLED, result, where, moment], timeout=60)
    assert done.returncode == -signal.SIGKILL
    after = content(result)
    assert after.keys() == before.keys()
    assert (after["person_03/motion.npz"] != before["person_03/motion.npz"]) == new
    assert options_of_result(result).solve.smoothing == (1.0 if new else 0.5)


@pytest.mark.parametrize(
    ("spoil", "kind", "word"),
    [
        (lambda folder: shutil.rmtree(folder), NotFoundError, "no report.json"),
        (lambda folder: (folder / "report.json").unlink(), NotFoundError, "no report.json"),
        (lambda folder: (folder / "evidence.npz").unlink(), NotFoundError, "import the clip again"),
        (lambda folder: (folder / "report.json").write_text("{"), InputError, "no report"),
        (lambda folder: (folder / "report.json").write_text("[" * 100_000), InputError, "no report"),
        (lambda folder: (folder / "report.json").write_bytes(b"\xff\xfe"), InputError, "no report"),
        (lambda folder: (folder / "report.json").write_text("[]"), InputError, "no report"),
        (
            lambda folder: (folder / "report.json").write_text('{"report_version": 7}'),
            ConflictError,
            "version 7",
        ),
        (lambda folder: change(folder, people=[]), InputError, "different people"),
        (lambda folder: change(folder, people="all"), InputError, "people"),
        (lambda folder: change(folder, options={"wings": 2}), InputError, "options"),
        (lambda folder: change(folder, options={"solve": {"smoothing": 7}}), InputError, "0 .raw. to 1"),
        (lambda folder: change(folder, options={"solve": 7}), InputError, "options"),
    ],
)
def test_what_is_no_result_is_said(result: Path, spoil: object, kind: type[PoseError], word: str) -> None:
    spoil(result)  # type: ignore[operator]
    with pytest.raises(kind, match=word) as caught:
        refine(result, SolveOptions(), result.with_name("out"), progress=SilentProgress())
    assert type(caught.value) is kind
    assert caught.value.message.endswith(".")
    assert not result.with_name("out").exists()


def change(folder: Path, **fields: object) -> None:
    report = json.loads((folder / "report.json").read_text())
    (folder / "report.json").write_text(json.dumps(report | fields))


def test_an_edit_of_somebody_who_is_not_there_is_refused(result: Path) -> None:
    solve = SolveOptions(edits=(ContactEdit(2, "left_toe", 1, 2, True),))
    with pytest.raises(InputError, match="no person 2, only 1, 3"):
        refine(result, solve, result, progress=SilentProgress())


def test_another_film_makes_no_preview(result: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError):
        refine(
            result,
            SolveOptions(),
            result,
            progress=SilentProgress(),
            clip=result / "person_01" / "motion.bvh",
        )


def test_contacts_by_hand_are_what_the_new_motion_stands_on(result: Path, tmp_path: Path) -> None:
    edits = (
        ContactEdit(1, "left_heel", 5, 30, False),
        ContactEdit(1, "left_toe", 5, 30, False),
        ContactEdit(3, "right_heel", 10, 20, True),
    )
    out = tmp_path / "out"
    refine(result, SolveOptions(contacts="never", edits=edits), out, progress=SilentProgress())
    first, second = (read_npz(out / f"person_{number:02d}" / "motion.npz") for number in (1, 3))
    assert first.contacts.max() == 0
    assert (second.contacts > 0.5).nonzero()[0].tolist() == list(range(10, 21))
    assert (second.contacts[:, 2] > 0.5).nonzero()[0].tolist() == list(range(10, 21))
    # The shift of the weight trembles through every sole but the one that is held.
    never = tmp_path / "never"
    refine(result, SolveOptions(contacts="never"), never, progress=SilentProgress())
    free = read_npz(never / "person_03" / "motion.npz")
    told = replace(free, contacts=second.contacts)
    held, slid = contact_slide_mm(second), contact_slide_mm(told)
    assert held is not None and slid is not None and held < 0.5 * slid


def test_the_film_at_hand_makes_the_preview_anew(result: Path, tmp_path: Path) -> None:
    film = tmp_path / "made.mp4"
    with av.open(str(film), "w") as file:
        stream = file.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 320, 180, "yuv420p"
        for shade in range(FRAMES):
            picture = np.full((180, 320, 3), 100 + shade, np.uint8)
            file.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")))
        file.mux(stream.encode())
    report = json.loads((result / "report.json").read_text())
    report["clip"]["sha256"] = hashlib.sha256(film.read_bytes()).hexdigest()
    report["options"]["formats"].append("preview")
    (result / "report.json").write_text(json.dumps(report))
    without = refine(result, SolveOptions(), tmp_path / "without", progress=SilentProgress())
    made = refine(result, SolveOptions(), tmp_path / "with", progress=SilentProgress(), clip=film)
    assert set(made.files) - set(without.files) == {"preview.mp4"}
    with av.open(str(tmp_path / "with" / "preview.mp4")) as file:
        assert sum(1 for _ in file.decode(video=0)) == FRAMES
    # Asked for once, it is made again whenever the film is there.
    assert "preview" in options_of_result(tmp_path / "without").formats


def with_options(result: Path, **options: object) -> None:
    report = json.loads((result / "report.json").read_text())
    report["options"] |= options
    (result / "report.json").write_text(json.dumps(report))


def test_files_are_as_they_were_asked_for(result: Path, tmp_path: Path) -> None:
    with_options(result, formats=["npz", "bvh", "glb"], files={"unit": "m", "rotation_order": "YXZ"})
    report = refine(result, SolveOptions(), tmp_path / "out", progress=SilentProgress())
    assert "person_01/motion.glb" in report.files
    text = (tmp_path / "out" / "person_01" / "motion.bvh").read_text()
    assert "CHANNELS 3 Yrotation Xrotation Zrotation" in text
    root = float(text.split("Frame Time")[1].splitlines()[1].split()[1])
    assert root == pytest.approx(read_npz(tmp_path / "out/person_01/motion.npz").root_world_m[0, 2], abs=1e-5)


def test_what_a_format_lacks_is_said_before_any_work(
    result: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ezc3d", None)
    monkeypatch.setattr(refiner_module, "solve_to_files", None)
    with_options(result, formats=["npz", "c3d"])
    with pytest.raises(MissingExtraError, match=r"pose-server\[c3d\]"):
        refine(result, SolveOptions(), tmp_path / "out", progress=SilentProgress())


def test_what_was_fitted_is_not_fitted_again(result: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fits = []
    monkeypatch.setattr(solving, "fit_people", lambda *a, **k: fits.append(1) or fit_people(*a, **k))
    refine(result, SolveOptions(smoothing=0.3), result, progress=SilentProgress())
    assert not fits
    # Evidence of another version is: the next refinement finds the new fit.
    with monkeypatch.context() as later:
        later.setattr(evidence_module, "FIT_VERSION", 0)
        for _ in range(2):
            refine(result, SolveOptions(smoothing=0.3), result, progress=SilentProgress())
    assert fits == [1]


def test_no_network_is_loaded(result: Path) -> None:
    code = "import sys; import pose_server.pipeline.refiner; print('mediapipe' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_filter_changes_its_part_alone(result: Path, tmp_path: Path) -> None:
    solve = SolveOptions(smoothing=0.0)
    refine(result, solve, tmp_path / "raw", progress=SilentProgress())
    filters = (PartFilter("left_arm", "gaussian", (0.2,)),)
    refine(result, replace(solve, filters=filters), tmp_path / "filtered", progress=SilentProgress())
    raw, calm = (read_npz(tmp_path / name / "person_01" / "motion.npz") for name in ("raw", "filtered"))
    moved = np.abs(calm.joints_world_m - raw.joints_world_m).max(axis=(0, 2))
    # Shoulders have a say in what is up, so everything else may turn by a trace.
    names = {name for name, metres in zip(raw.joint_names, moved, strict=True) if metres > 0.002}
    assert "left_wrist" in names <= {f"left_{part}" for part in ("shoulder", "elbow", "wrist", "hand")}
