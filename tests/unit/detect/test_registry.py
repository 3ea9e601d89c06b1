from __future__ import annotations

import subprocess
import sys

import pytest
from pose_server.detect import networks, onnx_network
from pose_server.detect.registry import available_detectors, create_detector
from pose_shared.errors import InputError, MissingExtraError


def test_auto_is_blazepose() -> None:
    detector = create_detector("auto", "cpu")
    assert detector.name == "blazepose"
    assert detector.fingerprint == create_detector("blazepose", "cuda:0").fingerprint


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"'yolo'.*auto, rtmpose, .*blazepose") as caught:
        create_detector("yolo", "cpu")
    assert caught.value.reason == "DETECTOR_UNKNOWN"
    assert caught.value.metadata == {"value": "yolo"}


def test_blazepose_has_one_model_and_no_score() -> None:
    with pytest.raises(InputError, match="has no models; leave out ':heavy'"):
        create_detector("blazepose:heavy", "cpu")
    with pytest.raises(InputError, match=r"has no score to set; leave out --detector-score"):
        create_detector("blazepose", "cpu", score=0.7)


def test_the_usable_are_known_and_the_others_say_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    status = {found.name: found for found in available_detectors()}["blazepose"]
    assert status.usable
    assert status.models == ()
    monkeypatch.setattr(networks, "find_spec", lambda name: None)
    monkeypatch.setattr(onnx_network, "find_spec", lambda name: None)
    statuses = available_detectors()
    assert not any(found.usable for found in statuses if found.name in ("blazepose", "rtmpose"))
    assert all("pip install" in found.advice for found in statuses if found.name in ("blazepose", "rtmpose"))
    with pytest.raises(MissingExtraError, match="pip install"):
        create_detector("blazepose", "cpu")


def test_listing_detectors_builds_and_imports_nothing_large() -> None:
    code = (
        "import sys; from pose_server.detect.registry import available_detectors; available_detectors(); "
        "print(*{m for m in ('onnxruntime', 'torch', 'cv2', 'mediapipe', 'requests') if m in sys.modules})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == ""
