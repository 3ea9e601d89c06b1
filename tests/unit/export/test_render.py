"""Films of motions: what is drawn where, how many pictures at which times, and what is refused."""

from __future__ import annotations

import dataclasses
import errno
import io
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from pose_server.export.figure import LEFT, RIGHT, figure_of
from pose_server.export.render import check_target, motion_ticks, render
from pose_server.export.room import Look, RoomView
from pose_server.export.sheet import Sheet, Tick
from pose_server.export.subject import subject_of
from pose_server.pipeline.boundary import ClipInfo, FrameBatch, Motion
from pose_server.pipeline.moment import Moment
from pose_server.pipeline.progress import SilentProgress
from pose_server.pipeline.render_options import RenderOptions
from pose_shared.errors import InputError, LimitError

NTSC = Fraction(30000, 1001)


Buffer = bytes | bytearray | memoryview


class NumberedSource:
    """A clip whose frames are as bright as their number, on a clock of its own."""

    def __init__(self, count: int, width: int = 640, height: int = 360, rate: Fraction = NTSC) -> None:
        self.times_s = np.arange(count) / float(rate)
        self.info = ClipInfo(
            path=Path("numbered.mp4"),
            width=width,
            height=height,
            rate=rate,
            frame_count=count,
            first_frame=0,
            start_time_s=0.0,
            rotation_ccw_deg=0,
            pixel_aspect=Fraction(1),
            codec="none",
        )

    def batches(self, size: int = 8) -> Iterator[FrameBatch]:
        for begin in range(0, len(self.times_s), size):
            times = self.times_s[begin : begin + size]
            indices = np.arange(begin, begin + len(times))
            frames = np.empty((len(times), self.info.height, self.info.width, 3), np.uint8)
            frames[:] = (40 + 4 * indices)[:, None, None, None]
            yield FrameBatch(frames, indices, times)


def shoot(
    path: Path, motions: list[Motion], *, source: NumberedSource | None = None, **options: object
) -> tuple[np.ndarray, np.ndarray]:
    """Render, and return (N, H, W, 3) pictures and (N,) times as a player gets them."""
    settings = RenderOptions(**options)  # type: ignore[arg-type]
    people = dict(enumerate(motions, start=1))
    count = render(
        path,
        subject_of("somebody", people, sides=settings.by_sides(len(people))),
        settings,
        rate=motions[0].rate,
        source=source,
        progress=SilentProgress(),
    )
    with av.open(str(path)) as file:
        frames = list(file.decode(video=0))
    assert path.suffix == ".gif" or count == len(frames)
    pictures = np.stack([frame.to_ndarray(format="rgb24") for frame in frames])
    return pictures, np.array([float(frame.time) for frame in frames])


def redness(picture: np.ndarray, x: float, y: float, reach: int = 2) -> int:
    """How much more red than blue there is around a place, where that differs most."""
    part = picture[max(int(y) - reach, 0) : int(y) + reach + 1, max(int(x) - reach, 0) : int(x) + reach + 1]
    reds = part[..., 0].astype(int) - part[..., 2]
    return int(reds.flat[np.abs(reds).argmax()])


def seen_px(motion: Motion, row: int, name: str, width: int) -> tuple[float, float]:
    """Where the camera sees a joint, in a picture of some width."""
    x, y, z = motion.joints_camera_m[row, motion.joint_names.index(name)].astype(float)
    matrix = motion.camera.matrix
    scale = width / motion.camera.image_size[0]
    return (matrix[0, 0] * x / z + matrix[0, 2]) * scale, (matrix[1, 1] * y / z + matrix[1, 2]) * scale


def test_limbs_have_the_colour_of_their_side_where_the_camera_sees_them(tmp_path: Path, make_motion) -> None:
    motion = make_motion(frames=12, speed=0.4)
    pictures, _ = shoot(tmp_path / "a.mp4", [motion], views=("camera",), size=(640, 360), colours="sides")
    reds = {}
    for side in ("left", "right"):
        middles = [
            np.mean([seen_px(motion, row, f"{side}_{end}", 640) for end in ("elbow", "wrist")], axis=0)
            for row in range(12)
        ]
        reds[side] = [redness(picture, *middle) for picture, middle in zip(pictures, middles, strict=True)]
    # But for moments in which something is before it.
    assert np.quantile(reds["left"], 0.8) < -40, LEFT
    assert np.quantile(reds["right"], 0.2) > 40, RIGHT
    assert pictures[0][5, 5].max() < 40, "there is no film"


def test_the_film_lies_below_frame_by_frame(tmp_path: Path, make_motion) -> None:
    source = NumberedSource(20)
    pictures, times = shoot(
        tmp_path / "a.mp4", [make_motion(first=5, frames=6)], source=source, views=("camera",), downsample=3
    )
    np.testing.assert_allclose(pictures[:, 3, 3, 0], 40 + 4 * np.arange(0, 20, 3), atol=4)
    np.testing.assert_allclose(times, np.arange(0, 20, 3) / float(NTSC), atol=1e-4)


@pytest.mark.parametrize("rate", [NTSC, Fraction(24), Fraction(60000, 1001), Fraction(25, 2)])
def test_an_mp4_keeps_the_rate_exactly(tmp_path: Path, make_motion, rate: Fraction) -> None:
    motion = make_motion(frames=40, rate=rate, first=7)
    shoot(tmp_path / "a.mp4", [motion], size=(160, 96))
    with av.open(str(tmp_path / "a.mp4")) as file:
        stream = file.streams.video[0]
        ticks = [packet.pts * stream.time_base for packet in file.demux(stream) if packet.pts is not None]
        assert stream.frames == 40
    assert max(abs(tick - n / rate) for n, tick in enumerate(ticks)) <= Fraction(1, 180_000)


@pytest.mark.parametrize(
    ("options", "frames"),
    [
        ({}, range(10, 50)),
        ({"start": Moment(frame=20)}, range(20, 50)),
        ({"start": Moment(frame=20), "end": Moment(frame=23)}, range(20, 23)),
        ({"end": Moment(seconds=20 / float(NTSC))}, range(10, 20)),
        ({"limit": 4}, range(10, 14)),
        ({"downsample": 7}, range(10, 50, 7)),
        ({"downsample": 7, "limit": 2, "start": Moment(frame=12)}, (12, 19)),
    ],
)
def test_which_frames_are_drawn(tmp_path: Path, make_motion, options: dict, frames: range) -> None:
    motion = make_motion(first=10, frames=40)
    _, times = shoot(tmp_path / "a.mp4", [motion], size=(96, 64), **options)
    np.testing.assert_allclose(times, (np.array(frames) - frames[0]) / float(NTSC), atol=1e-4)


def test_ticks_name_source_frames_whatever_the_rate_of_the_rows(make_motion) -> None:
    motion = make_motion(first=0, frames=11, rate=Fraction(15))
    motion = dataclasses.replace(motion, frames=np.arange(100, 122, 2))
    ticks = motion_ticks(subject_of("", {1: motion}), Fraction(15), RenderOptions(start=Moment(frame=111)))
    assert [tick.index for tick in ticks] == list(range(112, 122, 2))


def test_people_of_different_times_share_one_clock(make_motion) -> None:
    early, late = make_motion(first=0, frames=5), make_motion(first=20, frames=5, seed=2)
    ticks = motion_ticks(subject_of("", {1: early, 2: late}), NTSC, RenderOptions())
    assert [tick.index for tick in ticks] == list(range(25))


@pytest.mark.parametrize("speed", [0.25, 2.0])
def test_speed_stretches_time_and_leaves_no_picture_out(tmp_path: Path, make_motion, speed: float) -> None:
    _, times = shoot(tmp_path / "a.mp4", [make_motion(frames=20)], size=(96, 64), speed=speed)
    np.testing.assert_allclose(times, np.arange(20) / float(NTSC) / speed, atol=1e-4)


def test_a_gif_keeps_time_within_a_hundredth_and_plays_for_ever(tmp_path: Path, make_motion) -> None:
    pictures, times = shoot(tmp_path / "a.gif", [make_motion(frames=31)], size=(161, 97))
    assert pictures.shape[1:] == (97, 161, 3), "odd sizes are fine here"
    np.testing.assert_allclose(times, np.arange(31) / float(NTSC), atol=0.0051)
    content = (tmp_path / "a.gif").read_bytes()
    assert content[:6] == b"GIF89a"
    loop = content.index(b"NETSCAPE2.0") + 11
    assert content[loop : loop + 5] == b"\x03\x01\x00\x00\x00"
    assert [item.name for item in tmp_path.iterdir()] == ["a.gif"]


def test_a_gif_of_a_fast_film_takes_every_so_many_frames(tmp_path: Path, make_motion) -> None:
    _, times = shoot(tmp_path / "a.gif", [make_motion(frames=60, rate=Fraction(120))], size=(96, 64))
    np.testing.assert_allclose(np.diff(times), 3 / 120, atol=0.011)
    assert len(times) == 20


def test_a_gif_has_the_colours_of_the_mp4(tmp_path: Path, make_motion) -> None:
    motion = make_motion(frames=6)
    film, _ = shoot(tmp_path / "a.mp4", [motion], size=(320, 180), colours="people")
    gif, _ = shoot(tmp_path / "a.gif", [motion], size=(320, 180), colours="people")
    assert np.abs(film.astype(int) - gif).mean() < 6


def test_fewer_bits_make_a_smaller_film(tmp_path: Path, make_motion) -> None:
    source = NumberedSource(60)
    sizes = []
    for kbps in (100, 4000):
        shoot(tmp_path / "a.mp4", [make_motion(frames=60, reach=1.0)], source=source, bitrate_kbps=kbps)
        sizes.append((tmp_path / "a.mp4").stat().st_size)
    assert sizes[0] < 0.7 * sizes[1]
    assert sizes[0] < 3 * 100_000 / 8 * 60 / float(NTSC)


def test_two_people_in_two_colours_each_where_it_is(tmp_path: Path, make_motion) -> None:
    motions = [
        make_motion(seed=1, frames=3, speed=0),
        make_motion(seed=2, frames=3, start_m=(1.2, 0), speed=0),
    ]
    pictures, _ = shoot(tmp_path / "a.mp4", motions, views=("camera",), size=(640, 360))
    reds = [
        redness(pictures[1], *np.mean([seen_px(motion, 1, name, 640) for name in ends], axis=0))
        for motion, ends in zip(motions, [("right_hip", "right_knee")] * 2, strict=True)
    ]
    assert reds[0] > 80, "orange"
    assert reds[1] < -80, "blue"


def test_missing_rows_are_left_out_and_the_rest_is_drawn(tmp_path: Path, make_motion) -> None:
    motion = make_motion(frames=9)
    holes = {
        name: np.where((np.arange(9) // 3 == 1).reshape(-1, 1, 1), np.nan, getattr(motion, name))
        for name in ("joints_world_m", "joints_camera_m", "local_rotations_wxyz")
    }
    hollow = dataclasses.replace(motion, **holes)
    for options in ({}, {"turn_deg_s": 30.0}, {"follow": True}):
        pictures, _ = shoot(tmp_path / "a.mp4", [hollow], size=(320, 180), colours="people", **options)
        orange = (pictures[..., 0].astype(int) - pictures[..., 2] > 90).sum(axis=(1, 2))
        assert (orange[[0, 1, 7, 8]] > 150).all()
        assert orange[4] < orange[1] / 3, "but for the way of the hips"


def test_nothing_but_missing_rows_is_an_empty_room(make_motion) -> None:
    motion = make_motion(frames=4)
    gone = dataclasses.replace(motion, joints_world_m=np.full_like(motion.joints_world_m, np.nan))
    for look in (Look(), Look(follow=True), Look(turn_deg_s=10)):
        view = RoomView([figure_of(gone, 1)], 200, 120, look)
        assert view.draw([(figure_of(gone, 1), figure_of(gone, 1).points_world_m[0])]).shape == (120, 200, 3)


def test_a_full_turn_ends_where_it_began(make_motion) -> None:
    figure = figure_of(make_motion(frames=2, speed=0), 1)
    view = RoomView([figure], 200, 160, Look(turn_deg_s=90, path=False))
    at = [(figure, figure.points_world_m[0])]
    begin, quarter, end = (view.draw(at, time_s) for time_s in (0.0, 1.0, 4.0))
    assert np.abs(begin.astype(int) - end).mean() < 0.5
    assert np.abs(begin.astype(int) - quarter).mean() > 2


def test_a_turning_view_holds_everybody_all_the_way(make_motion) -> None:
    figures = [figure_of(make_motion(frames=60), 1), figure_of(make_motion(start_m=(-3, 4), frames=60), 2)]
    view = RoomView(figures, 300, 200, Look(turn_deg_s=36))
    for time_s in np.arange(0, 10, 0.5):
        view.draw([], time_s)
        for figure in figures:
            pixels, depths = view.project(figure.points_world_m[::10].reshape(-1, 3))
            assert (depths > 0).all()
            assert (pixels > -5).all() and (pixels < np.add((300, 200), 5)).all()


def test_a_following_view_keeps_the_first_person_in_the_middle_and_larger(make_motion) -> None:
    figure = figure_of(make_motion(frames=300, speed=2.0), 1)
    still, along = RoomView([figure], 300, 200), RoomView([figure], 300, 200, Look(follow=True))
    tall = []
    for view in (still, along):
        heights = []
        for row in range(0, 300, 30):
            view.draw([(figure, figure.points_world_m[row])], figure.times_s[row])
            pixels, _ = view.project(figure.points_world_m[row])
            heights.append(np.ptp(pixels[:, 1]))
            if view is along and 30 < row < 270:
                assert abs(pixels[0, 0] - 150) < 40
        tall.append(np.mean(heights))
    assert tall[1] > 2 * tall[0]


def test_contacts_are_green_only_while_they_hold(make_motion) -> None:
    motion = make_motion(frames=4, speed=0)
    contacts = np.zeros((4, 4), np.float32)
    contacts[2, 1] = 1
    subject = subject_of("", {1: dataclasses.replace(motion, contacts=contacts)})
    sheet = Sheet([subject], views=("room",), aspect=1.0, size=(400, 300), contacts=True)
    green = []
    for row in range(4):
        picture = sheet.draw(Tick(row, float(motion.times_s[row]))).astype(int)
        green.append(((picture[..., 1] > 150) & (picture[..., 0] < 140) & (picture[..., 2] < 160)).sum())
    assert green[2] > 20
    assert max(green[0], green[1], green[3]) < 5


def test_without_floor_and_paths_only_people_are_drawn(make_motion) -> None:
    figure = figure_of(make_motion(frames=30), 1)
    bare = RoomView([figure], 200, 150, Look(ground=False, path=False))
    empty = bare.draw([])
    assert (empty == empty[:, :1]).all(), "every row has one colour"
    bare.draw([(figure, figure.points_world_m[0])])
    assert (bare.draw([]) == empty).all()
    assert bare.grid_m is None


def test_views_look_from_where_their_names_say(make_motion) -> None:
    """From the side depth goes across the picture, from above height is lost, from the front depth is."""
    figure = figure_of(make_motion(frames=2, speed=0), 1)
    ends = figure.points_world_m[0, 0] + np.array([[0, 0, 0], [0.2, 0, 0], [0, 0.2, 0], [0, 0, 0.2]])
    moved = {}
    for azimuth, elevation in ((0, 0), (90, 0), (0, 90)):
        view = RoomView([figure], 300, 300, Look(azimuth_deg=azimuth, elevation_deg=elevation))
        pixels, _ = view.project(ends)
        moved[azimuth, elevation] = pixels[1:] - pixels[0]
    front, side, top = moved[0, 0], moved[90, 0], moved[0, 90]
    assert front[0, 0] > 15 and abs(front[1]).max() < 4 and front[2, 1] < -15
    assert abs(side[0]).max() < 4 and side[1, 0] < -15 and side[2, 1] < -15
    assert top[0, 0] > 15 and top[1, 1] < -15 and abs(top[2]).max() < 8


def test_columns_show_their_own_people_under_their_titles(make_motion) -> None:
    one, two = make_motion(seed=1, frames=5), make_motion(seed=2, frames=5)
    subjects = [subject_of("before", {1: one}), subject_of("after", {2: two})]
    sheet = Sheet(subjects, views=("camera", "room"), aspect=16 / 9)
    assert all(side % 2 == 0 for side in sheet.size)
    picture = sheet.draw(Tick(2, float(one.times_s[2]))).astype(int)
    half = sheet.size[0] // 2
    orange = picture[..., 0] - picture[..., 2] > 90
    blue = picture[..., 2] - picture[..., 0] > 90
    assert orange[:, :half].sum() > 300 and orange[:, half:].sum() < 20
    assert blue[:, half:].sum() > 300 and blue[:, :half].sum() < 20
    assert picture[4:26, 8:90].max() > 200 and picture[4:26, half + 8 : half + 60].max() > 200


@pytest.mark.parametrize(
    "views", [("camera",), ("room",), ("camera", "room", "side", "top"), ("top", "camera")]
)
@pytest.mark.parametrize("size", [None, (960, 540), (540, 960), (64, 64)])
def test_every_arrangement_has_the_size_that_was_asked_for(make_motion, views, size) -> None:
    motion = make_motion(frames=3)
    for subjects in (1, 3):
        people = [subject_of(str(i), {1: motion}) for i in range(subjects)]
        sheet = Sheet(people, views=views, aspect=16 / 9, size=size, footage_px=360)
        picture = sheet.draw(Tick(1, float(motion.times_s[1])))
        assert picture.shape[1::-1] == sheet.size
        if size:
            assert sheet.size == size
        else:
            assert sheet.size[0] % 2 == sheet.size[1] % 2 == 0


def test_frame_and_time_stand_where_there_is_room_for_them(make_motion) -> None:
    subject = subject_of("", {1: make_motion(frames=9)})
    sheet = Sheet([subject], views=("camera", "room", "side", "top"), aspect=16 / 9, size=(1280, 480))
    pictures = [sheet.draw(Tick(index, 0.1)).astype(int) for index in (1, 8888)]
    rows, columns = np.nonzero(np.abs(pictures[0] - pictures[1]).max(axis=2) > 60)
    assert len(rows) > 50
    assert rows.min() > 440 and columns.max() < 300, "in the camera's view, the only wide one"


def test_a_film_may_begin_before_the_motion(tmp_path: Path, make_motion) -> None:
    motion = make_motion(frames=5, speed=0)
    pictures, _ = shoot(
        tmp_path / "a.mp4", [motion], source=NumberedSource(12), views=("camera",), skip=4, size=(640, 360)
    )
    drawn = (np.abs(pictures.astype(int) - pictures[:, 3:4, 3:4]) > 60).any(axis=3)
    x, y = (int(value) for value in seen_px(motion, 0, "chest", 640))
    there = drawn[:, y - 8 : y + 9, x - 8 : x + 9].any(axis=(1, 2))
    assert there.tolist() == [4 <= number < 9 for number in range(12)]


def test_what_cannot_be_written_is_refused_before_any_work(tmp_path: Path, make_motion) -> None:
    (tmp_path / "folder.mp4").mkdir()
    for name, options, words in (
        ("film.avi", RenderOptions(), "let --out end in .mp4 or .gif"),
        ("film", RenderOptions(), "let --out end in"),
        ("folder.mp4", RenderOptions(), "is a folder"),
        ("film.mp4", RenderOptions(size=(961, 541)), "give 962x542"),
        ("film.gif", RenderOptions(bitrate_kbps=500), "means nothing to GIF"),
    ):
        with pytest.raises(InputError, match=words):
            check_target(tmp_path / name, options)
    with pytest.raises(InputError, match="add camera to --view"):
        shoot(tmp_path / "a.mp4", [make_motion(frames=3)], size=(96, 64), keypoints=True)
    for name in ("a.mp4", "a.gif"):
        with pytest.raises((InputError, LimitError), match="cannot be written"):
            shoot(tmp_path / "no" / name, [make_motion(frames=3)], size=(96, 64))
        with pytest.raises(InputError, match="No frame lies in that range"):
            shoot(tmp_path / name, [make_motion(frames=3)], size=(96, 64), start=Moment(frame=99))
    with pytest.raises(InputError, match="give that film, or leave --clip out"):
        shoot(tmp_path / "a.mp4", [make_motion(frames=3)], source=NumberedSource(3, 640, 640))
    assert [item.name for item in tmp_path.iterdir()] == ["folder.mp4"]


@pytest.mark.parametrize("room", [0, 2_000, 20_000, 50_000])
def test_a_full_disk_while_pictures_wait_for_their_palette(
    tmp_path: Path, make_motion, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    class Full(io.BytesIO):
        def write(self, data: Buffer) -> int:
            if self.tell() + memoryview(data).nbytes > room:
                raise OSError(errno.ENOSPC, "No space left on device")
            return super().write(data)

    monkeypatch.setattr("pose_server.export.gif.tempfile.TemporaryFile", lambda dir: Full())
    with pytest.raises(LimitError, match="The disk is full while writing"):
        shoot(tmp_path / "a.gif", [make_motion(frames=60)], size=(192, 128))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("views", ("behind",)),
        ("colours", "green"),
        ("size", (10, 500)),
        ("size", (640, 100_000)),
        ("limit", 0),
        ("skip", -1),
        ("downsample", 0),
        ("speed", 0.0),
        ("speed", float("nan")),
        ("bitrate_kbps", 0),
        ("azimuth_deg", 400.0),
        ("elevation_deg", -5.0),
        ("turn_deg_s", float("inf")),
    ],
)
def test_settings_out_of_range_say_what_is_possible(field: str, value: object) -> None:
    with pytest.raises(InputError, match=r"is not possible; (give|choose from)"):
        RenderOptions(**{field: value})  # type: ignore[arg-type]


@pytest.mark.parametrize("text", ["", "960", "960x", "x540", "9.5x4", "-3x5", "960x540x3", "ax b"])
def test_sizes_that_are_none(text: str) -> None:
    with pytest.raises(InputError, match="such as 960x540"):
        RenderOptions.parse_size(text)
    assert RenderOptions.parse_size("960X540") == (960, 540)
