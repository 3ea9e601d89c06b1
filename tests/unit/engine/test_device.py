from __future__ import annotations

import sys

import pytest
from pose_server.engine import device as device_module
from pose_server.engine.device import list_devices, resolve_device
from pose_shared.errors import InputError


def test_the_cpu_needs_no_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    assert resolve_device("cpu") == "cpu"


def test_there_is_always_a_cpu() -> None:
    assert list_devices()[0] == "cpu"
    assert resolve_device("auto") in list_devices()


def test_auto_takes_the_first_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_module, "list_devices", lambda: ("cpu", "cuda:0", "cuda:1"))
    assert resolve_device("auto") == "cuda:0"
    assert resolve_device("cuda:1") == "cuda:1"


@pytest.mark.parametrize("text", ["cuda:99", "gpu", "", "CPU"])
def test_a_device_that_is_not_there_names_those_that_are(text: str) -> None:
    with pytest.raises(InputError, match="cpu") as caught:
        resolve_device(text)
    assert caught.value.reason == "DEVICE_UNKNOWN"
