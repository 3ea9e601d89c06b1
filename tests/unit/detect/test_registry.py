from __future__ import annotations

import pytest
from pose_server.detect import networks
from pose_server.detect.registry import available_detectors, create_detector
from pose_shared.errors import InputError, MissingExtraError


def test_auto_is_blazepose() -> None:
    detector = create_detector("auto", "cpu")
    assert detector.name == "blazepose"
    assert detector.fingerprint == create_detector("blazepose", "cuda:0").fingerprint


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"'yolo'.*auto, blazepose") as caught:
        create_detector("yolo", "cpu")
    assert caught.value.reason == "DETECTOR_UNKNOWN"
    assert caught.value.metadata == {"value": "yolo"}


def test_blazepose_has_one_model_and_no_score() -> None:
    with pytest.raises(InputError, match="has no models; leave out 'heavy'"):
        create_detector("blazepose:heavy", "cpu")
    with pytest.raises(InputError, match=r"has no score to set; leave out '0\.7'"):
        create_detector("blazepose", "cpu", score=0.7)


def test_the_usable_are_known_and_the_others_say_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    (status,) = available_detectors()
    assert (status.name, status.usable) == ("blazepose", True)
    monkeypatch.setattr(networks, "find_spec", lambda name: None)
    (status,) = available_detectors()
    assert not status.usable
    assert "pip install" in status.advice
    with pytest.raises(MissingExtraError, match="pip install"):
        create_detector("auto", "cpu")
