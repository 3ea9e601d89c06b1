"""The thread that decodes ahead: bounded, honest about errors, and gone when it is not needed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from pose_server.video.open import open_clip
from pose_server.video.prefetch import prefetch
from pose_shared.errors import MediaError


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    before = set(threading.enumerate())
    yield
    assert set(threading.enumerate()) <= before


def test_all_items_come_in_order() -> None:
    with prefetch(iter(range(1000)), 3) as ahead:
        assert list(ahead) == list(range(1000))
        assert list(ahead) == []


def test_the_work_is_done_in_another_thread_and_at_most_so_far_ahead() -> None:
    made: list[int] = []
    threads = set()

    def numbers() -> Iterator[int]:
        for number in range(50):
            threads.add(threading.current_thread())
            made.append(number)
            yield number

    with prefetch(numbers(), 4) as ahead:
        for number in ahead:
            # Taken, waiting in the queue, and one that waits for a place there.
            assert len(made) <= number + 1 + 4 + 1
    assert threads and threading.current_thread() not in threads


def test_it_does_work_ahead() -> None:
    reached = threading.Event()

    def numbers() -> Iterator[int]:
        yield 0
        yield 1
        reached.set()
        yield 2

    with prefetch(numbers(), 4) as ahead:
        assert next(ahead) == 0
        assert reached.wait(5)


def test_an_error_comes_where_its_item_would_have_come() -> None:
    def numbers() -> Iterator[int]:
        yield 0
        yield 1
        raise MediaError("The film ends here.", reason="MEDIA_TRUNCATED")

    given = []
    with pytest.raises(MediaError, match="ends here"), prefetch(numbers(), 2) as ahead:
        for number in ahead:
            given.append(number)  # noqa: PERF402 - what came before the error must be kept
    assert given == [0, 1]


@pytest.mark.parametrize("taken", [0, 1, 7])
@pytest.mark.parametrize("depth", [1, 4])
def test_leaving_early_stops_the_thread_and_closes_the_iterator(taken, depth) -> None:
    closed_in: list[threading.Thread] = []
    made: list[int] = []

    def endless() -> Iterator[int]:
        try:
            while True:
                made.append(len(made))
                yield made[-1]
        finally:
            closed_in.append(threading.current_thread())

    with prefetch(endless(), depth) as ahead:
        for _ in range(taken):
            next(ahead)
    assert len(closed_in) == 1 and closed_in[0] is not threading.current_thread()
    assert len(made) <= taken + 2 * depth + 2


def test_an_error_in_the_block_is_not_hidden_by_one_in_the_thread() -> None:
    def failing() -> Iterator[int]:
        yield 0
        raise MediaError("second")

    with pytest.raises(KeyError, match="first"), prefetch(failing(), 2) as ahead:
        next(ahead)
        raise KeyError("first")


def test_leaving_waits_for_no_clock() -> None:
    begin = time.monotonic()
    for _ in range(200):
        with prefetch(iter(range(100)), 2) as ahead:
            next(ahead)
    assert time.monotonic() - begin < 4


def test_a_film_is_closed_when_its_consumer_leaves(make_film) -> None:
    source = open_clip(make_film(frames=60))
    for _ in range(20):
        with prefetch(source.batches(4), 2) as ahead:
            assert next(ahead).indices.tolist() == [0, 1, 2, 3]
    with prefetch(source.batches(4), 2) as ahead:
        assert sum(len(batch) for batch in ahead) == 60
