"""What can be asked of the server, and how its answer goes into the file."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Mapping

import bpy
from pose_shared.clips import Clip
from pose_shared.errors import ConflictError
from pose_shared.people_choice import count_words
from pose_shared.session import FetchRequest, ImportRequest, RefineRequest, Result

from . import picking
from .host import Placement, write_import, write_refinement

__all__ = ["FetchTask", "ImportTask", "PickTask", "RefineTask"]


@dataclass(frozen=True)
class ImportTask:
    """Import a clip into a scene; holds the scene's name, because undo replaces the scene."""

    request: ImportRequest
    scene_name: str
    placement: Placement

    undo_name = "Import Pose from Video"
    noun = "import"

    def write(self, result: Result) -> list[str]:
        """Put the result into the scene and say so.

        Raises
        ------
        ConflictError
            There is no such scene any more (``SCENE_GONE``).
        """
        request = self.request
        scene = _scene(self.scene_name)
        notes = write_import(
            scene,
            result.people,
            request,
            self.placement,
            job=result.job,
            clip=request.clip,
            options=request.options,
        )
        return [f"Imported {count_words(len(result.people))} from {request.name}.", *notes]


@dataclass(frozen=True)
class FetchTask:
    """Bring people of a job into a scene: of an earlier day, or who were picked just now.

    Attributes
    ----------
    clip
        What the camera shows, if the clip is on this machine.
    options
        How it was solved.
    """

    request: FetchRequest
    scene_name: str
    placement: Placement
    clip: Clip | None = None
    options: Mapping[str, Any] = field(default_factory=dict)

    undo_name = "Import Pose from Video"
    noun = "import"

    def write(self, result: Result) -> list[str]:
        """Put the people into the scene and say so; raises as that of `ImportTask`."""
        scene = _scene(self.scene_name)
        notes = write_import(
            scene,
            result.people,
            self.request,
            self.placement,
            job=result.job,
            clip=self.clip,
            options=self.options,
        )
        return [f"Imported {count_words(len(result.people))} from {self.request.name}.", *notes]


@dataclass(frozen=True)
class PickTask:
    """Have a clip imported, but let the user pick before anything comes into a scene."""

    request: ImportRequest
    scene_name: str
    placement: Placement

    #: Nothing is written, and so there is nothing to undo.
    undo_name = ""
    noun = "import"

    def write(self, result: Result) -> list[str]:
        """Ask who comes."""
        request = self.request
        fetch = FetchRequest(result.job, request.name, request.server, request.delivery)
        task = FetchTask(fetch, self.scene_name, self.placement, request.clip, request.options)
        picking.ask(result.found, task)
        return [f"{count_words(len(result.found))} found in {request.name}; choose who comes."]


@dataclass(frozen=True)
class RefineTask:
    """Solve an import again, and give its armatures the new motion."""

    request: RefineRequest

    undo_name = "Refine Pose from Video"
    noun = "refinement"

    def write(self, result: Result) -> list[str]:
        """Replace what came of the import and say so.

        Raises
        ------
        ConflictError
            There is nothing of it in the file any more (``IMPORT_GONE``).
        """
        notes = write_refinement(result.people, self.request, job=result.job)
        return [f"Refined {count_words(len(result.people))} from {self.request.name}.", *notes]


def _scene(name: str) -> bpy.types.Scene:
    scene: bpy.types.Scene | None = bpy.data.scenes.get(name)
    if scene is None:
        raise ConflictError(
            f"The scene '{name}' was deleted or renamed during the import; "
            "import the clip again, the server still knows it.",
            reason="SCENE_GONE",
        )
    return scene
