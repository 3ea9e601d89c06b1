from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from pose_server.cache.media import ABANDONED_S, Media, MediaFile, MediaStore
from pose_shared.errors import ConflictError, DataLossError, InputError, LimitError, MediaError, NotFoundError

DATA = b"0123456789" * 100
SHA = hashlib.sha256(DATA).hexdigest()


@pytest.fixture
def store(tmp_path: Path) -> MediaStore:
    return MediaStore(tmp_path / "uploads", media_roots=[tmp_path / "films"])


@pytest.fixture
def films(tmp_path: Path) -> Path:
    folder = tmp_path / "films"
    folder.mkdir()
    return folder


def send(store: MediaStore, data: bytes = DATA) -> str:
    digest = hashlib.sha256(data).hexdigest()
    store.create(digest, len(data))
    assert store.append(digest, 0, data).complete
    return digest


def test_a_file_arrives_in_pieces_across_a_restart(store: MediaStore, tmp_path: Path) -> None:
    assert store.create(SHA, 1000).received_bytes == 0
    assert store.append(SHA, 0, DATA[:400]).received_bytes == 400
    again = MediaStore(tmp_path / "uploads")
    assert again.create(SHA, 1000).received_bytes == 400
    assert again.get(SHA).complete is False
    assert again.append(SHA, 400, DATA[400:]).complete
    assert (tmp_path / "uploads" / SHA).read_bytes() == DATA
    assert again.create(SHA, 1000).complete
    assert again.append(SHA, 5, b"more").complete
    assert (tmp_path / "uploads" / SHA).read_bytes() == DATA


def test_a_gap_or_an_overlap_is_refused_with_the_right_place(store: MediaStore) -> None:
    store.create(SHA, 1000)
    store.append(SHA, 0, DATA[:400])
    for offset in (0, 399, 401):
        with pytest.raises(ConflictError) as caught:
            store.append(SHA, offset, b"x")
        assert caught.value.reason == "UPLOAD_OFFSET"
        assert caught.value.metadata["received"] == "400"


def test_too_many_bytes_are_refused(store: MediaStore) -> None:
    store.create(SHA, 1000)
    with pytest.raises(InputError) as caught:
        store.append(SHA, 0, DATA + b"x")
    assert caught.value.reason == "UPLOAD_TOO_LONG"


def test_a_wrong_checksum_removes_the_upload(store: MediaStore, tmp_path: Path) -> None:
    store.create(SHA, 1000)
    with pytest.raises(DataLossError):
        store.append(SHA, 0, DATA[::-1])
    assert [path.name for path in (tmp_path / "uploads").rglob("*")] == ["partial"]
    with pytest.raises(NotFoundError):
        store.get(SHA)


def test_one_checksum_has_one_size(store: MediaStore) -> None:
    store.create(SHA, 1000)
    with pytest.raises(ConflictError):
        store.create(SHA, 999)
    store.append(SHA, 0, DATA)
    with pytest.raises(ConflictError):
        store.create(SHA, 1001)


@pytest.mark.parametrize(
    "sha256", ["", "abc", "../../etc/passwd", "G" * 64, SHA.upper(), SHA + "0", SHA + "\n"]
)
def test_a_checksum_is_64_digits(store: MediaStore, sha256: str) -> None:
    for call in (store.get, lambda sha: store.create(sha, 5), lambda sha: store.append(sha, 0, b"x")):
        with pytest.raises(InputError) as caught:
            call(sha256)
        assert caught.value.reason == "CHECKSUM_INVALID"


@pytest.mark.parametrize("size", [0, -1])
def test_an_empty_file_is_refused(store: MediaStore, size: int) -> None:
    with pytest.raises(InputError):
        store.create(SHA, size)


def test_the_reserve_of_the_disk_is_kept(tmp_path: Path) -> None:
    free = 1500
    store = MediaStore(tmp_path, disk_reserve_bytes=600, free_bytes=lambda folder: free)
    with pytest.raises(LimitError) as caught:
        store.create(SHA, 1000)
    assert caught.value.reason == "DISK_FULL"
    free = 1600
    store.create(SHA, 1000)
    free = 700
    store.append(SHA, 0, DATA[:100])
    free = 600
    with pytest.raises(LimitError):
        store.append(SHA, 100, DATA[100:])
    free = 10_000
    assert store.append(SHA, 100, DATA[100:]).complete


def test_abandoned_uploads_are_collected(store: MediaStore, tmp_path: Path) -> None:
    send(store)
    old, fresh = (hashlib.sha256(text).hexdigest() for text in (b"old", b"fresh"))
    for digest in (old, fresh):
        store.create(digest, 10)
    part = next((tmp_path / "uploads" / "partial").glob(f"{old}*"))
    long_ago = part.stat().st_mtime - ABANDONED_S - 1
    for path in (part, tmp_path / "uploads" / SHA):
        os.utime(path, (long_ago, long_ago))
    assert store.collect_abandoned() == 1
    assert store.get(SHA).complete
    assert store.get(fresh)
    with pytest.raises(NotFoundError):
        store.get(old)


def test_a_film_is_placed_under_its_name(store: MediaStore, tmp_path: Path) -> None:
    digest = send(store)
    clip = store.place(Media("Jump #3.mp4", (MediaFile(digest, "Jump #3.mp4"),)), tmp_path / "job")
    assert clip == tmp_path / "job" / "Jump #3.mp4"
    assert clip.read_bytes() == DATA
    assert clip.stat().st_ino == (tmp_path / "uploads" / digest).stat().st_ino


def test_a_disk_without_links_gets_copies(
    store: MediaStore, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(self: Path, target: Path) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    clip = store.place(Media("a.mp4", (MediaFile(send(store), "a.mp4"),)), tmp_path / "job")
    assert clip.read_bytes() == DATA


def test_a_sequence_is_placed_under_its_pattern(store: MediaStore, tmp_path: Path) -> None:
    files = tuple(MediaFile(send(store, bytes([i]) * 10), f"shot.{i:04d}.png") for i in (1, 2))
    clip = store.place(Media("shot.%04d.png", files), tmp_path / "job")
    assert clip == tmp_path / "job" / "shot.%04d.png"
    assert sorted(path.name for path in clip.parent.iterdir()) == ["shot.0001.png", "shot.0002.png"]


def test_media_must_have_arrived(store: MediaStore, tmp_path: Path) -> None:
    media = Media("a.mp4", (MediaFile(SHA, "a.mp4"),))
    with pytest.raises(NotFoundError):
        store.place(media, tmp_path / "job")
    store.create(SHA, 1000)
    with pytest.raises(ConflictError) as caught:
        store.check(media)
    assert caught.value.reason == "UPLOAD_INCOMPLETE"


@pytest.mark.parametrize(
    "name", ["", ".", "..", "../a.mp4", "/etc/passwd", "a/b.mp4", "a\\b.mp4", "a\0b", "x" * 300]
)
def test_names_are_bare(name: str) -> None:
    with pytest.raises(InputError) as caught:
        MediaFile(SHA, name)
    assert caught.value.reason == "FILE_NAME_INVALID"
    with pytest.raises(InputError):
        Media(name, (MediaFile(SHA, "a.mp4"),))


def test_media_names_one_clip() -> None:
    file = MediaFile(SHA, "a.mp4")
    for media in (
        {"display_name": "a.mp4"},
        {"display_name": "a.mp4", "files": (file,), "path": "/a.mp4"},
        {"display_name": "a.%d.png", "files": (file, file)},
    ):
        with pytest.raises(InputError):
            Media(**media)


def test_a_path_below_a_root_is_read_where_it_is(store: MediaStore, films: Path, tmp_path: Path) -> None:
    (films / "a.mp4").write_bytes(DATA)
    (films / "sub").mkdir()
    (films / "sub" / "link.mp4").symlink_to(films / "a.mp4")
    for path in (films / "a.mp4", films / "sub" / "link.mp4", films / "sub" / ".." / "a.mp4"):
        clip = store.place(Media("", path=str(path)), tmp_path / "job")
        assert clip == (films / "a.mp4").resolve()
    assert not (tmp_path / "job").exists()


def test_a_path_outside_the_roots_is_refused(store: MediaStore, films: Path, tmp_path: Path) -> None:
    outside = tmp_path / "secret.mp4"
    outside.write_bytes(DATA)
    (films / "link.mp4").symlink_to(outside)
    (films / "folder").symlink_to(tmp_path)
    for path in (
        str(outside),
        str(films / ".." / "secret.mp4"),
        str(films / "link.mp4"),
        str(films / "folder" / "secret.mp4"),
        "a.mp4",
        str(tmp_path / "films2" / "a.mp4"),
    ):
        with pytest.raises(InputError) as caught:
            store.place(Media("", path=path), tmp_path / "job")
        assert caught.value.reason == "MEDIA_ROOT_REFUSED"


def test_a_path_that_is_not_there_is_said(store: MediaStore, films: Path) -> None:
    for name in ("none.mp4", "none.%04d.png", "."):
        with pytest.raises(MediaError):
            store.check(Media("", path=str(films / name)))


def test_pictures_of_a_sequence_may_not_be_links_out(store: MediaStore, films: Path, tmp_path: Path) -> None:
    (films / "s.1.png").write_bytes(DATA)
    clip = store.place(Media("", path=str(films / "s.%d.png")), tmp_path / "job")
    assert clip == films.resolve() / "s.%d.png"
    (tmp_path / "secret").write_bytes(DATA)
    (films / "s.2.png").symlink_to(tmp_path / "secret")
    with pytest.raises(InputError) as caught:
        store.check(Media("", path=str(films / "s.%d.png")))
    assert caught.value.reason == "MEDIA_ROOT_REFUSED"
