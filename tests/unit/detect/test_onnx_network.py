from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from pose_server.detect import onnx_network
from pose_server.detect.onnx_network import OnnxNetwork, needs_onnxruntime
from pose_shared.errors import InputError, MissingExtraError

pytestmark = pytest.mark.onnx


def made(path: Path, **options: object) -> OnnxNetwork:
    return OnnxNetwork(path, device="cpu", threads=1, usual_size=(192, 256), **options)


def mean_network(
    path: Path, *, batch: object, kept: bool = True, size: tuple[object, object] = (8, 8)
) -> Path:
    """Answers with the mean of each picture; `kept` false: with the mean of all, whatever it says."""
    from made_networks import _Graph

    graph = _Graph()
    axes = [1, 2, 3] if kept else [0, 1, 2, 3]
    mean = graph("ReduceMean", "input", axes=axes, keepdims=0)
    graph("Reshape", mean, graph.constant([-1, 1], np.int64), output="mean")
    return graph.save(path, (batch, 3, *size), {"mean": ("n", 1)})


PICTURES = [np.full((3, 8, 8), value, np.float32) for value in range(21)]


@pytest.mark.parametrize("batch", ["batch", 1, 4])
def test_each_picture_gets_its_answer_in_whatever_batches(tmp_path: Path, batch: object) -> None:
    network = made(mean_network(tmp_path / "net.onnx", batch=batch))
    assert network.batch == (16 if batch == "batch" else batch)
    assert (network.width, network.height) == (8, 8)
    assert network.answer_shapes == [(1,)]
    assert [float(answer[0]) for (answer,) in network.run(PICTURES)] == list(range(21))
    assert list(network.run([])) == []


def test_a_network_that_only_says_it_takes_several_gets_one_at_a_time(tmp_path: Path) -> None:
    network = made(mean_network(tmp_path / "net.onnx", batch="batch", kept=False))
    assert network.batch == 1
    assert [float(answer[0]) for (answer,) in network.run(PICTURES)] == list(range(21))


def test_a_network_of_any_size_gets_the_usual_one(tmp_path: Path) -> None:
    network = made(mean_network(tmp_path / "net.onnx", batch=1, size=("height", "width")))
    assert (network.width, network.height) == (192, 256)


def test_what_is_no_network_is_refused_in_one_sentence(tmp_path: Path) -> None:
    whole = mean_network(tmp_path / "net.onnx", batch=1).read_bytes()
    for content in (b"<html>Sign in</html>", whole[: len(whole) // 2], b""):
        (tmp_path / "bad.onnx").write_bytes(content)
        with pytest.raises(InputError, match=r"bad\.onnx is no network that can be used here") as caught:
            made(tmp_path / "bad.onnx")
        assert caught.value.reason == "NETWORK_UNREADABLE"
        assert "\n" not in caught.value.message


def test_a_network_that_takes_no_pictures_is_refused(tmp_path: Path) -> None:
    import onnx
    from onnx import TensorProto, helper

    node = helper.make_node("Identity", ["input"], ["output"])
    for shape in ((1, 4, 8, 8), (1, 17)):
        ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in ("input", "output")]
        graph = helper.make_graph([node], "other", ends[:1], ends[1:])
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
        onnx.save(model, tmp_path / "other.onnx")
        with pytest.raises(InputError, match="does not take pictures of three colours"):
            made(tmp_path / "other.onnx")


def test_a_missing_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(onnx_network, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"pip install \"pose-server\[rtmpose\]\""):
        needs_onnxruntime()


def test_it_computes_on_the_gpu_or_openvino_where_its_onnxruntime_can(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import onnxruntime

    def chosen(device: str, *there: str) -> list[str]:
        monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: [*there, "CPUExecutionProvider"])
        providers = onnx_network._providers(device, 2)
        return [name if isinstance(name, str) else f"{name[0]} {name[1]}" for name in providers]

    assert (
        chosen("cpu")
        == chosen("cuda:1")
        == chosen("cpu", "CUDAExecutionProvider")
        == ["CPUExecutionProvider"]
    )
    assert chosen("cuda:1", "CUDAExecutionProvider")[0] == (
        "CUDAExecutionProvider {'device_id': 1, 'cudnn_conv_algo_search': 'HEURISTIC'}"
    )
    assert chosen("cpu", "OpenVINOExecutionProvider")[0].startswith("OpenVINOExecutionProvider")
