"""Decoding in a thread of its own, a few batches ahead of whoever looks at them.

Rules of the thread: it alone touches the iterator it was given; everything it has to say, batches,
the end and errors, goes through one bounded queue; it looks at `stop` before each batch; and the
queue's last item is always the end, so that whoever leaves early empties the queue up to it and then
joins the thread without waiting for any clock.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from queue import Queue
from threading import Event, Thread
from typing import TypeVar

__all__ = ["prefetch"]

_Item = TypeVar("_Item")


class _End:
    """What the queue closes with."""

    def __init__(self, error: BaseException | None) -> None:
        self.error = error


@contextmanager
def prefetch(batches: Iterator[_Item], depth: int = 2) -> Generator[Iterator[_Item], None, None]:
    """Run an iterator in a background thread, at most `depth` items ahead.

    An error in it is raised where its next item would have come.  Leaving the block, in whatever
    way, stops the thread after the item in work, closes the iterator and joins the thread.

    Parameters
    ----------
    batches
        Is used by the thread alone from now on; a generator is closed by it.
    depth
        How many finished items may wait; one more is in work.

    Examples
    --------
    >>> with prefetch(iter([1, 2, 3]), depth=1) as ahead:
    ...     list(ahead)
    [1, 2, 3]
    """
    ready: Queue[_Item | _End] = Queue(maxsize=depth)
    stop = Event()

    def work() -> None:
        error: BaseException | None = None
        try:
            try:
                for item in batches:
                    ready.put(item)
                    if stop.is_set():
                        break
            finally:
                if isinstance(batches, Generator):
                    batches.close()
        except BaseException as raised:  # the consumer is to get it, whatever it is
            error = raised
        ready.put(_End(error))

    thread = Thread(target=work, name="prefetch", daemon=True)
    thread.start()
    end: _End | None = None

    def items() -> Generator[_Item, None, None]:
        nonlocal end
        while end is None:
            item = ready.get()
            if isinstance(item, _End):
                end = item
                if item.error is not None:
                    raise item.error
            else:
                yield item

    try:
        yield items()
    finally:
        stop.set()
        while end is None:
            item = ready.get()
            end = item if isinstance(item, _End) else None
        thread.join()
