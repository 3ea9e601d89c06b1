"""The page that shows how good a motion is: values where the axis says, breaks, peaks, refusals."""

from __future__ import annotations

import dataclasses
from fractions import Fraction
from pathlib import Path
from xml.etree import ElementTree

import cv2
import numpy as np
import pytest
from pose_server.export.canvas import PngCanvas
from pose_server.export.chart import Axis, Curve, Curves
from pose_server.export.quality_page import PANELS, check_page, write_page
from pose_server.pipeline.boundary import Motion
from pose_shared.errors import InputError

SVG = "{http://www.w3.org/2000/svg}"
LEFT_INK, RIGHT_INK = "#146cc8", "#d43e1c"


class Listed:
    """A canvas that remembers what it was asked for."""

    def __init__(self) -> None:
        self.boxes: list[tuple[float, ...]] = []
        self.curves: list[tuple[np.ndarray, tuple[int, int, int]]] = []
        self.texts: list[tuple[float, float, str]] = []

    def box(self, left, top, width, height, colour) -> None:
        self.boxes.append((left, top, width, height, colour))

    def curve(self, points, colour, width) -> None:
        self.curves.append((points, colour))

    def words(self, x, y, text, colour, size, anchor="start") -> None:
        self.texts.append((x, y, text))

    def save(self, path) -> None: ...


def page(path: Path, motions: dict[int, Motion], **options: object) -> ElementTree.Element:
    write_page(path, "A <title> & more", motions, **options)  # type: ignore[arg-type]
    return ElementTree.fromstring(path.read_text(encoding="utf-8"))


def texts(root: ElementTree.Element) -> list[str]:
    return [element.text or "" for element in root.iter(f"{SVG}text")]


def lines(root: ElementTree.Element, ink: str) -> list[np.ndarray]:
    return [
        np.array([pair.split(",") for pair in element.get("points", "").split()], float)
        for element in root.iter(f"{SVG}polyline")
        if element.get("stroke") == ink
    ]


def test_curves_lie_where_their_scale_says() -> None:
    """The places of two levels fix the scale, and every value must agree with it."""
    values = np.array([0.0, 3.0, -1.0, 2.5, 2.0])
    times_s = np.array([0.0, 1.0, 2.0, 3.0, 4.0])
    canvas = Listed()
    Curves("a", "m", times_s, (Curve("b", (1, 2, 3), values),)).draw(canvas, Axis(0.0, 8.0), 100.0)
    (points,) = [points for points, colour in canvas.curves if colour == (1, 2, 3)]
    levels = {
        float(text): rule[0, 1]
        for (x, _, text), rule in zip(
            [t for t in canvas.texts if t[2].lstrip("-").replace(".", "").isdigit()],
            [points for points, colour in canvas.curves if colour != (1, 2, 3)],
            strict=True,
        )
    }
    (low, y_low), *_, (high, y_high) = sorted(levels.items())
    scale = (y_high - y_low) / (high - low)
    np.testing.assert_allclose(points[:, 1], y_low + (values - low) * scale, atol=1e-9)
    steps = np.diff(points[:, 0])
    np.testing.assert_allclose(steps, steps[0])
    left, top, width, height, _ = canvas.boxes[0]
    assert points[-1, 0] == pytest.approx(left + width / 2), "half of the axis"
    assert top <= points[:, 1].min() and points[:, 1].max() <= top + height


def test_every_scale_has_two_marks_at_least_and_not_too_many() -> None:
    for low, high in (
        (-0.92, 0.95),
        (0.1, 0.94),
        (-1.02, 0.02),
        (0.0, 1.0),
        (3.0, 3.0),
        (-4e-6, 4e-6),
        (7, 9e4),
    ):
        canvas = Listed()
        curve = Curve("b", (1, 2, 3), np.array([low, high]))
        Curves("a", "m", np.array([0.0, 1.0]), (curve,)).draw(canvas, Axis(0.0, 1.0), 100.0)
        assert 2 <= sum(colour != (1, 2, 3) for _, colour in canvas.curves) <= 6, (low, high)


def test_bars_of_contacts_last_as_long_as_they_hold(tmp_path: Path, make_motion) -> None:
    motion = make_motion(frames=100, rate=Fraction(25))
    contacts = np.zeros((100, 4), np.float32)
    contacts[10:30, 0], contacts[50:51, 0], contacts[60:80, 2] = 1, 0.9, 0.6
    motion = dataclasses.replace(motion, contacts=contacts)
    root = page(tmp_path / "q.svg", {1: motion}, panels=("contacts",))
    boxes = {
        ink: [
            (float(e.get("x")), float(e.get("width")))
            for e in root.iter(f"{SVG}rect")
            if e.get("fill") == ink
        ]
        for ink in (LEFT_INK, RIGHT_INK)
    }
    assert [len(boxes[LEFT_INK]), len(boxes[RIGHT_INK])] == [2, 1]
    frame_px = boxes[LEFT_INK][0][1] / 20
    assert boxes[LEFT_INK][1][1] == pytest.approx(frame_px, abs=0.11)
    assert boxes[RIGHT_INK][0][1] == pytest.approx(20 * frame_px, abs=0.11)
    assert boxes[LEFT_INK][1][0] - boxes[LEFT_INK][0][0] == pytest.approx(40 * frame_px, abs=0.2)


def test_angles_are_those_of_the_joints_and_break_where_nothing_is_known(tmp_path: Path, make_motion) -> None:
    motion = make_motion(frames=40)
    rotations = np.zeros_like(motion.local_rotations_wxyz)
    half = np.radians(np.linspace(0, 60, 40)) / 2
    knee = motion.joint_names.index("left_knee")
    rotations[..., 0] = 1
    rotations[:, knee, 0], rotations[:, knee, 1] = np.cos(half), -np.sin(half)
    rotations[15:20, knee] = np.nan
    motion = dataclasses.replace(
        motion, local_rotations_wxyz=rotations, contact_names=(), contacts=np.zeros((40, 0))
    )
    root = page(tmp_path / "q.svg", {1: motion}, panels=("angle",), joints=("left_knee",))
    first, second = lines(root, LEFT_INK)
    assert (len(first), len(second)) == (15, 20)
    slope = np.diff(np.concatenate([first, second])[:, 1])
    assert (slope < 0).all(), "y goes down"
    np.testing.assert_allclose(slope[:14], slope[:14].mean(), atol=0.11)
    assert slope[14] == pytest.approx(6 * slope[:14].mean(), abs=0.2)


def test_a_peak_of_one_frame_is_seen_in_ten_thousand() -> None:
    values = np.zeros(10_000)
    values[4321] = 7.0
    canvas = Listed()
    curves = Curves("a", "m", np.arange(10_000) / 30, (Curve("b", (1, 2, 3), values),))
    curves.draw(canvas, Axis(0.0, 9999 / 30), 0.0)
    (points,) = [points for points, colour in canvas.curves if colour == (1, 2, 3)]
    assert len(points) < 2500
    peak = points[points[:, 1].argmin()]
    assert np.ptp(points[:, 1]) == pytest.approx(88)
    left, _, width, *_ = canvas.boxes[0]
    assert peak[0] == pytest.approx(left + width * 4321 / 9999, abs=1)


def test_everybody_shares_one_axis_of_source_frames(tmp_path: Path, make_motion) -> None:
    early, late = make_motion(first=0, frames=50), make_motion(first=100, frames=50, seed=2)
    root = page(tmp_path / "q.svg", {1: early, 3: late}, joints=("left_wrist",), panels=("angle",))
    one, two = lines(root, LEFT_INK)
    assert one[:, 0].max() < two[:, 0].min()
    assert (two[0, 0] - one[0, 0]) / (one[-1, 0] - one[0, 0]) == pytest.approx(100 / 49, abs=0.01)
    words = texts(root)
    assert {"Person 1", "Person 3", "A <title> & more", "left wrist"} <= set(words)
    ruler = {e.text: float(e.get("x")) for e in root.iter(f"{SVG}text") if e.get("text-anchor") == "middle"}
    assert ruler["100"] == pytest.approx(two[0, 0], abs=0.2)
    assert f"{100 / float(early.rate):.2f}" in ruler


def test_errors_and_weak_spans_come_from_the_motion(tmp_path: Path, make_motion) -> None:
    motion = make_motion(frames=120, rate=Fraction(30))
    errors = np.full_like(motion.reprojection_px, 2.0)
    errors[50:70, 3:6] = 300.0
    sure = np.ones_like(motion.confidence)
    sure[80:110] = 0.0
    motion = dataclasses.replace(motion, reprojection_px=errors, confidence=sure)
    words = texts(page(tmp_path / "q.svg", {1: motion}))
    assert {"gap", "reprojection", "worst tenth", "median joint"} <= set(words)
    assert "outlier" not in words
    assert any("mean confidence 0.75" in word and "reprojection 2.0 px" in word for word in words)


def test_a_motion_without_evidence_has_a_page(tmp_path: Path, make_motion) -> None:
    motion = make_motion(frames=1)
    motion = dataclasses.replace(motion, contact_names=(), contacts=np.zeros((1, 0), np.float32))
    words = texts(page(tmp_path / "q.svg", {1: motion}))
    assert any("no keypoints" in word for word in words)
    assert words.count("none") >= 1


def test_png_shows_the_same_page(tmp_path: Path, make_motion) -> None:
    motion = make_motion(frames=60)
    root = page(tmp_path / "q.svg", {1: motion})
    write_page(tmp_path / "q.png", "title", {1: motion})
    picture = cv2.imread(str(tmp_path / "q.png"))[..., ::-1].astype(int)
    assert picture.shape[:2] == (2 * int(root.get("height")), 2 * int(root.get("width")))
    (knee, *_) = [line for line in lines(root, LEFT_INK) if len(line) == 60]
    for x, y in knee[5:-5:7]:
        part = picture[round(2 * y) - 3 : round(2 * y) + 4, round(2 * x) - 3 : round(2 * x) + 4]
        assert ((part[..., 2] - part[..., 0]) > 60).any(), "blue"


def test_the_png_draws_between_pixels() -> None:
    canvas = PngCanvas(40, 40)
    canvas.curve(np.array([[5.0, 5.0], [35.0, 11.0]]), (0, 0, 0), 1.0)
    shades = np.unique(canvas._picture)
    assert len(shades) > 10


@pytest.mark.parametrize("name", ["q.pdf", "q", "q.jpg"])
def test_unknown_suffixes(tmp_path: Path, name: str) -> None:
    with pytest.raises(InputError, match=r"let --out end in \.svg or \.png"):
        check_page(tmp_path / name, PANELS)


def test_what_is_refused(tmp_path: Path, motion: Motion) -> None:
    (tmp_path / "x.svg").mkdir()
    for path, options, words in (
        (tmp_path / "x.svg", {}, "is a folder"),
        (tmp_path / "a.svg", {"panels": ("weak", "mood")}, "--show mood is not possible; choose from weak, "),
        (tmp_path / "a.svg", {"joints": ("tail",)}, "--joints tail is no joint; choose from pelvis"),
        (tmp_path / "no" / "a.png", {}, "cannot be written"),
    ):
        with pytest.raises(InputError, match=words):
            write_page(path, "", {1: motion}, **options)
    assert [item.name for item in tmp_path.iterdir()] == ["x.svg"]
