"""Weak spans on the time line of a scene, and the words for them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Iterable, Tuple

from pose_shared.motion import WeakSpan
from pose_shared.timing import SceneTiming

__all__ = ["REASONS", "SceneSpan", "scene_spans"]

#: Value, name and description of each reason; the last one stands for all that this host does not know.
REASONS = (
    ("gap", "Not seen", "Not seen, bridged"),
    ("low_confidence", "Hardly seen", "Seen with little confidence"),
    ("outlier", "Outlier", "The whole body lies away from where it was seen"),
    ("reprojection", "Off the film", "The joints lie away from where they were seen"),
    ("other", "Weak", "For a reason that this add-on does not know"),
)


@dataclass(frozen=True)
class SceneSpan:
    """Joints that are more guessed than seen for a while.

    Attributes
    ----------
    start, end
        Scene frames, the last one included.
    why
        Value of one of `REASONS`.
    joints
        Their names as text.
    """

    start: int
    end: int
    why: str
    joints: str

    @property
    def reason(self) -> str:
        """Why, in words."""
        return next(name for value, name, _ in REASONS if value in (self.why, "other"))


def scene_spans(spans: Iterable[WeakSpan], timing: SceneTiming) -> Tuple[SceneSpan, ...]:
    """Return where weak spans of a clip lie in the scene."""
    known = {value for value, _, _ in REASONS}
    return tuple(
        SceneSpan(
            round(timing.scene_frame_of(span.first_frame)),
            round(timing.scene_frame_of(span.last_frame)),
            span.why if span.why in known else "other",
            ", ".join(joint.replace("_", " ") for joint in span.joints),
        )
        for span in spans
    )
