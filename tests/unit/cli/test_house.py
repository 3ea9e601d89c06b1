"""`train prepare`, `train house`, `evaluate mocap` and `import --lifter` from the outside."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import TracebackType

import av
import numpy as np
import pytest
import torch
from made_takes import walks, write_amc, write_asf
from pose_server.cli.main import app
from pose_server.evaluate.mocap import PERFECT, Scene, scenes
from pose_server.lift.house import HouseLifter, write_weights
from pose_server.lift.network import LiftNetwork, LiftShape
from pose_server.pipeline import importer
from pose_server.pipeline.boundary import ClipInfo, Detections, FrameBatch
from pose_server.train.motions import read_motions, write_motions
from typer.testing import CliRunner, Result

SMALL = [
    "--steps",
    "2",
    "--batch",
    "4",
    "--frames",
    "8",
    "--channels",
    "8",
    "--dilations",
    "1,2",
    "--device",
    "cpu",
]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def refused(result: Result, sentence: str, code: int = 2) -> None:
    assert result.exit_code == code, result.output
    assert sentence in result.stderr.replace("\n", " ") and "Traceback" not in result.output
    assert result.stderr.startswith("pose-server: ") and len(result.stderr.strip().splitlines()) == 1


@pytest.fixture
def motions(tmp_path: Path) -> Path:
    write_motions(tmp_path / "set.npz", walks(2, 3.0))
    return tmp_path / "set.npz"


def test_motion_files_become_a_set(tmp_path: Path) -> None:
    write_asf(tmp_path / "body.asf")
    write_amc(tmp_path / "a.amc", 240, lambda i: (0.01 * i, 0.98, 0.0))
    (tmp_path / "index.csv").write_text(
        "file,format,skeleton,subject,fps,head_frames_to_drop\na.amc,amc,body.asf,7,120,0\n"
    )
    result = run("train", "prepare", tmp_path, "--out", tmp_path / "set.npz")
    assert result.exit_code == 0 and "1 takes of 1 subjects" in result.output
    assert len(read_motions(tmp_path / "set.npz").takes[0].points_m) == 120
    refused(run("train", "prepare", tmp_path / "none", "--out", tmp_path / "b.npz"), "has no index.csv")


def test_a_run_leaves_weights_that_lift(motions: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    result = run("train", "house", motions, "--out", out, "--held-out", " 2 ", *SMALL)
    assert result.exit_code == 0, result.output
    assert "step 2/2" in result.output and "Weights:" in result.output
    assert HouseLifter(out / "house.safetensors").name == "house"
    assert json.loads((out / "options.json").read_text())["held_out"] == ["2"]
    assert {"curves.csv", "last.pt", "house.safetensors"} <= {path.name for path in out.iterdir()}

    refused(run("train", "house", motions, "--out", out, "--held-out", "2", *SMALL), "--resume")
    again = run("train", "house", motions, "--out", out, "--held-out", "2", *SMALL, "--resume")
    assert again.exit_code == 0
    longer = [*SMALL, "--steps", "3"]
    refused(
        run("train", "house", motions, "--out", out, "--held-out", "2", *longer, "--resume"), "other options"
    )
    (out / "last.pt").write_bytes(b"cut")
    refused(
        run("train", "house", motions, "--out", out, "--held-out", "2", *SMALL, "--resume"),
        "begin the run anew",
    )


def test_what_cannot_be_trained_is_one_sentence(motions: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    for text in ("abc", "1,,3", "0", "-1,3", "1.5"):
        refused(run("train", "house", motions, "--out", out, "--dilations", text), f"--dilations {text}")
    refused(run("train", "house", motions, "--out", out, "--held-out", "9"), "hold out some of 1, 2")
    refused(run("train", "house", tmp_path / "none", "--out", out), "no prepared motion set")
    refused(run("train", "house", motions, "--out", out, "--device", "cuda:77"), "no device 'cuda:77'")
    assert not out.exists()


def test_lifters_are_measured_on_motions(motions: Path, tmp_path: Path) -> None:
    weights = tmp_path / "small.safetensors"
    torch.manual_seed(1)
    write_weights(weights, LiftNetwork(LiftShape(8, (1,))), {})
    options = ("--lifter", weights, "--scenes", 1, "--held-out", "1")
    result = run("evaluate", "mocap", motions, *options, "--write", tmp_path / "out" / "table")
    assert result.exit_code == 0, result.output
    assert "| MPJPE mm |" in result.output and "perfect 2D" in result.output
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"table.md", "table.json"}
    refused(run("evaluate", "mocap", motions, *options, "--lifter", "none"), "There is no lifter 'none'")
    refused(run("evaluate", "clip", tmp_path / "out", "--lifter", weights), "holds 0 films")


def test_help_is_there_without_torch() -> None:
    code = (
        "import sys\nfrom typer.testing import CliRunner\nfrom pose_server.cli.main import app\n"
        "for words in (['train'], ['train', 'house'], ['evaluate'], ['evaluate', 'mocap']):\n"
        "    assert CliRunner().invoke(app, [*words, '--help']).exit_code == 0, words\n"
        "print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


class _Witness:
    """A detector that knows where the person of a scene is."""

    name = fingerprint = "witness"
    sure_score = 0.0

    def __init__(self, scene: Scene, scale: float) -> None:
        self._track, self._scale = scene.track, scale
        self.keypoint_names = scene.track.keypoint_names
        self.asked = 0

    def session(self, clip: ClipInfo) -> _Witness:
        return self

    def __enter__(self) -> _Witness:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def detect(self, batch: FrameBatch) -> list[Detections]:
        self.asked += len(batch)
        return [self._seen(int(i), float(t)) for i, t in zip(batch.indices, batch.times_s, strict=True)]

    def finish(self) -> list[Detections]:
        return []

    def _seen(self, index: int, time_s: float) -> Detections:
        one, track = slice(index, index + 1), self._track
        return Detections(
            index=index,
            time_s=time_s,
            boxes_px=track.boxes_px[one] * self._scale,
            scores=np.ones(1),
            keypoints_px=track.keypoints_px[one] * self._scale,
            keypoint_confidence=track.keypoint_confidence[one],
            landmarks_m=track.landmarks_m[one],
        )


def test_a_clip_is_lifted_with_a_checkpoint_of_ones_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POSE_DATA_DIR", str(tmp_path / "data"))
    (scene,) = scenes(walks(1, 2.05), PERFECT, count=1)
    clip = tmp_path / "take.mp4"
    with av.open(str(clip), "w") as film:
        stream = film.add_stream("libx264", rate=30)
        stream.width, stream.height, stream.pix_fmt = 384, 216, "yuv420p"
        for _ in range(len(scene.track)):
            film.mux(
                stream.encode(av.VideoFrame.from_ndarray(np.zeros((216, 384, 3), np.uint8), format="rgb24"))
            )
        film.mux(stream.encode())
    witness = _Witness(scene, 384 / 1920)
    monkeypatch.setattr(importer, "create_detector", lambda name, device, score: witness)

    options = ("--device", "cpu", "--no-cache", "--formats", "npz", "--json")
    refused_before = run("import", clip, "--out", tmp_path / "none", "--lifter", "none.safetensors", *options)
    assert refused_before.exit_code == 2 and "There is no lifter 'none.safetensors'" in refused_before.stderr
    assert witness.asked == 0  # it is said before anything is looked at

    weights = tmp_path / "mine.safetensors"
    torch.manual_seed(1)
    write_weights(weights, LiftNetwork(LiftShape(8, (1,))), {})
    result = run("import", clip, "--out", tmp_path / "out", "--lifter", weights, *options)
    assert result.exit_code == 0, result.output
    report = json.loads(result.stdout)
    assert report["lifter"] == "house" and report["options"]["lifter"] == str(weights)
    with np.load(tmp_path / "out" / "person_01" / "motion.npz") as motion:
        assert np.isfinite(motion["joints_world_m"]).all()
