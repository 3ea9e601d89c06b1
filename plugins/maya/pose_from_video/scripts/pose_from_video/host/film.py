"""Films: behind what a camera sees, and those that image planes show already."""

from __future__ import annotations

from typing import List, Tuple

from maya import cmds
from pose_shared.scene_nodes import Film, Node

from .curves import Destination
from .nodes import ui_value

__all__ = ["add_film", "shown_files"]

#: Of an image plane's enumerations ``type`` and ``fit``.
_IMAGE_FILE, _MOVIE, _TO_SIZE = 0, 2, 4
#: Behind everybody in an ordinary room, and before the far clip plane.
_DEPTH_CM = 5_000.0


def add_film(camera_shape: str, lens: Node, film: Film, namespace: str) -> Destination:
    """Hang a film behind what a camera sees; return where its frame numbers go.

    Parameters
    ----------
    camera_shape
        Path of the camera's shape.
    lens
        What that shape was made from.
    film
        Which film.
    namespace
        Where its nodes belong.

    Raises
    ------
    RuntimeError
        Maya cannot open it.
    """
    transform, shape = cmds.imagePlane(camera=camera_shape, fileName=film.first_file, showInAllViews=False)
    # A plane of a camera lies in a world below its shape, and its path says so.
    shape = cmds.rename(_leaf(shape), f":{namespace}:filmShape")
    transform = cmds.rename(_leaf(transform), f":{namespace}:film", ignoreShape=True)
    values = {attribute.name: attribute.value for attribute in lens.attributes}
    settings = {
        "type": _IMAGE_FILE if film.is_sequence else _MOVIE,
        "useFrameExtension": True,
        "frameOffset": 0,
        "displayOnlyIfCurrent": True,
        "depth": ui_value("distance", _DEPTH_CM),
        "fit": _TO_SIZE,
        "sizeX": values["horizontalFilmAperture"],
        "sizeY": values["verticalFilmAperture"],
        "offsetX": values["horizontalFilmOffset"],
        "offsetY": values["verticalFilmOffset"],
    }
    for name, value in settings.items():
        cmds.setAttr(f"{shape}.{name}", value)
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
