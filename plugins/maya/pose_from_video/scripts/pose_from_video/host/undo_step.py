"""One undo step, that leaves nothing behind if it fails, and the user's things as they are."""

from __future__ import annotations

from contextlib import contextmanager
from typing import Callable, Iterator, List

from maya import cmds
from pose_shared.errors import InternalError, PoseError

from .curves import ready_plug_in

__all__ = ["UndoStep", "undo_step"]


class UndoStep:
    """What is being done, with what takes it back: scripts may have turned undo off, or have a step open."""

    def __init__(self) -> None:
        self._back: List[Callable[[], object]] = []

    def take_back_by(self, action: Callable[[], object]) -> None:
        """If all this fails, do this; the last one first."""
        self._back.append(action)

    def take_back(self) -> None:
        """Undo it by hand."""
        while self._back:
            self._back.pop()()


@contextmanager
def undo_step(name: str) -> Iterator[UndoStep]:
    """Make one undo step of what is done within.

    Selection and current namespace are the user's again at its end.

    Raises
    ------
    InternalError
        Maya refuses something (``SCENE_UNWRITABLE``); the scene is as it was.
    """
    ready_plug_in()
    selected = cmds.ls(selection=True, long=True) or []
    namespace = cmds.namespaceInfo(currentNamespace=True, absoluteName=True)
    step = UndoStep()
    cmds.undoInfo(openChunk=True, chunkName=name)
    try:
        try:
            yield step
        except BaseException:
            step.take_back()
            raise
        finally:
            if cmds.namespaceInfo(currentNamespace=True, absoluteName=True) != namespace:
                cmds.namespace(setNamespace=namespace)
            if (cmds.ls(selection=True, long=True) or []) != selected:
                _select(selected)
    except PoseError:
        raise
    except Exception as error:
        said = str(error).strip().rstrip(".").splitlines()
        raise InternalError(
            f"The result cannot be put into the scene ({type(error).__name__}: {said[0] if said else ''}); "
            "please report it.",
            reason="SCENE_UNWRITABLE",
        ) from error
    finally:
        cmds.undoInfo(closeChunk=True)


def _select(names: List[str]) -> None:
    there = [name for name in names if cmds.objExists(name)]
    if there:
        cmds.select(there, replace=True, noExpand=True)
    else:
        cmds.select(clear=True)
