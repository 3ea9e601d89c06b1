"""How the camera of a clip moved, and what its lens is, from what stands still behind the people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pose_server.egomotion.background import background
from pose_server.egomotion.corners import scale_of
from pose_server.egomotion.models import Move, move_of
from pose_server.pipeline.boundary import Camera, CameraPath, Detections, FloatArray
from pose_server.pipeline.progress import Progress
from pose_server.video.source import FrameSource

__all__ = ["FOLLOW_VERSION", "Followed", "followed"]

#: Raised when the same frames give other numbers.
FOLLOW_VERSION = 5

#: A camera that never turned by more stood still: compression trembles, too.
_STILL_DEG = 0.25
#: No lens is known better from a film, relative: it breathes, and the picture is stabilised.
_BEST = 0.02
#: Lenses that what the camera sees may correct.
_DOUBTED = ("assumed", "estimated")
#: Pieces of fewer frames than this are flashes, not shots.
_FLASH = 5


@dataclass(frozen=True)
class Followed:
    """What was found of a camera that may have moved."""

    path: CameraPath | None = None
    """None if it stood still."""
    focal_px: float | None = None
    """Focal length that its turns tell; None where they do not tell it well."""
    focal_sigma: float = np.inf
    """One standard deviation of that, relative."""
    zooms: bool = False
    """Whether the lens changed on the way."""
    breaks: tuple[int, ...] = ()
    """Source frames at which the film is cut, or nothing of the background was left to follow."""

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Return everything as arrays that can be kept."""
        path = self.path
        kept: dict[str, NDArray[Any]] = {
            "focal": np.array([np.nan if self.focal_px is None else self.focal_px, self.focal_sigma]),
            "zooms": np.array(self.zooms),
            "breaks": np.array(self.breaks, dtype=np.int64),
        }
        if path is not None:
            kept |= {"indices": path.indices, "turns": path.turns}
            if path.places is not None:
                kept["places"] = path.places
        return kept

    @classmethod
    def of_arrays(cls, kept: Mapping[str, NDArray[Any]]) -> Followed:
        """Read back what `arrays` gave."""
        focal_px, focal_sigma = kept["focal"].tolist()
        return cls(
            path=CameraPath(kept["indices"], kept["turns"], kept.get("places"))
            if "indices" in kept
            else None,
            focal_px=None if np.isnan(focal_px) else focal_px,
            focal_sigma=focal_sigma,
            zooms=bool(kept["zooms"]),
            breaks=tuple(kept["breaks"].tolist()),
        )


def followed(
    source: FrameSource,
    found: Sequence[Detections],
    camera: Camera,
    progress: Progress,
) -> Followed:
    """Follow the camera of a clip.

    Parameters
    ----------
    source
        The clip, decoded once more.
    found
        Everybody in each of its frames; they do not stand still.
    camera
        With the lens as far as it is known.
    progress
        Told of the frames, which are looked at and then explained: each counts twice; may cancel.

    Notes
    -----
    Where the film is cut, or the background is lost, the camera is taken to go on as it last stood, and
    not to travel: pieces on both sides have no common size.
    """
    tracks = background(source, found, camera, progress)
    indices = np.array([frame.index for frame in found[: tracks.count]], dtype=np.int64)
    scale = scale_of(*camera.image_size)
    sigma = camera.focal_sigma if camera.focal_source in _DOUBTED else None
    ends = (0, *tracks.breaks, tracks.count)
    moves = []
    for first, last in pairwise(ends):

        def report(share: float, first: int = first, frames: int = last - first) -> None:
            progress.report("camera", tracks.count + first + int(share * frames), 2 * tracks.count)

        piece = tracks.within(first, last)
        focal_px = float(camera.matrix[0, 0]) * scale
        move = move_of(piece, first, last, focal_px=focal_px, focal_sigma=sigma or 0.0, report=report)
        moves.append(move)
    progress.report("camera", 2 * tracks.count, 2 * tracks.count)
    path = _path(indices, moves)
    longest = max(moves, key=lambda move: len(move.turns))
    tells = path is not None and np.isfinite(longest.focal_sigma)
    return Followed(
        path=path,
        focal_px=longest.focal_px / scale if tells else None,
        focal_sigma=max(longest.focal_sigma, _BEST) if tells else np.inf,
        zooms=any(move.kind == "zooms" for move in moves),
        breaks=tuple(indices[_shots(ends)].tolist()),
    )


def _shots(ends: Sequence[int]) -> list[int]:
    """Return where pieces begin that last, but for the first."""
    return [first for first, last in pairwise(ends) if first > 0 and last - first >= _FLASH]


def _path(indices: NDArray[np.int64], moves: Sequence[Move]) -> CameraPath | None:
    """Return the moves one after the other; None if the camera stood still."""
    turns: list[FloatArray] = []
    for move in moves:
        turns += list(move.turns @ turns[-1] if turns else move.turns)
    travels = len(moves) == 1 and moves[0].kind == "travels"
    path = CameraPath(indices, np.array(turns).reshape(-1, 3, 3), moves[0].places if travels else None)
    return path if travels or path.widest_deg > _STILL_DEG else None
