from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from file_server import FileServer
from filelock import FileLock
from pose_server.weights.fetch import fetch_weights
from pose_server.weights.registry import WEIGHTS, Licence, Weights
from pose_server.weights.store import WeightsStore
from pose_server.weights.sums import read_sums
from pose_shared.errors import ConflictError, DataLossError, InputError, NotFoundError, UnavailableError

NETWORK = b"a network " * 1000
SHA256 = hashlib.sha256(NETWORK).hexdigest()


@pytest.fixture
def weights(served: FileServer) -> Weights:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as content:
        content.writestr("2023/some/end2end.onnx", NETWORK)
    served.content = packed.getvalue()
    return Weights(
        name="small",
        file="small.onnx",
        what="a test",
        used_by="nobody",
        licence=Licence("MIT", "https://licence.example", commercial=True),
        address=f"{served.address}/some/archive.zip",
        member="end2end.onnx",
        sha256=SHA256,
    )


@pytest.fixture
def store(tmp_path: Path) -> WeightsStore:
    return WeightsStore(tmp_path / "data" / "weights")


def fetched(store: WeightsStore, weights: Weights) -> str:
    return fetch_weights(store, weights, on_bytes=lambda *_: None).known_from


def files(store: WeightsStore) -> set[str]:
    return {path.name for path in store.folder.iterdir()} - {".lock"}


def test_a_file_is_unpacked_checked_and_noted(store: WeightsStore, weights: Weights) -> None:
    assert fetched(store, weights) == "published"
    assert (store.folder / "small.onnx").read_bytes() == NETWORK
    assert files(store) == {"small.onnx", "SHA256SUMS"}
    assert (store.folder / "SHA256SUMS").read_text() == f"{SHA256}  small.onnx\n"


def test_what_is_here_is_not_fetched_again(store: WeightsStore, weights: Weights, served: FileServer) -> None:
    fetched(store, weights)
    assert fetched(store, weights) == "published"
    assert len(served.requests) == 1


def test_what_is_here_and_damaged_is(store: WeightsStore, weights: Weights, served: FileServer) -> None:
    fetched(store, weights)
    (store.folder / "small.onnx").write_bytes(b"rot")
    fetched(store, weights)
    assert len(served.requests) == 2
    assert (store.folder / "small.onnx").read_bytes() == NETWORK


def test_a_wrong_file_is_removed_and_never_used(
    store: WeightsStore, weights: Weights, served: FileServer
) -> None:
    with pytest.raises(
        DataLossError, match=r"not the file that its authors published.*it was removed"
    ) as caught:
        fetched(store, replace(weights, sha256="0" * 64))
    assert caught.value.reason == "WEIGHTS_CHANGED"
    assert files(store) == set()


def test_an_unpublished_digest_is_trusted_on_first_use_and_then_kept(
    store: WeightsStore, weights: Weights, served: FileServer
) -> None:
    weights = replace(weights, sha256=None)
    assert fetched(store, weights) == "now"
    assert read_sums(store.folder) == {"small.onnx": SHA256}
    assert store.check(weights).known_from == "first use"
    (store.folder / "small.onnx").write_bytes(b"somebody else's")
    with pytest.raises(DataLossError, match="not the file that was here first"):
        store.check(weights)
    # The same file again is fine, and another one under the same address is not.
    assert fetched(store, weights) == "first use"
    (store.folder / "small.onnx").unlink()
    served.content = served.content.replace(b"a network", b"A NETWORK")
    with pytest.raises(DataLossError):
        fetched(store, weights)
    assert files(store) == {"SHA256SUMS"}


def test_the_md5_in_a_name_is_held_against_the_file(store: WeightsStore, weights: Weights) -> None:
    right = hashlib.md5(NETWORK).hexdigest()[:6]
    with pytest.raises(DataLossError):
        fetched(store, replace(weights, sha256=None, md5_prefix="0" * 6))
    assert files(store) == set()
    assert fetched(store, replace(weights, sha256=None, md5_prefix=right)) == "now"


def test_a_plain_file_needs_no_archive(store: WeightsStore, weights: Weights, served: FileServer) -> None:
    served.content = NETWORK
    fetched(store, replace(weights, member=None, address=f"{served.address}/model_final.pkl"))
    assert (store.folder / "small.onnx").read_bytes() == NETWORK
    assert files(store) == {"small.onnx", "SHA256SUMS"}


def test_without_a_network_it_says_how_to_do_it_by_hand(
    store: WeightsStore, weights: Weights, served: FileServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pose_server.weights.download._PAUSE_S", 0.0)
    by_hand = f"By hand: save end2end.onnx of {weights.address} as {store.folder / 'small.onnx'}."
    served.status = 404
    with pytest.raises(NotFoundError) as caught:
        fetched(store, weights)
    assert by_hand in caught.value.message
    served.close()
    with pytest.raises(UnavailableError) as unreachable:
        fetched(store, weights)
    assert by_hand in unreachable.value.message
    (store.folder / "small.onnx").write_bytes(NETWORK)
    assert fetched(store, weights) == "published"


def test_two_at_once_do_not_mix(store: WeightsStore, weights: Weights) -> None:
    store.folder.mkdir(parents=True)
    with FileLock(store.folder / ".lock"), pytest.raises(ConflictError, match="wait until it is done"):
        fetched(store, weights)
    assert fetched(store, weights) == "published"


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path: Path, weights: Weights) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="set POSE_DATA_DIR") as caught:
        fetched(WeightsStore(tmp_path / "file" / "weights"), weights)
    assert caught.value.reason == "WEIGHTS_DIR_NOT_WRITABLE"


def test_a_mirror_comes_first_and_is_never_written(
    tmp_path: Path, weights: Weights, served: FileServer
) -> None:
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    (mirror / "small.onnx").write_bytes(NETWORK)
    (mirror / "SHA256SUMS").write_text(f"{SHA256} *./small.onnx\n\n")
    store = WeightsStore(tmp_path / "own", mirror)
    mirror.chmod(0o555)
    assert fetched(store, weights) == "published"
    assert fetched(store, replace(weights, sha256=None)) == "mirror"
    assert served.requests == []
    assert not store.folder.exists()
    assert store.find(weights) == mirror / "small.onnx"


def test_a_mirror_whose_file_is_not_what_it_tells_is_refused(
    tmp_path: Path, weights: Weights, served: FileServer
) -> None:
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    (mirror / "small.onnx").write_bytes(NETWORK)
    (mirror / "SHA256SUMS").write_text(f"{'1' * 64}  small.onnx\n")
    store = WeightsStore(tmp_path / "own", mirror)
    with pytest.raises(DataLossError, match="not what SHA256SUMS beside it tells"):
        fetched(store, weights)
    assert served.requests == []


def test_a_mirror_without_digests_is_trusted_on_first_use(tmp_path: Path, weights: Weights) -> None:
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    (mirror / "small.onnx").write_bytes(NETWORK)
    store, unknown = WeightsStore(tmp_path / "own", mirror), replace(weights, sha256=None)
    assert store.check(unknown).known_from == "now"
    assert store.check(unknown).known_from == "first use"
    (mirror / "small.onnx").write_bytes(b"another")
    with pytest.raises(DataLossError, match="was here first"):
        store.check(unknown)
    (mirror / "SHA256SUMS").write_text(f"{hashlib.sha256(b'another').hexdigest()}  small.onnx\n")
    assert store.check(unknown).known_from == "mirror"


def test_first_use_needs_a_place_to_be_noted(tmp_path: Path, weights: Weights) -> None:
    mirror = tmp_path / "mirror"
    mirror.mkdir()
    (mirror / "small.onnx").write_bytes(NETWORK)
    (tmp_path / "file").write_text("")
    store = WeightsStore(tmp_path / "file" / "own", mirror)
    with pytest.raises(InputError, match="set POSE_DATA_DIR"):
        store.check(replace(weights, sha256=None))
    assert store.check(weights).known_from == "published"


def test_a_file_that_cannot_be_read_is_one_sentence(
    tmp_path: Path, weights: Weights, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path) -> str:
        raise PermissionError(13, "Permission denied", str(path))

    (tmp_path / "small.onnx").write_bytes(NETWORK)
    monkeypatch.setattr("pose_server.weights.store.file_sha256", refuse)
    with pytest.raises(InputError, match=r"cannot be read \(Permission denied\)") as caught:
        WeightsStore(tmp_path / "own", tmp_path).check(weights)
    assert caught.value.reason == "WEIGHTS_UNREADABLE"


def test_a_broken_list_of_digests_is_refused_by_line(tmp_path: Path, weights: Weights) -> None:
    (tmp_path / "small.onnx").write_bytes(NETWORK)
    (tmp_path / "SHA256SUMS").write_text(f"{SHA256}  small.onnx\nnonsense\n")
    with pytest.raises(InputError, match="Line 2"):
        WeightsStore(tmp_path / "own", tmp_path).check(weights)


def test_what_is_missing_is_named_in_one_command(store: WeightsStore) -> None:
    with pytest.raises(NotFoundError, match="'pose-server models fetch yolox-m rtmpose-body17-m'") as caught:
        store.require(WEIGHTS["yolox-m"], WEIGHTS["rtmpose-body17-m"])
    assert caught.value.reason == "WEIGHTS_MISSING"


def test_the_registry_holds_together() -> None:
    assert len({weights.file for weights in WEIGHTS.values()}) == len(WEIGHTS)
    for name, weights in WEIGHTS.items():
        assert weights.name == name
        assert weights.address.startswith("https://")
        assert weights.licence.address.startswith("https://")
        assert Path(weights.file).name == weights.file
        assert (weights.member is not None) == weights.address.endswith(".zip")
        assert weights.sha256 is None or len(bytes.fromhex(weights.sha256)) == 32
        assert weights.md5_prefix is None or weights.md5_prefix in weights.address
    assert not WEIGHTS["videopose3d-coco"].licence.commercial
