"""The preview film: its timing and format, what is drawn where, and that it leaves nothing half done."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from pose_server.export.figure import figure_of
from pose_server.export.overlay import draw_on_film
from pose_server.export.preview import write_preview
from pose_server.export.room import RoomView
from pose_server.pipeline.boundary import ClipInfo, FrameBatch, Motion
from pose_server.pipeline.progress import SilentProgress
from pose_shared.errors import InputError, JobCancelledError, MediaError

GREY = 90


class GreySource:
    """A clip of grey pictures at given times."""

    def __init__(
        self, times_s: np.ndarray, width: int = 640, height: int = 360, *, breaks_at: int | None = None
    ) -> None:
        self.times_s = times_s
        self.breaks_at = breaks_at
        self.info = ClipInfo(
            path=Path("grey.mp4"),
            width=width,
            height=height,
            rate=Fraction(30),
            frame_count=len(times_s),
            first_frame=0,
            start_time_s=0.0,
            rotation_ccw_deg=0,
            pixel_aspect=Fraction(1),
            codec="none",
        )

    def batches(self, size: int = 8) -> Iterator[FrameBatch]:
        for begin in range(0, len(self.times_s), size):
            if self.breaks_at is not None and begin >= self.breaks_at:
                raise MediaError("The film is cut.", reason="MEDIA_TRUNCATED")
            times = self.times_s[begin : begin + size]
            frames = np.full((len(times), self.info.height, self.info.width, 3), GREY, np.uint8)
            yield FrameBatch(frames, np.arange(begin, begin + len(times)), times)


class Impatient(SilentProgress):
    """Cancels after a few reports."""

    def __init__(self, patience: int) -> None:
        self.patience = patience
        self.reports: list[tuple[str, int, int]] = []

    def report(self, stage: str, done: int, total: int) -> None:
        self.reports.append((stage, done, total))
        if len(self.reports) > self.patience:
            raise JobCancelledError("Cancelled.")


def decoded(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return (N, H, W, 3) pictures and (N,) times."""
    with av.open(str(path)) as file:
        frames = list(file.decode(video=0))
    return np.stack([frame.to_ndarray(format="rgb24") for frame in frames]), np.array(
        [float(frame.time) for frame in frames]
    )


def differs(picture: np.ndarray) -> np.ndarray:
    """(H, W) whether something other than grey is there, compression apart."""
    return np.asarray(np.abs(picture.astype(int) - GREY).max(axis=2) > 40)


def test_format_size_and_every_frames_own_time(tmp_path: Path, motion: Motion) -> None:
    times = np.cumsum(np.random.default_rng(5).uniform(0.01, 0.09, 40)) + 3.7
    write_preview(tmp_path / "preview.mp4", GreySource(times), [motion], progress=SilentProgress())
    with av.open(str(tmp_path / "preview.mp4")) as file:
        stream = file.streams.video[0]
        assert (stream.codec.name, stream.pix_fmt) == ("h264", "yuv420p")
        assert stream.width % 2 == stream.height % 2 == 0
        assert (stream.width, stream.height) == (640 + 360, 360)
    _, have = decoded(tmp_path / "preview.mp4")
    np.testing.assert_allclose(have, times - times[0], atol=1e-4)
    assert [item.name for item in tmp_path.iterdir()] == ["preview.mp4"]


@pytest.mark.parametrize("size", [(1768, 994), (1080, 1920), (161, 91), (64, 1000), (3000, 300), (853, 480)])
def test_every_shape_of_film_fits(tmp_path: Path, make_motion, size: tuple[int, int]) -> None:
    motion = make_motion(image_size=size)
    source = GreySource(np.arange(4) / 30, *size)
    write_preview(tmp_path / "preview.mp4", source, [motion], progress=SilentProgress())
    pictures, _ = decoded(tmp_path / "preview.mp4")
    height, width = pictures.shape[1:3]
    assert len(pictures) == 4
    assert width <= 1284 and height <= 720
    assert (width - height) / height == pytest.approx(size[0] / size[1], rel=0.03)


def test_bones_are_drawn_where_the_camera_sees_them(tmp_path: Path, make_motion) -> None:
    motion = make_motion(first=10, frames=10, rate=Fraction(30), speed=3.0, image_size=(1280, 720))
    times = np.arange(30) / 30
    write_preview(tmp_path / "preview.mp4", GreySource(times, 1280, 720), [motion], progress=SilentProgress())
    pictures, _ = decoded(tmp_path / "preview.mp4")
    height = pictures.shape[1]
    film = pictures[:, :, : pictures.shape[2] - height]
    for index in range(30):
        drawn = differs(film[index])
        if not 10 <= index < 20:
            assert not drawn.any(), "nobody is there"
            continue
        joints = motion.joints_camera_m[index - 10]
        pixels = joints[:, :2] / joints[:, 2:] * motion.camera.matrix[0, 0] + (640, 360)
        pixels *= height / 720
        for x, y in pixels.astype(int):
            if 3 <= x < film.shape[2] - 3 and 3 <= y < height - 3:
                assert drawn[y - 2 : y + 3, x - 2 : x + 3].any()
        rows, columns = np.nonzero(drawn)
        assert columns.min() > pixels[:, 0].min() - 40 and columns.max() < pixels[:, 0].max() + 40
        assert rows.min() > pixels[:, 1].min() - 60 and rows.max() < pixels[:, 1].max() + 40


def test_two_people_have_two_colours_and_a_room(tmp_path: Path, make_motion) -> None:
    one = make_motion(seed=1, frames=30, rate=Fraction(30))
    two = make_motion(seed=2, frames=10, first=15, rate=Fraction(30), start_m=(-3.0, 4.0), moving_camera=True)
    figures = [figure_of(motion, number) for number, motion in enumerate((one, two), start=1)]
    assert figures[0].colour != figures[1].colour
    view = RoomView(figures, 400, 400)
    floor = view.draw([])
    both = [(figure, figure.at(0.6)[0]) for figure in figures]
    picture = view.draw(both)
    changed = (picture != floor).any(axis=2)
    assert changed.sum() > 500
    assert not changed[:8].any() and not changed[-8:].any()
    assert not changed[:, :8].any() and not changed[:, -8:].any()
    red, _, blue = np.moveaxis(picture.astype(int), 2, 0)
    assert (red > blue + 60).sum() > 30, "person 1 is orange"
    assert (blue > red + 60).sum() > 30, "person 2 is blue"
    left_behind = (view.draw([]) != floor).any(axis=2)
    assert not left_behind.all()


def test_paths_stay_when_people_go(make_motion) -> None:
    figure = figure_of(make_motion(rate=Fraction(30)), 1)
    view = RoomView([figure], 300, 300)
    floor = view.draw([])
    for time_s in np.arange(0, 1.5, 0.1):
        view.draw([(figure, figure.at(time_s)[0])])
    path = (view.draw([]) != floor).any(axis=2)
    assert 40 < path.sum() < 3000


def test_a_row_is_shown_for_its_own_time(make_motion) -> None:
    motion = make_motion(rate=Fraction(10), frames=20, first=5)
    figure = figure_of(motion, 3)
    assert figure.at(0.44) is None
    assert figure.at(2.46) is None
    world, camera = figure.at(0.75)
    joints = len(motion.joint_names)
    np.testing.assert_allclose(world[:joints], motion.joints_world_m[2:4].mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(camera[:joints], motion.joints_camera_m[2:4].mean(axis=0), atol=1e-5)
    for time_s in (0.46, 2.44):
        assert figure.at(time_s) is not None


def test_what_is_behind_the_camera_or_missing_is_left_out(tmp_path: Path, make_motion) -> None:
    motion = make_motion(frames=6, rate=Fraction(30), start_m=(0.0, -5.0))
    holes = motion.joints_world_m.copy()
    holes[2:] = np.nan
    broken = dataclasses.replace(motion, joints_world_m=holes)
    source = GreySource(np.arange(6) / 30)
    write_preview(tmp_path / "preview.mp4", source, [broken], progress=SilentProgress())
    pictures, _ = decoded(tmp_path / "preview.mp4")
    assert not differs(pictures[4, :, :600]).any()


def test_nobody_gives_the_film_alone(tmp_path: Path) -> None:
    write_preview(tmp_path / "preview.mp4", GreySource(np.arange(3) / 30), [], progress=SilentProgress())
    assert len(decoded(tmp_path / "preview.mp4")[0]) == 3


@pytest.mark.parametrize("patience", [0, 5])
def test_cancelling_leaves_nothing(tmp_path: Path, motion: Motion, patience: int) -> None:
    progress = Impatient(patience)
    with pytest.raises(JobCancelledError):
        write_preview(tmp_path / "p.mp4", GreySource(np.arange(60) / 30), [motion], progress=progress)
    assert list(tmp_path.iterdir()) == []
    stage, done, total = progress.reports[-1]
    assert (stage, total) == ("preview", 60)
    assert done <= 4 * (patience + 1)


def test_a_damaged_film_and_a_missing_folder(tmp_path: Path, motion: Motion) -> None:
    source = GreySource(np.arange(60) / 30, breaks_at=30)
    with pytest.raises(MediaError):
        write_preview(tmp_path / "p.mp4", source, [motion], progress=SilentProgress())
    with pytest.raises(InputError, match="another output folder"):
        write_preview(tmp_path / "no" / "p.mp4", source, [motion], progress=SilentProgress())
    assert list(tmp_path.iterdir()) == []


def test_a_figure_is_bent_as_the_film_is(motion: Motion) -> None:
    """What a lens cannot show is not drawn, though its polynomial has a place for it in the picture."""
    bend = np.array([-0.3, 0.0, 0.0, 0.0, 0.0])
    camera = dataclasses.replace(motion.camera, distortion=bend)
    figure = figure_of(motion, 1)
    off_m = figure.points_camera_m[0] + (1.6, 0.0, -1.0)
    picture = np.full((360, 640, 3), GREY, np.uint8)
    draw_on_film(picture, figure, camera, off_m)
    places, _ = cv2.projectPoints(off_m, np.zeros(3), np.zeros(3), camera.matrix, bend)
    joints = motion.joint_names.index("chest"), motion.joint_names.index("left_knee")
    for x, y in places[list(joints), 0].astype(int):
        assert differs(picture[y - 2 : y + 3, x - 2 : x + 3]).any()
    straight, _ = cv2.projectPoints(off_m, np.zeros(3), np.zeros(3), camera.matrix, np.zeros(5))
    assert np.linalg.norm(straight - places, axis=2)[list(joints)].min() > 5
    beyond = np.full((360, 640, 3), GREY, np.uint8)
    draw_on_film(beyond, figure, camera, figure.points_camera_m[0] + (7.0, 0.0, 0.0))
    assert not differs(beyond).any()
