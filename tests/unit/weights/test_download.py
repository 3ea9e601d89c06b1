from __future__ import annotations

import errno
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from file_server import FileServer
from pose_server.weights import download as module
from pose_server.weights.download import download
from pose_shared.errors import DataLossError, LimitError, NotFoundError, PoseError, UnavailableError

MEGA = 1 << 20


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_PAUSE_S", 0.0)


def fetched(served: FileServer, place: Path, **options: Any) -> list[tuple[int, int]]:
    seen: list[tuple[int, int]] = []
    download(f"{served.address}/a.zip", place, on_bytes=lambda *now: seen.append(now), **options)
    return seen


def left(place: Path) -> set[str]:
    return {path.name for path in place.parent.iterdir()}


def test_a_file_arrives_whole_and_leaves_nothing_beside_it(served: FileServer, tmp_path: Path) -> None:
    seen = fetched(served, tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == served.content
    assert left(tmp_path / "a.zip") == {"a.zip"}
    assert seen[-1] == (len(served.content), len(served.content))
    assert sorted(seen) == seen
    assert len(seen) > 3


def test_what_was_cut_goes_on_where_it_stopped(served: FileServer, tmp_path: Path) -> None:
    served.cut_after = [MEGA, MEGA // 2]
    fetched(served, tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == served.content
    assert [request.get("range") for request in served.requests] == [
        None,
        f"bytes={MEGA}-",
        f"bytes={MEGA + MEGA // 2}-",
    ]
    assert served.requests[1]["if-range"] == '"one"'


def test_a_server_may_send_less_than_the_rest(served: FileServer, tmp_path: Path) -> None:
    served.cut_after, served.piece = [MEGA], MEGA // 2
    fetched(served, tmp_path / "a.zip")
    assert len(served.requests) == 3
    assert (tmp_path / "a.zip").read_bytes() == served.content


def test_a_later_run_goes_on_too(served: FileServer, tmp_path: Path) -> None:
    class Stopped(Exception): ...

    def stop(arrived: int, total: int) -> None:
        if arrived > MEGA:
            raise Stopped

    with pytest.raises(Stopped):
        download(f"{served.address}/a.zip", tmp_path / "a.zip", on_bytes=stop)
    assert left(tmp_path / "a.zip") == {"a.zip.part", "a.zip.part.tag"}
    here = (tmp_path / "a.zip.part").stat().st_size
    assert here > MEGA
    seen = fetched(served, tmp_path / "a.zip")
    assert served.requests[1]["range"] == f"bytes={here}-"
    assert min(arrived for arrived, _ in seen) > here
    assert (tmp_path / "a.zip").read_bytes() == served.content


@pytest.mark.parametrize("how", ["another tag", "no ranges", "weak tag", "no tag"])
def test_another_version_begins_anew(served: FileServer, tmp_path: Path, how: str) -> None:
    (tmp_path / "a.zip.part").write_bytes(b"\xff" * MEGA)
    (tmp_path / "a.zip.part.tag").write_text({"no tag": "", "weak tag": ""}.get(how, '"one"'))
    served.tag = {"another tag": '"two"', "weak tag": 'W/"one"'}.get(how, '"one"')
    served.knows_ranges = how != "no ranges"
    fetched(served, tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == served.content


def test_a_weak_tag_is_not_gone_on_with(served: FileServer, tmp_path: Path) -> None:
    served.tag, served.cut_after = 'W/"one"', [MEGA]
    fetched(served, tmp_path / "a.zip")
    assert [request.get("range") for request in served.requests] == [None, None]
    assert (tmp_path / "a.zip").read_bytes() == served.content


def test_a_date_serves_where_there_is_no_tag(served: FileServer, tmp_path: Path) -> None:
    served.tag, served.date, served.cut_after = None, "Thu, 04 May 2023 08:00:00 GMT", [MEGA]
    fetched(served, tmp_path / "a.zip")
    assert served.requests[1]["if-range"] == served.date
    assert (tmp_path / "a.zip").read_bytes() == served.content


def test_a_part_longer_than_the_file_begins_anew(served: FileServer, tmp_path: Path) -> None:
    (tmp_path / "a.zip.part").write_bytes(bytes(len(served.content) + 1))
    (tmp_path / "a.zip.part.tag").write_text('"one"')
    fetched(served, tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == served.content


def test_a_line_that_is_always_cut_is_given_up_and_kept(served: FileServer, tmp_path: Path) -> None:
    served.cut_after = [MEGA, 0, 0, 0, 0]
    with pytest.raises(UnavailableError, match="goes on where it stopped") as caught:
        fetched(served, tmp_path / "a.zip")
    assert caught.value.reason == "ADDRESS_UNREACHABLE"
    assert (tmp_path / "a.zip.part").stat().st_size == MEGA
    served.cut_after = []
    fetched(served, tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == served.content


def test_a_server_that_falls_silent_is_asked_again(served: FileServer, tmp_path: Path) -> None:
    served.pause_s, served.pause_after = 1.0, MEGA
    fetched(served, tmp_path / "a.zip", silence_s=0.1)
    assert [request.get("range") for request in served.requests[:2]] == [None, f"bytes={MEGA}-"]
    assert (tmp_path / "a.zip").read_bytes() == served.content


@pytest.mark.parametrize("status", [404, 410])
def test_a_file_that_is_gone_is_not_asked_for_twice(served: FileServer, tmp_path: Path, status: int) -> None:
    served.status = status
    with pytest.raises(NotFoundError, match="not there any more") as caught:
        fetched(served, tmp_path / "a.zip")
    assert caught.value.reason == "ADDRESS_GONE"
    assert len(served.requests) == 1


def test_a_server_in_trouble_is_asked_three_times(served: FileServer, tmp_path: Path) -> None:
    served.status = 503
    with pytest.raises(UnavailableError, match="status 503"):
        fetched(served, tmp_path / "a.zip")
    assert len(served.requests) == 3


@pytest.mark.parametrize("status", [404, 403, 503])
def test_no_answer_that_is_not_the_file_costs_what_has_arrived(
    served: FileServer, tmp_path: Path, status: int
) -> None:
    (tmp_path / "a.zip.part").write_bytes(served.content[:MEGA])
    (tmp_path / "a.zip.part.tag").write_text('"one"')
    served.status = status
    with pytest.raises(PoseError):
        fetched(served, tmp_path / "a.zip")
    served.status = None
    assert min(arrived for arrived, _ in fetched(served, tmp_path / "a.zip")) > MEGA
    assert (tmp_path / "a.zip").read_bytes() == served.content


def test_a_forbidden_file_is_not(served: FileServer, tmp_path: Path) -> None:
    served.status = 403
    with pytest.raises(DataLossError, match="status 403") as caught:
        fetched(served, tmp_path / "a.zip")
    assert caught.value.reason == "ADDRESS_WRONG"


def test_nobody_at_the_address_is_one_sentence(served: FileServer, tmp_path: Path) -> None:
    served.close()
    with pytest.raises(UnavailableError, match="no connection to the server"):
        fetched(served, tmp_path / "a.zip")


def test_a_redirection_is_followed(served: FileServer, tmp_path: Path) -> None:
    served.redirect = f"{served.address}/moved/a.zip"
    fetched(served, tmp_path / "a.zip")
    assert (tmp_path / "a.zip").read_bytes() == served.content


def test_no_redirection_leads_out_of_https(
    served: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import requests

    real = requests.get
    monkeypatch.setattr(requests, "get", lambda address, **how: real(f"{served.address}/a", **how))
    with pytest.raises(DataLossError, match="anybody on the way can change"):
        download("https://studio.example/a.zip", tmp_path / "a.zip", on_bytes=lambda *_: None)
    assert left(tmp_path / "a.zip") == set()


def test_an_unknown_length_is_taken_as_it_comes(served: FileServer, tmp_path: Path) -> None:
    served.says_length = False
    seen = fetched(served, tmp_path / "a.zip")
    assert seen[-1] == (len(served.content), 0)
    assert (tmp_path / "a.zip").read_bytes() == served.content


def test_a_server_that_never_ends_is_not_believed(
    served: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served.says_length = False
    monkeypatch.setattr(module, "_MOST_BYTES", MEGA)
    with pytest.raises(DataLossError, match="more than there is"):
        fetched(served, tmp_path / "a.zip")


def test_a_disk_without_room_is_found_before_it_is_full(
    served: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Usage(NamedTuple):
        total: int = 10 * MEGA
        used: int = 9 * MEGA
        free: int = MEGA

    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage())
    with pytest.raises(LimitError, match="2 MB are needed, and 1 MB are free") as caught:
        fetched(served, tmp_path / "a.zip")
    assert caught.value.reason == "DISK_FULL"


def test_a_disk_that_fills_up_keeps_what_arrived(served: FileServer, tmp_path: Path) -> None:
    def fill(arrived: int, total: int) -> None:
        if arrived > MEGA:
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(LimitError, match="goes on where it stopped"):
        download(f"{served.address}/a.zip", tmp_path / "a.zip", on_bytes=fill)
    assert (tmp_path / "a.zip.part").stat().st_size > MEGA


def test_a_proxy_is_used(served: FileServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", served.address)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    download("http://weights.example/a.zip", tmp_path / "a.zip", on_bytes=lambda *_: None)
    assert served.requests[0]["path"] == "http://weights.example/a.zip"
    assert (tmp_path / "a.zip").read_bytes() == served.content
