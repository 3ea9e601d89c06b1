"""What can be asked of the server, and how its answer goes into the file."""

from __future__ import annotations

from dataclasses import dataclass

import bpy
from pose_shared.errors import ConflictError
from pose_shared.session import ImportRequest, RefineRequest, Result

from .host import Placement, write_import, write_refinement

__all__ = ["ImportTask", "RefineTask"]


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
        scene: bpy.types.Scene | None = bpy.data.scenes.get(self.scene_name)
        if scene is None:
            raise ConflictError(
                f"The scene '{self.scene_name}' was deleted or renamed during the import; "
                "import the clip again, the server still knows it.",
                reason="SCENE_GONE",
            )
        notes = write_import(scene, result.people, self.request, self.placement, job=result.job)
        return [f"Imported {_count(result)} from {self.request.name}.", *notes]


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
        return [f"Refined {_count(result)} from {self.request.name}.", *notes]


def _count(result: Result) -> str:
    count = len(result.people)
    return f"{count} {'person' if count == 1 else 'people'}"
