"""Old checkpoints and object arrays are read, and nothing in them runs."""

from __future__ import annotations

import io
import pickle
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from pose_server.weights.pickled import read_arrays, read_pickled
from pose_shared.errors import InputError
from torch import nn


def checkpoint() -> dict[str, Any]:
    """Everything that VideoPose3D's training puts into its files."""
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv1d(6, 4, 3, bias=False), nn.BatchNorm1d(4), nn.Conv1d(4, 3, 1))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-3, amsgrad=True)
    model(torch.randn(2, 6, 9)).sum().backward()
    optimizer.step()
    return {
        "epoch": 80,
        "lr": 0.00016,
        "random_state": np.random.RandomState(1234),
        "optimizer": optimizer.state_dict(),
        "model_pos": model.state_dict(),
        "model_traj": None,
        "random_state_semi": None,
    }


def saved(path: Path, value: Any, *, zipped: bool) -> Path:
    torch.save(value, path, _use_new_zipfile_serialization=zipped)
    return path


@pytest.mark.parametrize("zipped", [True, False], ids=["zip", "before torch 1.6"])
def test_a_checkpoint_comes_back_as_it_was_saved(tmp_path: Path, zipped: bool) -> None:
    value = checkpoint()
    found = read_pickled(saved(tmp_path / "epoch_80.bin", value, zipped=zipped))
    assert list(found) == list(value)
    assert (found["epoch"], found["lr"], found["model_traj"]) == (80, 0.00016, None)
    assert list(found["model_pos"]) == list(value["model_pos"])
    for name, tensor in value["model_pos"].items():
        assert torch.equal(found["model_pos"][name], tensor)
        assert found["model_pos"][name].dtype == tensor.dtype
    moments = found["optimizer"]["state"][0]
    assert torch.equal(moments["max_exp_avg_sq"], value["optimizer"]["state"][0]["max_exp_avg_sq"])
    assert not isinstance(found["random_state"], np.random.RandomState)


@pytest.mark.parametrize("zipped", [True, False])
def test_tensors_that_share_memory_or_lie_across_it(tmp_path: Path, zipped: bool) -> None:
    base = torch.arange(24, dtype=torch.float32).reshape(4, 6)
    value = [
        base,
        base.t(),
        base[1:3, ::2],
        base.new_empty(0),
        torch.tensor(3, dtype=torch.int64),
        base.half(),
    ]
    found = read_pickled(saved(tmp_path / "x.bin", value, zipped=zipped))
    for have, want in zip(found, value, strict=True):
        assert torch.equal(have, want) and have.dtype == want.dtype
    assert found[1].untyped_storage().data_ptr() == found[0].untyped_storage().data_ptr()


def test_random_states_as_numpy_1_16_and_python_2_wrote_them(tmp_path: Path) -> None:
    """numpy.random.__RandomState_ctor() followed by a state: protocol 2, as torch saves."""
    state = ("MT19937", np.arange(3, dtype=np.uint32), 2, 0, 0.0)
    body = pickle.dumps({"random_state": state}, protocol=2)
    # The same tuple, as the state of an object made by the old constructor.
    start = b"\x80\x02}q\x00U\x0crandom_stateq\x01"
    inner = pickle.dumps(state, protocol=2)[2:-1]
    old = start + b"cnumpy.random\n__RandomState_ctor\nq\x63)Rq\x64" + inner + b"bs."
    assert pickle.loads(body)
    file = tmp_path / "old.bin"
    header = b"".join(
        pickle.dumps(part, protocol=2) for part in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True})
    )
    file.write_bytes(header + old + pickle.dumps([], protocol=2))
    assert list(read_pickled(file)) == ["random_state"]


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_plain_pickle_of_arrays_as_model_zoos_have_them(tmp_path: Path, protocol: int) -> None:
    weights = {
        "backbone.weight": np.random.default_rng(0).normal(size=(4, 3, 2)).astype("f4"),
        "turned": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "scale": np.float32(0.5),
        "count": np.array(7),
    }
    file = tmp_path / "model_final.pkl"
    file.write_bytes(pickle.dumps({"model": weights, "__author__": "somebody"}, protocol=protocol))
    found = read_pickled(file)
    assert found["__author__"] == "somebody"
    assert list(found["model"]) == list(weights)
    for name, array in weights.items():
        np.testing.assert_array_equal(found["model"][name], array)
        assert found["model"][name].dtype == array.dtype


def test_a_plain_pickle_with_code_is_refused_and_not_run(tmp_path: Path) -> None:
    file = tmp_path / "evil.pkl"
    file.write_bytes(pickle.dumps({"model": {"w": np.zeros(3)}, "extra": Command(tmp_path / "was_run")}))
    with pytest.raises(InputError, match=r"^evil.pkl contains code \(pathlib.Path.touch\), which is never"):
        read_pickled(file)
    assert not (tmp_path / "was_run").exists()
    pickle.loads(file.read_bytes())
    assert (tmp_path / "was_run").exists(), "the file would have run where it is unpickled"


@pytest.mark.parametrize(
    "damage",
    [
        lambda whole: whole[:-1],
        lambda whole: whole[: len(whole) // 2],
        lambda whole: whole + b"more",
        # A place in the memo far beyond the file's size, for which the unpickler would make room.
        lambda whole: whole[:2] + b"Nr\xff\xff\xff\x7f0" + whole[2:],
        # An array of a thousand million numbers, of which three come.
        lambda whole: whole.replace(b"K\x03\x85", b"J\x00\xca\x9a\x3b\x85", 1),
    ],
    ids=["last byte gone", "half of it", "more behind it", "gigantic memo", "gigantic array"],
)
def test_damaged_plain_pickles_are_one_sentence(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    whole = pickle.dumps({"model": {"w": np.arange(3.0)}}, protocol=2)
    damaged = damage(whole)
    assert damaged != whole
    (tmp_path / "x.pkl").write_bytes(damaged)
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match=r"^x.pkl is damaged, cut short or not a checkpoint; "):
            read_pickled(tmp_path / "x.pkl")
        assert tracemalloc.get_traced_memory()[1] < 10e6
    finally:
        tracemalloc.stop()


class Command:
    """Unpickled anywhere else, this would leave a file behind."""

    def __init__(self, place: Path) -> None:
        self.place = place

    def __reduce__(self) -> Any:
        return (Path.touch, (self.place,))


@pytest.mark.parametrize("zipped", [True, False])
def test_code_is_refused_and_not_run(tmp_path: Path, zipped: bool) -> None:
    value = {**checkpoint(), "extra": Command(tmp_path / "was_run")}
    file = saved(tmp_path / "evil.bin", value, zipped=zipped)
    with pytest.raises(
        InputError, match=r"^evil.bin contains code \(__builtin__.getattr\), which is never"
    ) as error:
        read_pickled(file)
    assert error.value.reason == "CHECKPOINT_HOLDS_CODE"
    assert not (tmp_path / "was_run").exists()
    torch.load(file, weights_only=False)
    assert (tmp_path / "was_run").exists(), "the file would have run where it is unpickled"


@pytest.mark.parametrize(
    "name",
    [
        "os system",
        "builtins eval",
        "builtins getattr",
        "torch load",
        "torch.hub load",
        "numpy load",
        "collections OrderedDict.fromkeys",
        "pose_server.weights.pickled io",
        "numpy.testing._private.utils runstring",
    ],
)
def test_no_name_but_the_known_ones(tmp_path: Path, name: str) -> None:
    module, attribute = name.split()
    program = b"\x80\x04\x8c" + bytes([len(module)]) + module.encode()
    program += b"\x8c" + bytes([len(attribute)]) + attribute.encode() + b"\x93."
    with zipfile.ZipFile(tmp_path / "x.bin", "w") as archive:
        archive.writestr("x/data.pkl", program)
    with pytest.raises(InputError, match="contains code"):
        read_pickled(tmp_path / "x.bin")


def test_every_way_to_cut_a_file_short_is_one_sentence(tmp_path: Path) -> None:
    for zipped in (True, False):
        whole = saved(tmp_path / "x.bin", checkpoint(), zipped=zipped).read_bytes()
        cut = tmp_path / "cut.bin"
        for length in sorted({0, 1, 30, *range(100, len(whole) - 1, 403), len(whole) - 1}):
            cut.write_bytes(whole[:length])
            with pytest.raises(InputError, match=r"^cut.bin is damaged, cut short or not a checkpoint; "):
                read_pickled(cut)


def test_noise_in_a_file_is_one_sentence_or_no_harm(tmp_path: Path) -> None:
    whole = saved(tmp_path / "x.bin", checkpoint(), zipped=False).read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(150):
        noisy = bytearray(whole)
        for place in rng.integers(0, len(whole) // 2, size=3):
            noisy[place] = rng.integers(0, 256)
        (tmp_path / "noisy.bin").write_bytes(noisy)
        try:
            read_pickled(tmp_path / "noisy.bin")
        except InputError as error:
            assert error.reason in ("CHECKPOINT_DAMAGED", "CHECKPOINT_HOLDS_CODE")


def test_a_file_cannot_ask_for_more_memory_than_it_has(tmp_path: Path) -> None:
    file = saved(tmp_path / "x.bin", {"w": torch.zeros(1000)}, zipped=False)
    content = file.read_bytes()
    count = struct.pack("<BH", ord("M"), 1000)
    assert content.count(count) >= 1
    file.write_bytes(content.replace(count, b"J" + struct.pack("<i", 2**31 - 1)))
    with pytest.raises(InputError, match="damaged") as error:
        read_pickled(file)
    assert "more elements than the file has" in error.value.metadata["detail"]


def test_a_tensor_cannot_reach_beyond_its_storage(tmp_path: Path) -> None:
    value = torch.arange(6.0)
    file = saved(tmp_path / "x.bin", value, zipped=False)
    content = file.read_bytes()
    size = b"K\x00K\x06\x85"
    assert content.count(size) == 1
    file.write_bytes(content.replace(size, b"K\x01K\x06\x85"))
    with pytest.raises(InputError, match="damaged"):
        read_pickled(file)


def test_an_absent_file_is_one_sentence(tmp_path: Path) -> None:
    for read in (read_pickled, read_arrays):
        with pytest.raises(InputError, match=r"There is no file .*nothing.bin; check its name"):
            read(tmp_path / "nothing.bin")


def test_data_sets_hold_dictionaries_of_arrays(tmp_path: Path) -> None:
    positions = {"S1": {"Walking 1": np.random.default_rng(0).normal(size=(5, 32, 3)).astype("f4")}}
    metadata = {
        "layout_name": "h36m",
        "num_joints": 17,
        "keypoints_symmetry": [[4, 5], [1, 2]],
        "x": np.float32(2),
    }
    plain = np.asfortranarray(np.arange(12, dtype="<i8").reshape(3, 4))
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "d.npz", positions_3d=positions, metadata=metadata, plain=plain, kpts=np.zeros(0))
        found = read_arrays(tmp_path / "d.npz")
        np.testing.assert_array_equal(found["positions_3d"]["S1"]["Walking 1"], positions["S1"]["Walking 1"])
        assert found["metadata"] == metadata
        np.testing.assert_array_equal(found["plain"], plain)
        assert found["kpts"].shape == (0,)


def test_detections_hold_arrays_of_lists(tmp_path: Path) -> None:
    boxes = np.empty(2, dtype=object)
    boxes[0] = [[], np.ones((1, 5), dtype="f4")]
    boxes[1] = [[], []]
    np.savez(tmp_path / "clip.npz", boxes=boxes)
    found = read_arrays(tmp_path / "clip.npz")["boxes"]
    assert found.shape == (2,)
    np.testing.assert_array_equal(found[0][1], boxes[0][1])


def test_data_sets_with_code_or_cut_short(tmp_path: Path) -> None:
    np.savez(tmp_path / "d.npz", positions_3d={"S1": Command(tmp_path / "was_run")})
    with pytest.raises(InputError, match=r"d.npz contains code") as error:
        read_arrays(tmp_path / "d.npz")
    assert error.value.reason == "DATASET_HOLDS_CODE"
    assert not (tmp_path / "was_run").exists()
    (tmp_path / "cut.npz").write_bytes((tmp_path / "d.npz").read_bytes()[:-40])
    with pytest.raises(InputError, match=r"cut.npz is damaged, cut short or not an .npz file") as error:
        read_arrays(tmp_path / "cut.npz")
    assert error.value.reason == "DATASET_DAMAGED"
    buffer = io.BytesIO()
    np.save(buffer, np.zeros(3))
    (tmp_path / "bare.npy").write_bytes(buffer.getvalue())
    with pytest.raises(InputError, match=r"not an .npz file"):
        read_arrays(tmp_path / "bare.npy")
