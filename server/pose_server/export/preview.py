"""The preview film: the clip with the skeletons drawn on it, beside a view of the world."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
import cv2
import numpy as np
from av.video.reformatter import ColorPrimaries, ColorRange, Colorspace, ColorTrc

from pose_server.export.destination import replacing
from pose_server.export.figure import Colour, Figure, Picture, draw_figure, figure_of, write_text
from pose_server.export.room import RoomView
from pose_server.pipeline.boundary import Camera, FloatArray, Motion
from pose_server.pipeline.camera import project
from pose_server.pipeline.distortion import distorted
from pose_server.pipeline.progress import Progress
from pose_server.video.budget import batches_ahead
from pose_server.video.prefetch import prefetch
from pose_server.video.source import FrameSource

__all__ = ["Film", "draw_on_film", "shrunk", "write_preview"]

_WIDEST_PX = 1280
_TALLEST_PX = 720
_SHORTEST_PX = 360
_TIME_BASE = Fraction(1, 90_000)
# Short, because the next report must come within half a second even when 8K film is decoded.
_BATCH = 2
_PREFETCH_BATCHES = 4
_BONE_M = 0.025
#: Of H.264, where less is better and larger.
_QUALITY = 20
_LABEL: Colour = (214, 218, 226)


def write_preview(path: Path, source: FrameSource, motions: Sequence[Motion], *, progress: Progress) -> None:
    """Write the film as H.264 in MP4, a picture for every frame of the source, at its own time.

    Parameters
    ----------
    path
        File to write.
    source
        The clip; it is decoded once more.
    motions
        One per person, in the order in which people are counted.
    progress
        Is told of every few frames as stage ``preview``.

    Raises
    ------
    MediaError
        The film is damaged, as the source says.
    InputError
        The file cannot be written there.
    LimitError
        The disk is full.
    JobCancelledError
        Somebody cancelled; nothing is left behind.
    """
    info = source.info
    width, height = info.width, info.height
    film_size, room_size = _layout(width, height)
    figures = [figure_of(motion, number) for number, motion in enumerate(motions, start=1)]
    cameras = [motion.camera for motion in motions]
    room = RoomView(figures, *room_size)
    with (
        replacing(path) as part,
        Film(part, film_size[0] + room_size[0], film_size[1], info.rate) as film,
        prefetch(source.batches(_BATCH), batches_ahead(info, _BATCH, _PREFETCH_BATCHES)) as batches,
    ):
        done = 0
        for batch in batches:
            for frame, index, time_s in zip(batch.frames, batch.indices, batch.times_s, strict=True):
                present = [(f, c, at) for f, c in zip(figures, cameras, strict=True) if (at := f.at(time_s))]
                picture = shrunk(frame, film_size)
                for figure, camera, (_, points) in sorted(present, key=lambda seen: -seen[2][1][0, 2]):
                    draw_on_film(picture, figure, camera, points)
                world = room.draw([(figure, points) for figure, _, (points, _) in present])
                label = f"frame {index}   {time_s:.2f} s"
                write_text(world, label, (12, world.shape[0] - 12), _LABEL)
                film.add(np.hstack([picture, world]), float(time_s))
            done += len(batch)
            progress.report("preview", done, max(done, info.frame_count))


class Film:
    """An H.264 film that is being written, closed and completed by the end of the block.

    Parameters
    ----------
    path
        File to write.
    width, height
        Of its pictures, even.
    rate
        Frames per second, about; every picture has its own time.
    quality
        The constant rate factor of H.264, 0 to 51: less is better and larger.
    """

    def __init__(
        self, path: Path, width: int, height: int, rate: Fraction, *, quality: int = _QUALITY
    ) -> None:
        self._file = av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"})
        self._stream = self._file.add_stream(
            "libx264", rate=rate, options={"preset": "veryfast", "crf": str(quality)}
        )
        coder = self._stream.codec_context
        coder.width, coder.height, coder.pix_fmt = width, height, "yuv420p"
        coder.time_base = _TIME_BASE
        # A film that people step through: a key every second, and no frame that waits for a later one.
        coder.gop_size = max(1, round(rate))
        coder.max_b_frames = 0
        # What OpenCV's RGB2YUV makes.
        coder.colorspace, coder.color_range = Colorspace.ITU601, ColorRange.MPEG
        coder.color_primaries, coder.color_trc = ColorPrimaries.BT709, ColorTrc.BT709
        self._first_s: float | None = None
        self._last_tick = -1

    def __enter__(self) -> Film:
        return self

    def add(self, picture: Picture, time_s: float) -> None:
        """Append a picture that is shown from that time on."""
        if self._first_s is None:
            self._first_s = time_s
        # Two frames of one time would be refused.
        tick = max(round((time_s - self._first_s) / _TIME_BASE), self._last_tick + 1)
        planes = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2YUV_I420), np.uint8)
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts, frame.time_base = tick, _TIME_BASE
        self._file.mux(self._stream.encode(frame))
        self._last_tick = tick

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._file:
            if error is None:
                self._file.mux(self._stream.encode(None))


def _layout(width: int, height: int) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the sizes of the film and of the square view beside it, all even."""
    aspect = width / height
    tall = min(_TALLEST_PX, max(height, _SHORTEST_PX), _WIDEST_PX / (aspect + 1))
    side = max(2, 2 * round(tall / 2))
    return (max(2, 2 * round(side * aspect / 2)), side), (side, side)


def shrunk(frame: Picture, size: tuple[int, int]) -> Picture:
    """Return a frame in another size (width, height).

    Averaging whole blocks first is twenty times faster than averaging fractions of pixels, and looks the
    same; what is left over at the right and the bottom is less than a pixel of the result.
    """
    height, width = frame.shape[:2]
    block = min(width // size[0], height // size[1])
    if block > 1:
        frame = frame[: height // block * block, : width // block * block]
        blocks = (width // block, height // block)
        frame = np.asarray(cv2.resize(frame, blocks, interpolation=cv2.INTER_AREA), np.uint8)
    return np.asarray(cv2.resize(frame, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def draw_on_film(picture: Picture, figure: Figure, camera: Camera, points_camera_m: FloatArray) -> None:
    """Draw a person into a picture in place, given the (P, 3) points of the figure in the film's camera."""
    scale = np.divide(picture.shape[1::-1], camera.image_size)
    points_px = distorted(project(points_camera_m, camera.matrix), camera) * scale
    focal_px = float(camera.matrix[0, 0] * scale[0])
    depths_m = np.where(np.isfinite(points_px).all(axis=1), points_camera_m[:, 2], np.nan)
    draw_figure(picture, figure, points_px, depths_m, focal_px=focal_px, bone_m=_BONE_M)
