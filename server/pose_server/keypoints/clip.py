"""The one result of all readers: who was seen where in each frame of a clip."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
from pose_shared.errors import InputError, InternalError, PoseError

from pose_server.pipeline.boundary import Detections, FloatArray, IntArray, check_arrays

__all__ = ["NOBODY", "SHARES_END", "KeypointClip", "UnreadClip"]

#: Identity of somebody to whom the file gave none.
NOBODY = -1
#: Points that all lie this near to 0 are no pixels: they are shares of the picture, or else normalised.
SHARES_END = 2.0
#: Shares may reach a little beyond the picture.
_SHARES_BEGIN = -0.25
_MOST_OUTSIDE = 0.5
#: The largest picture that is drawn on: 16K, and more than any camera films.
_LONGEST_PX, _LARGEST_PX = 16384, 1 << 27


@dataclass(frozen=True)
class KeypointClip:
    """2D keypoints of a clip, N sightings of people in the order of frames.

    Pixels are this project's: the centre of the first one is (0.5, 0.5).  Missing points are NaN with
    confidence 0.
    """

    name: str
    """Of the clip, for the user and for folders."""
    format: str
    """Which reader made it, as `--keypoint-format` names it."""
    keypoint_names: tuple[str, ...]
    """(K,) names as in `pose_shared.skeleton`."""
    first_number: int
    """Number that the file gives its first frame; the others follow it without a gap."""
    frame_count: int
    frames: IntArray
    """(N,) which frame, counted from 0 at `first_number`; never falling."""
    keypoints_px: FloatArray
    """(N, K, 2)."""
    confidence: FloatArray
    """(N, K) 0..1."""
    scores: FloatArray
    """(N,) 0..1."""
    boxes_px: FloatArray
    """(N, 4) left, top, right, bottom."""
    identities: IntArray
    """(N,) the same number for the same person, at most once a frame; `NOBODY` where the file has none."""
    size: tuple[int, int] | None
    """Width and height of the picture, where the file has them."""
    rate: Fraction | None
    """Frames per second, where the file has it."""
    sha256: str
    """Of the content that was read."""

    def __post_init__(self) -> None:
        sizes = check_arrays(
            self,
            frames=("i", ("N",)),
            keypoints_px=("f", ("N", "K", 2)),
            confidence=("f", ("N", "K")),
            scores=("f", ("N",)),
            boxes_px=("f", ("N", 4)),
            identities=("i", ("N",)),
        )
        if len(self.keypoint_names) != sizes["K"]:
            raise InternalError(
                f"KeypointClip.keypoint_names: expected {sizes['K']} names, got {len(self.keypoint_names)}",
                reason="BAD_BOUNDARY",
            )

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def identified(self) -> bool:
        """Whether the file says of everybody who they are."""
        return bool(len(self)) and bool((self.identities != NOBODY).all())

    def people_at(self, frame: int) -> slice:
        """Return the rows of the people in one frame, counted from 0."""
        first, stop = np.searchsorted(self.frames, [frame, frame + 1])
        return slice(int(first), int(stop))

    def detections(self, frame: int, *, index: int, time_s: float) -> Detections:
        """Return the people of one frame, counted from 0, as those of source frame `index`."""
        rows = self.people_at(frame)
        people = rows.stop - rows.start
        return Detections(
            index=index,
            time_s=time_s,
            boxes_px=self.boxes_px[rows],
            scores=self.scores[rows],
            keypoints_px=self.keypoints_px[rows],
            keypoint_confidence=self.confidence[rows],
            landmarks_m=np.full((people, len(self.keypoint_names), 3), np.nan),
        )

    def sized(self, size: tuple[int, int] | None) -> KeypointClip:
        """Return the clip with the size of its picture known, and its points in pixels.

        Points from 0 to 1 are taken for shares of width and height.

        Raises
        ------
        InputError
            The size is not known (``KEYPOINTS_SIZE_MISSING``), is none (``KEYPOINTS_SIZE_INVALID``), is not
            that of the file (``KEYPOINTS_SIZE_DIFFERS``), cannot be that of these points
            (``KEYPOINTS_OUTSIDE``), or the points are neither pixels nor shares (``KEYPOINTS_NORMALISED``).
        """
        if size is not None and self.size is not None and size != self.size:
            raise InputError(
                f"The points of '{self.name}' were found in pictures of {_by(self.size)}, not {_by(size)}; "
                "leave --size out, or give the film that they belong to.",
                reason="KEYPOINTS_SIZE_DIFFERS",
                path=self.name,
                size=_by(size),
                own_size=_by(self.size),
            )
        size = size or self.size
        if size is None:
            raise InputError(
                f"'{self.name}' does not say how large its pictures were; give --size WxH, "
                "or the film itself before --keypoints.",
                reason="KEYPOINTS_SIZE_MISSING",
                path=self.name,
            )
        if not (1 <= min(size) <= max(size) <= _LONGEST_PX and size[0] * size[1] <= _LARGEST_PX):
            raise InputError(
                f"Pictures of {_by(size)} are none of a camera; give --size as width x height in pixels.",
                reason="KEYPOINTS_SIZE_INVALID",
                path=self.name,
                size=_by(size),
            )
        clip = replace(self, size=size)
        largest = float(np.nanmax(np.abs(self.keypoints_px)))
        if largest <= SHARES_END:
            if np.nanmin(self.keypoints_px) < _SHARES_BEGIN:
                raise InputError(
                    f"The points of '{self.name}' lie between -1 and 1, and how they were normalised is not "
                    "known; write them in pixels, or from 0 to 1.",
                    reason="KEYPOINTS_NORMALISED",
                    path=self.name,
                )
            whole = np.array(size, dtype=np.float64)
            clip = replace(
                clip, keypoints_px=self.keypoints_px * whole, boxes_px=self.boxes_px * np.tile(whole, 2)
            )
        seen = clip.keypoints_px[clip.confidence > 0]
        outside = ((seen < 0) | (seen > np.array(size))).any(axis=1).mean()
        if outside > _MOST_OUTSIDE:
            raise InputError(
                f"{outside:.0%} of the points of '{self.name}' lie outside of a picture of {_by(size)}; "
                "give --size as width x height of the pictures in which they were found.",
                reason="KEYPOINTS_OUTSIDE",
                path=self.name,
                size=_by(size),
            )
        return clip

    def identities_in(self, found: Sequence[Detections], shift: int) -> list[IntArray]:
        """Return the identities of the people in each of some frames, whose index is `shift` too high."""
        return [self.identities[self.people_at(frame.index - shift)] for frame in found]


@dataclass(frozen=True)
class UnreadClip:
    """A clip that cannot be used, and why."""

    name: str
    error: PoseError


def _by(size: tuple[int, int]) -> str:
    return f"{size[0]}x{size[1]}"
