"""Who of the people that were found comes into the scene, while the user makes up their mind."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Sequence

import bpy.utils.previews
from pose_shared.errors import ConflictError, InputError
from pose_shared.people_choice import PeopleChoice

if TYPE_CHECKING:
    from pose_shared.messages import Person

    from .tasks import FetchTask

__all__ = ["Picking", "ask", "chosen_task", "current", "forget", "thumbnail"]


@dataclass(frozen=True)
class Picking:
    """What is asked: who comes, and how whoever is chosen gets into the scene."""

    choice: PeopleChoice
    task: FetchTask


_current: Picking | None = None
#: Blender's store of small pictures, made when the first one is drawn.
_pictures: Any = None


def ask(people: Sequence[Person], task: FetchTask) -> None:
    """Let the user pick people of a finished job."""
    global _current
    forget()
    _current = Picking(PeopleChoice(people), task)


def current() -> Picking | None:
    """Return what is asked now."""
    return _current


def chosen_task() -> FetchTask:
    """Return the task that brings those who are chosen.

    Raises
    ------
    ConflictError
        Nobody is asked about (``NOTHING_TO_PICK``).
    InputError
        Nobody is chosen (``NOBODY_CHOSEN``).
    """
    if _current is None:
        raise ConflictError("Nobody is waiting to be picked; import a clip first.", reason="NOTHING_TO_PICK")
    persons = _current.choice.chosen
    if not persons:
        raise InputError("Nobody is chosen; tick at least one person.", reason="NOBODY_CHOSEN")
    request = _current.task.request
    delivery = replace(request.delivery, persons=persons)
    return replace(_current.task, request=replace(request, delivery=delivery))


def forget() -> None:
    """Ask no more."""
    global _current, _pictures
    _current = None
    if _pictures is not None:
        bpy.utils.previews.remove(_pictures)
        _pictures = None


def thumbnail(person: Person) -> int:
    """Return the number of a person's picture for `UILayout.template_icon`; 0 if there is none."""
    global _pictures
    if not person.thumbnail:
        return 0
    if _pictures is None:
        _pictures = bpy.utils.previews.new()
    name = str(person.index)
    if name not in _pictures:
        # Blender takes files only, and reads them at once when asked for the size.
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "person.jpg"
            path.write_bytes(person.thumbnail)
            picture = _pictures.load(name, str(path), "IMAGE")
            _ = tuple(picture.icon_size), tuple(picture.image_size)
    return int(_pictures[name].icon_id)
