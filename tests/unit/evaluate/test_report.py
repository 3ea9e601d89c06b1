from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import torch
from made_takes import walks
from pose_server.evaluate import report
from pose_server.evaluate.clip import evaluate_clip
from pose_server.evaluate.mocap import LIMB_JOINTS, PERFECT, Scene, scenes
from pose_server.evaluate.reference import ClipReference
from pose_server.evaluate.report import clip_table, mocap_table
from pose_server.evaluate.table import write_tables
from pose_server.lift.house import write_weights
from pose_server.lift.network import LiftNetwork, LiftShape
from pose_server.pipeline.solve_options import SolveOptions
from pose_server.train.motions import write_motions
from pose_shared.errors import InputError


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("weights") / "small.safetensors"
    torch.manual_seed(1)
    write_weights(path, LiftNetwork(LiftShape(16, (1, 2))), {})
    return str(path)


@pytest.fixture(scope="module")
def motions(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("motions") / "set.npz"
    write_motions(path, walks(3, 3.0))
    return path


def test_lifters_on_motion_capture_are_a_table(motions: Path, weights: str, tmp_path: Path) -> None:
    table = mocap_table(motions, ["landmarks", weights], count=2, held_out=["2", "3"])
    # The detector's own landmarks are nothing to lift where there are none.
    assert [(row["lifter"], row["input"]) for row in table.rows] == [
        ("landmarks", "2D and landmarks"),
        (weights, "2D and landmarks"),
        (weights, "2D only"),
        (weights, "perfect 2D"),
    ]
    assert all(np.isfinite(float(row["mpjpe_mm"] or 0)) for row in table.rows)
    assert "2 held-out subjects" in table.note and "2 stretches" in table.note
    markdown, data = write_tables(tmp_path / "accuracy", [table])
    text = markdown.read_text()
    assert "| MPJPE mm |" in text and "Reference acceleration" in text and text.count("\n| ") >= 6
    kept = json.loads(data.read_text())["tables"][0]["rows"]
    assert kept[1]["mpjpe_mm"] == pytest.approx(table.rows[1]["mpjpe_mm"])


def test_what_cannot_be_measured_is_one_sentence(motions: Path, weights: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="hold out some"):
        mocap_table(motions, [weights], count=1)  # CMU's subjects are not in this set
    with pytest.raises(InputError, match="There is no lifter 'none'"):
        mocap_table(motions, ["none"], count=1, held_out=["2"])
    with pytest.raises(InputError, match="no prepared motion set"):
        mocap_table(tmp_path / "none.npz", [weights], count=1)
    with pytest.raises(InputError, match="holds 0 films"):
        clip_table(tmp_path, [weights])


class _Truth:
    """A lifter that knows the scene."""

    name = fingerprint = "truth"

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    def lift(self, track: object, camera: object) -> object:
        from pose_server.pipeline.boundary import Pose3D

        scene = self._scene
        return Pose3D(
            joint_names=LIMB_JOINTS,
            indices=scene.track.indices,
            times_s=scene.track.times_s,
            joints_root_m=scene.joints_m - scene.root_m[:, None],
            uncertainty_m=np.full((len(scene.track), 12), 0.02),
            root_camera_m=scene.root_m,
        )


@pytest.fixture
def filmed(tmp_path: Path) -> tuple[ClipReference, Scene]:
    """A film of 60 frames that nobody looks at, and whose person is known."""
    av = pytest.importorskip("av")
    (scene,) = scenes(walks(1, 2.05), PERFECT, count=1)
    path = tmp_path / "take.mp4"
    with av.open(str(path), "w") as film:
        stream = film.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 192, 108, "yuv420p"
        for _ in range(len(scene.track)):
            film.mux(
                stream.encode(av.VideoFrame.from_ndarray(np.zeros((108, 192, 3), np.uint8), format="rgb24"))
            )
        film.mux(stream.encode())
    return ClipReference(
        path,
        scene.camera,
        scene.joints_m,
        30.0,
        np.asarray(scene.up[0], dtype=float),
        np.full((len(scene.joints_m), 4, 3), np.nan),
    ), scene


def test_contacts_are_judged_by_slow_feet_where_they_are_marked(
    filmed: tuple[ClipReference, Scene],
) -> None:
    reference, scene = filmed
    truth, always = [("truth", _Truth(scene))], SolveOptions(contacts="always")
    unmarked = evaluate_clip(reference, scene.track, truth, options=always)[1]  # type: ignore[arg-type]
    assert np.isnan(unmarked["contact_recall"]) and unmarked["own_slide_mm_frame"] >= 0
    still, running = (np.zeros((len(scene.joints_m), 4, 3)) for _ in range(2))
    running[..., 0] = np.arange(len(running))[:, None] / 10
    precisions = []
    for feet_m in (still, running):
        marked = dataclasses.replace(reference, feet_m=feet_m)
        row = evaluate_clip(marked, scene.track, truth, options=always)[1]  # type: ignore[arg-type]
        precisions.append(row["contact_precision"])
    assert precisions == [1, 0]


def test_a_lifter_on_a_clip_is_measured_alone_and_solved(filmed: tuple[ClipReference, Scene]) -> None:
    reference, scene = filmed
    rows = evaluate_clip(reference, scene.track, [("truth", _Truth(scene))])  # type: ignore[list-item]
    assert [(row["method"], row["lens"]) for row in rows] == [
        ("truth, lifted", "given"),
        ("truth, solved", "given"),
        ("truth, lifted", "guessed"),
        ("truth, solved", "guessed"),
    ]
    lifted, solved = rows[:2]
    assert (
        float(lifted["mpjpe_mm"]) < 3 and float(lifted["root_absolute_m"]) < 1e-6
    )  # smoothing costs a little
    assert float(solved["mpjpe_mm"]) < 60 and float(solved["root_absolute_m"]) < 0.3
    assert lifted["coverage"] == 1


def test_the_table_of_a_clip_names_its_film(
    filmed: tuple[ClipReference, Scene], weights: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference, scene = filmed
    monkeypatch.setattr(report, "read_reference", lambda folder: reference)
    monkeypatch.setattr(report, "person_of", lambda reference, detector: (scene.track, np.zeros((0, 2, 2))))
    table = clip_table(Path("anything"), [weights])
    assert len(table.rows) == 4 and "take.mp4: " in table.note and "at 30 Hz" in table.note
    assert "Root error m" in table.to_markdown()
