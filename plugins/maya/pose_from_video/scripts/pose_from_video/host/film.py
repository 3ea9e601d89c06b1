"""Films: behind what a camera sees, and those that image planes show already."""

from __future__ import annotations

from typing import List, Tuple

from maya import cmds
from pose_shared.scene_nodes import Film

from .curves import Destination
from .nodes import set_attribute

__all__ = ["add_film", "shown_files"]


def add_film(camera_shape: str, film: Film, namespace: str) -> Destination:
    """Hang a film behind what a camera sees; return where its frame numbers go.

    Parameters
    ----------
    camera_shape
        Path of the camera's shape.
    film
        Which film.
    namespace
        Where its nodes belong.

    Raises
    ------
    RuntimeError
        Maya cannot open it.
    """
    transform, shape = cmds.imagePlane(camera=camera_shape, showInAllViews=False)
    # A plane of a camera lies in a world below its shape, and its path says so.
    shape = cmds.rename(_leaf(shape), f":{namespace}:filmShape")
    cmds.rename(_leaf(transform), f":{namespace}:film", ignoreShape=True)
    for attribute in film.attributes:
        set_attribute(shape, attribute)
    # Last, for what is read depends on the type.
    cmds.setAttr(f"{shape}.imageName", film.first_file, type="string")
    # Some Mayas let an expression count the frames.
    for counting in cmds.listConnections(f"{shape}.frameExtension", destination=False, plugs=True) or []:
        cmds.disconnectAttr(counting, f"{shape}.frameExtension")
    return Destination(film.numbers, f"{shape}.frameExtension", f":{namespace}:film_frameExtension")


def shown_files() -> List[Tuple[str, str]]:
    """Return name and file of each image plane that shows one."""
    planes = cmds.ls(type="imagePlane") or []
    files = [(_leaf(plane), cmds.getAttr(f"{plane}.imageName")) for plane in planes]
    return [(plane, file) for plane, file in files if file]


def _leaf(path: str) -> str:
    return path.rpartition("->")[2].rpartition("|")[2]
