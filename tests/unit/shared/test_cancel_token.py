from __future__ import annotations

import threading
import time

import pytest
from pose_shared.cancel_token import CancelToken
from pose_shared.errors import JobCancelledError


def test_it_is_set_once_and_stays_set() -> None:
    token = CancelToken()
    token.check()
    token.cancel()
    token.cancel()
    assert token.cancelled
    with pytest.raises(JobCancelledError):
        token.check()


def test_it_calls_back_once_and_only_inside_the_block() -> None:
    token, calls = CancelToken(), []
    with token.calling(lambda: calls.append("gone")):
        pass
    with token.calling(lambda: calls.append("here")):
        token.cancel()
        token.cancel()
    assert calls == ["here"]
    with token.calling(lambda: calls.append("late")):
        assert calls == ["here", "late"]


def test_it_wakes_a_sleeper_at_once() -> None:
    token = CancelToken()
    threading.Timer(0.05, token.cancel).start()
    begin = time.monotonic()
    with pytest.raises(JobCancelledError):
        token.wait(10)
    assert time.monotonic() - begin < 2
    CancelToken().wait(0)
