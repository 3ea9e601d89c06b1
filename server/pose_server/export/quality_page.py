"""A page that shows how good motions are: curves and bars over the frames, one block per person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from pose_shared.errors import InputError

from pose_server.export.canvas import CANVASES, Canvas
from pose_server.export.chart import PAGE_PX, Axis, Bars, Curve, Curves, FrameRule
from pose_server.export.destination import check_file
from pose_server.export.figure import Colour
from pose_server.pipeline.boundary import FloatArray, Motion
from pose_server.pipeline.quality import contact_slide_mm
from pose_server.pipeline.weak_spans import WEAK_REASONS, WeakSpan, weak_spans

__all__ = ["PANELS", "check_page", "write_page"]

#: What a page may show, in its order.
PANELS = ("weak", "contacts", "position", "angle", "confidence", "reprojection")
#: Whose places and turns are shown when nobody says whose.
_PLACES = ("pelvis", "left_ankle", "right_ankle")
_TURNS = ("left_knee", "right_knee", "left_elbow", "right_elbow")
_TOP, _HEAD, _GAP = 52, 38, 14
_INK: Colour = (40, 44, 52)
_FAINT: Colour = (120, 126, 136)
#: Of the first, second and third joint of a side.
_SIDE_INKS: Mapping[str, tuple[Colour, ...]] = {
    "left": ((20, 108, 200), (96, 176, 246), (20, 150, 150)),
    "right": ((212, 62, 28), (246, 150, 80), (190, 60, 140)),
    "middle": ((70, 74, 84), (150, 154, 162), (96, 140, 60)),
}
_REASON_INKS: Mapping[str, Colour] = {
    "gap": (214, 150, 0),
    "low_confidence": (196, 172, 84),
    "outlier": (200, 40, 60),
    "reprojection": (150, 90, 200),
}
_USUAL_INK, _WORST_INK = (70, 74, 84), (226, 140, 40)
_CARRIES = 0.5
#: Single errors beyond so many times what nine in ten stay below would flatten all others.
_FAR = 3.0


def check_page(path: Path, panels: Sequence[str]) -> None:
    """Refuse a page that could not be written, before any work is done; raises `InputError`."""
    check_file(path, CANVASES)
    for panel in panels:
        if panel not in PANELS:
            raise InputError(
                f"--show {panel[:80]} is not possible; choose from {', '.join(PANELS)}.",
                reason="SHOW_INVALID",
                value=panel[:80],
            )


def write_page(
    path: Path,
    title: str,
    motions: Mapping[int, Motion],
    *,
    panels: Sequence[str] = PANELS,
    joints: Sequence[str] = (),
) -> None:
    """Write how good motions are as SVG or PNG.

    Parameters
    ----------
    path
        File to write; its suffix says which.
    title
        Above everything.
    motions
        By the number of the person; all share one axis.
    panels
        Of `PANELS`.
    joints
        Whose places and turns are drawn; hips and ankles, knees and elbows when empty.

    Raises
    ------
    InputError
        The suffix, a panel or a joint is unknown, or the file cannot be written.
    LimitError
        The disk is full.
    """
    check_page(path, panels)
    blocks = {number: _rows(motion, panels, joints) for number, motion in motions.items()}
    times_s, places = np.unique(np.concatenate([m.times_s for m in motions.values()]), return_index=True)
    frames = np.concatenate([motion.frames for motion in motions.values()])[places]
    rule, axis = FrameRule(times_s, frames), Axis(float(times_s[0]), float(times_s[-1]))
    height = (
        _TOP + rule.height + sum(_HEAD + sum(row.height + _GAP for row in rows) for rows in blocks.values())
    )
    canvas: Canvas = CANVASES[path.suffix.lower()](PAGE_PX, height)
    canvas.words(20, 32, title, _INK, 18)
    top = float(_TOP)
    for number, rows in blocks.items():
        canvas.words(20, top + 20, f"Person {number}", _INK, 14)
        canvas.words(150, top + 20, _summary(motions[number]), _FAINT, 12)
        top += _HEAD
        for row in rows:
            row.draw(canvas, axis, top)
            top += row.height + _GAP
    rule.draw(canvas, axis, top - 4)
    canvas.save(path)


def _summary(motion: Motion) -> str:
    errors = motion.reprojection_px[np.isfinite(motion.reprojection_px)]
    slide_mm = contact_slide_mm(motion)
    parts = [
        f"frames {motion.frames[0]} to {motion.frames[-1]}",
        f"{float(motion.rate):g} rows per second",
        f"mean confidence {np.nanmean(motion.confidence):.2f}",
        f"reprojection {np.median(errors):.1f} px" if len(errors) else "no keypoints",
    ]
    return ", ".join(
        [*parts, *([f"standing feet slide {slide_mm:.2f} mm/frame"] if slide_mm is not None else [])]
    )


def _rows(motion: Motion, panels: Sequence[str], joints: Sequence[str]) -> list[Bars | Curves]:
    """Return what is shown of a person, from above to below."""
    for name in joints:
        if name not in motion.joint_names:
            raise InputError(
                f"--joints {name[:80]} is no joint; choose from {', '.join(motion.joint_names)}.",
                reason="JOINTS_INVALID",
                value=name[:80],
            )
    spans = weak_spans(motion)
    shaded = tuple(_seconds(motion, span) for span in spans if span.why in ("gap", "outlier"))
    rows: list[Bars | Curves] = []
    if "weak" in panels:
        rows.append(_weak(motion, spans))
    if "contacts" in panels:
        rows.append(_contacts(motion))
    if "position" in panels:
        wanted = _known(motion, joints or _PLACES)
        for axis, (letter, meaning) in enumerate((("x", "sideways"), ("y", "into depth"), ("z", "height"))):
            values = {name: motion.joints_world_m[:, motion.joint_names.index(name), axis] for name in wanted}
            rows.append(Curves(f"position {letter}", f"m, {meaning}", motion.times_s, _inked(values), shaded))
    if "angle" in panels:
        wanted = _known(motion, joints or _TURNS)
        angles = {name: _turn_deg(motion, name) for name in wanted}
        rows.append(Curves("angle", "deg from rest", motion.times_s, _inked(angles), shaded, least=0.0))
    if "confidence" in panels:
        rows.append(_of_all("confidence", "0 to 1", motion, motion.confidence, shaded, worst=10, most=1.0))
    if "reprojection" in panels:
        errors = motion.reprojection_px
        known = errors[np.isfinite(errors)]
        most = min(float(known.max()), _FAR * float(np.percentile(known, 90))) if len(known) else 1.0
        rows.append(_of_all("reprojection", "px", motion, errors, shaded, worst=90, most=max(most, 1.0)))
    return rows


def _weak(motion: Motion, spans: Sequence[WeakSpan]) -> Bars:
    lanes = []
    for reason in WEAK_REASONS:
        bars = tuple(_seconds(motion, span) for span in spans if span.why == reason)
        if bars:
            lanes.append((reason.replace("_", " "), _REASON_INKS[reason], bars))
    return Bars("weak spans", tuple(lanes))


def _contacts(motion: Motion) -> Bars:
    lanes = []
    for place, name in enumerate(motion.contact_names):
        bars = _held(motion, motion.contacts[:, place] > _CARRIES)
        lanes.append((name.replace("_", " "), _SIDE_INKS[_side(name)][0], bars))
    return Bars("contacts", tuple(lanes))


def _of_all(
    label: str,
    unit: str,
    motion: Motion,
    values: FloatArray,
    shaded: tuple[tuple[float, float], ...],
    *,
    worst: int,
    most: float,
) -> Curves:
    """Return the median over the joints, and what one in ten is worse than."""
    usual, worse = np.full((2, len(motion)), np.nan)
    known = np.isfinite(values).any(axis=1)
    if known.any():
        usual[known], worse[known] = np.nanpercentile(values[known], (50, worst), axis=1)
    curves = (Curve("worst tenth", _WORST_INK, worse), Curve("median joint", _USUAL_INK, usual))
    return Curves(label, unit, motion.times_s, curves, shaded, least=0.0, most=most)


def _turn_deg(motion: Motion, name: str) -> FloatArray:
    """Return (T,) by how much a joint is turned about its parent."""
    real = np.abs(motion.local_rotations_wxyz[:, motion.joint_names.index(name), 0].astype(np.float64))
    return np.asarray(np.degrees(2 * np.arccos(np.clip(real, 0, 1))))


def _inked(values: Mapping[str, FloatArray]) -> tuple[Curve, ...]:
    """Return curves coloured by their side."""
    used = dict.fromkeys(_SIDE_INKS, 0)
    curves = []
    for name, row in values.items():
        inks = _SIDE_INKS[_side(name)]
        curves.append(Curve(name.replace("_", " "), inks[used[_side(name)] % len(inks)], row))
        used[_side(name)] += 1
    return tuple(curves)


def _side(name: str) -> str:
    return next((side for side in ("left", "right") if name.startswith(side + "_")), "middle")


def _known(motion: Motion, names: Sequence[str]) -> list[str]:
    return [name for name in names if name in motion.joint_names]


def _held(motion: Motion, mask: NDArray[np.bool_]) -> tuple[tuple[float, float], ...]:
    """Return begin and end in seconds of the runs of a (T,) mask; each row lasts as long as its rate says."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], mask, [False]]).astype(np.int8)))
    half_s = 0.5 / float(motion.rate)
    return tuple(
        (float(motion.times_s[begin]) - half_s, float(motion.times_s[end - 1]) + half_s)
        for begin, end in zip(edges[::2], edges[1::2], strict=True)
    )


def _seconds(motion: Motion, span: WeakSpan) -> tuple[float, float]:
    inside = (motion.frames >= span.first_frame) & (motion.frames <= span.last_frame)
    runs = _held(motion, inside)
    return runs[0][0], runs[-1][1]
