"""Several clips in one call."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pose_server.cli.batch import import_each
from pose_shared.errors import InputError, JobCancelledError, LimitError, PoseError

OUT = Path("out")


def works(place: Path) -> dict[str, Any]:
    return {"place": place}


def fails(error: PoseError) -> Callable[[Path], dict[str, Any]]:
    def run(place: Path) -> dict[str, Any]:
        raise error

    return run


def test_one_clip_has_the_folder_itself_and_several_one_each() -> None:
    assert import_each([("a", works)], OUT) == [{"place": OUT}]
    assert import_each([("a", works), ("b", works)], OUT) == [{"place": OUT / "a"}, {"place": OUT / "b"}]
    error = InputError("No.", reason="X")
    with pytest.raises(InputError) as raised:
        import_each([("a", fails(error))], OUT)
    assert raised.value is error


def test_those_that_fail_stop_no_other_and_are_named() -> None:
    done: list[Path] = []

    def notes(place: Path) -> dict[str, Any]:
        done.append(place)
        return {}

    first = LimitError("It is large.", reason="TOO_LARGE", path="b")
    clips = [("a", notes), ("b", fails(first)), ("c", fails(InputError("No."))), ("d", notes)]
    with pytest.raises(LimitError) as raised:
        import_each(clips, OUT)
    assert done == [OUT / "a", OUT / "d"]
    error = raised.value
    assert error.message == "2 of 4 clips were imported, but not 'b', 'c': It is large."
    assert (error.reason, error.metadata) == ("TOO_LARGE", {"path": "b", "clips": "4", "failed": "2"})
    many = [("a", notes), *((f"{n}", fails(first)) for n in range(9))]
    with pytest.raises(LimitError, match=r"1 of 10 clips were imported, but not '0', .*'4' and 4 more: It"):
        import_each(many, OUT)


def test_whoever_cancels_means_all() -> None:
    done: list[Path] = []

    def notes(place: Path) -> dict[str, Any]:
        done.append(place)
        return {}

    with pytest.raises(JobCancelledError):
        import_each([("a", fails(JobCancelledError("Cancelled."))), ("b", notes)], OUT)
    assert done == []
