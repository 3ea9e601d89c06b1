"""What goes into a scene of joints, as plain data: nodes with attributes, and curves.

Maya's host writes it by commands and the ``ma`` export as text, so that both make the same scene.
Types of nodes and names of attributes are Maya's.  Numbers are in Maya's internal units, whatever a scene
shows: centimetres, radians, seconds.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass, field
from typing import Dict, Mapping, Optional, Tuple, Union

__all__ = ["KINDS", "Attribute", "Curve", "Film", "JointScene", "Node", "Part"]

#: Of a value: length in cm, angle in radians, plain number, whole number (of an enumeration, too), yes or
#: no, text.
KINDS = ("distance", "angle", "number", "whole", "flag", "text")


@dataclass(frozen=True)
class Attribute:
    """A value that a node has from the start.

    Attributes
    ----------
    name
        Maya's long name, such as ``translateX``.
    kind
        One of `KINDS`.
    added
        Whether nodes of this type have no such attribute of themselves; an added number lies between 0 and 1.
    """

    name: str
    kind: str
    value: Union[float, int, bool, str]
    added: bool = False


@dataclass(frozen=True)
class Node:
    """A node.

    Attributes
    ----------
    name
        Without its part's namespace, and unique in it.
    type
        ``transform``, ``joint`` or ``camera``.
    parent
        Name of the node it hangs below, which stands before it; empty for the world.
    """

    name: str
    type: str
    parent: str
    attributes: Tuple[Attribute, ...]


@dataclass(frozen=True)
class Curve:
    """How an attribute changes: linearly from key to key, or in steps.

    Attributes
    ----------
    kind
        One of `KINDS`, that of the attribute.
    times_s
        Of the scene, where its frame 0 is at 0 s; ascending. Curves of one part share one array.
    values
        As many.
    """

    node: str
    attribute: str
    kind: str
    times_s: array[float]
    values: array[float]
    stepped: bool = False


@dataclass(frozen=True)
class Part:
    """A person or a camera, in a namespace of its own.

    Attributes
    ----------
    namespace
        Legal, but maybe taken in the scene; a host then appends a number.
    nodes
        The first one is the top.
    person
        Counted from 1; 0 is the camera.
    human_ik
        HumanIK's names of nodes, by the names here.
    """

    namespace: str
    nodes: Tuple[Node, ...]
    curves: Tuple[Curve, ...]
    person: int = 0
    human_ik: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Film:
    """The clip behind what a camera sees.

    Attributes
    ----------
    first_file
        The film, or the first picture of a sequence.
    attributes
        Of the image plane that shows it.
    numbers
        Number of the picture, or frame of the film, that each frame of the scene shows: steps.
    """

    first_file: str
    attributes: Tuple[Attribute, ...]
    numbers: Curve


@dataclass(frozen=True)
class JointScene:
    """Everybody in a clip, and the camera that filmed them.

    Attributes
    ----------
    up
        ``y`` or ``z``, the axis of the world that points up; a host's scene must agree.
    first_frame, last_frame
        Of the scene, what was asked of the clip lies between them.
    """

    up: str
    people: Tuple[Part, ...]
    camera: Optional[Part]
    film: Optional[Film]
    first_frame: int
    last_frame: int

    @property
    def parts(self) -> Dict[str, Part]:
        """All of it by namespace."""
        parts = (*self.people, self.camera) if self.camera else self.people
        return {part.namespace: part for part in parts}
