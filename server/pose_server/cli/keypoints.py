"""The options of `pose-server import --keypoints`, and the clips that they mean."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pose_shared.errors import InputError

if TYPE_CHECKING:
    from pose_server.keypoints.clip import KeypointClip, UnreadClip

__all__ = ["KeypointChoice"]


@dataclass(frozen=True)
class KeypointChoice:
    """The options of the command line that belong together.

    Raises
    ------
    InputError
        They contradict each other, or one is no value at all.
    """

    path: Path | None
    format_name: str | None
    size: str | None
    clip: Path | None

    def __post_init__(self) -> None:
        if self.path is None:
            if self.clip is None:
                raise InputError(
                    "Nothing was given to import; give a film, an image sequence, or --keypoints.",
                    reason="CLIP_MISSING",
                )
            for option, value in (("--size", self.size), ("--keypoint-format", self.format_name)):
                if value is not None:
                    raise InputError(
                        f"{option} belongs to --keypoints; leave it out, or give those.",
                        reason="KEYPOINTS_MISSING",
                    )
        elif self.clip is not None and self.size is not None:
            raise InputError(
                f"'{self.clip.name}' has its own size; leave --size out.", reason="SIZE_NOT_NEEDED"
            )
        self.picture_size  # noqa: B018 - what is no size is said now

    @property
    def picture_size(self) -> tuple[int, int] | None:
        """Width and height, if they were given."""
        if self.size is None:
            return None
        parts = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", self.size.lower())
        if parts is None:
            raise InputError(
                f"--size {self.size} is no size; give width x height in pixels, such as 1920x1080.",
                reason="SIZE_INVALID",
                value=self.size,
            )
        return int(parts[1]), int(parts[2])

    def read(self) -> list[KeypointClip | UnreadClip]:
        """Return the clips of the file; raises as `read_each`, and what keeps a film's own from its use."""
        from pose_server.keypoints.clip import UnreadClip
        from pose_server.keypoints.registry import read_each

        assert self.path is not None
        clips = read_each(self.path, format_name=self.format_name)
        if self.clip is not None:
            if len(clips) > 1:
                raise InputError(
                    f"'{self.path.name}' holds {len(clips)} clips ({clips[0].name}, {clips[1].name}, ...), "
                    "and one film was given; give the keypoints of that film alone.",
                    reason="KEYPOINTS_SEVERAL_CLIPS",
                    path=self.path,
                    clips=len(clips),
                )
            return clips
        for place, clip in enumerate(clips):
            if not isinstance(clip, UnreadClip):
                try:
                    clips[place] = clip.sized(self.picture_size)
                except InputError as error:
                    clips[place] = UnreadClip(clip.name, error)
        return clips
