"""A person as a drawing: coloured bones that any view may put into its picture."""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from pose_server.export.bones import rest_bones
from pose_server.pipeline.boundary import FloatArray, Motion
from pose_server.pipeline.kinematics import global_rotations

__all__ = [
    "FRACTION_BITS",
    "LEFT",
    "OUTLINE",
    "RIGHT",
    "Colour",
    "Figure",
    "Picture",
    "draw_figure",
    "figure_of",
    "fixed_point",
    "mixed",
    "side_colour",
    "text_width",
    "write_text",
]

Colour = tuple[int, int, int]
Picture = NDArray[np.uint8]

_COLOURS: tuple[Colour, ...] = (
    (255, 138, 36),
    (46, 160, 255),
    (112, 208, 72),
    (244, 84, 168),
    (250, 214, 62),
    (158, 118, 255),
    (42, 208, 190),
    (240, 76, 66),
)
_WHITE: Colour = (255, 255, 255)
#: Where sides matter more than who it is; what lies between is the third.
LEFT: Colour = (72, 170, 255)
RIGHT: Colour = (255, 104, 64)
_MIDDLE: Colour = (226, 228, 234)
OUTLINE: Colour = (16, 18, 22)
_NEAREST_M = 0.05
_THICKEST_PX = 9
_HAZE = 0.4
#: OpenCV draws between pixels when it gets fixed-point numbers.
FRACTION_BITS = 4
_FARTHEST_PX = 16_000.0


@dataclass(frozen=True)
class Figure:
    """One person's joints and bone tips through time, ready to be drawn."""

    number: int
    """Of the person, counted from 1."""
    colour: Colour
    """RGB."""
    times_s: FloatArray
    """(T,)."""
    row_s: float
    """How long a row lasts."""
    points_world_m: FloatArray
    """(T, P, 3) the root first."""
    points_camera_m: FloatArray
    """(T, P, 3)."""
    bones: tuple[tuple[int, int, Colour], ...]
    """Both ends' indices in points, and a colour."""
    head: tuple[int, int] | None
    """Both ends of the skull."""

    def at(self, time_s: float) -> tuple[FloatArray, FloatArray] | None:
        """Return the points in the world and in the camera, or None when the person is not there."""
        first, last = self.times_s[0], self.times_s[-1]
        if not first - self.row_s / 2 <= time_s <= last + self.row_s / 2:
            return None
        position = float(np.interp(time_s, self.times_s, np.arange(len(self.times_s))))
        row = min(int(position), len(self.times_s) - 1)
        rest, following = position - row, min(row + 1, len(self.times_s) - 1)
        world, camera = (
            (1 - rest) * points[row] + rest * points[following]
            for points in (self.points_world_m, self.points_camera_m)
        )
        return world, camera


def side_colour(name: str, own: Colour, *, sides: bool) -> Colour:
    """Return the colour of what belongs to a joint.

    Parameters
    ----------
    name
        Of the joint.
    own
        The person's colour.
    sides
        Whether left and right have colours of their own; else the left is the lighter one.
    """
    left = name.startswith("left_")
    if sides:
        return LEFT if left else RIGHT if name.startswith("right_") else _MIDDLE
    return mixed(own, _WHITE, 0.5) if left else own


def figure_of(motion: Motion, number: int, *, sides: bool = False) -> Figure:
    """Return the drawing of a person; people of different numbers differ in colour, or else their sides."""
    parents = motion.parents.tolist()
    leaves = [joint for joint in range(len(parents)) if joint not in parents]
    rest = rest_bones(motion)
    tips = np.array([np.subtract(rest[leaf].tail_m, rest[leaf].head_m) for leaf in leaves])
    turned = np.einsum(
        "tlij,lj->tli", global_rotations(motion.local_rotations_wxyz, parents)[:, leaves], tips
    )
    joints = motion.joints_world_m
    world = np.concatenate([joints, joints[:, leaves] + turned], axis=1)
    to_camera = motion.world_to_camera
    camera = world @ np.swapaxes(to_camera[..., :3, :3], -1, -2) + to_camera[..., None, :3, 3]
    colour = _COLOURS[(number - 1) % len(_COLOURS)]
    ends = [(parent, joint) for joint, parent in enumerate(parents) if parent >= 0]
    ends += [(leaf, len(parents) + i) for i, leaf in enumerate(leaves)]
    names = motion.joint_names
    owners = [b if b < len(names) else a for a, b in ends]
    bones = tuple(
        (a, b, side_colour(names[owner], colour, sides=sides))
        for (a, b), owner in zip(ends, owners, strict=True)
    )
    return Figure(
        number=number,
        colour=colour,
        times_s=motion.times_s,
        row_s=float(1 / motion.rate),
        points_world_m=world,
        points_camera_m=camera,
        bones=bones,
        head=next(((a, b) for a, b in ends if a < len(names) <= b and names[a] == "head"), None),
    )


def draw_figure(
    picture: Picture,
    figure: Figure,
    points_px: FloatArray,
    depths_m: FloatArray,
    *,
    focal_px: float,
    bone_m: float,
    haze: Colour = OUTLINE,
    clear_m: float = math.inf,
    hazy_m: float = math.inf,
) -> None:
    """Draw a person into a picture in place, the far bones first.

    Parameters
    ----------
    picture
        (H, W, 3) RGB.
    figure
        The person.
    points_px, depths_m
        (P, 2) and (P,) where the view sees the person's points.
    focal_px
        Of the view.
    bone_m
        How thick a bone is.
    haze, clear_m, hazy_m
        Bones take on some of this colour, more and more from one depth to the other.
    """
    places = fixed_point(points_px)
    depths = [depth if depth > _NEAREST_M else math.nan for depth in depths_m.tolist()]
    shapes = [((depths[a] + depths[b]) / 2, a, b, colour) for a, b, colour in figure.bones]
    shapes = [shape for shape in shapes if shape[0] == shape[0]]  # both ends are in front of the view
    for depth, a, b, colour in sorted(shapes, reverse=True):
        thickness = min(max(round(focal_px * bone_m / depth), 1), _THICKEST_PX)
        fade = min(max((depth - clear_m) / (hazy_m - clear_m), 0), 1) * _HAZE if hazy_m < math.inf else 0.0
        draw = _draw_skull if (a, b) == figure.head else _draw_bone
        if thickness > 1:
            draw(picture, places[a], places[b], OUTLINE, thickness + min(thickness - 1, 2))
        draw(picture, places[a], places[b], mixed(colour, haze, fade), thickness)
    crown = figure.head[1] if figure.head else 0
    if depths_m[crown] > _NEAREST_M:
        _write_number(picture, figure, points_px[crown])


def fixed_point(points_px: FloatArray) -> list[tuple[int, int]]:
    """Return (P, 2) pixels as the numbers that OpenCV's drawing takes with shift `FRACTION_BITS`.

    OpenCV's first pixel has its centre at (0, 0).  What is missing or absurdly far lies at the edge of
    what these numbers hold.
    """
    inside = np.clip(np.nan_to_num(points_px, nan=-_FARTHEST_PX), -_FARTHEST_PX, _FARTHEST_PX)
    numbers = np.round((inside - 0.5) * 2**FRACTION_BITS).astype(int).tolist()
    return [(x, y) for x, y in numbers]


def write_text(
    picture: Picture, text: str, place: tuple[int, int], colour: Colour, *, size: float = 1.0
) -> None:
    """Write a line into a picture in place, its lower left corner at `place`, readable on any ground.

    Of size 1 it is about 12 pixels high.
    """
    stroke = max(1, round(size))
    for ink, width in ((OUTLINE, 3 + stroke), (colour, stroke)):
        cv2.putText(picture, text, place, cv2.FONT_HERSHEY_DUPLEX, 0.5 * size, ink, width, cv2.LINE_AA)


def text_width(text: str, *, size: float = 1.0) -> int:
    """Return how many pixels wide `write_text` writes a line."""
    stroke = max(1, round(size))
    return int(cv2.getTextSize(text, cv2.FONT_HERSHEY_DUPLEX, 0.5 * size, stroke)[0][0])


def _write_number(picture: Picture, figure: Figure, point_px: FloatArray) -> None:
    x, y = point_px
    height, width = picture.shape[:2]
    if 0 <= x < width and 0 <= y < height:
        place = int(x) - 4, max(int(y) - 14, 14)
        write_text(picture, str(figure.number), place, mixed(figure.colour, _WHITE, 0.5))


def _draw_bone(
    picture: Picture, start: tuple[int, int], end: tuple[int, int], colour: Colour, thickness: int
) -> None:
    cv2.line(picture, start, end, colour, thickness, cv2.LINE_AA, FRACTION_BITS)


def _draw_skull(
    picture: Picture, start: tuple[int, int], end: tuple[int, int], colour: Colour, thickness: int
) -> None:
    middle = (start[0] + end[0]) // 2, (start[1] + end[1]) // 2
    radius = max(round(math.dist(start, end) / 2), 1)
    cv2.circle(picture, middle, radius, colour, thickness, cv2.LINE_AA, FRACTION_BITS)


def mixed(colour: Colour, other: Colour, share: float) -> Colour:
    """Return a colour with that share of another."""
    r, g, b = (round(a + (z - a) * share) for a, z in zip(colour, other, strict=True))
    return r, g, b
