"""The undo queue: steps of edits that can be taken back and done again.

help.autodesk.com CommandsPython/undoInfo.html: everything between openChunk and closeChunk is one step,
chunks nest, and state=False turns undo off and flushes the queue.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

Edit = tuple[Callable[[], None], Callable[[], None]]


class Step:
    """Edits that one undo takes back."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.edits: list[Edit] = []

    def undo(self) -> None:
        for back, _ in reversed(self.edits):
            back()

    def redo(self) -> None:
        for _, again in self.edits:
            again()


class UndoQueue:
    """Steps done and undone; who records is on top of a stack, and None there drops edits."""

    def __init__(self) -> None:
        self.enabled = True
        self.done: list[Step] = []
        self.undone: list[Step] = []
        self._chunk: Step | None = None
        self._depth = 0
        self._recorders: list[Step | None] = [None]

    def record(self, undo: Callable[[], None], redo: Callable[[], None]) -> None:
        """Note an edit that was just made."""
        if (step := self._recorders[-1]) is not None:
            step.edits.append((undo, redo))

    @contextmanager
    def collecting(self, name: str) -> Iterator[Step]:
        """Edits go to a step of the caller's."""
        step = Step(name)
        self._recorders.append(step)
        try:
            yield step
        finally:
            self._recorders.pop()

    @contextmanager
    def suspended(self) -> Iterator[None]:
        """Edits are not noted, as those made through the API outside a modifier."""
        self._recorders.append(None)
        try:
            yield
        finally:
            self._recorders.pop()

    @contextmanager
    def command(self, name: str) -> Iterator[Step]:
        """One command: its edits make a step, or join the open chunk; if it fails, they are taken back."""
        with self.collecting(name) as step:
            try:
                yield step
            except BaseException:
                with self.suspended():
                    step.undo()
                raise
        if not step.edits:
            return
        outer = self._recorders[-1]
        if outer is not None:
            outer.edits += step.edits
        elif self.enabled and len(self._recorders) == 1:
            self.push(step)

    def push(self, step: Step) -> None:
        self.undone.clear()
        if self._chunk is None:
            self.done.append(step)
        else:
            self._chunk.edits += step.edits

    def open_chunk(self, name: str) -> None:
        self._depth += 1
        if self._chunk is None:
            self._chunk = Step(name)

    def close_chunk(self) -> None:
        if self._depth == 0:
            raise RuntimeError("undoInfo: closeChunk without openChunk")
        self._depth -= 1
        if self._depth == 0 and self._chunk is not None:
            chunk, self._chunk = self._chunk, None
            if chunk.edits:
                self.done.append(chunk)

    @property
    def open_chunks(self) -> int:
        """Chunks that nobody has closed yet: a test of a host wants none."""
        return self._depth

    def undo(self) -> str:
        if self._chunk is not None:
            raise RuntimeError("undo inside an open chunk")
        if not self.done:
            raise RuntimeError("There are no more commands to undo.")
        step = self.done.pop()
        with self.suspended():
            step.undo()
        self.undone.append(step)
        return step.name

    def redo(self) -> str:
        if not self.undone:
            raise RuntimeError("There are no more commands to redo.")
        step = self.undone.pop()
        with self.suspended():
            step.redo()
        self.done.append(step)
        return step.name

    def flush(self) -> None:
        self.done.clear()
        self.undone.clear()

    def name_of_next(self, steps: list[Step]) -> str:
        return steps[-1].name if steps else ""
