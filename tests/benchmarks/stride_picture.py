"""A motion in one picture: a few moments of it beside each other, above them the source's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from generated_rigify import Rigify
from generated_rigify import Seen as SeenBones
from pose_server.pipeline.boundary import Motion
from pose_server.pipeline.quality import contact_points_m
from pose_server.retarget.bone_map import BoneMap
from pose_server.retarget.character import Character, character_of
from pose_server.retarget.forward import bone_worlds
from pose_server.retarget.rig_motion import RigMotion

__all__ = ["Figure", "rig_figure", "rigify_figure", "source_figure", "write_stride"]

_WIDTH, _ROW, _LINE, _FINE = 1120, 280, 22, 2
_MOMENTS = 7
#: From how far round from the side, and from how far above, it is looked at.
_ROUND_DEG, _ABOVE_DEG = 24.0, 9.0
_PAPER, _GRID, _INK = (250, 249, 247), (226, 222, 216), (70, 62, 56)
#: Middle, left, right and what has no part, in BGR.
_COLOURS = ((150, 140, 130), (190, 120, 40), (50, 105, 225), (205, 200, 194))
_CARRIES, _SWINGS = (60, 160, 60), (190, 190, 190)
_QUALITY = 84


@dataclass(frozen=True)
class Figure:
    """N bones through T frames, z up, in metres."""

    title: str
    starts_m: np.ndarray
    """(T, N, 3)."""
    ends_m: np.ndarray
    """(T, N, 3)."""
    kinds: tuple[int, ...]
    """(N,) of `_COLOURS`."""
    soles_m: np.ndarray
    """(T, K, 3)."""
    carries: np.ndarray
    """(T, K)."""
    ground_m: float
    hips_m: np.ndarray
    """(T, 3)."""


def source_figure(motion: Motion, title: str) -> Figure:
    """Return the joints of a motion."""
    joints = [j for j, parent in enumerate(motion.parents) if parent >= 0]
    return Figure(
        title,
        motion.joints_world_m[:, motion.parents[joints]],
        motion.joints_world_m[:, joints],
        tuple(_kind(motion.joint_names[j]) for j in joints),
        contact_points_m(motion),
        motion.contacts > 0.5,
        0.0,
        motion.joints_world_m[:, 0],
    )


def rig_figure(motion: Motion, result: RigMotion, bones: BoneMap, title: str) -> Figure:
    """Return the bones of a rig as its keys move them."""
    character = character_of(result.rig, bones)
    rig = result.rig
    names = [bone.name for bone in rig.bones]
    turns, heads = bone_worlds(result, names)
    kinds = {bone: _kind(role) for role, several in bones.roles.items() for bone in several}
    starts, ends, found = [], [], []
    for place, bone in enumerate(rig.bones):
        if bone.name in bones.roles.get("root", ()):
            continue
        children = [i for i, other in enumerate(rig.bones) if other.parent == bone.name]
        parts = [i for i in children if rig.bones[i].name in kinds]
        if bone.name in kinds and parts:
            tips = [heads[:, part] for part in parts]
        elif bone.tail is not None:
            rest = np.array(bone.rest).reshape(4, 4)
            about = rest[:3, :3].T @ (np.array(bone.tail) - rest[:3, 3])
            tips = [heads[:, place] + turns[:, place] @ about]
        else:
            tips = [heads[:, child] for child in children]
        for tip in tips:
            starts.append(heads[:, place])
            ends.append(tip)
            found.append(kinds.get(bone.name, 3))
    unit = rig.metres_per_unit
    feet = [bones[f"{side}_ankle"] for side in ("left", "right")]
    columns = [names.index(foot) for foot in feet]
    points = soles_m(character, turns[:, columns], heads[:, columns])
    upright = character.from_rig.T * unit
    return Figure(
        title,
        np.stack(starts, axis=1) @ upright,
        np.stack(ends, axis=1) @ upright,
        tuple(found),
        points,
        motion.contacts > 0.5,
        character.ground_m,
        heads[:, names.index(bones["pelvis"])] @ upright,
    )


def rigify_figure(rigify: Rigify, motion: Motion, seen: SeenBones, shown: np.ndarray, title: str) -> Figure:
    """Return the bones that Blender shows of Rigify's rig, as `Rigify.seen` has them."""
    character = rigify.character
    upright = character.from_rig.T * character.rig.metres_per_unit
    feet = [rigify.roles.index(f"{side}_ankle") for side in ("left", "right")]
    return Figure(
        title,
        shown[:, :, 0] @ upright,
        shown[:, :, 1] @ upright,
        tuple(_deform_kind(name) for name in rigify.shown),
        soles_m(character, seen.turns[:, feet], seen.heads[:, feet]),
        motion.contacts > 0.5,
        character.ground_m,
        seen.heads[:, rigify.roles.index("pelvis")] @ upright,
    )


def soles_m(character: Character, turns: np.ndarray, heads: np.ndarray) -> np.ndarray:
    """Return (T, 4, 3) heels and balls, given (T, 2, 3, 3) and (T, 2, 3) of the feet in the rig."""
    points = []
    for nth, side in enumerate(("left", "right")):
        place = character.at(f"{side}_ankle")
        turned = character.from_rig @ turns[:, nth]
        head = heads[:, nth] @ character.from_rig.T * character.rig.metres_per_unit
        for rest in character.sole_m(side):
            about = character.rest_turns[place].T @ (rest - character.rest_heads_m[place])
            points.append(head + turned @ about)
    return np.stack(points, axis=1)


def write_stride(path: Path, figures: Sequence[Figure], caption: str) -> None:
    """Write the picture, a row for each figure."""
    rows = [_row(figure) for figure in figures]
    foot = np.full((_LINE * _FINE, _WIDTH * _FINE, 3), _PAPER, np.uint8)
    _text(foot, caption, (10, 15), 0.38)
    fine = np.vstack([*rows, foot])
    picture = cv2.resize(fine, None, fx=1 / _FINE, fy=1 / _FINE, interpolation=cv2.INTER_AREA)
    if not cv2.imwrite(str(path), picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY]):
        raise OSError(f"{path} cannot be written")


def _kind(role: str) -> int:
    return 1 if role.startswith("left") else 2 if role.startswith("right") else 0


def _deform_kind(name: str) -> int:
    fine = (
        "f_",
        "thumb",
        "palm",
        "lip",
        "brow",
        "lid",
        "eye",
        "nose",
        "cheek",
        "jaw",
        "chin",
        "ear",
        "temple",
    )
    if name.removeprefix("DEF-").startswith((*fine, "forehead", "tongue", "teeth", "breast", "pelvis")):
        return 3
    return 1 if name.split(".")[1:2] == ["L"] else 2 if name.split(".")[1:2] == ["R"] else 0


def _row(figure: Figure) -> np.ndarray:
    image = np.full((_ROW * _FINE, _WIDTH * _FINE, 3), _PAPER, np.uint8)
    frames = np.linspace(0.03, 0.97, _MOMENTS) * (len(figure.hips_m) - 1)
    rows = np.round(frames).astype(int)
    way = (figure.hips_m[rows[-1]] - figure.hips_m[rows[0]]) * (1, 1, 0)
    ahead = way / max(float(np.linalg.norm(way)), 1e-9)
    aside = np.array([-ahead[1], ahead[0], 0.0])
    around, above = np.radians(_ROUND_DEG), np.radians(_ABOVE_DEG)
    right = np.cos(around) * ahead - np.sin(around) * aside
    back = np.cos(around) * aside + np.sin(around) * ahead
    up = np.array([0, 0, np.cos(above)]) + np.sin(above) * back
    points = np.concatenate([figure.starts_m[rows], figure.ends_m[rows]], axis=1).reshape(-1, 3)
    flat = points @ np.stack([right, up], axis=1)
    low, high = flat.min(axis=0), flat.max(axis=0)
    ground_y = float((figure.hips_m[rows] * (1, 1, 0) + (0, 0, figure.ground_m)).dot(up).min())
    low[1] = min(low[1], ground_y)
    free = np.array([_WIDTH - 60, _ROW - 64]) * _FINE
    scale = float((free / np.maximum(high - low, 1e-9)).min())
    centre = (low + high) / 2

    def seen(places: np.ndarray) -> np.ndarray:
        at = (places @ np.stack([right, up], axis=1) - centre) * (scale, -scale)
        return at + np.array([_WIDTH / 2, _ROW / 2]) * _FINE

    _grid(image, figure, rows, ahead, aside, seen)
    for row in rows:
        _bones(image, figure, row, back, seen)
    _text(image, figure.title, (10, 16), 0.45)
    return image


Seen = Callable[[np.ndarray], np.ndarray]


def _grid(
    image: np.ndarray, figure: Figure, rows: np.ndarray, ahead: np.ndarray, aside: np.ndarray, seen: Seen
) -> None:
    """Draw the ground, a line every half a metre of the figure's own size."""
    hips = figure.hips_m[rows]
    size = 0.5 * float(np.median(hips[:, 2] - figure.ground_m))
    origin = hips[0] * (1, 1, 0) + (0, 0, figure.ground_m)
    length = float((hips[-1] - hips[0]) @ ahead)
    for step in np.arange(-2, length / size + 2.5):
        ends = origin + ahead * step * size + np.outer((-1.5, 1.5), aside) * size
        _line(image, seen(ends), _GRID)
    for step in np.arange(-1.5, 2):
        ends = origin + aside * step * size + np.outer((-2, length / size + 2), ahead) * size
        _line(image, seen(ends), _GRID)


def _bones(image: np.ndarray, figure: Figure, row: int, back: np.ndarray, seen: Seen) -> None:
    starts, ends = figure.starts_m[row], figure.ends_m[row]
    tall = float(np.median(figure.hips_m[:, 2] - figure.ground_m))
    for bone in np.argsort(-((starts + ends) / 2 @ back)):
        a, b = seen(starts[bone]), seen(ends[bone])
        kind = figure.kinds[bone]
        long = float(np.linalg.norm(ends[bone] - starts[bone]))
        if kind == 3 or long < 0.02 * tall:
            _line(image, np.stack([a, b]), _COLOURS[kind])
            continue
        along = b - a
        across = np.array([-along[1], along[0]]) / max(float(np.linalg.norm(along)), 1e-6)
        wide = across * np.linalg.norm(seen(np.array([0, 0, 0.055 * tall])) - seen(np.zeros(3)))
        kite = np.stack([a, a + 0.22 * along + wide, b, a + 0.22 * along - wide])
        fixed = np.round(kite * 16).astype(np.int32)
        cv2.fillConvexPoly(image, fixed, _COLOURS[kind], cv2.LINE_AA, 4)
        dark = tuple(int(0.7 * value) for value in _COLOURS[kind])
        cv2.polylines(image, [fixed], True, dark, _FINE, cv2.LINE_AA, 4)
    for point, carries in zip(figure.soles_m[row], figure.carries[row], strict=True):
        at = np.round(seen(point) * 16).astype(int)
        colour = _CARRIES if carries else _SWINGS
        cv2.circle(image, tuple(at.tolist()), 3 * _FINE * 16, colour, -1, cv2.LINE_AA, 4)


def _line(image: np.ndarray, ends: np.ndarray, colour: tuple[int, int, int]) -> None:
    a, b = np.round(ends * 16).astype(int).tolist()
    cv2.line(image, tuple(a), tuple(b), colour, _FINE, cv2.LINE_AA, 4)


def _text(image: np.ndarray, text: str, place: tuple[int, int], size: float) -> None:
    at = (place[0] * _FINE, place[1] * _FINE)
    cv2.putText(image, text, at, cv2.FONT_HERSHEY_SIMPLEX, size * _FINE, _INK, _FINE, cv2.LINE_AA)
